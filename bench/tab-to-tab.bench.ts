/** What a task costs between two real tabs, beside what the connection alone costs in the same minute. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { wat } from "../e2e/support/functions.ts";
import type { Bench } from "./bench.ts";
import { median } from "./median.ts";
import type { BenchPage } from "./pages/main.ts";
import { openTwoTabs, type TwoTabs } from "./two-tabs.ts";

declare const benchPage: BenchPage;

const PAIRS = 400;
const PIPELINED_TASKS = 10_000;
const OUTPUT_BYTES: number = 1024 * 1024;
const OUTPUTS = 30;
/** Runs of those that are short: the machine is not always equally free. */
const RUNS = 3;

/** Returns as many bytes as the input says, written one by one. */
const PRODUCE: Uint8Array = wat(
  `(local $size i32) (local $i i32)
  (local.set $size (i32.or
    (i32.shl (i32.load8_u (local.get $at)) (i32.const 24))
    (i32.or
      (i32.shl (i32.load8_u offset=1 (local.get $at)) (i32.const 16))
      (i32.or
        (i32.shl (i32.load8_u offset=2 (local.get $at)) (i32.const 8))
        (i32.load8_u offset=3 (local.get $at))))))
  (memory.fill (i32.const 65536) (i32.const 7) (local.get $size))
  (i64.or (i64.shl (i64.const 65536) (i64.const 32)) (i64.extend_i32_u (local.get $size)))`,
  '(memory (export "memory") 18 64)',
);

async function noop(): Promise<number[]> {
  return [...(await readFile(join(import.meta.dirname, "../examples/noop/noop.wasm")))];
}

async function withTabs<T>(measure: (tabs: TwoTabs) => Promise<T>): Promise<T> {
  const tabs = await openTwoTabs();
  try {
    return await measure(tabs);
  } finally {
    await tabs.close();
  }
}

const roundTrip: Bench = {
  name: "noop-roundtrip",
  goal: { ratio: 1.7, better: "lower" },
  run: () =>
    withTabs(async ({ requester }) => {
      const { ours, bare } = await requester.evaluate(
        ([module, pairs]) => benchPage.roundTrips(module, pairs),
        [await noop(), PAIRS] as const,
      );
      return [{ name: "noop-roundtrip", value: median(ours), unit: "ms", reference: median(bare) }];
    }),
};

const pipelined: Bench = {
  name: "noop-pipelined",
  goal: { value: 2_000, better: "higher" },
  run: () =>
    withTabs(async ({ requester }) => {
      const module = await noop();
      const rates: number[] = [];
      for (let run = 0; run < RUNS; run += 1) {
        // One run after the other.
        const { ms, done } = await requester.evaluate(([bytes, count]) => benchPage.mapped(bytes, count), [
          module,
          PIPELINED_TASKS,
        ] as const);
        rates.push((done * 1_000) / ms);
      }
      return [{ name: "noop-pipelined", value: median(rates), unit: "tasks/s" }];
    }),
};

const output: Bench = {
  name: "output-1mib",
  goal: { ratio: 0.7, better: "higher" },
  run: () =>
    withTabs(async ({ requester }) => {
      const { ours, bare } = await requester.evaluate(
        ([module, bytes, rounds]) => benchPage.outputs(module, bytes, rounds),
        [[...PRODUCE], OUTPUT_BYTES, OUTPUTS] as const,
      );
      const rate = (ms: number): number => OUTPUT_BYTES / 1e6 / (ms / 1_000);
      return [
        { name: "output-1mib", value: rate(median(ours)), unit: "MB/s", reference: rate(median(bare)) },
      ];
    }),
};

export const benches: readonly Bench[] = [roundTrip, pipelined, output];
