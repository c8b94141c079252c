import { webcrypto } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { DEFAULT_AUDIT_POLICY, PPM } from "../protocol/audit-policy.ts";
import { delegationMessage } from "../protocol/delegation.ts";
import { signerFromSeed } from "../protocol/ed25519.ts";
import { bodyId, seal } from "../protocol/envelope.ts";
import { type Assign, assignMessage } from "../protocol/messages/assign.ts";
import { encodeEntryOf, type EntryBodies, type EntryType } from "../protocol/messages/entry.ts";
import { jobMessage } from "../protocol/messages/job.ts";
import { leaseMessage } from "../protocol/messages/lease.ts";
import { payoutAddressMessage } from "../protocol/messages/payout.ts";
import { receiptMessage, reportMessage } from "../protocol/messages/receipt.ts";
import { advanceMessage } from "../protocol/messages/task.ts";
import type { Signer } from "../protocol/signature.ts";
import { microCredits } from "../protocol/units.ts";
import { HEAD, jobTerms, leaseTerms, named, Outcomes, peerOf, TARIFF } from "./accounts-scene.contract.ts";
import { LogSignatures } from "./log-signatures.ts";
import { Replay, typedEntry } from "./replay.ts";

/** Logs that a relay might write about assignments, honest ones and others. */

const HOUR_MS = 3_600_000;
const POLICY = { ...DEFAULT_AUDIT_POLICY, bondTasks: 1, holdTasks: 0, leaseFee: microCredits(0) };
const DOCUMENT = named("policy");
const BUDGET = microCredits(100_000);

let ana: Signer;
let bea: Signer;
let payer: Signer;
beforeAll(async () => {
  const [first, second, third] = await Promise.all(
    [1, 2, 3].map(async (n) => signerFromSeed(webcrypto.subtle, new Uint8Array(32).fill(n))),
  );
  if (first === undefined || second === undefined || third === undefined) throw new Error("no keys");
  [ana, bea, payer] = [first, second, third];
});

interface Step {
  readonly bytes: Uint8Array;
}

function step<K extends EntryType>(type: K, body: EntryBodies[K], hour = 0): Step {
  return { bytes: encodeEntryOf(type, hour * HOUR_MS, body) };
}

function assignBody(changes: Partial<Assign> = {}): Assign {
  return { ...HEAD, account: ana.key, payee: bea.key, ppm: 250_000, sweep: false, at: 1, ...changes };
}

async function assign(changes: Partial<Assign> = {}, hour = 0, by: Signer = ana): Promise<Step> {
  return step("assign", { envelope: await seal(assignMessage, assignBody(changes), [by]) }, hour);
}

function transfer(
  amount: number,
  cause: number,
  changes: Partial<EntryBodies["transfer"]> = {},
  hour = 0,
): Step {
  return step(
    "transfer",
    { from: ana.key, to: bea.key, amount: microCredits(amount), cause, ...changes },
    hour,
  );
}

function replayOf(...steps: readonly Step[]): Replay {
  const replay = new Replay();
  for (const { bytes } of steps) replay.append(typedEntry(bytes));
  return replay;
}

function policy(isAudited: boolean): Step {
  const keys = { log: peerOf(90), lease: peerOf(91), draw: peerOf(92) };
  const { origin, asset } = HEAD;
  return step("policy", {
    origin,
    asset,
    keys,
    tariff: TARIFF,
    policy: DOCUMENT,
    ...(isAudited ? { audit: POLICY } : {}),
  });
}

/** A job of one lease in which Ana earns what ten tasks are worth, and its settlement: entries 1 to 5. */
async function work(isAudited: boolean): Promise<{ readonly steps: readonly Step[]; readonly paid: bigint }> {
  const terms = jobTerms({ requester: payer.key, payer: payer.key, cap: microCredits(200_000) });
  const job = bodyId(jobMessage, terms);
  const version = isAudited ? { policyVersion: POLICY.version } : {};
  const lease = leaseTerms(job, ana.key, {
    budget: BUDGET,
    requesterKey: payer.key,
    policy: DOCUMENT,
    ...version,
  });
  const leaseId = bodyId(leaseMessage, lease);
  const begun = [
    step("grant", { account: payer.key, amount: microCredits(200_000), reference: "a test" }),
    step("escrow", {
      job,
      payer: payer.key,
      amount: terms.cap,
      envelope: await seal(jobMessage, terms, [payer]),
    }),
    step("lease", { lease: leaseId, job, envelope: await seal(leaseMessage, lease, [payer]) }),
  ];
  const replay = replayOf(policy(isAudited), ...begun);
  const state = replay.lease(leaseId);
  const jobState = replay.job(job);
  if (state === undefined || jobState === undefined) throw new Error("no lease");
  const outcomes = new Outcomes(state);
  for (let i = 0; i < 10; i += 1) outcomes.outcomes.append(new Uint8Array(32).fill(i));
  for (let i = 0; i < 10; i += 1) outcomes.tasks.append(new Uint8Array(32).fill(i));
  const audit = isAudited
    ? { policyVersion: POLICY.version, peak: outcomes.receipt(jobState).receipt.fuel }
    : {};
  const { receipt } = outcomes.receipt(jobState, { ...audit, seq: 1 });
  const report = {
    ...HEAD,
    receipt: await seal(receiptMessage, receipt, [ana]),
    advance: await seal(advanceMessage, outcomes.advance(bodyId(receiptMessage, receipt)), [payer]),
    prevCount: 0,
    consistency: [],
    lost: [],
  };
  const paid = receipt.amount;
  const settle = {
    lease: leaseId,
    job,
    provider: ana.key,
    receiptIndex: 4,
    paid,
    returned: microCredits(BUDGET - paid),
    reason: "final",
  } as const;
  return {
    steps: [
      ...begun,
      step("receipt", { lease: leaseId, envelope: await seal(reportMessage, report, [ana]) }),
      step("settle", settle),
    ],
    paid,
  };
}

const PLACE_OF_SETTLE = 6;

/** Policy, an assignment, and work that is paid. The settlement is entry 6. */
async function assigned(
  changes: Partial<Assign> = {},
): Promise<{ readonly steps: readonly Step[]; readonly due: number }> {
  const { steps, paid } = await work(false);
  return {
    steps: [policy(false), await assign(changes), ...steps],
    due: Number((paid * BigInt(changes.ppm ?? 250_000)) / BigInt(PPM)),
  };
}

/** How many signatures an assignment of Ana's stands on that somebody signed. */
async function claims(by: Signer): Promise<number> {
  const signatures = new LogSignatures(new Replay());
  return signatures.claimsOf(typedEntry((await assign({}, 0, by)).bytes)).length;
}

describe("A log of assignments", () => {
  test("that is honest is followed to the end", async () => {
    const { steps, due } = await assigned();
    expect(due).toBeGreaterThan(0);
    const replay = replayOf(...steps, transfer(due, PLACE_OF_SETTLE));
    expect(replay.total()).toBe(0n);
    expect(replay.balance(`available:${bea.key}`)).toBe(BigInt(due));
    expect(replay.assignments.all.assignment(ana.key)?.passed).toBe(BigInt(due));
    expect(replay.assignments.isDue).toBe(false);
  });

  test("in which money goes to others without an assignment is refused", async () => {
    const { steps } = await work(false);
    expect(() => replayOf(policy(false), ...steps, transfer(1, 5))).toThrow("without an assignment");
    const { steps: ended, due } = await assigned({ ppm: 0 });
    expect(due).toBe(0);
    expect(() => replayOf(...ended, transfer(1, PLACE_OF_SETTLE))).toThrow("without an assignment");
  });

  test("that keeps from a payee what is due, or gives it later, is refused", async () => {
    const { steps, due } = await assigned();
    const other = step("bar", { identity: peerOf(70), reason: "a test" });
    expect(() => replayOf(...steps, other)).toThrow("does not go to its payee at once");
    expect(() => replayOf(...steps, other, transfer(due, PLACE_OF_SETTLE))).toThrow("at once");
    expect(replayOf(...steps).assignments.isDue).toBe(true);
  });

  test("that passes on another sum, to somebody else, twice or for another reason is refused", async () => {
    const { steps, due } = await assigned();
    const wrong = "without an assignment";
    expect(() => replayOf(...steps, transfer(due + 1, PLACE_OF_SETTLE))).toThrow(wrong);
    expect(() => replayOf(...steps, transfer(due - 1, PLACE_OF_SETTLE))).toThrow(wrong);
    expect(() => replayOf(...steps, transfer(due, PLACE_OF_SETTLE, { to: peerOf(9) }))).toThrow(wrong);
    expect(() => replayOf(...steps, transfer(due, PLACE_OF_SETTLE, { from: payer.key }))).toThrow(wrong);
    expect(() => replayOf(...steps, transfer(due, PLACE_OF_SETTLE - 1))).toThrow(wrong);
    const twice = [transfer(due, PLACE_OF_SETTLE), transfer(due, PLACE_OF_SETTLE)];
    expect(() => replayOf(...steps, ...twice)).toThrow(wrong);
  });

  test("in which an assignment sweeps what is there is followed, and one that takes more is refused", async () => {
    const { steps, due } = await assigned({ ppm: 0 });
    expect(due).toBe(0);
    const { paid } = await work(false);
    const sweep = await assign({ ppm: 0, sweep: true, at: 2 });
    const replay = replayOf(...steps, sweep, transfer(Number(paid), 7));
    expect(replay.balance(`available:${ana.key}`)).toBe(0n);
    expect(replay.balance(`available:${bea.key}`)).toBe(paid);
    expect(() => replayOf(...steps, sweep, transfer(Number(paid) + 1, 7))).toThrow("without an assignment");
  });

  test("in which an assignment is not newer than the one before is refused", async () => {
    const first = await assign({ at: 5 });
    const [older, same, newer] = [
      await assign({ at: 4 }),
      await assign({ at: 5, ppm: 1 }),
      await assign({ at: 6 }),
    ];
    expect(() => replayOf(policy(false), first, newer)).not.toThrow();
    for (const again of [older, same])
      expect(() => replayOf(policy(false), first, again)).toThrow("not newer");
  });

  test("in which an account with a payout address is assigned is refused", async () => {
    const body = { ...HEAD, account: ana.key, address: "bank-a" };
    const address = step("payout-address", { envelope: await seal(payoutAddressMessage, body, [ana]) });
    const late = await assign();
    expect(() => replayOf(policy(false), address, late)).toThrow("with a payout address is assigned");
  });

  test("stands on signatures of the accounts themselves, and of nobody else", async () => {
    expect(await claims(ana)).toBe(1);
    await expect(claims(bea)).rejects.toThrow("not signed by its account itself alone");
    const delegation = await seal(
      delegationMessage,
      { root: ana.key, session: bea.key, notBefore: 0, notAfter: HOUR_MS },
      [ana],
    );
    await expect(claims({ ...bea, delegation })).rejects.toThrow("not signed by its account itself alone");
  });

  test("in which an account is retired before it was idle for as long as it said is refused", async () => {
    const { steps } = await work(true);
    const body = assignBody({ retireAfterMs: 2 * HOUR_MS });
    const first = [policy(true), await assign({ retireAfterMs: 2 * HOUR_MS }), ...steps];
    const retired = (hour: number, assignment = bodyId(assignMessage, body)): Step =>
      step("retire-idle", { account: ana.key, assignment }, hour);
    expect(() => replayOf(...first, retired(1))).toThrow("has not been idle");
    expect(() => replayOf(...first, retired(2, named("another")))).toThrow("has not been idle");
    expect(replayOf(...first, retired(2)).provider(ana.key)?.retiring).toBe(2 * HOUR_MS);
    expect(() => replayOf(...first, retired(2), retired(3))).toThrow("has not been idle");
    const never = [policy(true), await assign(), ...steps];
    const same = bodyId(assignMessage, assignBody());
    expect(() => replayOf(...never, retired(99, same))).toThrow("has not been idle");
  });
});
