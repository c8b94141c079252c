import { afterEach, describe, expect, test } from "vitest";
import { generateInput, writerModel } from "../inference/host/models.contract.ts";
import { bytesModule, wat } from "../sandbox/wat.contract.ts";
import { type Cid, cidOf, RAW } from "../protocol/cid.ts";
import { tries } from "../protocol/tries.contract.ts";
import { openEnvelope, seal } from "../protocol/envelope.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import { header } from "../protocol/header.ts";
import { type Draw, drawMessage } from "../protocol/messages/audit.ts";
import { receiptMessage, type ReportAnswer, reportMessage } from "../protocol/messages/receipt.ts";
import { fuel } from "../protocol/units.ts";
import type { Signer } from "../protocol/signature.ts";
import { signerFromSeed } from "../protocol/ed25519.ts";
import { FRAME } from "../protocol/work-frame.ts";
import { type LeasePair, seed } from "../sdk/lease-pair.contract.ts";
import { BooksRelay, GROUND, keptInMemory, Reporter } from "./audited-lease.contract.ts";
import { StorageError } from "../storage/storage-error.ts";
import { DISPUTE_AFTER_MS } from "./limits.ts";
import { modelThreadHere } from "./model-thread.contract.ts";
import { Models } from "./models.ts";

/** Returns its input. */
const ECHO = await wat(
  bytesModule("local.get $in i64.extend_i32_u i64.const 32 i64.shl local.get $len i64.extend_i32_u i64.or"),
);

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

interface Scene {
  readonly relay: BooksRelay;
  readonly kept: ReturnType<typeof keptInMemory>;
  readonly tab: Reporter;
  readonly pair: LeasePair;
}

async function begin(
  options: Partial<Parameters<Reporter["pair"]>[1]> = {},
  audit: Parameters<typeof BooksRelay.start>[0] = {},
): Promise<Scene> {
  const relay = await BooksRelay.start(audit);
  const kept = keptInMemory();
  const tab = await Reporter.start(relay, kept);
  const pair = await tab.pair(relay, { module: ECHO, ...options });
  closing.push(async () => {
    pair.stop();
    relay.isAway = true;
    await tab.reports.stop();
    await tab.openings.stop();
    relay.books.close();
  });
  return { relay, kept, tab, pair };
}

/** The tab is gone, and opened again: what it kept is there, its session key is not. */
async function again({ relay, kept }: Scene): Promise<Reporter> {
  const next = await Reporter.start(relay, kept, 6);
  await next.leases.restore();
  closing.push(() => next.reports.stop());
  return next;
}

function send({ requester }: LeasePair, bytes: Uint8Array): Promise<unknown> {
  const task = requester.send({ bytes, cid: cidOf(RAW, bytes), seed: seed(8) });
  task.final.catch(() => undefined);
  return task.answer.catch(() => undefined);
}

function input(name: string, size = 8): Uint8Array {
  return new TextEncoder().encode(name.padEnd(size, "."));
}

async function sendAll({ pair }: Scene, names: readonly string[]): Promise<void> {
  await Promise.all(names.map((name) => send(pair, input(name))));
}

/** More than come in a while from an honest requester. */
const MANY: number = tries(270);

const NAMES = ["a", "b", "c", "d", "e", "f"];

/** Reports for the requester what it has countersigned by now. */
async function requesterReports({ relay, pair }: Scene, prevCount = 0): Promise<number> {
  const material = pair.requester.channel.report();
  if (material === undefined) throw new Error("nothing is countersigned");
  const { receipt, advance, body } = material;
  const consistency = prevCount === 0 ? [] : (material.prove(prevCount) ?? []);
  const report = {
    ...header(GROUND.origin, GROUND.asset),
    receipt,
    advance,
    prevCount,
    consistency,
    lost: [],
  };
  await relay.books.report(await seal(reportMessage, report, [pair.ports.signer]));
  return body.count;
}

async function closed({ pair, tab }: Scene): Promise<void> {
  await pair.requester.close();
  await expect.poll(() => tab.claims.length).toBe(1);
  await tab.settle();
  await tab.ends.look();
}

describe("what the relay has drawn", () => {
  test("is opened, with paths that lead to what both sides have signed, and with its input", async () => {
    const scene = await begin();
    await sendAll(scene, NAMES);
    await closed(scene);
    const { relay, kept } = scene;
    // Nobody without a record goes unchecked.
    expect(relay.draws().flatMap(({ leaves }) => leaves)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(relay.unopened()).toEqual([]);
    const opened = [...relay.opened.values()].map(({ opening }) => new TextDecoder().decode(opening.input));
    expect(opened.toSorted()).toEqual(NAMES.map((name) => name.padEnd(8, ".")));
    expect(await kept.openings.count(GROUND.origin)).toBe(0);
    expect(await kept.holdings.load(GROUND.origin)).toEqual([]);
  });

  test("is opened with a large input beside the message", async () => {
    const scene = await begin();
    const large = new Uint8Array(40_000).map((_, at) => at * 7);
    await send(scene.pair, large);
    await closed(scene);
    const { relay } = scene;
    expect(relay.unopened()).toEqual([]);
    expect([...relay.opened.values()].map(({ opening }) => opening.input)).toEqual([undefined]);
    expect(relay.blobs.get(cidOf(RAW, large))).toEqual(large);
  });

  test("of a stream is opened segment by segment, each with the prompt", async () => {
    const model = await writerModel({ shape: { context: 3_000 }, endTokens: [] });
    const models = new Models({
      startThread: () => modelThreadHere(),
      gpu: false,
      now: () => performance.now(),
      onChange: () => undefined,
    });
    closing.push(() => models.close());
    const work = {
      kind: "model",
      cid: model.cid,
      entry: "generate",
      abi: "model-1",
      profile: 1,
      effects: [],
    } as const;
    const limits = {
      fuel: fuel(10n ** 11n),
      memory: model.manifest.memory,
      output: 1 << 20,
      deadlineMs: 60_000,
    };
    const scene = await begin({
      module: new Uint8Array(),
      work: models.load(model.manifest, model.cid, model.file),
      job: { work, limits },
    });
    const prompt = generateInput({ temperatureMilli: 900, maxTokens: 60 });
    await send(scene.pair, prompt);
    await closed(scene);
    const { relay } = scene;
    const openings = [...relay.opened.values()];
    expect(openings.length).toBeGreaterThan(1);
    expect(relay.unopened()).toEqual([]);
    for (const { opening } of openings) expect(opening.input).toEqual(prompt);
    expect(openings.map(({ shown }) => shown.claimed.segment)).toEqual(openings.map((_, at) => at));
  });

  test("is opened where the requester has brought every receipt first", async () => {
    const scene = await begin();
    const { pair, relay, tab } = scene;
    let logged = 0;
    for (const name of NAMES) {
      await send(pair, input(name));
      await expect.poll(() => pair.requester.channel.report()?.body.count ?? 0).toBeGreaterThan(logged);
      logged = await requesterReports(scene, logged);
    }
    await expect.poll(() => pair.provider.channel.countersignedCount).toBe(6);
    await tab.settle();
    expect(relay.draws().length).toBe(6);
    expect(relay.unopened()).toEqual([]);
  });

  test("is opened from every one of hundreds of reports that the requester brings before the provider does", async () => {
    const scene = await begin();
    const { pair, relay, tab } = scene;
    relay.isAway = true;
    let logged = 0;
    for (let i = 0; i < MANY; i += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one report each
      await send(pair, input(`${i}`));
      // oxlint-disable-next-line no-await-in-loop
      await expect
        .poll(() => pair.requester.channel.report()?.body.count ?? 0, { interval: 1 })
        .toBeGreaterThan(logged);
      // oxlint-disable-next-line no-await-in-loop
      logged = await requesterReports(scene, logged);
    }
    relay.isAway = false;
    await closed(scene);
    await tab.settle();
    expect(relay.draws().length).toBeGreaterThan(9);
    expect(relay.unopened()).toEqual([]);
  }, 120_000);

  test("is opened where the requester reports in secret what it tells the provider nothing of", async () => {
    const scene = await begin();
    const { pair, relay, tab } = scene;
    let advances = 0;
    pair.fromRequester = (kind, payload) =>
      kind === FRAME.advance && (advances += 1) > 1 ? undefined : payload;
    await sendAll(scene, NAMES.slice(0, 4));
    await expect.poll(() => pair.requester.channel.report()?.body.count).toBe(4);
    pair.streams.provider.abort(new FailureError("disconnected", "gone"));
    await expect.poll(() => tab.claims.length).toBe(1);
    expect(relay.draws()).toEqual([]);
    await requesterReports(scene);
    await tab.ends.look();
    await tab.settle();
    expect(relay.draws()).toHaveLength(1);
    expect(relay.unopened()).toEqual([]);
  });

  test("is opened by the tab's next start, which reports what the last one could not", async () => {
    const scene = await begin();
    const { relay, kept } = scene;
    relay.isAway = true;
    await sendAll(scene, NAMES);
    await expect.poll(() => scene.pair.provider.channel.countersignedCount).toBe(6);
    await expect.poll(() => kept.outbox.count()).toBe(1);
    await scene.tab.reports.stop();
    await scene.tab.openings.stop();
    const next = await again(scene);
    relay.isAway = false;
    await next.settle();
    expect(relay.draws().flatMap(({ leaves }) => leaves)).toHaveLength(6);
    expect(relay.unopened()).toEqual([]);
  });

  test("is opened by the tab's next start, where only the requester had time to report", async () => {
    const scene = await begin();
    const { relay, pair } = scene;
    relay.isAway = true;
    await sendAll(scene, NAMES);
    await expect.poll(() => pair.requester.channel.report()?.body.count).toBe(6);
    await requesterReports(scene);
    await scene.tab.reports.stop();
    const next = await again(scene);
    relay.isAway = false;
    next.ends.start();
    closing.push(() => next.ends.stop());
    await expect.poll(() => relay.opened.size).toBe(6);
    expect(relay.unopened()).toEqual([]);
  });

  test("is sent again until the relay has taken it", async () => {
    const scene = await begin();
    const { relay, kept, tab } = scene;
    let refused = 0;
    const { onOpen } = relay;
    relay.onOpen = () => {
      refused += 1;
      relay.isAway = true;
      throw new FailureError("disconnected", "on the way");
    };
    await sendAll(scene, NAMES);
    await scene.pair.requester.close();
    await expect.poll(() => refused).toBeGreaterThan(0);
    expect(await kept.openings.count(GROUND.origin)).toBe(6);
    relay.onOpen = onOpen;
    relay.isAway = false;
    await tab.settle();
    expect(relay.unopened()).toEqual([]);
  });
});

describe("inputs that wait for a draw", () => {
  test("and are lost to a full disk are declared so: they are not drawn, and the others are opened", async () => {
    const kept = keptInMemory();
    const full = new StorageError("full", "the disk is full");
    const holdings = { ...kept.holdings, write: () => Promise.reject(full) };
    const relay = await BooksRelay.start();
    const tab = await Reporter.start(relay, { ...kept, holdings }, 5, 25_000);
    const pair = await tab.pair(relay, { module: ECHO });
    closing.push(() => {
      pair.stop();
      relay.books.close();
    });
    relay.isAway = true;
    for (const name of ["a", "b", "c"]) await send(pair, input(name, 10_000));
    await expect.poll(() => pair.provider.channel.countersignedCount).toBe(3);
    relay.isAway = false;
    await tab.settle();
    await tab.reports.stop();
    expect(relay.draws().flatMap(({ leaves }) => leaves)).toEqual([1, 2]);
    expect(relay.unopened()).toEqual([]);
    const [lease] = (await relay.job(pair.order.job.id)).leases;
    expect(lease).toMatchObject({ count: 3 });
    // Two of three are paid.
    const earned = relay.books.audits.provider(pair.order.lease.body.provider)?.pending ?? 0n;
    expect(earned).toBeGreaterThan(0n);
    expect(earned).toBeLessThan(lease?.amount ?? 0n);
  });

  test("beyond what the lease lets a provider hold stop it until the relay has answered a report", async () => {
    const scene = await begin({ lease: { holdBytes: 20_000 }, threads: 1 });
    const { relay, pair, tab } = scene;
    relay.isAway = true;
    const sent: Promise<unknown>[] = [];
    for (let i = 0; i < 8; i += 1) {
      await expect.poll(() => pair.requester.hasRoom).toBe(true);
      sent.push(send(pair, input(`${i}`, 6_000)));
    }
    await expect.poll(() => pair.provider.channel.countersignedCount).toBe(4);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(pair.provider.channel.count).toBe(4);
    relay.isAway = false;
    await tab.reports.flush();
    await Promise.all(sent);
    await closed(scene);
    expect(relay.unopened()).toEqual([]);
    expect(relay.opened.size).toBe(8);
  });
});

async function unsigned(names: readonly string[]): Promise<Scene> {
  const scene = await begin();
  const { pair, tab } = scene;
  // Its program takes the outputs and passes over the receipts.
  pair.fromProvider = (kind, payload) => (kind === FRAME.receipt ? undefined : payload);
  await sendAll(scene, names);
  await expect.poll(() => tab.leases.get(pair.order.lease.id)?.signed).toBe(names.length);
  pair.streams.provider.abort(new FailureError("disconnected", "gone"));
  await expect.poll(() => tab.claims.length).toBe(1);
  return scene;
}

describe("a requester that names fewer tasks than it sends", () => {
  test("gets no receipt over the others: nobody could prove what was drawn from it", async () => {
    const { pair, tab } = await begin();
    await send(pair, input("named"));
    const held = tab.leases.get(pair.order.lease.id);
    await expect.poll(() => held?.signed).toBe(1);
    const receipts: number[] = [];
    pair.fromRequester = (kind, payload) => (kind === FRAME.advance ? undefined : payload);
    pair.fromProvider = (kind, payload) => {
      if (kind === FRAME.receipt) receipts.push(openEnvelope(receiptMessage, payload).body.count);
      return payload;
    };
    await Promise.all([send(pair, input("b")), send(pair, input("c"))]);
    await expect.poll(() => pair.provider.channel.count).toBe(3);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(receipts).toEqual([]);
    expect(held?.signed).toBe(1);
  });
});

describe("a requester that does not countersign", () => {
  test("is taken to the relay: all outcomes are opened, and the lease ends with them", async () => {
    const scene = await unsigned(NAMES);
    const { relay, tab, pair } = scene;
    await tab.ends.look();
    // It may yet sign: a minute is left to it.
    expect(relay.draws()).toEqual([]);
    tab.now.offset = DISPUTE_AFTER_MS;
    await tab.ends.look();
    await tab.settle();
    expect(relay.draws().flatMap(({ leaves }) => leaves)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(relay.unopened()).toEqual([]);
    const [lease] = (await relay.job(pair.order.job.id)).leases;
    expect(lease).toMatchObject({ state: "settled", count: 6 });
    expect(lease?.amount).toBeGreaterThan(0n);
    expect(tab.leases.all).toEqual([]);
  });

  test("of a pittance is not: it stays held until the lease is settled", async () => {
    const scene = await unsigned(["a"]);
    const { relay, tab } = scene;
    tab.now.offset = DISPUTE_AFTER_MS;
    await tab.ends.look();
    expect(relay.draws()).toEqual([]);
    expect(tab.leases.all).toHaveLength(1);
  });
});

async function withDraw(
  answer: ReportAnswer,
  change: (draw: Draw) => Draw,
  signer: Signer,
): Promise<ReportAnswer> {
  if (answer.draw === undefined) return answer;
  const { body } = openEnvelope(drawMessage, answer.draw);
  return { ...answer, draw: await seal(drawMessage, change(body), [signer]) };
}

async function lying(change: (draw: Draw) => Draw, signer?: Signer): Promise<Scene> {
  const scene = await begin();
  const { relay } = scene;
  relay.answers = async (answer) => withDraw(answer, change, signer ?? relay.books.signer("draw"));
  await sendAll(scene, NAMES);
  await closed(scene);
  return scene;
}

describe("a relay that draws what cannot be", () => {
  const ANOTHER: Cid = cidOf(RAW, Uint8Array.of(1));
  test.each<readonly [string, (draw: Draw) => Draw]>([
    ["for another lease", (draw) => ({ ...draw, lease: ANOTHER })],
    ["from another entry", (draw) => ({ ...draw, entryIndex: draw.entryIndex + 1 })],
    ["from an entry of another hash", (draw) => ({ ...draw, entryHash: new Uint8Array(32) })],
    ["of more outcomes than the receipt has", (draw) => ({ ...draw, end: 7 })],
    ["an outcome beyond its range", (draw) => ({ ...draw, leaves: [...draw.leaves, draw.end] })],
    ["an outcome twice", (draw) => ({ ...draw, leaves: [0, 0] })],
    ["for another relay", (draw) => ({ ...draw, origin: "localhost/other" })],
  ])("is shown nothing where it draws %s, and its signature is kept", async (_, change) => {
    const { relay, tab } = await lying(change);
    expect(relay.opened.size).toBe(0);
    expect(tab.wrong.map(({ code }) => code)).toContain(failureCode("forged-checkpoint"));
    const [wrong] = tab.wrong;
    expect(wrong).toHaveProperty("evidence.entry");
    expect(wrong).toHaveProperty("evidence.draws.length", 1);
  });

  test("is shown nothing where somebody else has signed its draw", async () => {
    const { relay, tab } = await lying((draw) => draw, await signerFromSeed(crypto.subtle, seed(99)));
    expect(relay.opened.size).toBe(0);
    expect(tab.wrong.map(({ code }) => code)).toContain(failureCode("bad-signature"));
  });

  test("and draws once more from the same entry, is shown nothing more: the two draws convict it", async () => {
    const scene = await begin({}, { firstTasks: 0, floorPpm: 0 });
    const { relay, tab, pair } = scene;
    const signer = relay.books.signer("draw");
    const answers: ReportAnswer[] = [];
    relay.answers = async (answer) => {
      answers.push(answer);
      return answer;
    };
    await sendAll(scene, NAMES);
    await expect.poll(() => pair.provider.channel.countersignedCount).toBe(6);
    await tab.settle();
    const [first] = answers;
    if (first?.draw === undefined) throw new Error("nothing was drawn");
    const lease = pair.order.lease.id;
    const opened = relay.opened.size;
    const other = await withDraw(first, (draw) => ({ ...draw, leaves: draw.leaves.slice(1) }), signer);
    const failure = await tab.leases.answered(lease, other).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: failureCode("forged-checkpoint") });
    expect(failure).toHaveProperty("evidence.draws", [first.draw, other.draw]);
    expect(relay.opened.size).toBe(opened);
    // The same answer again is what a lost answer looks like.
    await expect(tab.leases.answered(lease, first)).resolves.toBeUndefined();
  });
});
