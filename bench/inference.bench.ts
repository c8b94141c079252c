/** What models cost on WebAssembly, in Chromium, one thread each, beside the packages that others use. */
import { readFileSync } from "node:fs";
import type { Page } from "playwright";
import type { Bench, Measurement } from "./bench.ts";
import type { InferencePage } from "./inference-pages/main.ts";
import { type SourcePage, withSourcePage } from "./source-page.ts";

declare const inferencePage: InferencePage;
/** Of Chromium, for a page that nobody shares a process with. */
declare const performance: { measureUserAgentSpecificMemory(): Promise<{ readonly bytes: number }> };

const BUILDS = ["relaxed", "baseline"] as const;
const SHAPES = [
  [1, 2_048, 2_048],
  [64, 2_048, 2_048],
  [1, 576, 1_536],
  [64, 576, 1_536],
] as const;

const PAGE: SourcePage = {
  folder: "inference-pages",
  ready: "inferencePage",
  asTheyAre: ["onnxruntime-web", "@wllama/wllama"],
  args: ["--enable-blink-features=ForceEagerMeasureMemory"],
  // A page that nobody shares a process with may ask for its memory.
  headers: {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
  },
};

/** A 135M shape, 8 bits, against wllama (llama.cpp) on Q8_0. */
const wasmLlama: Bench = {
  name: "wasm-llama",
  run: () =>
    withSourcePage(PAGE, async (page) => {
      const theirs = await page.evaluate(() => inferencePage.measureWllama());
      const rows: Measurement[] = [];
      for (const build of BUILDS) {
        const own = await page.evaluate((which) => inferencePage.measureOwn(which, 8), build);
        const half = await page.evaluate((which) => inferencePage.measureOwn(which, 4), build);
        rows.push(
          {
            name: `decode, ${build}`,
            value: 1_000 / own.decode,
            unit: "tokens/s",
            reference: 1_000 / theirs.decode,
            goal: { ratio: 2.5, better: "higher" },
          },
          {
            name: `prefill, ${build}`,
            value: 1_000 / own.prefill,
            unit: "tokens/s",
            reference: 1_000 / theirs.prefill,
            goal: { ratio: 5, better: "higher" },
          },
          {
            name: `load, ${build}`,
            value: own.load,
            unit: "ms",
            reference: theirs.load,
            goal: { ratio: 0.5, better: "lower" },
          },
          {
            name: `decode with 4 bits instead of 8, ${build}`,
            value: 1_000 / half.decode,
            unit: "tokens/s",
            reference: 1_000 / own.decode,
            goal: { ratio: 1, better: "higher" },
          },
        );
      }
      return rows;
    }),
};

/** Threads of a check: the relay and the command line take so many here, see VERIFY_STAGES. */
const STAGES = 2;

/**
 * A text of 256 positions: what it takes to check it, with one thread and with two, beside what it took to write it with one;
 * and what it takes to take it in as a prompt. On a machine of two cores that does nothing else.
 */
const wasmVerification: Bench = {
  name: "wasm-verification",
  run: () =>
    withSourcePage(PAGE, async (page) => {
      const rows: Measurement[] = [];
      for (const build of BUILDS) {
        const times = await page.evaluate(
          ([which, stages]) => inferencePage.measureVerification(which, stages),
          [build, STAGES] as const,
        );
        const goal = { ratio: build === "relaxed" ? 0.25 : 0.35, better: "lower" } as const;
        const reference = times.generate;
        rows.push(
          { name: `256 positions, ${build}`, value: times.verify, unit: "ms", reference, goal },
          {
            name: `256 positions, ${STAGES} threads, ${build}`,
            value: times.verifyStaged,
            unit: "ms",
            reference,
            goal,
          },
          {
            name: `prompt of 256 tokens, ${STAGES} threads instead of 1, ${build}`,
            value: times.prefillStaged,
            unit: "ms",
            reference: times.prefill,
            goal: { ratio: 0.72, better: "lower" },
          },
        );
      }
      return rows;
    }),
};

const MB = 2 ** 20;

function megabytes(name: string, bytes: number): Measurement {
  return { name, value: bytes / MB, unit: "MB" };
}

/** Bytes of JavaScript in a page and its threads, after what is no longer needed went. WebAssembly's memory is not in it. */
async function scriptBytes(page: Page): Promise<number> {
  return page.evaluate(async () => (await performance.measureUserAgentSpecificMemory()).bytes);
}

/** What the page's process holds of the machine's memory, with garbage and what the browser needs. Linux only. */
async function residentBytes(page: Page): Promise<number> {
  const session = await page.context().browser()?.newBrowserCDPSession();
  const { processInfo } = (await session?.send("SystemInfo.getProcessInfo")) ?? { processInfo: [] };
  const sizes = processInfo
    .filter(({ type }) => type === "renderer")
    .map(({ id }) => Number(readFileSync(`/proc/${id}/statm`, "latin1").split(" ")[1]) * 4_096);
  return Math.max(...sizes);
}

/** The parts of what a model of a 135M shape holds. */
async function ownMemory(page: Page, bits: 4 | 8): Promise<readonly Measurement[]> {
  const { weights, history, decoder } = await page.evaluate((which) => inferencePage.holdOwn(which), bits);
  const script = await scriptBytes(page);
  const due = weights + history;
  return [
    megabytes(`weights, ${bits} bits`, weights),
    megabytes(`keys and values, ${bits} bits`, history),
    megabytes(`the rest of WebAssembly's memory, ${bits} bits`, decoder - due),
    megabytes(`JavaScript of the page, ${bits} bits`, script),
    {
      ...megabytes(`all of them, ${bits} bits`, decoder + script),
      goal: { value: due / MB + 64, better: "lower" },
    },
    megabytes(`resident in the page's process, ${bits} bits`, await residentBytes(page)),
  ];
}

async function wllamaMemory(page: Page): Promise<readonly Measurement[]> {
  const file = await page.evaluate(() => inferencePage.holdWllama());
  const script = await scriptBytes(page);
  return [
    megabytes("wllama's file, Q8_0", file),
    megabytes("JavaScript of the page and its thread, wllama", script),
    megabytes("resident in the page's process, wllama", await residentBytes(page)),
  ];
}

const wasmMemory: Bench = {
  name: "wasm-memory",
  run: async () => [
    ...(await withSourcePage(PAGE, (page) => ownMemory(page, 8))),
    ...(await withSourcePage(PAGE, (page) => ownMemory(page, 4))),
    ...(await withSourcePage(PAGE, wllamaMemory)),
  ],
};

/** Products with 14-bit activations and group multipliers against onnxruntime-web's of 8-bit ones. */
const wasmProduct: Bench = {
  name: "wasm-product",
  run: () =>
    withSourcePage(PAGE, async (page) => {
      const rows: Measurement[] = [];
      for (const [count, columns, outputs] of SHAPES) {
        const operations = (2 * count * columns * outputs) / 1e6;
        const times = await page.evaluate(
          ([builds, ...shape]) => inferencePage.measureProducts(builds, ...shape),
          [BUILDS, count, columns, outputs] as const,
        );
        const [theirs = Number.NaN, ...own] = times.map((time) => operations / time);
        for (const [i, build] of BUILDS.entries()) {
          const ratio = build === "baseline" ? 0.5 : count === 1 ? 3 : 1;
          rows.push({
            name: `${count}x${columns}x${outputs}, ${build}`,
            value: own[i] ?? Number.NaN,
            unit: "GOPS",
            reference: theirs,
            goal: { ratio, better: "higher" },
          });
        }
      }
      return rows;
    }),
};

export const benches: readonly Bench[] = [wasmLlama, wasmProduct, wasmVerification, wasmMemory];
