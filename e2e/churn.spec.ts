import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, expect, type Page, test } from "@playwright/test";
import { createRelayClient } from "../src/mesh/relay-client.ts";
import { failureCode } from "../src/protocol/failure-code.ts";
import { connect, type JobSummary } from "../src/sdk/index.ts";
import { slowEcho } from "./support/functions.ts";
import { type FreezableTab, openFreezableTab } from "./support/freezable-tab.ts";
import { openMortalTab } from "./support/mortal-tab.ts";
import { lostTiles, renderPicture } from "./support/picture.ts";
import { freePort, type RelayProcess, startRelayProcess } from "./support/relay-process.ts";
import { contribute, launchChromium } from "./support/tab.ts";

const open: (() => Promise<unknown>)[] = [];
test.afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close().catch(() => undefined);
});

async function startRelay(): Promise<RelayProcess> {
  const dataDir = mkdtempSync(join(tmpdir(), "tabmesh-churn-"));
  const relay = await startRelayProcess({ dataDir, port: await freePort() });
  open.push(() => relay.kill());
  return relay;
}

/** Provider tabs that share a browser, each with a store of its own. */
async function tabsOfOneBrowser(relay: RelayProcess, count: number): Promise<readonly Page[]> {
  const browser = await launchChromium();
  open.push(() => browser.close());
  const contexts = await Promise.all(Array.from({ length: count }, () => browser.newContext()));
  const openTab = async (context: BrowserContext): Promise<Page> => {
    const page = await context.newPage();
    await page.goto(relay.url);
    await contribute(page);
    return page;
  };
  return Promise.all(contexts.map(openTab));
}

async function freezableTab(relay: RelayProcess): Promise<FreezableTab> {
  const tab = await openFreezableTab(relay.url);
  open.push(() => tab.close());
  return tab;
}

function codesOf({ leases }: JobSummary): readonly (number | undefined)[] {
  return leases.map(({ failure }) => failure?.code);
}

test(
  "six tabs render a picture; two are killed and one is frozen: the same picture, every tile paid once",
  { tag: "@long" },
  async () => {
    const relay = await startRelay();
    const victims = await Promise.all([1, 2].map(() => openMortalTab(relay.url)));
    for (const victim of victims) open.push(() => victim.close());
    const frozen = await freezableTab(relay);
    await tabsOfOneBrowser(relay, 3);
    const client = await connect({ relay: relay.url, iceServers: [] });
    open.push(() => client.close());
    const size = { width: 400, height: 240, quality: "draft" } as const;
    const job = { parallel: 6, cap: 4_000_000n, outputBytes: 8_192, fuel: 4_000_000_000n };
    const undisturbed = await renderPicture(client, { ...size, job });
    const acts: (() => Promise<void>)[] = [
      ...victims.map((victim) => () => victim.kill()),
      () => frozen.freeze(true),
    ];
    const total = undisturbed.results.length;
    const done: Promise<void>[] = [];
    const disturbed = await renderPicture(client, {
      ...size,
      job,
      onTile(count) {
        const act = count % 6 === 0 ? acts.shift() : undefined;
        if (act !== undefined) done.push(act());
      },
    });
    await Promise.all(done);
    expect(acts).toEqual([]);
    expect(disturbed.hash).toBe(undisturbed.hash);
    expect(lostTiles(disturbed, total)).toBe(0);
    const { summary } = disturbed;
    const paid = summary.leases.reduce((sum, { tasks }) => sum + tasks, 0);
    expect(paid).toBeGreaterThanOrEqual(total);
    expect(paid).toBeLessThanOrEqual(total + summary.copied);
    const { spent } = await createRelayClient({ baseUrl: relay.url, fetch }).job(summary.job);
    expect(summary.spent).toBe(spent);
  },
);

test(
  "a tab that is frozen says so before its code stops, one that is closed is missed at once; the frozen one works again when it goes on",
  { tag: "@long" },
  async () => {
    const relay = await startRelay();
    const tab = await freezableTab(relay);
    const [closing, staying] = await tabsOfOneBrowser(relay, 2);
    const client = await connect({ relay: relay.url, iceServers: [] });
    open.push(() => client.close());
    const inputs = Array.from({ length: 60 }, (_, index) => Uint8Array.of(index));
    const options = { parallel: 3, outputBytes: 1_024, fuel: 2_000_000_000n, cap: 1_000_000n };
    const handle = await client.map(slowEcho(100_000_000), inputs, options);
    const busy = new Set<string>();
    const acts: Promise<unknown>[] = [];
    let count = 0;
    for await (const result of handle) {
      expect(result.kind).toBe("done");
      count += 1;
      if (result.provider !== undefined) busy.add(result.provider);
      if (busy.size === 3 && acts.length === 0)
        acts.push(tab.freeze(true), closing?.goto("about:blank") ?? Promise.resolve());
    }
    await Promise.all(acts);
    expect(count).toBe(60);
    const summary = await handle.summary;
    expect(codesOf(summary)).toContain(failureCode("frozen"));
    // Whether its last words are out before the browser takes its connection away is a matter of luck; the end of that is heard.
    const ends = (["closed", "disconnected"] as const).map(failureCode);
    expect(codesOf(summary).some((code) => ends.some((end) => end === code))).toBe(true);
    await staying?.context().close();
    await tab.freeze(false);
    const again = await client.run(slowEcho(1_000), new Uint8Array(1), { outputBytes: 1_024, cap: 100_000n });
    expect(again.output).toEqual(new Uint8Array(1));
  },
);
