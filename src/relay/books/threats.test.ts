import { describe, expect, it } from "vitest";
import { failureCode, type FailureName } from "../../protocol/failure-code.ts";
import { header } from "../../protocol/header.ts";
import { MAX_JOB_LIFETIME_MS } from "../../protocol/limits.ts";
import { jobMessage } from "../../protocol/messages/job.ts";
import { leaseMessage } from "../../protocol/messages/lease.ts";
import { reportMessage } from "../../protocol/messages/receipt.ts";
import { keyRevokeMessage } from "../../protocol/messages/session.ts";
import { openEnvelope, readBody, seal } from "../../protocol/envelope.ts";
import { fuel, microCredits } from "../../protocol/units.ts";
import {
  cancelOf,
  closeOf,
  GRANT,
  HEAD,
  jobBody,
  leaseBody,
  LeaseWork,
  openLease,
  openScene,
  type Scene,
  sessionOf,
  signedJob,
  signedLease,
  signerOf,
  START,
  verifiedMessage,
  WORK,
} from "./books-scene.contract.ts";

function code(name: FailureName): unknown {
  return expect.objectContaining({ code: failureCode(name) });
}

async function expectRefused(attempt: Promise<unknown>, name: FailureName): Promise<void> {
  await expect(attempt).rejects.toEqual(code(name));
}

/** A refusal moves nothing and logs nothing. */
async function expectNothingOf(
  scene: Scene,
  attempt: () => Promise<unknown>,
  name: FailureName,
): Promise<void> {
  const before = [
    scene.books.size(),
    scene.books.account(scene.requester.key),
    scene.books.account(scene.provider.key),
  ];
  await expectRefused(attempt(), name);
  expect([
    scene.books.size(),
    scene.books.account(scene.requester.key),
    scene.books.account(scene.provider.key),
  ]).toEqual(before);
}

describe("threats to the receipt", () => {
  it("a tampered receipt is refused", async () => {
    const scene = await openScene();
    const { work } = await openLease(scene);
    const honest = await work.go(3).report();
    const { receipt, advance, ...rest } = readBody(reportMessage, honest);
    for (const [name, bytes] of Object.entries({ receipt, advance })) {
      for (let at = 0; at < bytes.length; at += 7) {
        const tampered = bytes.slice();
        tampered[at]! ^= 1;
        const body = { receipt, advance, ...rest, [name]: tampered };
        // oxlint-disable-next-line no-await-in-loop -- one byte after the other
        const envelope = await seal(reportMessage, body, [scene.provider]);
        // oxlint-disable-next-line no-await-in-loop
        await expect(scene.books.report(envelope), `${name} ${at}`).rejects.toMatchObject({
          code: expect.any(Number) as number,
        });
      }
    }
    expect(scene.books.account(scene.provider.key).pending).toBe(0n);
    await scene.books.report(honest);
    expect(scene.books.account(scene.provider.key).pending).toBe(work.receiptBody().amount);
  });

  it("a receipt whose amount was raised and signed anew by the provider is refused", async () => {
    const scene = await openScene();
    const { work } = await openLease(scene);
    const report = await work.go(3).report({ receipt: { amount: microCredits(4_000) } });
    await expectNothingOf(scene, async () => scene.books.report(report), "bad-receipt");
  });

  it("a receipt that nobody countersigned is refused", async () => {
    const scene = await openScene();
    const { work } = await openLease(scene);
    const report = await work.go(3).report({ requester: scene.provider });
    await expectNothingOf(scene, async () => scene.books.report(report), "bad-signature");
    const { work: other } = await openLease(scene);
    const uncountersigned = await other.go(3).report({ advance: { receiptCid: WORK } });
    await expectNothingOf(scene, async () => scene.books.report(uncountersigned), "bad-receipt");
  });

  it("the wrong provider is refused", async () => {
    const scene = await openScene();
    const { work } = await openLease(scene);
    const thief = signerOf("thief");
    const stolen = await work.go(3).report({ provider: thief });
    await expectNothingOf(scene, async () => scene.books.report(stolen), "wrong-provider");
    const renamed = await work.report({ provider: thief, receipt: { provider: thief.key } });
    await expectNothingOf(scene, async () => scene.books.report(renamed), "wrong-provider");
  });

  it("a session key of the same provider that the lease does not name is refused", async () => {
    const scene = await openScene();
    const first = await sessionOf("provider", "tab 1");
    const second = await sessionOf("provider", "tab 2");
    const { work } = await openLease(scene, {}, { instance: first.key });
    const report = await work.go(3).report({ provider: second });
    await expectNothingOf(scene, async () => scene.books.report(report), "wrong-provider");
    await scene.books.report(await work.report({ provider: first, receipt: { seq: 1 } }));
  });

  it("a delegation that the root never signed is refused", async () => {
    const scene = await openScene();
    const forged = await sessionOf("thief", "tab 1");
    const { work } = await openLease(scene, {}, { instance: forged.key });
    const report = await work.go(3).report({ provider: forged });
    await expectNothingOf(scene, async () => scene.books.report(report), "wrong-provider");
  });

  it("a delegation past its time is refused", async () => {
    const scene = await openScene();
    const tab = await sessionOf("provider", "tab 1", START - 7_200_000, START - 3_600_000);
    const { work } = await openLease(scene, {}, { instance: tab.key });
    const report = await work.go(3).report({ provider: tab });
    await expectNothingOf(scene, async () => scene.books.report(report), "expired");
  });

  it("a receipt over tasks the requester never named is refused", async () => {
    const scene = await openScene();
    const { work } = await openLease(scene);
    const report = await work.go(5, 3).report();
    await expectNothingOf(scene, async () => scene.books.report(report), "unnamed-task");
  });

  it("a receipt above the budget is refused", async () => {
    const scene = await openScene();
    const { work } = await openLease(scene, {}, { budget: microCredits(40) });
    const report = await work.go(4).report();
    await expectNothingOf(scene, async () => scene.books.report(report), "over-budget");
  });

  it("a receipt paid twice is paid once", async () => {
    const scene = await openScene();
    const { work } = await openLease(scene);
    const report = await work.go(3).report({ receipt: { final: true }, advance: { close: true } });
    const answers = await Promise.all([1, 2, 3].map(async () => scene.books.report(report)));
    const later = await scene.books.report(report);
    expect(new Set([...answers, later].map(({ index }) => index)).size).toBe(1);
    const { amount } = work.receiptBody();
    expect(scene.books.account(scene.provider.key)).toMatchObject({
      available: amount,
      pending: 0n,
      earned: amount,
    });
  });

  it("an older receipt that is reported again has its old place", async () => {
    const scene = await openScene();
    const { work } = await openLease(scene);
    const first = await work.go(3).report();
    const { index } = await scene.books.report(first);
    work.logged = 3;
    await work.go(2).send();
    await work.go(2).send();
    expect((await scene.books.report(first)).index).toBe(index);
  });

  it("an older receipt that was never logged is stale", async () => {
    const scene = await openScene();
    const { work } = await openLease(scene);
    const never = await work.go(3).report();
    await work.go(2).send();
    await expectNothingOf(scene, async () => scene.books.report(never), "stale-receipt");
  });

  it("a receipt that does not extend the logged one is refused", async () => {
    const scene = await openScene();
    const { work } = await openLease(scene);
    await work.go(3).send();
    const report = await work.go(2).report({ receipt: { root: new Uint8Array(32) } });
    await expectNothingOf(scene, async () => scene.books.report(report), "inconsistent-receipt");
  });

  it("two receipts that contradict each other bar the session key and end its leases with what was logged", async () => {
    const scene = await openScene();
    const { work } = await openLease(scene);
    const { work: other } = await openLease(scene);
    await work.go(3).send();
    await other.go(2).send();
    const earned = scene.books.account(scene.provider.key).pending;
    const contradiction = await work.go(1).report({ receipt: { seq: 1 } });
    await expectRefused(scene.books.report(contradiction), "inconsistent-receipt");
    expect(scene.books.account(scene.provider.key)).toMatchObject({ pending: 0n, available: earned });
    await expectRefused(scene.books.report(await other.go(1).report()), "lease-ended");
    const job = await signedJob(scene);
    const { index } = await scene.books.openJob(job);
    await expectRefused(scene.books.addLease(await signedLease(scene, job, index)), "denied");
  });

  it("a contradiction that the provider did not sign convicts nobody", async () => {
    const scene = await openScene();
    const { work } = await openLease(scene);
    await work.go(3).send();
    const forged = await work.go(1).report({ receipt: { seq: 1 }, provider: signerOf("thief") });
    await expectNothingOf(scene, async () => scene.books.report(forged), "wrong-provider");
  });

  it("only the provider declares leaves lost", async () => {
    const scene = await openScene();
    const { work } = await openLease(scene);
    const forged = await work.go(3).report({ lost: [1], reporter: scene.requester });
    await expectNothingOf(scene, async () => scene.books.report(forged), "wrong-provider");
    await work.send({ lost: [1] });
  });

  it("an expired lease pays nothing new", async () => {
    const scene = await openScene();
    const { work, job } = await openLease(scene);
    await work.go(3).send();
    const logged = scene.books.account(scene.provider.key).pending;
    const late = await work.go(3).report();
    scene.clock.now += 600_001;
    await expectNothingOf(scene, async () => scene.books.report(late), "lease-ended");
    expect(await scene.books.settleDue()).toBe(1);
    await expectNothingOf(scene, async () => scene.books.report(late), "lease-ended");
    expect(scene.books.account(scene.provider.key)).toMatchObject({ available: logged, pending: 0n });
    expect(scene.books.unbound(job.id)).toBe(10_000n - logged);
  });

  it("a lease nobody worked under is void and costs nothing", async () => {
    const scene = await openScene();
    const { job } = await openLease(scene);
    scene.clock.now += 600_001;
    await scene.books.settleDue();
    expect(scene.books.unbound(job.id)).toBe(10_000n);
  });

  it("a report of another relay or in other money is refused", async () => {
    const scene = await openScene();
    const { work } = await openLease(scene);
    const elsewhere = header("elsewhere.example/log", HEAD.asset);
    await expectRefused(scene.books.report(await work.go(1).report({ receipt: elsewhere })), "wrong-relay");
    const other = header(HEAD.origin, "eip155:1/erc20:0x0");
    await expectRefused(scene.books.report(await work.report({ receipt: other })), "wrong-asset");
  });

  it("bytes that are no report are refused", async () => {
    const scene = await openScene();
    const { work } = await openLease(scene);
    const report = await work.go(1).report();
    await expectRefused(scene.books.report(new Uint8Array(0)), "malformed");
    await expectRefused(scene.books.report(report.slice(0, -1)), "malformed");
    await expectRefused(scene.books.report(new Uint8Array(70_000)), "too-large");
    await expectRefused(scene.books.report((await signedJob(scene)).bytes.slice()), "malformed");
  });

  it("a receipt for a lease that the relay never made is refused", async () => {
    const scene = await openScene();
    const job = await signedJob(scene);
    const { index } = await scene.books.openJob(job);
    const lease = await signedLease(scene, job, index);
    const report = await new LeaseWork(scene, job, lease).go(2).report();
    await expectNothingOf(scene, async () => scene.books.report(report), "unknown-lease");
  });
});

describe("threats to the job", () => {
  it("a replayed job is refused", async () => {
    const scene = await openScene();
    const job = await signedJob(scene);
    const [first, again] = await Promise.all([scene.books.openJob(job), scene.books.openJob(job)]);
    expect(again.index).toBe(first.index);
    expect((await scene.books.openJob(job)).index).toBe(first.index);
    expect(scene.books.account(scene.requester.key).escrowed).toBe(10_000n);
    const other = await signedJob(scene, { nonce: job.body.nonce, cap: microCredits(20_000) });
    await expectNothingOf(scene, async () => scene.books.openJob(other), "replayed");
    const both = await Promise.allSettled(
      [1, 2].map(async (cap) => {
        const nonce = new Uint8Array(16).fill(9);
        return scene.books.openJob(await signedJob(scene, { nonce, cap: microCredits(cap) }));
      }),
    );
    expect(both.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
  });

  it("a job that somebody else signed is refused", async () => {
    const scene = await openScene();
    const job = await signedJob(scene, {}, signerOf("thief"));
    await expectNothingOf(scene, async () => scene.books.openJob(job), "bad-signature");
  });

  it("a job that spends another's money without a signature is refused, and with one it is opened", async () => {
    const scene = await openScene();
    const poor = signerOf("poor");
    const changes = { requester: poor.key };
    const alone = await signedJob(scene, changes, poor);
    await expectNothingOf(scene, async () => scene.books.openJob(alone), "bad-signature");
    const together = await verifiedMessage(jobMessage, jobBody(scene, changes), [poor, scene.requester]);
    await scene.books.openJob(together);
    expect(scene.books.account(scene.requester.key).escrowed).toBe(10_000n);
  });

  it("a job past its time, too far ahead, or from the future is refused", async () => {
    const scene = await openScene();
    const at = scene.clock.now;
    const past = await signedJob(scene, { expires: at });
    await expectNothingOf(scene, async () => scene.books.openJob(past), "expired");
    const far = await signedJob(scene, { expires: at + 2 * MAX_JOB_LIFETIME_MS });
    await expectNothingOf(scene, async () => scene.books.openJob(far), "malformed");
    const future = await signedJob(scene, { issuedAt: at + 600_000 });
    await expectNothingOf(scene, async () => scene.books.openJob(future), "malformed");
  });

  it("two jobs that only together cost more than there is: the second is refused", async () => {
    const scene = await openScene();
    const cap = microCredits(GRANT - 1n);
    const jobs = [await signedJob(scene, { cap }), await signedJob(scene, { cap })];
    const answers = await Promise.allSettled(jobs.map(async (job) => scene.books.openJob(job)));
    expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect(scene.books.account(scene.requester.key).available).toBe(1n);
  });

  it("a job that expires gives back what nobody bound", async () => {
    const scene = await openScene();
    const { job, work } = await openLease(scene, { expires: START + 60_000 });
    await work.go(3).send();
    scene.clock.now += 60_001;
    await scene.books.settleDue();
    expect(scene.books.job(job.id)).toMatchObject({ state: "closing", refunded: 5_000n });
    await expectRefused(scene.books.addLease(await signedLease(scene, job, 3)), "lease-ended");
    scene.clock.now += 600_000;
    await scene.books.settleDue();
    const { amount } = work.receiptBody();
    expect(scene.books.job(job.id)).toMatchObject({ state: "closed", refunded: 10_000n - amount });
    expect(scene.books.account(scene.requester.key)).toMatchObject({
      available: GRANT - amount,
      escrowed: 0n,
    });
  });
});

describe("threats to the escrow", () => {
  it("leases above the cap are refused", async () => {
    const scene = await openScene();
    const job = await signedJob(scene);
    const { index } = await scene.books.openJob(job);
    const leases = await Promise.all(
      [0, 1, 2].map(async (replica) => signedLease(scene, job, index, { replica })),
    );
    const answers = await Promise.allSettled(leases.map(async (lease) => scene.books.addLease(lease)));
    expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
    expect(scene.books.unbound(job.id)).toBe(0n);
    expect(scene.books.openLeases(job.id).map(({ id }) => id)).toEqual(
      leases.slice(0, 2).map(({ id }) => id),
    );
  });

  it("a lease that the relay did not sign is refused", async () => {
    const scene = await openScene();
    const job = await signedJob(scene);
    const { index } = await scene.books.openJob(job);
    const forged = await verifiedMessage(leaseMessage, leaseBody(scene, job, index), [scene.provider]);
    await expectNothingOf(scene, async () => scene.books.addLease(forged), "bad-signature");
  });

  it("a lease dearer than the job allows is refused", async () => {
    const scene = await openScene();
    const nothing = microCredits(0);
    const tariffMax = { perGfuel: nothing, perTask: nothing, perKiB: nothing, perInstantiation: nothing };
    const job = await signedJob(scene, { tariffMax });
    const { index } = await scene.books.openJob(job);
    const lease = await signedLease(scene, job, index);
    await expectNothingOf(scene, async () => scene.books.addLease(lease), "overpriced");
  });

  it("a top-up is a new revision, follows the newest one, and needs money", async () => {
    const scene = await openScene();
    const { job, work, escrowIndex } = await openLease(scene, {}, { budget: microCredits(40) });
    const over = await work.go(4).report();
    await expectRefused(scene.books.report(over), "over-budget");
    const more = { rev: 1, prev: work.lease.id, budget: microCredits(5_000) };
    const topUp = await signedLease(scene, job, escrowIndex, more);
    await Promise.all([scene.books.addLease(topUp), scene.books.addLease(topUp)]);
    expect(scene.books.unbound(job.id)).toBe(5_000n);
    expect(scene.books.openLeases(job.id)).toMatchObject([{ body: { rev: 1 } }]);
    await scene.books.report(over);
    const beside = await signedLease(scene, job, escrowIndex, { ...more, budget: microCredits(6_000) });
    await expectRefused(scene.books.addLease(beside), "malformed");
    const next = { rev: 2, prev: topUp.id, budget: microCredits(10_001) };
    await expectRefused(
      scene.books.addLease(await signedLease(scene, job, escrowIndex, next)),
      "over-budget",
    );
    const less = await signedLease(scene, job, escrowIndex, { ...next, budget: microCredits(1) });
    await expectRefused(scene.books.addLease(less), "malformed");
  });

  it("a lease given back frees all but one window, and only its requester can do that", async () => {
    const scene = await openScene();
    const { job, work } = await openLease(scene);
    await work.go(10, 20).send();
    const byThief = await cancelOf(scene, work.lease.id, signerOf("thief"));
    await expectNothingOf(scene, async () => scene.books.cancelLease(byThief), "bad-signature");
    const cancel = await cancelOf(scene, work.lease.id);
    const { amount } = work.receiptBody();
    const each = (amount + 9n) / 10n;
    const view = await scene.books.cancelLease(cancel);
    expect(view.leases).toMatchObject([{ state: "returning", amount }]);
    expect(scene.books.unbound(job.id)).toBe(10_000n - amount - 4n * each);
    await scene.books.cancelLease(cancel);
    expect(scene.books.unbound(job.id)).toBe(10_000n - amount - 4n * each);
    await expectRefused(scene.books.report(await work.go(5, 0).report()), "over-budget");
    expect(scene.books.openLeases(job.id)).toEqual([]);
  });

  it("closing a job gives back what is free at once and the rest as leases settle", async () => {
    const scene = await openScene();
    const { job, work } = await openLease(scene);
    const byThief = await closeOf(scene, job.id, signerOf("thief"));
    await expectNothingOf(scene, async () => scene.books.closeJob(byThief), "bad-signature");
    expect(await scene.books.closeJob(await closeOf(scene, job.id))).toMatchObject({
      state: "closing",
      refunded: 5_000n,
    });
    await scene.books.closeJob(await closeOf(scene, job.id));
    await work.go(3, 5).send({ advance: { close: true } });
    const { amount } = work.receiptBody();
    const reserve = 2n * ((amount + 2n) / 3n);
    expect(scene.books.job(job.id)).toMatchObject({ state: "closing", refunded: 10_000n - amount - reserve });
    await work.go(2, 0).send({ advance: { close: true } });
    const paid = work.receiptBody().amount;
    expect(scene.books.job(job.id)).toMatchObject({ state: "closed", spent: paid, refunded: 10_000n - paid });
  });

  it("a cancelled task earns its start fee and no more", async () => {
    const scene = await openScene();
    const { work } = await openLease(scene);
    const totals = { payable: 1, cancelled: 2, fuel: fuel(1_000_000), bytes: 0n };
    await work.go(3).send({ receipt: { ...totals, amount: microCredits(1n + 10n + 2n * 2n) } });
    expect(scene.books.account(scene.provider.key).pending).toBe(15n);
  });
});

describe("threats to keys and identities", () => {
  it("a revoked key counts for nothing new, and what was logged before stays", async () => {
    const scene = await openScene();
    const tab = await sessionOf("provider", "tab 1");
    const { work } = await openLease(scene, {}, { instance: tab.key });
    await work.go(3).send({ provider: tab });
    const earned = scene.books.account(scene.provider.key).pending;
    const revoke = { ...HEAD, root: scene.provider.key, key: tab.key };
    await scene.books.revokeKey(await verifiedMessage(keyRevokeMessage, revoke, [scene.provider]));
    expect(scene.books.isRevoked(tab.key, scene.provider.key)).toBe(true);
    const late = await work.go(3).report({ provider: tab });
    await expectNothingOf(scene, async () => scene.books.report(late), "key-revoked");
    expect(scene.books.account(scene.provider.key).pending).toBe(earned);
  });

  it("a stranger cannot revoke somebody's key", async () => {
    const scene = await openScene();
    const thief = signerOf("thief");
    const { work } = await openLease(scene);
    const forged = { ...HEAD, root: scene.provider.key, key: scene.provider.key };
    await expectRefused(
      scene.books.revokeKey(await verifiedMessage(keyRevokeMessage, forged, [thief])),
      "bad-signature",
    );
    const own = { ...HEAD, root: thief.key, key: scene.provider.key };
    await scene.books.revokeKey(await verifiedMessage(keyRevokeMessage, own, [thief]));
    expect(scene.books.isRevoked(scene.provider.key, scene.provider.key)).toBe(false);
    await work.go(2).send();
  });

  it("a barred or denied identity, and a denied function, get nothing; taking it back admits them again", async () => {
    const scene = await openScene();
    await scene.books.deny("cid", WORK, "does harm");
    const job = await signedJob(scene);
    await expectNothingOf(scene, async () => scene.books.openJob(job), "denied");
    await scene.books.undeny("cid", WORK);
    await scene.books.openJob(job);
    await scene.books.deny("peer", scene.requester.key, "does not pay");
    const next = await signedJob(scene);
    await expectNothingOf(scene, async () => scene.books.openJob(next), "denied");
    expect(scene.books.denied("peer", scene.requester.key)).toBe("does not pay");
    expect(scene.books.denials()).toEqual([
      { kind: "peer", value: scene.requester.key, reason: "does not pay" },
    ]);
    await scene.books.undeny("peer", scene.requester.key);
    const { index } = await scene.books.openJob(next);
    await scene.books.bar(scene.provider.key, "wrong results");
    const lease = await signedLease(scene, next, index);
    await expectNothingOf(scene, async () => scene.books.addLease(lease), "denied");
  });

  it("test money is granted, other money is not", async () => {
    const scene = await openScene();
    expect(scene.books.hasAccount(scene.requester.key)).toBe(true);
    expect(scene.books.hasAccount(scene.provider.key)).toBe(false);
    await expectRefused(
      scene.books.grant(scene.requester.key, microCredits((1n << 63n) - 1n), "all"),
      "too-large",
    );
  });
});

describe("one bad call", () => {
  it("does not spoil the others of its turn", async () => {
    const scene = await openScene();
    const works = await Promise.all(
      [0, 1, 2, 3].map(async () => (await openLease(scene, { cap: microCredits(6_000) })).work),
    );
    const reports = await Promise.all(
      works.map(async (work, i) =>
        work.go(2).report(i % 2 === 0 ? {} : { receipt: { amount: microCredits(1) } }),
      ),
    );
    const sizes: number[] = [];
    scene.books.onCommit(({ size }) => sizes.push(size));
    const answers = await Promise.allSettled(reports.map(async (each) => scene.books.report(each)));
    expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled", "rejected"]);
    expect(sizes).toEqual([scene.books.size()]);
    expect(openEnvelope(reportMessage, reports[0]!).claims.length).toBe(1);
  });
});
