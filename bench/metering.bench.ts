/** What metering costs: running time against the program as it is, how well fuel follows time, rewriting, size. */
import type { Bench, Goal, Measurement } from "./bench.ts";
import { raceFlite } from "./kernels/flite-runner.ts";
import { KERNELS, readKernel } from "./kernels/kernels.ts";
import { type Race, raceKernel } from "./kernels/race-kernel.ts";
import { codeBytes, firstMs, growthPercent, PROGRAMS, readProgram, warmMs } from "./kernels/rewriting.ts";
import { openSandboxPage } from "./sandbox-page.ts";
import { median } from "./median.ts";
import type { SandboxPage } from "./sandbox-page/main.ts";

declare const sandboxPage: SandboxPage;

/** First rewritings, each in a process of its own. */
const FRESH_STARTS = 3;

function geomean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

function atMost(value: number): Goal {
  return { value, better: "lower" };
}

function summary(name: string, ratios: readonly number[], mean: number, worst?: number): Measurement[] {
  return [
    { name: `${name}-geomean`, value: geomean(ratios), unit: "×", goal: atMost(mean) },
    {
      name: `${name}-worst`,
      value: Math.max(...ratios),
      unit: "×",
      goal: worst === undefined ? null : atMost(worst),
    },
  ];
}

/** Per kernel with canonical NaNs, as functions run; the goals are about both. */
function judged(place: string, races: readonly Race[]): readonly Measurement[] {
  const speeds = races.map(({ fuel, meteredMs }) => fuel / meteredMs);
  return [
    ...races.map(({ name, rawMs, meteredMs }): Measurement => ({
      name: `${place}-${name}`,
      value: meteredMs,
      unit: "ms",
      reference: rawMs,
      goal: null,
    })),
    ...summary(
      place,
      races.map(({ plainMs, rawMs }) => plainMs / rawMs),
      1.08,
      1.35,
    ),
    ...summary(
      `${place}-nan`,
      races.map(({ meteredMs, rawMs }) => meteredMs / rawMs),
      1.12,
    ),
    {
      name: `${place}-fuel-spread`,
      value: Math.max(...speeds) / Math.min(...speeds),
      unit: "×",
      goal: atMost(6),
    },
  ];
}

const inNode: Bench = {
  name: "metering",
  async run() {
    const races: Race[] = [];
    for (const kernel of KERNELS) races.push(await raceKernel(kernel, await readKernel(kernel.name)));
    races.push(await raceFlite());
    return judged("metering", races);
  },
};

const inChromium: Bench = {
  name: "metering-chromium",
  async run() {
    const opened = await openSandboxPage();
    const { page } = opened;
    try {
      const races: Race[] = [];
      for (const kernel of KERNELS) {
        const wasm = [...(await readKernel(kernel.name))];
        races.push(
          await page.evaluate(([each, bytes]) => sandboxPage.race(each, bytes), [kernel, wasm] as const),
        );
      }
      return judged("metering-chromium", races);
    } finally {
      await opened.close();
    }
  },
};

const rewriting: Bench = {
  name: "rewriting",
  async run() {
    const measured: Measurement[] = [];
    for (const [name, path] of Object.entries(PROGRAMS)) {
      const wasm = readProgram(path);
      const megabytes = codeBytes(wasm) / 1e6;
      const rate = (ms: number): number => megabytes / (ms / 1_000);
      const first: number[] = [];
      for (let start = 0; start < FRESH_STARTS; start += 1) first.push(await firstMs(path));
      measured.push(
        {
          name: `rewriting-${name}-first`,
          value: rate(median(first)),
          unit: "MB/s",
          goal: { value: 4, better: "higher" },
        },
        {
          name: `rewriting-${name}-warm`,
          value: rate(median(warmMs(wasm))),
          unit: "MB/s",
          goal: { value: 8, better: "higher" },
        },
        {
          name: `growth-${name}`,
          value: growthPercent(wasm, { canonicalNaN: false }),
          unit: "%",
          goal: atMost(50),
        },
        { name: `growth-${name}-nan`, value: growthPercent(wasm, {}), unit: "%", goal: atMost(60) },
      );
    }
    return measured;
  },
};

export const benches: readonly Bench[] = [inNode, inChromium, rewriting];
