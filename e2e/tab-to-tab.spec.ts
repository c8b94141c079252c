/** The core journey from a tab to a tab, both in Chromium: the SDK as a page uses it. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, type Page, test } from "@playwright/test";
import type { Plan } from "../src/plan/plan.ts";
import { cidOf, RAW } from "../src/protocol/cid.ts";
import { fuel } from "../src/protocol/units.ts";
import type { JobSummary } from "../src/sdk/index.ts";
import { expectBalances, runEchoes, runEngineCases, runTiles } from "./support/core-journey.ts";
import { freePort, type RelayProcess, startRelayProcess } from "./support/relay-process.ts";
import { startPageSite } from "./support/page-site.ts";
import type { RequesterPage, Tick } from "./support/requester-page.ts";
import { openRequesterTab, type RequesterTab } from "./support/requester-tab.ts";
import { launchChromium, openProviderTab, type ProviderTab } from "./support/tab.ts";

declare const requesterPage: RequesterPage;

test.describe.configure({ mode: "serial", timeout: 240_000 });

const folder = mkdtempSync(join(tmpdir(), "tabmesh-tabs-"));
let relay: RelayProcess;
let provider: ProviderTab;
let requester: RequesterTab;
const summaries: JobSummary[] = [];

test.beforeAll(async () => {
  relay = await startRelayProcess({ dataDir: folder, port: await freePort() });
  provider = await openProviderTab(relay.url);
  requester = await openRequesterTab(relay.url);
});
test.afterAll(async () => {
  await requester?.close();
  await provider?.browser.close();
  await relay?.kill();
  rmSync(folder, { recursive: true });
});

test("a page that is a requester has its tasks run by another page", async () => {
  summaries.push(await runEchoes(requester));
});

test("a picture from another tab is the same to the bit, and for the same fuel, as in Node", async () => {
  summaries.push(await runTiles(requester));
});

test("whatever a function does, Chromium tells its end as Node does", { tag: "@long" }, async () => {
  summaries.push(...(await runEngineCases(requester)));
});

test("what was spent is what was earned", async () => {
  await expectBalances(relay.url, requester, summaries);
  expect(provider.errors).toEqual([]);
  expect(requester.errors).toEqual([]);
});

test(
  "a tab runs a plan by its own clock, one of two does, and the next one goes on after a reload",
  { tag: "@long" },
  async () => {
    const site = await startPageSite("requester-page.ts");
    const browser = await launchChromium();
    const module = new Uint8Array(readFileSync(new URL("../examples/noop/noop.wasm", import.meta.url)));
    const path = site.serve(module);
    const seed = crypto.getRandomValues(new Uint8Array(32));
    const host = async (page: Page): Promise<void> => {
      await page.goto(site.url);
      await page.waitForFunction("globalThis.requesterPage !== undefined");
      await page.evaluate(
        ([relayUrl, file, plan, key]) => void requesterPage.host(relayUrl, file, plan, 2_000, key),
        [relay.url, path, echoPlan(module), seed] as const,
      );
    };
    try {
      const context = await browser.newContext();
      const [first, second] = [await context.newPage(), await context.newPage()];
      await host(first);
      await host(second);
      await expect.poll(async () => (await ticksOf(first)).length, { timeout: 30_000 }).toBeGreaterThan(1);
      expect(await ticksOf(second)).toEqual([]);
      const before = await ticksOf(first);
      await first.close();
      await expect.poll(async () => (await ticksOf(second)).length, { timeout: 30_000 }).toBeGreaterThan(0);
      const passed = await ticksOf(second);
      await host(second);
      await expect.poll(async () => (await ticksOf(second)).length, { timeout: 30_000 }).toBeGreaterThan(0);
      const all = [...before, ...passed, ...(await ticksOf(second))];
      for (const { at, value } of all) expect([at % 2_000, value]).toEqual([0, "tick"]);
      // A time whose run had begun when its tab went is seen through by the next, under the same name.
      const runs = new Map(all.map(({ at, run }) => [at, run]));
      for (const { at, run } of all) expect(runs.get(at)).toBe(run);
      expect(new Set(runs.values()).size).toBe(runs.size);
    } finally {
      await browser.close();
      await site.stop();
    }
  },
);

function ticksOf(page: Page): Promise<readonly Tick[]> {
  return page.evaluate(() => requesterPage.ticks());
}

/** Gives its parameter back, by way of a provider. */
function echoPlan(module: Uint8Array): Plan {
  return {
    v: 1,
    name: "tick",
    graph: {
      params: { word: { type: "text" } },
      nodes: {
        same: {
          kind: "call",
          callee: {
            kind: "function",
            cid: cidOf(RAW, module),
            entry: "tabmesh_run",
            abi: "bytes-1",
            args: [],
          },
          input: { from: "param", param: "word" },
          output: { type: "text" },
          place: { at: "any" },
          provenance: { check: "signature" },
          limits: { fuel: fuel(1_000_000), memory: 8 << 20, output: 1 << 16, deadlineMs: 5_000 },
        },
      },
      result: { from: "node", node: "same" },
    },
  };
}
