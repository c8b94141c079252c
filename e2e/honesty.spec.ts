/** Five tabs, one of which lies: who pays for it, and who does not. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, type Page, test } from "@playwright/test";
import { assemble, encodeScene, tileInputs } from "../examples/raytrace/scene.ts";
import { createRelayClient } from "../src/mesh/relay-client.ts";
import type { PeerId } from "../src/protocol/peer-id.ts";
import { connect, type JobSummary, type MapResult } from "../src/sdk/index.ts";
import { ownedBy } from "./support/money.ts";
import { hexOf, outputsHere } from "./support/outputs-here.ts";
import { scriptOf } from "./support/page-site.ts";
import { overridePressure } from "./support/pressure.ts";
import { freePort, type RelayProcess, startRelayProcess } from "./support/relay-process.ts";
import { contribute, launchChromium, openProviderTab } from "./support/tab.ts";

const RAYTRACE = new URL("../examples/raytrace/", import.meta.url);
const LIMITS = { fuel: 1_000_000_000n, memoryBytes: 64 * 1024 * 1024, outputBytes: 256 * 1024 } as const;
/** More tiles than five tabs take at once, so that each of them gets some. */
const PICTURE = { width: 320, height: 192, tilesX: 20, tilesY: 12, samples: 24 };
const HONEST = 4;
/** What a new requester has on a relay of this machine. */
const GRANT = 10_000_000n;

const folder = mkdtempSync(join(tmpdir(), "tabmesh-honesty-"));
let relay: RelayProcess;
const open: (() => Promise<unknown>)[] = [];

test.describe.configure({ mode: "serial", timeout: 300_000 });

test.beforeAll(async () => {
  relay = await startRelayProcess({ dataDir: folder, port: await freePort() });
});
test.afterAll(async () => {
  for (const close of open.splice(0).toReversed()) await close().catch(() => undefined);
  await relay?.kill();
  rmSync(folder, { recursive: true });
});

/** A tab whose threads falsify one output of five. */
async function openLiar(): Promise<Page> {
  const lies = await scriptOf("liar.ts");
  const browser = await launchChromium();
  open.push(() => browser.close());
  const context = await browser.newContext({ serviceWorkers: "block" });
  const page = await context.newPage();
  await page.route(/sandbox\.worker.*\.js/u, async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: `(()=>{${lies}})();${await answer.text()}` });
  });
  await overridePressure(page);
  await page.goto(relay.url);
  await contribute(page);
  return page;
}

function outputsOf(results: readonly MapResult[]): readonly Uint8Array[] {
  return results
    .toSorted((a, b) => a.index - b.index)
    .map((result) => (result.kind === "done" ? result.output : new Uint8Array()));
}

test(
  "one of five tabs lies: it is caught and barred, its work is done again, and nobody else loses anything",
  { tag: "@long" },
  async () => {
    await openLiar();
    for (let tab = 0; tab < HONEST; tab += 1) {
      const { browser } = await openProviderTab(relay.url);
      open.push(() => browser.close());
    }
    const module = new Uint8Array(await readFile(new URL("raytrace.wasm", RAYTRACE)));
    const scene = encodeScene(JSON.parse(await readFile(new URL("scenes/studio.json", RAYTRACE), "utf8")));
    const tiles = tileInputs(scene, PICTURE);
    const inputs = tiles.map(({ bytes }) => bytes);
    const tabmesh = await connect({ relay: relay.url, iceServers: [] });
    open.push(() => tabmesh.close());
    const notes: string[] = [];
    const results: MapResult[] = [];
    const handle = await tabmesh.map(module, inputs, {
      ...LIMITS,
      parallel: HONEST + 1,
      accept: "audited",
      onProgress: ({ note }) => {
        if (note !== undefined) notes.push(note);
      },
    });
    for await (const result of handle) results.push(result);
    const summary = await handle.summary;
    const outputs = outputsOf(results);
    const right = await outputsHere(module, inputs, LIMITS);
    expect(hexOf(outputs)).toEqual(hexOf(right));
    expect(assemble(PICTURE, tiles, outputs)).toEqual(assemble(PICTURE, tiles, right));
    expect(summary.voided).toBeGreaterThan(0);
    await expectMoney(tabmesh.requester, summary);
  },
);

/** The liar has nothing and is barred, the others have what they earned, and the requester the rest. */
async function expectMoney(requester: PeerId, summary: JobSummary): Promise<void> {
  const client = createRelayClient({ baseUrl: relay.url, fetch });
  const { leases, spent, refunded } = await client.job(summary.job);
  const liars = new Set(leases.filter(({ forfeited }) => forfeited > 0n).map(({ provider }) => provider));
  expect(liars.size).toBe(1);
  const honest = new Map<PeerId, bigint>();
  for (const { provider, amount } of leases)
    if (!liars.has(provider)) honest.set(provider, (honest.get(provider) ?? 0n) + amount);
  expect(honest.size).toBeGreaterThan(1);
  for (const [provider, amount] of honest) {
    const account = await client.account(provider);
    expect(ownedBy(account)).toBe(amount);
    const standing = await client.standing(provider);
    expect(standing).toMatchObject({ mismatched: 0, missing: 0 });
    // A tab whose lease found no task left has nothing to be audited.
    if (amount > 0n) expect(standing.matched).toBeGreaterThan(0);
  }
  for (const liar of liars) {
    const account = await client.account(liar);
    expect(ownedBy(account)).toBe(0n);
    const { mismatched, barred } = await client.standing(liar);
    expect(mismatched).toBeGreaterThan(0);
    expect(barred).toMatch(/verification-failed/u);
  }
  const earned = [...honest.values()].reduce((sum, amount) => sum + amount, 0n);
  // Each lease costs a fee that nobody gets.
  expect(spent - earned).toBe(BigInt(leases.length));
  expect((await client.account(requester)).available).toBe(GRANT - spent);
  expect(refunded + spent).toBeGreaterThan(0n);
}

test("anybody recomputes the log: the lie, the verdict and every balance", { tag: "@long" }, async () => {
  const main = join(import.meta.dirname, "../src/cli/main.ts");
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [main, "fsck", "--relay", relay.url, "--json"],
    {
      env: { ...process.env, TABMESH_HOME: join(folder, "home") },
    },
  );
  expect(JSON.parse(stdout)).toMatchObject({ ok: true });
});
