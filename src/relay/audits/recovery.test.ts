import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { cidOf, DAG_CBOR, RAW } from "../../protocol/cid.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import { encodeJobArgs } from "../../protocol/messages/job.ts";
import { LiveOffers } from "../offers/live-offers.ts";
import { RateLimit } from "../rate-limit.ts";
import {
  type AuditScene,
  DOUBLER,
  openAuditedLease,
  openAuditScene,
  putRaw,
} from "./audit-scene.contract.ts";
import { type RunningAudits, startAudits } from "./start-audits.ts";

const closing: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed())
    // oxlint-disable-next-line no-await-in-loop -- in reverse order
    await close();
});

const MINUTE = 60_000;
const PATIENCE = { timeout: 20_000 };
const ARGS = encodeJobArgs({ args: [], env: [], files: [] });

async function open(): Promise<AuditScene> {
  const scene = await openAuditScene();
  closing.push(async () => expect(await scene.close()).toEqual([]));
  return scene;
}

/** Audits of the same books and blobs, as a relay has them that was started anew. */
async function audits(
  { relay }: AuditScene,
  blobFolder: string,
  mostWaiting: number = 100,
): Promise<RunningAudits> {
  const { scene, blobs, authentication, metrics } = relay;
  const nowMs = (): number => scene.clock.now;
  const running = await startAudits({
    books: scene.books,
    blobs,
    blobFolder,
    offers: new LiveOffers(nowMs),
    authentication,
    limit: new RateLimit({ burst: 1_000, perSecond: 1 }, "identity", nowMs),
    metrics,
    log: relay.log,
    nowMs,
    threads: 1,
    mostWaiting,
    tariff: { ...scene.options.tariff },
  });
  return running;
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "audit-recovery-"));
  closing.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

it("openings that a relay has taken on are recomputed after a restart, and their files go", async () => {
  const scene = await open();
  const folder = newFolder();
  const before = await audits(scene, folder);
  const lease = await openAuditedLease(scene, { isShared: false });
  await lease.run("a");
  const { index } = await lease.report();
  await before.desk.open(await lease.opening(index, 0));
  expect(readdirSync(join(folder, "openings"))).toContain(`${index}-0`);
  await before.stop();
  expect(lease.view().judged).toBe(0);
  await putRaw(scene, DOUBLER);
  await scene.relay.blobs.put(cidOf(DAG_CBOR, ARGS), new Blob([ARGS]).stream());
  const after = await audits(scene, folder);
  closing.push(() => after.stop());
  await expect.poll(() => lease.view().judged, PATIENCE).toBe(1);
  await expect.poll(() => readdirSync(join(folder, "openings"))).toEqual(["evidence"]);
  expect(scene.relay.scene.books.audits.provider(lease.provider.key)).toMatchObject({
    matched: 1,
    missing: 0,
  });
});

it("an opening that the disk has lost does not keep a relay from starting, and may be brought again", async () => {
  const scene = await open();
  const folder = newFolder();
  const before = await audits(scene, folder);
  const lease = await openAuditedLease(scene, { isShared: false });
  await lease.run("a");
  const { index } = await lease.report();
  const opening = await lease.opening(index, 0);
  await before.desk.open(opening);
  await before.stop();
  writeFileSync(join(folder, "openings", `${index}-0`), "half a file");
  await putRaw(scene, DOUBLER);
  await scene.relay.blobs.put(cidOf(DAG_CBOR, ARGS), new Blob([ARGS]).stream());
  const after = await audits(scene, folder);
  closing.push(() => after.stop());
  await after.desk.open(opening);
  await expect.poll(() => lease.view().judged, PATIENCE).toBe(1);
  expect(scene.relay.scene.books.audits.provider(lease.provider.key)).toMatchObject({ matched: 1 });
});

it("what was due while a relay was away may be opened for the full time after its start", async () => {
  const scene = await openAuditScene();
  closing.push(async () => expect(await scene.close()).toEqual([]));
  const { clock, books } = scene.relay.scene;
  const lease = await openAuditedLease(scene);
  await lease.run("a");
  await lease.run("b");
  const { index } = await lease.report();
  await scene.relay.stopAudits();
  clock.now += 15 * MINUTE;
  const after = await audits(scene, newFolder());
  closing.push(() => after.stop());
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(lease.view().judged).toBe(0);
  await after.desk.open(await lease.opening(index, 0));
  await expect.poll(() => lease.view().judged, PATIENCE).toBe(1);
  clock.now += 11 * MINUTE;
  await expect.poll(() => lease.view().judged, PATIENCE).toBe(2);
  expect(books.audits.provider(lease.provider.key)).toMatchObject({ matched: 1, missing: 1 });
});

it("what nobody could open before its verdict was due, as the relay was away, costs nobody anything", async () => {
  const scene = await open();
  const { clock, books } = scene.relay.scene;
  const lease = await openAuditedLease(scene);
  await lease.run("a");
  await lease.report();
  const { held } = books.account(lease.provider.key);
  await scene.relay.stopAudits();
  clock.now += 2 * 60 * MINUTE;
  const after = await audits(scene, newFolder());
  closing.push(() => after.stop());
  await expect.poll(() => lease.view().judged, PATIENCE).toBe(1);
  expect(books.audits.provider(lease.provider.key)).toMatchObject({ missing: 0, mismatched: 0 });
  expect(lease.view().forfeited).toBe(0n);
  expect(held).toBeGreaterThan(0n);
});

it("what a relay has turned away for want of room is not missing, and what it never saw before that is", async () => {
  const scene = await open();
  const { clock, books } = scene.relay.scene;
  await scene.relay.stopAudits();
  const full = await audits(scene, newFolder(), 1);
  closing.push(() => full.stop());
  const early = await openAuditedLease(scene);
  await early.run("never opened");
  await early.report();
  clock.now += 11 * MINUTE;
  await expect.poll(() => early.view().judged, PATIENCE).toBe(1);
  expect(books.audits.provider(early.provider.key)).toMatchObject({ missing: 1 });
  const lease = await openAuditedLease(scene, { isShared: false });
  await lease.run("a");
  await lease.run("b");
  const { index } = await lease.report();
  await scene.relay.blobs.remove(cidOf(RAW, DOUBLER));
  await full.desk.open(await lease.opening(index, 0));
  await expect(full.desk.open(await lease.opening(index, 1))).rejects.toThrow(
    /^rate-limited: 1 outcomes wait/u,
  );
  clock.now += 11 * MINUTE;
  await expect.poll(() => lease.view().judged, PATIENCE).toBe(2);
  expect(books.audits.provider(lease.provider.key)).toMatchObject({ missing: 1 });
  expect(lease.view().forfeited).toBe(0n);
});

it("the evidence of a false result is kept over restarts, and comes back when its blob has gone", async () => {
  const scene = await open();
  const folder = newFolder();
  const first = await audits(scene, folder);
  const lease = await openAuditedLease(scene);
  await lease.run("a", (outcome) => ({ ...outcome, outputCid: cidOf(RAW, encodeUtf8("no")) }));
  const { index } = await lease.report();
  const opening = await lease.opening(index, 0);
  await first.desk.open(opening);
  await expect.poll(() => lease.view().judged, PATIENCE).toBe(1);
  await first.stop();
  expect(readdirSync(join(folder, "openings", "evidence"))).toEqual([`${index}-0`]);
  const evidence = cidOf(RAW, opening);
  await scene.relay.blobs.remove(evidence);
  const second = await audits(scene, folder);
  closing.push(() => second.stop());
  expect(scene.relay.blobs.has(evidence)).toBe(true);
});

it("of one identity that lies a thousand times, one proof is kept", async () => {
  const scene = await open();
  const folder = newFolder();
  const desk = await audits(scene, folder);
  closing.push(() => desk.stop());
  const lease = await openAuditedLease(scene);
  for (const input of ["a", "b", "c"])
    // oxlint-disable-next-line no-await-in-loop
    await lease.run(input, (outcome) => ({ ...outcome, outputCid: cidOf(RAW, encodeUtf8("no")) }));
  const { index } = await lease.report();
  await desk.desk.open(await lease.opening(index, 0));
  await expect.poll(() => lease.view().judged, PATIENCE).toBe(1);
  for (const leaf of [1, 2]) await desk.desk.open(await lease.opening(index, leaf));
  await expect.poll(() => lease.view().judged, PATIENCE).toBe(3);
  expect(scene.relay.scene.books.audits.provider(lease.provider.key)).toMatchObject({ mismatched: 3 });
  await expect.poll(() => readdirSync(join(folder, "openings")), PATIENCE).toEqual(["evidence"]);
  expect(readdirSync(join(folder, "openings", "evidence"))).toEqual([`${index}-0`]);
});

it("an opening that a relay has taken on and cannot read any more costs its provider nothing", async () => {
  const scene = await open();
  const { clock, books } = scene.relay.scene;
  await scene.relay.stopAudits();
  const folder = newFolder();
  const first = await audits(scene, folder);
  const lease = await openAuditedLease(scene, { isShared: false });
  await lease.run("a");
  const { index } = await lease.report();
  await scene.relay.blobs.remove(cidOf(RAW, DOUBLER));
  await first.desk.open(await lease.opening(index, 0));
  await first.stop();
  writeFileSync(join(folder, "openings", `${index}-0`), "rotten");
  const second = await audits(scene, folder);
  closing.push(() => second.stop());
  clock.now += 11 * MINUTE;
  await expect.poll(() => lease.view().judged, PATIENCE).toBe(1);
  expect(books.audits.provider(lease.provider.key)).toMatchObject({ missing: 0 });
  expect(lease.view().forfeited).toBe(0n);
});
