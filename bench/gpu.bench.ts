/** What models cost on WebGPU, in Chromium on its software adapter, beside onnxruntime-web on the same. docs/inference.md says what that can tell. */
import { SOFTWARE_GPU_ARGS } from "../e2e/support/tab.ts";
import type { Bench, Measurement } from "./bench.ts";
import type { GpuPage } from "./gpu-pages/main.ts";
import { type SourcePage, withSourcePage } from "./source-page.ts";

declare const gpuPage: GpuPage;

const SHAPES = [
  [1, 2_048, 2_048, 10],
  [64, 2_048, 2_048, 1.2],
  [1, 576, 1_536, 10],
  [64, 576, 1_536, 1.2],
] as const;
const PAIRS = 2;
const LAYERS = 2;

const PAGE: SourcePage = {
  folder: "gpu-pages",
  ready: "gpuPage",
  asTheyAre: ["onnxruntime-web"],
  args: SOFTWARE_GPU_ARGS,
};

/** Products with 14-bit activations against MatMulNBits with 8-bit ones (8-bit weights, accuracy level 4). */
const gpuProduct: Bench = {
  name: "gpu-product",
  run: () =>
    withSourcePage(PAGE, async (page) => {
      const rows: Measurement[] = [];
      for (const [count, columns, outputs, ratio] of SHAPES) {
        const operations = (2 * count * columns * outputs) / 1e6;
        const measure = (engine: "own" | "ort"): Promise<number> =>
          page.evaluate(([which, ...shape]) => gpuPage.measureProduct(which, ...shape), [
            engine,
            count,
            columns,
            outputs,
          ] as const);
        let own = Infinity;
        let theirs = Infinity;
        for (let pair = 0; pair < PAIRS; pair += 1) {
          own = Math.min(own, await measure("own"));
          theirs = Math.min(theirs, await measure("ort"));
        }
        rows.push({
          name: `${count}x${columns}x${outputs}, 14-bit activations`,
          value: operations / own,
          unit: "GOPS",
          reference: operations / theirs,
          goal: { ratio, better: "higher" },
        });
      }
      return rows;
    }),
};

/** From nothing to a GPU that has answered rightly; a long prompt, and how soon it stops. */
const gpuLife: Bench = {
  name: "gpu-life",
  run: () =>
    withSourcePage(PAGE, async (page) => {
      const { all, compile, choose, prove, adapter, rows, slices } = await page.evaluate(() =>
        gpuPage.coldStart(),
      );
      console.log(`${adapter}: ${rows}, ${slices} threads for an output of one row`);
      const prefill = await page.evaluate((layers) => gpuPage.measurePrefill(layers, 3_000), LAYERS);
      return [
        { name: "cold start", value: all, unit: "ms", goal: { value: 1_200, better: "lower" } },
        { name: "cold start, compiling", value: compile, unit: "ms", goal: null },
        { name: "cold start, choosing variants", value: choose, unit: "ms", goal: null },
        { name: "cold start, known answers", value: prove, unit: "ms", goal: null },
        {
          name: `dispatches of a token, ${LAYERS} layers`,
          value: prefill.dispatchesPerToken,
          unit: "",
          goal: { value: 6 * LAYERS + 6, better: "lower" },
        },
        {
          name: "longest submit of a long prompt",
          value: prefill.longestSubmit,
          unit: "ms",
          goal: { value: 50, better: "lower" },
        },
        {
          name: "from pause to standstill",
          value: prefill.stop,
          unit: "ms",
          goal: { value: 100, better: "lower" },
        },
      ];
    }),
};

export const benches: readonly Bench[] = [gpuLife, gpuProduct];
