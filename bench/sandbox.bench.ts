/** How soon a function runs, and what a task costs besides its work, in the provider's worker in Chromium. */
import { wat } from "../e2e/support/functions.ts";
import type { Bench } from "./bench.ts";
import { median } from "./median.ts";
import { openSandboxPage } from "./sandbox-page.ts";
import type { SandboxPage } from "./sandbox-page/main.ts";

declare const sandboxPage: SandboxPage;

const STARTS = 25;
/** The provider keeps one thread started ahead (src/provider/thread-starter.ts). */
const AHEAD_MS = 800;
const BATCHES = 20;
/** About 1 µs of work. */
const SHORT_LOOPS = 1_000;
const LARGE_BYTES = 100_000;

/** Returns its input after a loop of so many turns. */
function echo(loops: number, more: string = ""): Uint8Array {
  return wat(
    `(local $i i32)
    (loop $again
      (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const ${loops}))))
    (i64.or (i64.shl (i64.extend_i32_u (local.get $at)) (i64.const 32)) (i64.extend_i32_u (local.get $length)))`,
    `(memory (export "memory") 2 64) ${more}`,
  );
}

/** Functions of 1 kB each, with loops, loads, floats and calls of each other, so that a module has the wanted size. */
function filling(bytes: number): string {
  const line = `(local.set $x (i32.add (i32.mul (local.get $x) (i32.const 48271)) (i32.load offset=16 (i32.and (local.get $x) (i32.const 1023)))))
    (local.set $f (f64.add (f64.mul (local.get $f) (f64.const 1.5)) (f64.convert_i32_s (local.get $x))))
    (if (i32.and (local.get $x) (i32.const 64)) (then (i32.store offset=8 (i32.and (local.get $x) (i32.const 1023)) (local.get $x))))`;
  const functions = Array.from(
    { length: Math.ceil(bytes / 1_150) },
    (_, index) => `(func $fill${index} (export "fill${index}") (param $x i32) (result i32) (local $f f64)
      (loop $again ${line.repeat(19)} (br_if $again (i32.gt_u (local.get $x) (i32.const 4000000000))))
      (i32.add (local.get $x) (${index === 0 ? "i32.trunc_sat_f64_s (local.get $f)" : `call $fill${index - 1} (local.get $x)`})))`,
  );
  return functions.join("\n");
}

const starts: Bench = {
  name: "sandbox-start",
  async run() {
    const large = echo(1, filling(LARGE_BYTES));
    if (Math.abs(large.length - LARGE_BYTES) > LARGE_BYTES / 10)
      throw new Error(`the large function has ${large.length} bytes`);
    const opened = await openSandboxPage();
    const { page } = opened;
    try {
      const given = [[...large], STARTS] as const;
      const cold = await page.evaluate(
        ([wasm, rounds, aheadMs]) => sandboxPage.coldStarts(wasm, rounds, aheadMs),
        [...given, AHEAD_MS] as const,
      );
      const unready = await page.evaluate(([wasm, rounds]) => sandboxPage.coldStarts(wasm, rounds, 0), given);
      const warm = await page.evaluate(([wasm, rounds]) => sandboxPage.warmStarts(wasm, rounds), given);
      return [
        // The goal is about a new thread; one that was started ahead is what a task meets.
        {
          name: "sandbox-cold-start",
          value: median(unready),
          unit: "ms",
          goal: { value: 40, better: "lower" },
        },
        { name: "sandbox-cold-start-ahead", value: median(cold), unit: "ms" },
        { name: "sandbox-warm-start", value: median(warm), unit: "ms", goal: { value: 5, better: "lower" } },
      ];
    } finally {
      await opened.close();
    }
  },
};

const overhead: Bench = {
  name: "sandbox-task",
  goal: { value: 0.15, better: "lower" },
  async run() {
    const opened = await openSandboxPage();
    const { page } = opened;
    try {
      const times = await page.evaluate(([wasm, rounds]) => sandboxPage.tasks(wasm, rounds), [
        [...echo(SHORT_LOOPS)],
        BATCHES,
      ] as const);
      return [{ name: "sandbox-task-overhead", value: median(times), unit: "ms" }];
    } finally {
      await opened.close();
    }
  },
};

export const benches: readonly Bench[] = [starts, overhead];
