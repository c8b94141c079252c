import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { auditRate } from "../../market/audit-rate.ts";
import { type AuditPolicy, DEFAULT_AUDIT_POLICY } from "../../protocol/audit-policy.ts";
import { toHex } from "../../protocol/bytes.ts";
import { drawnLeaves, drawSeed } from "../../protocol/draw.ts";
import { seal } from "../../protocol/envelope.ts";
import { readBody } from "../../protocol/envelope.ts";
import { failureCode, type FailureName } from "../../protocol/failure-code.ts";
import {
  disputeMessage,
  type Draw,
  drawMessage,
  retireMessage,
  revealMessage,
  type VerdictResult,
  verdictMessage,
} from "../../protocol/messages/audit.ts";
import { decodeEntry, decodeEntryOf } from "../../protocol/messages/entry.ts";
import { receiptMessage } from "../../protocol/messages/receipt.ts";
import { advanceMessage } from "../../protocol/messages/task.ts";
import type { Signer } from "../../protocol/signature.ts";
import { fuel, microCredits } from "../../protocol/units.ts";
import type { Books } from "../books.ts";
import { openSqliteStore } from "../store/sqlite-store.ts";
import {
  closeOf,
  GRANT,
  HEAD,
  type LeaseWork,
  openLease,
  openScene,
  ORIGIN,
  type Scene,
  signerOf,
  verifiedMessage,
} from "./books-scene.contract.ts";
import { checkBooks } from "./check-books.ts";
import { entryHash } from "./native-hash.ts";
import { openBooks } from "./open-books.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const AUDITED = { policyVersion: 1 };

interface Audited extends Scene {
  readonly policy: AuditPolicy;
  readonly path: string;
}

const open: { scene: Scene; path: string; folder: string }[] = [];

async function audited(changes: Partial<AuditPolicy> = {}): Promise<Audited> {
  const folder = mkdtempSync(join(tmpdir(), "audited-books-"));
  const path = join(folder, "books.sqlite");
  const policy = { ...DEFAULT_AUDIT_POLICY, ...changes };
  const scene = await openScene(path, { audit: policy });
  open.push({ scene, path, folder });
  return { ...scene, policy, path };
}

/** Every story ends with books that say what the log says, to the last micro-credit. */
afterEach(() => {
  for (const { scene, path, folder } of open.splice(0)) {
    scene.books.close();
    const store = openSqliteStore(path);
    expect(checkBooks(store)).toEqual([]);
    store.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

/** The books of a scene, opened again. */
function reopened(scene: Audited, books: Books): void {
  for (const each of open) if (each.path === scene.path) each.scene = { ...scene, books };
}

async function refused(attempt: Promise<unknown>, name: FailureName): Promise<void> {
  await expect(attempt).rejects.toEqual(expect.objectContaining({ code: failureCode(name) }));
}

function drawOf({ draw }: { readonly draw?: Uint8Array }): Draw {
  if (draw === undefined) throw new Error("nothing is drawn");
  return readBody(drawMessage, draw);
}

async function judge(
  scene: Scene,
  draw: Draw,
  leaf: number,
  result: VerdictResult,
  signer: Signer = scene.books.signer("draw"),
): Promise<number> {
  const body = {
    ...HEAD,
    lease: draw.lease,
    entryIndex: draw.entryIndex,
    index: leaf,
    result,
    expected: new Uint8Array(32),
    found: new Uint8Array(32),
    fuel: fuel(0),
    profile: 1,
    engine: "a test",
    auditors: [],
  };
  return (await scene.books.audits.judge(await verifiedMessage(verdictMessage, body, [signer]))).index;
}

async function judgeAll(scene: Scene, draw: Draw, result: VerdictResult = "match"): Promise<void> {
  for (const leaf of draw.leaves)
    // oxlint-disable-next-line no-await-in-loop -- a story has an order
    await judge(scene, draw, leaf, result);
}

/** Tasks of one lease, answered, reported and settled. */
async function worked(
  scene: Scene,
  outcomes: number,
  lease: Parameters<typeof openLease>[2] = {},
): Promise<{
  readonly work: LeaseWork;
  readonly draw: Draw;
  readonly job: Awaited<ReturnType<typeof openLease>>["job"];
}> {
  const { job, work } = await openLease(scene, {}, { ...AUDITED, ...lease });
  const draw = drawOf(await work.go(outcomes).send({ receipt: { final: true } }));
  return { work, draw, job };
}

function entriesOf(books: Books, first: number): readonly Uint8Array[] {
  return Array.from({ length: books.size() - first }, (_, index) => books.entry(first + index)!);
}

function typesFrom({ books }: Scene, first: number): readonly string[] {
  return entriesOf(books, first).map((entry) => decodeEntry(entry).type);
}

describe("draws", () => {
  it("come with the report that they are from, and again with the same report", async () => {
    const scene = await audited();
    const { work } = await openLease(scene, {}, AUDITED);
    const report = await work.go(12).report();
    const answer = await scene.books.report(report);
    const draw = drawOf(answer);
    expect(draw).toMatchObject({
      lease: work.lease.id,
      entryIndex: answer.index,
      source: "relay",
      first: 0,
      end: 12,
    });
    expect(draw.leaves.slice(0, 10)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(toHex(draw.entryHash)).toBe(toHex(entryHash(answer.entry)));
    const size = scene.books.size();
    expect((await scene.books.report(report)).draw).toEqual(answer.draw);
    expect(scene.books.size()).toBe(size);
  });

  it("are the same after a restart, and so is what waits for its verdict", async () => {
    const scene = await audited();
    const { work } = await openLease(scene, {}, AUDITED);
    const report = await work.go(5).report();
    const answer = await scene.books.report(report);
    const waiting = scene.books.audits.unjudgedOf(work.lease.id);
    expect(waiting).toHaveLength(5);
    scene.books.close();
    const books = await openBooks(scene.options);
    reopened(scene, books);
    expect((await books.report(report)).draw).toEqual(answer.draw);
    expect(books.audits.unjudgedOf(work.lease.id)).toEqual(waiting);
    expect(books.audits.unjudged(scene.clock.now + DAY, 3)).toEqual(waiting.slice(0, 3));
  });

  it("follow from secrets that the log has committed before and reveals afterwards: anybody can repeat them", async () => {
    const scene = await audited({ epochEntries: 12, firstTasks: 1, floorPpm: 300_000 });
    for (let i = 0; i < 6; i += 1) {
      // oxlint-disable-next-line no-await-in-loop -- a story has an order
      const { work } = await openLease(scene, {}, AUDITED);
      // oxlint-disable-next-line no-await-in-loop
      const answer = await work.go(9).send({ receipt: { final: true } });
      // Secrets are random here: now and then none of nine is drawn.
      // oxlint-disable-next-line no-await-in-loop
      if (answer.draw !== undefined) await judgeAll(scene, drawOf(answer));
    }
    const entries = entriesOf(scene.books, 0);
    const commits: string[] = [];
    const secrets: Uint8Array[] = [];
    for (const entry of entries) {
      if (decodeEntry(entry).type !== "epoch-open") continue;
      const { epoch, commit, revealed } = decodeEntryOf("epoch-open", entry).body;
      expect(epoch).toBe(commits.length);
      commits.push(toHex(commit));
      if (revealed !== undefined) secrets.push(revealed);
    }
    expect(secrets.length).toBeGreaterThan(2);
    expect(secrets.map((secret) => createHash("sha256").update(secret).digest("hex"))).toEqual(
      commits.slice(0, -1),
    );
    let repeated = 0;
    for (const [index, entry] of entries.entries()) {
      if (decodeEntry(entry).type !== "draw") continue;
      const draw = readBody(drawMessage, decodeEntryOf("draw", entry).body.envelope);
      const secret = secrets[draw.epoch];
      if (secret === undefined) continue;
      expect(draw.entryIndex).toBeLessThan(index);
      expect(toHex(draw.entryHash)).toBe(toHex(entryHash(entries[draw.entryIndex]!)));
      const stake = { value: draw.value, experience: draw.n, bond: draw.bond, hasFailed: false };
      const seed = drawSeed(secret, ORIGIN, draw.entryIndex, draw.entryHash);
      expect(drawnLeaves(seed, draw.first, draw.end, (at) => auditRate(scene.policy, stake, at))).toEqual(
        draw.leaves,
      );
      repeated += 1;
    }
    expect(repeated).toBeGreaterThan(2);
  });

  it("leave out what was declared lost, which is not paid either", async () => {
    const scene = await audited();
    const { work } = await openLease(scene, {}, AUDITED);
    const draw = drawOf(await work.go(4).send({ receipt: { final: true }, lost: [1, 3] }));
    expect(draw.leaves).toEqual([0, 2]);
    const { held, bond } = scene.books.account(scene.provider.key);
    expect(held + bond).toBe(work.receiptBody().amount / 2n);
  });

  it("are not made under leases that name no numbers for audits, whose pay is free at once", async () => {
    const scene = await audited();
    const { work } = await openLease(scene);
    const answer = await work.go(3).send({ receipt: { final: true, peak: undefined! } });
    expect(answer.draw).toBeUndefined();
    expect(scene.books.account(scene.provider.key)).toMatchObject({
      held: 0n,
      available: work.receiptBody().amount,
    });
  });
});

describe("verdicts", () => {
  it("are given once for each outcome: a later one is answered with the first", async () => {
    const scene = await audited();
    const { draw } = await worked(scene, 2);
    const first = await judge(scene, draw, 0, "match");
    const size = scene.books.size();
    expect(await judge(scene, draw, 0, "mismatch")).toBe(first);
    expect(scene.books.size()).toBe(size);
    expect(scene.books.audits.provider(scene.provider.key)).toMatchObject({ matched: 1, mismatched: 0 });
    expect(scene.books.audits.barred(scene.provider.key)).toBeUndefined();
  });

  it("count only when the relay's draw key alone has signed them, about what is drawn", async () => {
    const scene = await audited();
    const { draw } = await worked(scene, 2);
    for (const signer of [scene.provider, scene.requester, scene.books.signer("lease")])
      // oxlint-disable-next-line no-await-in-loop
      await refused(judge(scene, draw, 0, "mismatch", signer), "bad-signature");
    await refused(judge(scene, draw, 2, "mismatch"), "not-found");
    await refused(judge(scene, { ...draw, entryIndex: 0 }, 0, "mismatch"), "not-found");
  });

  it("of a false result void everything of the provider that is not released, in one transaction, and nothing of anybody else", async () => {
    const scene = await audited();
    const { books, provider, requester } = scene;
    const other = signerOf("other provider");
    const bystander = { provider: other.key, instance: other.key };
    const honest = await openLease(scene, {}, { ...AUDITED, ...bystander });
    await honest.work.go(3).send({ receipt: { final: true }, provider: other });
    const theirs = books.account(other.key);
    const before = books.account(requester.key);
    const earlier = await worked(scene, 3);
    await judgeAll(scene, earlier.draw);
    const running = await openLease(scene, {}, AUDITED);
    await running.work.go(2).send();
    const { draw, job } = await worked(scene, 4);
    const size = books.size();
    await judge(scene, draw, 1, "mismatch");
    expect(typesFrom(scene, size)).toEqual(
      expect.arrayContaining(["verdict", "settle", "forfeit", "forfeit", "forfeit", "bar"]),
    );
    expect(books.account(provider.key)).toMatchObject({
      available: 0n,
      pending: 0n,
      held: 0n,
      bond: 0n,
    });
    expect(books.audits.barred(provider.key)).toMatch(/verification-failed/u);
    for (const { id } of [earlier.job, running.job, job])
      expect(books.job(id)?.leases[0]).toMatchObject({ state: "settled" });
    for (const { id } of [running.job, job]) {
      expect(books.job(id)?.spent).toBe(scene.policy.leaseFee);
      expect(books.job(id)!.leases[0]!.forfeited).toBeGreaterThan(0n);
    }
    expect(books.account(other.key)).toEqual({ ...theirs, logSize: books.size() });
    for (const { id } of [earlier.job, running.job, job])
      // oxlint-disable-next-line no-await-in-loop
      await books.closeJob(await closeOf(scene, id));
    const { available, escrowed } = books.account(requester.key);
    const spent = [earlier.job, running.job, job].reduce((sum, { id }) => sum + books.job(id)!.spent, 0n);
    expect(available + escrowed).toBe(before.available + before.escrowed - spent);
    expect(spent).toBeLessThan(earlier.work.receiptBody().amount + 3n * scene.policy.leaseFee + 1n);
    await refused(openLease(scene, {}, AUDITED), "denied");
  });

  it("of an outcome that nobody opened cost what the provider has at stake, and bar nobody", async () => {
    const scene = await audited();
    const { books, provider } = scene;
    const { draw } = await worked(scene, 3);
    await judge(scene, draw, 2, "missing");
    expect(books.account(provider.key)).toMatchObject({ available: 0n, held: 0n, bond: 0n });
    expect(books.audits.barred(provider.key)).toBeUndefined();
    expect(books.audits.provider(provider.key)).toMatchObject({ missing: 1, experience: 0n, era: 1 });
    const next = await worked(scene, 1);
    expect(next.draw.leaves).toEqual([0]);
  });

  it("that say nothing cost nothing", async () => {
    const scene = await audited();
    const { draw, work } = await worked(scene, 3);
    await judgeAll(scene, draw, "inconclusive");
    const { held, bond } = scene.books.account(scene.provider.key);
    expect(held + bond).toBe(work.receiptBody().amount);
    expect(scene.books.audits.provider(scene.provider.key)).toMatchObject({ matched: 0, era: 0 });
  });
});

describe("money that is held back", () => {
  it("is free when everything drawn has its verdict and a day has passed, the bond first, and never before", async () => {
    const scene = await audited({ bondTasks: 2, holdTasks: 0, firstTasks: 100 });
    const { books, provider, clock } = scene;
    const { draw, work } = await worked(scene, 6);
    const { amount } = work.receiptBody();
    clock.now += 2 * DAY;
    await books.settleDue();
    expect(books.account(provider.key)).toMatchObject({ available: 0n, held: amount, bond: 0n });
    await judgeAll(scene, draw);
    const { bond } = books.account(provider.key);
    expect(bond).toBe(2n * books.audits.provider(provider.key)!.peak);
    await books.settleDue();
    expect(books.account(provider.key)).toMatchObject({ available: amount - bond, held: 0n, bond });
  });

  it("stays for the last tasks while a provider works, and is free with the bond when it retires and nothing is open", async () => {
    const scene = await audited({ bondTasks: 1, holdTasks: 2, firstTasks: 100 });
    const { books, provider, clock } = scene;
    const { draw, work } = await worked(scene, 6);
    const { amount } = work.receiptBody();
    await judgeAll(scene, draw);
    clock.now += 2 * DAY;
    await books.settleDue();
    const { peak } = books.audits.provider(provider.key)!;
    expect(books.account(provider.key)).toMatchObject({
      available: amount - 3n * peak,
      held: 2n * peak,
      bond: peak,
    });
    const retire = await verifiedMessage(retireMessage, { ...HEAD, account: provider.key }, [provider]);
    await books.audits.retire(retire);
    await refused(books.audits.retire(retire), "replayed");
    const forged = await verifiedMessage(retireMessage, { ...HEAD, account: provider.key }, [
      scene.requester,
    ]);
    await refused(books.audits.retire(forged), "bad-signature");
    await books.settleDue();
    expect(books.account(provider.key)).toMatchObject({ available: amount - peak, held: 0n, bond: peak });
    clock.now += DAY;
    await books.settleDue();
    expect(books.account(provider.key)).toMatchObject({ available: amount, held: 0n, bond: 0n });
    expect(books.audits.provider(provider.key)?.retiring).toBeUndefined();
  });

  it("is less by a fee for each lease, which nobody gets", async () => {
    const scene = await audited({ leaseFee: microCredits(7) });
    const { job } = await openLease(scene, {}, { ...AUDITED, budget: microCredits(100) });
    await scene.books.closeJob(await closeOf(scene, job.id));
    scene.clock.now += DAY;
    for (let i = 0; i < 3; i += 1)
      // oxlint-disable-next-line no-await-in-loop -- leases first, then their jobs
      await scene.books.settleDue();
    expect(scene.books.account(scene.requester.key)).toMatchObject({ available: GRANT - 7n, escrowed: 0n });
  });
});

describe("experience", () => {
  it("comes for a fifth at most from one payer, however much work it pays for", async () => {
    const scene = await audited({ firstTasks: 0 });
    for (let i = 0; i < 3; i += 1)
      // oxlint-disable-next-line no-await-in-loop
      await worked(scene, 20);
    const { audited: value, experience } = scene.books.audits.provider(scene.provider.key)!;
    expect(value).toBeGreaterThan(0n);
    expect(experience).toBe(value / 5n);
  });
});

describe("the requester's share of the draw", () => {
  const secret = new Uint8Array(32).fill(9);
  const drawCommit = new Uint8Array(createHash("sha256").update(secret).digest());
  const verify = { policy: "sampled", k: 1, disclosure: "relay", drawCommit } as const;

  it("is made by the secret that the job has committed to, once, for leaves that nobody has drawn", async () => {
    const scene = await audited({ firstTasks: 0, floorPpm: 0, rateNumerator: 0, requesterPpm: 500_000 });
    const { books, requester } = scene;
    const { job, work } = await openLease(
      scene,
      { verify, cap: microCredits(100_000) },
      { ...AUDITED, budget: microCredits(50_000) },
    );
    const answer = await work.go(40).send({ receipt: { final: true } });
    const already = new Set(answer.draw === undefined ? [] : drawOf(answer).leaves);
    const body = { ...HEAD, job: job.id, secret };
    await refused(
      books.audits.reveal(
        await verifiedMessage(revealMessage, { ...body, secret: new Uint8Array(32) }, [requester]),
      ),
      "malformed",
    );
    await refused(
      books.audits.reveal(await verifiedMessage(revealMessage, body, [scene.provider])),
      "bad-signature",
    );
    const reveal = await verifiedMessage(revealMessage, body, [requester]);
    await books.audits.reveal(reveal);
    const rows = books.audits.unjudgedOf(work.lease.id);
    const second = rows.filter(({ leaf }) => !already.has(leaf)).map(({ leaf }) => leaf);
    const seed = drawSeed(secret, ORIGIN, answer.index, entryHash(answer.entry));
    expect(second).toEqual(drawnLeaves(seed, 0, 40, () => 500_000).filter((leaf) => !already.has(leaf)));
    expect(second.length).toBeGreaterThan(5);
    expect(books.audits.drawn(answer.index, second[0]!)?.source).toBe("requester");
    await books.audits.reveal(reveal).catch(() => undefined);
    expect(books.audits.unjudgedOf(work.lease.id)).toEqual(rows);
  });
});

async function disputed(scene: Scene, work: LeaseWork, by: Signer = scene.provider): Promise<Uint8Array> {
  const receipt = await seal(receiptMessage, work.receiptBody({ seq: 1 }), [scene.provider]);
  const advance = {
    ...HEAD,
    lease: work.lease.id,
    tasksRoot: work.tasks.root(),
    taskCount: work.tasks.size,
    close: false,
  };
  const body = {
    ...HEAD,
    lease: work.lease.id,
    receipt,
    advance: await seal(advanceMessage, advance, [scene.requester]),
    prevCount: 0,
    consistency: [],
  };
  return seal(disputeMessage, body, [by]);
}

describe("a dispute", () => {
  it("has everything recomputed that the requester does not sign for, and is brought by the provider alone", async () => {
    const scene = await audited({ firstTasks: 0, floorPpm: 0, rateNumerator: 0 });
    const { books, provider } = scene;
    const { work } = await openLease(scene, {}, AUDITED);
    work.go(15);
    await refused(books.audits.dispute(await disputed(scene, work, scene.requester)), "wrong-provider");
    const envelope = await disputed(scene, work);
    const answer = await books.audits.dispute(envelope);
    const draw = drawOf(answer);
    expect(draw.leaves).toHaveLength(15);
    expect((await books.audits.dispute(envelope)).index).toBe(answer.index);
    const { dispute } = books.audits.drawn(answer.index, 0)!;
    expect(dispute).toEqual({});
    await judgeAll(scene, draw);
    const { held, bond } = books.account(provider.key);
    expect(held + bond).toBe(work.receiptBody().amount);
  });

  it("is refused over more tasks than the requester has named", async () => {
    const scene = await audited();
    const { work } = await openLease(scene, {}, AUDITED);
    work.go(3, 2);
    await refused(scene.books.audits.dispute(await disputed(scene, work)), "unnamed-task");
  });
});
