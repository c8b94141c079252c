/* oxlint-disable no-await-in-loop -- one after the other is what is measured */
/** What models cost on WebAssembly, in Chromium, one thread each, beside the packages that others use. */
import { join } from "node:path";
import type { Page } from "playwright";
import { createServer } from "vite";
import { launchChromium } from "../e2e/support/tab.ts";
import type { Bench, Measurement } from "./bench.ts";
import type { InferencePage } from "./inference-pages/main.ts";

declare const inferencePage: InferencePage;

const BUILDS = ["relaxed", "baseline"] as const;
const SHAPES = [
  [1, 2_048, 2_048],
  [64, 2_048, 2_048],
  [1, 576, 1_536],
  [64, 576, 1_536],
] as const;

async function withPage<T>(measure: (page: Page) => Promise<T>): Promise<T> {
  const server = await createServer({
    configFile: false,
    logLevel: "error",
    root: join(import.meta.dirname, ".."),
    server: { host: "127.0.0.1", port: 0, hmr: false, watch: null },
    optimizeDeps: { exclude: ["onnxruntime-web", "@wllama/wllama"] },
  });
  await server.listen();
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    page.on("pageerror", (error) => console.error(error));
    await page.goto(`${server.resolvedUrls?.local[0] ?? ""}bench/inference-pages/index.html`);
    await page.waitForFunction("globalThis.inferencePage !== undefined");
    return await measure(page);
  } finally {
    await browser.close();
    await server.close();
  }
}

/** A 135M shape, 8 bits, against wllama (llama.cpp) on Q8_0. */
const wasmLlama: Bench = {
  name: "wasm-llama",
  run: () =>
    withPage(async (page) => {
      const theirs = await page.evaluate(() => inferencePage.measureWllama());
      const rows: Measurement[] = [];
      for (const build of BUILDS) {
        const own = await page.evaluate((which) => inferencePage.measureOwn(which), build);
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
        );
      }
      return rows;
    }),
};

/** Products with 14-bit activations and group multipliers against onnxruntime-web's of 8-bit ones. */
const wasmProduct: Bench = {
  name: "wasm-product",
  run: () =>
    withPage(async (page) => {
      const rows: Measurement[] = [];
      for (const [count, columns, outputs] of SHAPES) {
        const operations = (2 * count * columns * outputs) / 1e6;
        const measure = (engine: (typeof BUILDS)[number] | "ort"): Promise<number> =>
          page.evaluate(([which, ...shape]) => inferencePage.measureProduct(which, ...shape), [
            engine,
            count,
            columns,
            outputs,
          ] as const);
        const theirs = operations / (await measure("ort"));
        for (const build of BUILDS) {
          const ratio = build === "baseline" ? 0.5 : count === 1 ? 3 : 1;
          rows.push({
            name: `${count}x${columns}x${outputs}, ${build}`,
            value: operations / (await measure(build)),
            unit: "GOPS",
            reference: theirs,
            goal: { ratio, better: "higher" },
          });
        }
      }
      return rows;
    }),
};

export const benches: readonly Bench[] = [wasmLlama, wasmProduct];
