/**
 * How fast and how much larger modules become: `node bench/kernels/rewriting.ts` with a path prints the milliseconds of a
 * first rewriting in a fresh process; imported, it measures warm ones.
 */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { argv, execPath } from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ByteReader } from "../../src/sandbox/decode/byte-reader.ts";
import { SECTION } from "../../src/sandbox/decode/decode-module.ts";
import { type MeterOptions, meterModule } from "../../src/sandbox/meter.ts";

const MODULES = join(import.meta.dirname, "..", "..", "node_modules");

/** An interpreter of Lua, and a program that reads and writes modules: written by others, from npm. */
export const PROGRAMS = {
  lua: fileURLToPath(import.meta.resolve("wasmoon/dist/glue.wasm")),
  "wasm-tools": join(MODULES, "@bytecodealliance", "jco-transpile", "vendor", "wasm-tools.core.wasm"),
} as const;

const WARM_UPS = 4;
const ROUNDS = 9;

export function readProgram(path: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(readFileSync(path));
}

/** Size of the code section of a well-formed module. */
export function codeBytes(wasm: Uint8Array): number {
  const reader = new ByteReader(wasm, 8);
  while (reader.at < reader.end) {
    const id = reader.u8("section");
    const bytes = reader.u32("size of a section");
    if (id === SECTION.code) return bytes;
    reader.skip(bytes, "section");
  }
  return 0;
}

/** Bytes of code added, in percent of what there was. */
export function growthPercent(wasm: Uint8Array, options: MeterOptions): number {
  return (codeBytes(meterModule(wasm, options).bytes) / codeBytes(wasm) - 1) * 100;
}

function onceMs(wasm: Uint8Array): number {
  const begun = performance.now();
  meterModule(wasm);
  return performance.now() - begun;
}

/** Milliseconds of each of ROUNDS rewritings by code that has been optimised. */
export function warmMs(wasm: Uint8Array): readonly number[] {
  for (let round = 0; round < WARM_UPS; round += 1) meterModule(wasm);
  return Array.from({ length: ROUNDS }, () => onceMs(wasm));
}

/** Milliseconds of the first rewriting that a process does. */
export async function firstMs(path: string): Promise<number> {
  const { stdout } = await promisify(execFile)(execPath, [fileURLToPath(import.meta.url), path]);
  return Number(stdout);
}

const [, script, path] = argv;
if (script === fileURLToPath(import.meta.url) && path !== undefined) console.log(onceMs(readProgram(path)));
