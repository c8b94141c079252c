/** The core journey with the provider in stock Firefox and the requester in Chromium: two browsers, two engines. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import { findFirefox } from "../src/cli/browser/find-chromium.ts";
import { connect, type JobSummary, type MapResult } from "../src/sdk/index.ts";
import { expectBalances, runEchoes, runEngineCases, runSpeech, runTiles } from "./support/core-journey.ts";
import { slowEcho } from "./support/functions.ts";
import { type FirefoxTab, openFirefoxTab } from "./support/firefox-tab.ts";
import { freePort, type RelayProcess, startRelayProcess } from "./support/relay-process.ts";
import { openRequesterTab, type RequesterTab } from "./support/requester-tab.ts";
import { openProviderTab } from "./support/tab.ts";

const firefox = findFirefox(process.env);
const NO_FIREFOX = "no Firefox here: install firefox-esr or set FIREFOX_PATH";
if (firefox === undefined) console.log(`skipped: journeys in Firefox (${NO_FIREFOX})`);
test.skip(firefox === undefined, NO_FIREFOX);
test.describe.configure({ mode: "serial", timeout: 240_000 });

const folder = mkdtempSync(join(tmpdir(), "tabmesh-firefox-"));
let relay: RelayProcess;
let provider: FirefoxTab;
let requester: RequesterTab;
const summaries: JobSummary[] = [];

test.beforeAll(async () => {
  if (firefox === undefined) return;
  relay = await startRelayProcess({ dataDir: folder, port: await freePort() });
  provider = await openFirefoxTab(firefox, relay.url);
  console.log(`provider in ${provider.version}`);
  await provider.contribute();
  requester = await openRequesterTab(relay.url);
});
test.afterAll(async () => {
  await requester?.close();
  await provider?.browser.close();
  await relay?.kill();
  rmSync(folder, { recursive: true });
});

test("a tab in Firefox answers a tab in Chromium", async () => {
  summaries.push(await runEchoes(requester));
  const frames = await provider.page.$$("iframe[sandbox='allow-scripts'][src='/sandbox.html']");
  expect(frames).toHaveLength(1);
});

test("a picture from Firefox is the same to the bit, and for the same fuel", async () => {
  summaries.push(await runTiles(requester));
});

test("whatever a function does, Firefox tells its end as every engine does", { tag: "@long" }, async () => {
  summaries.push(...(await runEngineCases(requester)));
});

test("a large program runs in Firefox as it does in Node", { tag: "@long" }, async () => {
  summaries.push(await runSpeech(requester));
});

test("the earnings are there, and Firefox verifies a receipt in the page", async () => {
  await expectBalances(relay.url, requester, summaries);
  const { page, errors } = provider;
  await page.locator("nav a::-p-text(Earnings)").click();
  await page.locator('button[aria-label^="Verify entry"]').click();
  await page.locator(".verdict-good").wait();
  expect(errors).toEqual([]);
  expect(requester.errors).toEqual([]);
});

test(
  "Firefox is closed in the middle of a job: a tab in Chromium finishes it, and nothing is paid twice",
  { tag: "@long" },
  async () => {
    const staying = await openProviderTab(relay.url);
    const client = await connect({ relay: relay.url, iceServers: [] });
    try {
      const inputs = Array.from({ length: 60 }, (_, index) => new TextEncoder().encode(`input ${index}`));
      const limits = { fuel: 200_000_000n, memoryBytes: 1024 * 1024, outputBytes: 1024 };
      const handle = await client.map(slowEcho(3_000_000), inputs, { ...limits, parallel: 2 });
      const results: MapResult[] = [];
      let closing: Promise<void> | undefined;
      for await (const result of handle) {
        results.push(result);
        if (results.length === 10) closing = provider.browser.close();
      }
      await closing;
      const outputs = results.map((result) => (result.kind === "done" ? result.output : undefined));
      expect(outputs).toHaveLength(inputs.length);
      for (const input of inputs) expect(outputs).toContainEqual(input);
      const { leases, copied } = await handle.summary;
      expect(new Set(leases.map((lease) => lease.provider)).size).toBe(2);
      const paid = leases.reduce((sum, { tasks }) => sum + tasks, 0);
      // Of a task that two providers were given at the end, both may have been done: rule 16.
      expect(paid).toBeGreaterThanOrEqual(inputs.length);
      expect(paid).toBeLessThanOrEqual(inputs.length + copied);
      expect(staying.errors).toEqual([]);
    } finally {
      await client.close();
      await staying.browser.close();
    }
  },
);
