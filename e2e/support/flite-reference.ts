import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Speaks each line under Node's own WASI; the files are named after the places of their lines, from 0. */
const PROGRAM = `
  const { WASI } = require("node:wasi");
  const { readFileSync } = require("node:fs");
  const [file, folder, lines] = process.argv.slice(1);
  WebAssembly.compile(readFileSync(file)).then(async (module) => {
    for (const [index, line] of JSON.parse(lines).entries()) {
      const args = ["flite", "-t", line, "-o", index + ".wav"];
      const wasi = new WASI({ version: "preview1", args, preopens: { "/": folder }, returnOnExit: true });
      const code = wasi.start(await WebAssembly.instantiate(module, wasi.getImportObject()));
      if (code !== 0) throw new Error("flite ended with " + code);
    }
  });
`;

/** What Flite makes of these lines in a process that knows nothing of us. @param flite path of the program. */
export function speakAlone(flite: string, lines: readonly string[]): readonly Buffer[] {
  const folder = mkdtempSync(join(tmpdir(), "flite-alone-"));
  try {
    execFileSync(process.execPath, ["--no-warnings", "-e", PROGRAM, flite, folder, JSON.stringify(lines)]);
    return lines.map((_, index) => readFileSync(join(folder, `${index}.wav`)));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
