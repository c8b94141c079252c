/** The core journey from a tab to a tab, both in Chromium: the SDK as a page uses it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import type { JobSummary } from "../src/sdk/index.ts";
import { expectBalances, runEchoes, runEngineCases, runTiles } from "./support/core-journey.ts";
import { freePort, type RelayProcess, startRelayProcess } from "./support/relay-process.ts";
import { openRequesterTab, type RequesterTab } from "./support/requester-tab.ts";
import { openProviderTab, type ProviderTab } from "./support/tab.ts";

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
