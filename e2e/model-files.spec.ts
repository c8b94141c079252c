/** Model files of tabs: fetched once, from the relay or from another tab, kept through a reload, deleted by the person. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, type Page, test } from "@playwright/test";
import { createRelayClient } from "../src/mesh/relay-client.ts";
import { MODEL_CHUNK_BYTES } from "../src/protocol/limits.ts";
import { findFirefox } from "../src/cli/browser/find-chromium.ts";
import { connect, type PublishedModel } from "../src/sdk/index.ts";
import { publish, sentencesFile } from "./support/mesh-models.ts";
import { openFirefoxTab } from "./support/firefox-tab.ts";
import { freePort, type RelayProcess, startRelayProcess } from "./support/relay-process.ts";
import { openProviderTab, watchBlobs } from "./support/tab.ts";

const home = mkdtempSync(join(tmpdir(), "tabmesh-model-files-"));
let relay: RelayProcess;
let model: PublishedModel;
const open: (() => Promise<unknown>)[] = [];

const firefox = findFirefox(process.env);
const NO_FIREFOX = "no Firefox here: install firefox-esr or set FIREFOX_PATH";
if (firefox === undefined) console.log(`skipped: model files in Firefox (${NO_FIREFOX})`);
test.describe.configure({ mode: "serial", timeout: 180_000 });

test.beforeAll(async () => {
  relay = await startRelayProcess({ dataDir: join(home, "relay"), port: await freePort() });
  model = await publish(relay.url, await sentencesFile(home), "sentences");
});
test.afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close().catch(() => undefined);
});
test.afterAll(async () => {
  await relay.kill();
  rmSync(home, { recursive: true });
});

async function provider(): Promise<Page> {
  const tab = await openProviderTab(relay.url);
  open.push(() => tab.browser.close());
  return tab.page;
}

async function embed(parallel = 1): Promise<number> {
  const tabmesh = await connect({ relay: relay.url, iceServers: [] });
  try {
    const { vectors } = await tabmesh.embed("sentences", ["one", "two", "three"], {
      parallel,
      noProviderTimeoutMs: 5_000,
    });
    return vectors.length;
  } finally {
    await tabmesh.close();
  }
}

function shelf(page: Page): ReturnType<Page["locator"]> {
  return page.getByRole("region", { name: "Models on this machine" });
}

/** Peers that the relay names for the model. */
async function holders(): Promise<number> {
  const client = createRelayClient({ baseUrl: relay.url, fetch: (input, init) => fetch(input, init) });
  return (await client.modelPeers(model.cid)).peers.length;
}

/** Files of all models in the page's private file system. Runs in the page. */
async function countFiles(): Promise<number> {
  const root = await navigator.storage.getDirectory();
  const models = await root.getDirectoryHandle("tabmesh-models", { create: true });
  const names: string[] = [];
  for await (const folder of models.values())
    if (folder instanceof FileSystemDirectoryHandle) for await (const name of folder.keys()) names.push(name);
  return names.length;
}

async function filesOf(page: Page): Promise<number> {
  return page.evaluate(countFiles);
}

const CHUNKS = (): number => Math.ceil(model.size / MODEL_CHUNK_BYTES);

test("a tab fetches a model once, tells so, and asks for nothing after a reload", async () => {
  const page = await provider();
  const asked = watchBlobs(page);
  await expect(shelf(page)).toContainText("None yet");
  expect(await embed()).toBe(3);
  // The manifest and every chunk; the rest of a job is the function's business.
  expect(asked.filter((path) => path.endsWith(model.cid))).toHaveLength(1);
  expect(asked.length).toBeGreaterThanOrEqual(CHUNKS() + 1);
  await expect(shelf(page)).toContainText("turns text into 512 numbers");
  expect(await filesOf(page)).toBe(CHUNKS());
  await expect.poll(holders).toBe(1);
  await page.reload();
  asked.length = 0;
  await expect(shelf(page)).toContainText("Apache-2.0");
  await page.getByRole("switch").click();
  await expect(page.getByText("Ready for work").first()).toBeVisible({ timeout: 30_000 });
  await expect.poll(holders).toBe(1);
  expect(await embed()).toBe(3);
  expect(asked).toEqual([]);
});

test(
  "a tab gets a whole model from another tab when the relay gives none of it",
  { tag: "@long" },
  async () => {
    const first = await provider();
    expect(await embed()).toBe(3);
    await expect.poll(holders).toBe(1);
    await expect.poll(() => filesOf(first)).toBe(CHUNKS());
    const second = await provider();
    await second.route("**/v1/blobs/**", (route) => route.abort());
    // A tab that has the model may be done with a job before another has begun to fetch it.
    const embedAndCount = async (): Promise<number> => {
      expect(await embed(2)).toBe(3);
      return filesOf(second);
    };
    await expect.poll(embedAndCount, { timeout: 90_000 }).toBe(CHUNKS());
    await expect.poll(holders, { timeout: 30_000 }).toBe(2);
    await first.context().browser()?.close();
    await expect.poll(holders, { timeout: 30_000 }).toBe(1);
    // Every chunk of it was right: it computes.
    expect(await embed()).toBe(3);
  },
);

test(
  "the person deletes a model, after being asked; then it is offered no more",
  { tag: "@long" },
  async () => {
    const page = await provider();
    expect(await embed()).toBe(3);
    await expect.poll(holders).toBe(1);
    await page.getByRole("button", { name: /^Delete universal/u }).click();
    await page.getByRole("button", { name: "Keep it" }).click();
    expect(await filesOf(page)).toBe(CHUNKS());
    await page.getByRole("button", { name: /^Delete universal/u }).click();
    await page.getByRole("button", { name: "Delete", exact: true }).last().click();
    await expect(shelf(page)).toContainText("None yet");
    await expect.poll(() => filesOf(page)).toBe(0);
    await expect.poll(holders).toBe(0);
    expect(await embed()).toBe(3);
    await expect.poll(() => filesOf(page)).toBe(CHUNKS());
  },
);

test("the person is told that there is no room, and so is the requester", { tag: "@long" }, async () => {
  const page = await provider();
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Storage.overrideQuotaForOrigin", { origin: relay.url, quotaSize: 3_000_000 });
  const asked = watchBlobs(page);
  await expect(embed()).rejects.toThrow(/the model needs 9\.\d MB more/u);
  await expect(shelf(page)).toContainText("No room for a model");
  expect(asked.filter((path) => !path.endsWith(model.cid) && path.includes("/bafkrei"))).toEqual([]);
  await cdp.send("Storage.overrideQuotaForOrigin", { origin: relay.url });
  expect(await embed()).toBe(3);
  await expect(shelf(page)).not.toContainText("No room");
});

test("Firefox keeps a model as Chromium does, and gives it to a tab there", { tag: "@long" }, async () => {
  test.skip(firefox === undefined, NO_FIREFOX);
  const tab = await openFirefoxTab(firefox ?? "", relay.url);
  const { browser, page, errors } = tab;
  open.push(() => browser.close());
  await tab.contribute();
  expect(await embed()).toBe(3);
  expect(await page.evaluate(countFiles)).toBe(CHUNKS());
  await page.reload();
  await page.locator("::-p-text(Apache-2.0)").wait();
  await page.locator("[role=switch]").click();
  await page.locator("::-p-text(Ready for work)").wait();
  await expect.poll(holders).toBe(1);
  expect(await embed()).toBe(3);
  const asked = await page.evaluate(
    () => performance.getEntriesByType("resource").filter(({ name }) => name.includes("/v1/blobs/")).length,
  );
  expect(asked).toBe(0);
  const chromium = await provider();
  await chromium.route("**/v1/blobs/**", (route) => route.abort());
  expect(await embed(2)).toBe(3);
  await expect.poll(() => filesOf(chromium), { timeout: 60_000 }).toBe(CHUNKS());
  expect(errors).toEqual([]);
});
