/** Runs programs against each other in one engine, each in turn, so that what else the machine does falls on all alike. */
import { STACK_WORDS } from "../../src/sandbox/limits.ts";
import { METER_EXPORTS } from "../../src/sandbox/meter.ts";

/** A program of which several forms are compared. */
export interface Runner {
  /** Of many short runs, after which an engine has optimised what there is to optimise. */
  warmUp(): void;
  /** One run; returns its result, which must be the same in all forms. */
  run(): number;
  /** Of the last run, where some of it is not to be counted; otherwise all of it is. */
  readonly ms?: () => number;
}

/** Rounds of warming up, with pauses in which an engine may compile in the background. */
const WARM_UPS = 6;
const PAUSE_MS = 25;
const ROUNDS = 40;

function pause(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, PAUSE_MS);
  });
}

/**
 * Milliseconds of the fastest of ROUNDS runs of each form: whatever disturbs a run makes it slower, never faster.
 * @throws Error when the results differ
 */
export async function race(forms: readonly Runner[]): Promise<readonly number[]> {
  for (let round = 0; round < WARM_UPS; round += 1) {
    for (const form of forms) form.warmUp();
    await pause();
  }
  const results = new Set(forms.map((form) => form.run()));
  if (results.size !== 1) throw new Error(`the forms gave ${[...results].join(" and ")}`);
  const best = forms.map(() => Infinity);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [index, form] of forms.entries()) {
      const begun = performance.now();
      form.run();
      const ms = form.ms?.() ?? performance.now() - begun;
      best[index] = Math.min(best[index] ?? Infinity, ms);
    }
  }
  return best;
}

/** Milliseconds of warming up per round and form. */
const WARM_UP_MS = 20;

/** A kernel's module, as it is or metered. */
export async function kernelRunner(
  wasm: Uint8Array<ArrayBuffer>,
  { n, warmUpN }: { readonly n: number; readonly warmUpN: number },
): Promise<Runner & { readonly exports: WebAssembly.Exports }> {
  const { instance } = await WebAssembly.instantiate(wasm);
  const { run } = instance.exports;
  if (typeof run !== "function") throw new TypeError("a kernel exports run");
  const stack = instance.exports[METER_EXPORTS.stack];
  const call = (size: number): number => {
    // The sandbox calls a metered module with all of its stack each time.
    if (stack instanceof WebAssembly.Global) stack.value = STACK_WORDS;
    return Number(Reflect.apply(run, undefined, [size]));
  };
  return {
    exports: instance.exports,
    warmUp() {
      const end = performance.now() + WARM_UP_MS;
      while (performance.now() < end) call(warmUpN);
    },
    run: () => call(n),
  };
}
