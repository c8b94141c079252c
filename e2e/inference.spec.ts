/** Models in Chromium and in Firefox, on WebGPU and on WebAssembly: two compilers of WGSL, two engines, the same bits. */
import { expect, test } from "@playwright/test";
import { findFirefox } from "../src/cli/browser/find-chromium.ts";
import { quantiseEncoder } from "../src/inference/convert/float-encoder.ts";
import { quantiseLlama } from "../src/inference/convert/float-llama.ts";
import type { LlamaShape } from "../src/inference/model/llama-model.ts";
import { writeModel } from "../src/inference/model/model-file.ts";
import { randomLlama, SMALL_SHAPE } from "../src/inference/model/random-llama.contract.ts";
import { ODD_ENCODER, randomEncoder } from "../src/inference/reference/float-encoder.contract.ts";
import { referenceBackend } from "../src/inference/reference/reference-backend.ts";
import { referenceEncoderBackend } from "../src/inference/reference/reference-encoder.ts";
import { HAS_STORIES, NO_STORIES, storiesModel } from "../src/inference/reference/stories.contract.ts";
import { useLite } from "../src/inference/reference/use-lite.contract.ts";
import { failureCode } from "../src/protocol/failure-code.ts";
import { type FirefoxTab, openFirefoxTab } from "./support/firefox-tab.ts";
import { type InferenceJob, runInference } from "./support/inference-job.ts";
import type { BackendName, GpuReport, ModelPage } from "./support/inference-page.ts";
import { type PageSite, startPageSite } from "./support/page-site.ts";
import { launchChromium, SOFTWARE_GPU_ARGS } from "./support/tab.ts";

declare const modelPage: ModelPage;

const firefox = findFirefox(process.env);
const NO_FIREFOX = "no Firefox here: install firefox-esr or set FIREFOX_PATH";
if (firefox === undefined) console.log(`skipped: models in Firefox (${NO_FIREFOX})`);
if (!HAS_STORIES) console.log(NO_STORIES);
test.describe.configure({ mode: "serial", timeout: 300_000 });

const FIREFOX_GPU = { "dom.webgpu.enabled": true, "gfx.webgpu.ignore-blocklist": true };
const ABOUT = { name: "random", licence: "none", sourceSha256: new Uint8Array(32), text: "{}" };
/** Tokens of the story; Firefox looks for finished work every 100 ms or so, twice a token. */
const STORY_STEPS = 40;
/** What the reference says to that. */
const STORY_HASH = "e53c972202191351969702504e9a867728937a8ceff911a56b746570fa85025b";

interface Case {
  readonly name: string;
  readonly file: Uint8Array;
  readonly job: InferenceJob;
}

function llama(name: string, shape: Partial<LlamaShape>, bits: 4 | 8, biases = false): Case {
  const whole = { ...SMALL_SHAPE, ...shape };
  const model = quantiseLlama(randomLlama(whole, 11, { biases, outliers: 20 }), bits);
  const tokens = Array.from({ length: 13 }, (_, i) => (i * 5) % whole.vocabulary);
  return { name, file: writeModel(model, ABOUT), job: { tokens: [tokens], steps: 6 } };
}

function encoder(name: string, bits: 4 | 8): Case {
  const model = quantiseEncoder(randomEncoder(ODD_ENCODER, 11), bits);
  const tokens = [1, 7, 30].map((length) =>
    Array.from({ length }, (_, i) => (i * 3) % ODD_ENCODER.vocabulary),
  );
  return { name, file: writeModel(model, ABOUT), job: { tokens, steps: 0 } };
}

/** The Universal Sentence Encoder lite, from npm. */
function useLiteCase(): Case {
  const model = quantiseEncoder(useLite().encoder, 8);
  const tokens = [1, 12, 33].map((length) => Array.from({ length }, (_, i) => (i * 997 + length) % 8_000));
  return { name: "USE-lite", file: writeModel(model, ABOUT), job: { tokens, steps: 0 } };
}

const cases: readonly Case[] = [
  llama("heads of 10, 2 for 4", {}, 8),
  llama("3 heads on 1, of 6 values, 4 bits", { width: 18, heads: 3, keyHeads: 1, headSize: 6, inner: 37 }, 4),
  llama(
    "neighbours turn, biases",
    { width: 100, heads: 5, keyHeads: 5, headSize: 20, rotation: "neighbours" },
    8,
    true,
  ),
  llama("rows of 515", { width: 300, inner: 515, layers: 1, vocabulary: 131 }, 8),
  encoder("an encoder", 8),
  encoder("an encoder, 4 bits", 4),
  useLiteCase(),
  ...(HAS_STORIES
    ? [
        {
          name: "stories260K",
          file: writeModel(quantiseLlama(storiesModel(), 8), ABOUT),
          job: { tokens: [[1]], steps: STORY_STEPS },
        },
      ]
    : []),
];

let site: PageSite;
let expected: readonly string[];
let paths: readonly string[];

test.beforeAll(async () => {
  site = await startPageSite("inference-page.ts");
  paths = cases.map(({ file }) => site.serve(file));
  const reference = { ...referenceEncoderBackend, ...referenceBackend };
  expected = await Promise.all(cases.map(({ file, job }) => runInference(reference, file, job)));
  if (HAS_STORIES) expect(expected.at(-1)).toBe(STORY_HASH);
});
test.afterAll(async () => {
  await site.stop();
});

/** What a browser computes of all cases, beside what it should. */
async function expectAll(run: (path: string, job: InferenceJob) => Promise<unknown>): Promise<void> {
  for (const [i, { name, job }] of cases.entries())
    expect(await run(paths[i] ?? "", job), name).toBe(expected[i]);
}

const BACKENDS: readonly BackendName[] = ["wasm", "webgpu"];

test("Chromium has the reference's bits, on WebAssembly and on WebGPU, in the page and in a thread", async () => {
  const browser = await launchChromium(SOFTWARE_GPU_ARGS);
  try {
    const page = await browser.newPage();
    await page.goto(site.url);
    await page.waitForFunction("globalThis.modelPage !== undefined");
    const report = await page.evaluate(() => modelPage.reportGpu());
    console.log(`Chromium ${browser.version()}: ${report.detail}`);
    for (const backend of BACKENDS)
      await expectAll((path, job) =>
        page.evaluate(([name, url, what]) => modelPage.run(name, url, what), [backend, path, job] as const),
      );
    await expectAll((path, job) =>
      page.evaluate(([url, what]) => modelPage.inThread("run", "webgpu", url, what), [path, job] as const),
    );
  } finally {
    await browser.close();
  }
});

test(
  "a GPU process that crashes is told as gpu-lost, and what opens the GPU again has the same bits",
  { tag: "@long" },
  async () => {
    const browser = await launchChromium(SOFTWARE_GPU_ARGS);
    try {
      const page = await browser.newPage();
      await page.goto(site.url);
      await page.waitForFunction("globalThis.modelPage !== undefined");
      await page.evaluate(() => modelPage.openGpu());
      const [first] = cases;
      const [path] = paths;
      if (first === undefined || path === undefined) throw new Error("there are cases");
      const code = page.evaluate(([url, what]) => modelPage.codeOfLoss(url, what), [
        path,
        first.job,
      ] as const);
      const devtools = await browser.newBrowserCDPSession();
      await devtools.send("Browser.crashGpuProcess").catch(() => undefined);
      expect(await code).toBe(failureCode("gpu-lost"));
      const again = page.evaluate(([url, what]) => modelPage.run("webgpu", url, what), [
        path,
        first.job,
      ] as const);
      expect(await again).toBe(expected[0]);
    } finally {
      await browser.close();
    }
  },
);

test.describe("Firefox", () => {
  test.skip(firefox === undefined, NO_FIREFOX);
  let tab: FirefoxTab;
  let gpu: GpuReport;

  test.beforeAll(async () => {
    tab = await openFirefoxTab(firefox ?? "", site.url, FIREFOX_GPU);
    await tab.page.waitForFunction("globalThis.modelPage !== undefined");
    gpu = await tab.page.evaluate(() => modelPage.reportGpu());
    console.log(`${tab.version}: ${gpu.detail}`);
  });
  test.afterAll(async () => {
    await tab.browser.close();
  });

  test("has the reference's bits on WebAssembly", async () => {
    await expectAll((path, job) =>
      tab.page.evaluate((url, what) => modelPage.run("wasm", url, what), path, job),
    );
  });

  test("has the reference's bits on WebGPU", { tag: "@long" }, async () => {
    test.skip(gpu.detail.startsWith("no-"), `this Firefox has no GPU to give: ${gpu.detail}`);
    await expectAll((path, job) =>
      tab.page.evaluate((url, what) => modelPage.run("webgpu", url, what), path, job),
    );
  });

  test("has them in a thread too", { tag: "@long" }, async () => {
    const report = await tab.page.evaluate(() => modelPage.inThread("reportGpu"));
    console.log(`${tab.version}, in a thread: ${JSON.stringify(report)}`);
    test.skip(!JSON.stringify(report).includes("ready"), "this Firefox has WebGPU in pages only");
    await expectAll((path, job) =>
      tab.page.evaluate((url, what) => modelPage.inThread("run", "webgpu", url, what), path, job),
    );
  });
});
