import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { checkPlan } from "../../src/plan/check.ts";
import { parsePlan } from "../../src/plan/plan-text.ts";
import { cidOf, RAW } from "../../src/protocol/cid.ts";
import { readArtefact, sha256 } from "../artefact.ts";
import { compileC, findToolchain } from "../compile-c.ts";

/** Compiling takes seconds; on a machine that does other things besides, a minute. */
const COMPILING_MS = 120_000;

const target = new URL("wordcount.wasm", import.meta.url);

/** Runs the command under Node's own WASI, in a process of its own, for it reads file descriptor 0. */
function count(input: string): string {
  const program = `
    import { WASI } from "node:wasi";
    import { readFileSync } from "node:fs";
    const wasi = new WASI({ version: "preview1" });
    const module = new WebAssembly.Module(readFileSync(process.argv[1]));
    wasi.start(new WebAssembly.Instance(module, wasi.getImportObject()));`;
  const flags = ["--no-warnings", "--input-type=module", "--eval", program, fileURLToPath(target)];
  return execFileSync(process.execPath, flags, { input, encoding: "utf8" });
}

it("is what its SHA-256 says", async () => {
  const { wasm, recordedSha256 } = await readArtefact(target);
  expect(sha256(wasm)).toBe(recordedSha256);
});

it("is the function that the plan beside it calls", async () => {
  const { wasm } = await readArtefact(target);
  const text = await readFile(new URL("count.yaml", import.meta.url), "utf8");
  expect(checkPlan((await parsePlan(text)).plan)).toEqual([]);
  expect(text).toContain(`cid: ${cidOf(RAW, wasm)}`);
});

it.each([
  ["", "0 0 0\n"],
  ["one", "0 1 3\n"],
  ["two words\nand three more\n", "2 5 25\n"],
  [" \t\v\f\r\n\n", "2 0 7\n"],
  ["déjà vu\n", "1 2 10\n"],
  ["ab ".repeat(100_000), "0 100000 300000\n"],
])("counts lines, words and bytes of %j", (input, counts) => {
  expect(count(input)).toBe(counts);
});

it(
  "is what the recorded compiler makes of its source",
  async ({ skip }) => {
    const recorded = await readFile(new URL("wordcount.wasm.toolchain", import.meta.url), "utf8");
    const found = await findToolchain("wasi");
    if (found !== recorded.trim()) {
      console.log(
        `wordcount.wasm not rebuilt: it was made by ${recorded.trim()}, here is ${found ?? "none"}`,
      );
      skip();
    }
    const { recordedSha256 } = await readArtefact(target);
    expect(sha256(await compileC(new URL("wordcount.c", import.meta.url), "wasi"))).toBe(recordedSha256);
  },
  COMPILING_MS,
);
