import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AuditPolicy, DEFAULT_AUDIT_POLICY, PPM } from "../protocol/audit-policy.ts";
import type { Cid } from "../protocol/cid.ts";
import type { VerdictResult } from "../protocol/messages/audit.ts";
import type { ForfeitBody } from "../protocol/messages/record-entries.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import { priceOf } from "../protocol/tariff.ts";
import { fuel, microCredits } from "../protocol/units.ts";
import { HEAD, jobTerms, leaseTerms, named, peerOf, START_FEE, TARIFF } from "./accounts-scene.contract.ts";
import type { LeaseState } from "./ledger-state.ts";
import { MemoryLedger } from "./memory-ledger.ts";
import { providerOf } from "./provider-record.ts";
import { type Bailiff, carryOut } from "./sentence.ts";
import { stakeOf } from "./stake.ts";
import { bondWanted, mayUnbond, vestingOf } from "./vesting.ts";

const POLICY: AuditPolicy = { ...DEFAULT_AUDIT_POLICY, bondTasks: 4, holdTasks: 6, holdMs: 1_000 };
const DOCUMENT = named("policy");
const PAYERS = [peerOf(100), peerOf(101), peerOf(102)] as const;
const PROVIDERS = [peerOf(1), peerOf(2)] as const;
const NO_HASH = new Uint8Array(32);
const GIGA = 1_000_000_000;

/** A relay's books in which nobody signs: events happen, and their consequences. */
class Books implements Bailiff {
  readonly ledger = new MemoryLedger();
  readonly barred = new Set<PeerId>();
  time = 0;
  #names = 0;

  constructor() {
    this.ledger.announce({ tariff: TARIFF, policy: DOCUMENT, audit: POLICY });
    for (const account of PAYERS) this.happens({ type: "income", account, amount: microCredits(10n ** 9n) });
  }

  happens(event: Parameters<MemoryLedger["apply"]>[0]): void {
    this.ledger.apply(event, this.time);
  }

  #name(what: string): Cid {
    this.#names += 1;
    return named(`${what} ${this.#names}`);
  }

  lease(id: Cid): LeaseState | undefined {
    return this.ledger.lease(id);
  }

  provider(peer: PeerId): ReturnType<MemoryLedger["provider"]> {
    return this.ledger.provider(peer);
  }

  job(id: Cid): ReturnType<MemoryLedger["job"]> {
    return this.ledger.job(id);
  }

  tariff(id: Cid): ReturnType<MemoryLedger["tariff"]> {
    return this.ledger.tariff(id);
  }

  audit(policy: Cid, version: number): AuditPolicy | undefined {
    return this.ledger.audit(policy, version);
  }

  experience(...about: Parameters<MemoryLedger["experience"]>): ReturnType<MemoryLedger["experience"]> {
    return this.ledger.experience(...about);
  }

  /** A job of one lease. */
  begin(payer: PeerId, provider: PeerId): Cid {
    const job = this.#name("job");
    const terms = jobTerms({ requester: payer, payer, cap: microCredits(1_000_001) });
    this.happens({ type: "escrow", job, terms, signers: [payer] });
    const lease = this.#name("lease");
    const budget = microCredits(1_000_000);
    const changes = { budget, policy: DOCUMENT, policyVersion: POLICY.version };
    this.happens({ type: "lease", lease, revision: lease, terms: leaseTerms(job, provider, changes) });
    return lease;
  }

  /** So many more outcomes of so much fuel each. */
  report(id: Cid, outcomes: number, fuelEach: number, failed = 0): void {
    const lease = this.ledger.lease(id)!;
    const { newest, terms, job } = lease;
    const count = (newest?.count ?? 0) + outcomes;
    const burnt = fuel((newest?.fuel ?? 0n) + BigInt(outcomes * fuelEach));
    const peak = fuel(
      outcomes > 0 && BigInt(fuelEach) > (newest?.peak ?? 0n) ? fuelEach : (newest?.peak ?? 0n),
    );
    const totals = { payable: count, cancelled: 0, fuel: burnt, bytes: 0n };
    const amount = priceOf(TARIFF, totals, START_FEE);
    const receiptCid = this.#name("receipt");
    this.happens({
      type: "receipt",
      lease: id,
      id: receiptCid,
      receipt: {
        ...HEAD,
        ...totals,
        job,
        lease: id,
        rev: 0,
        seq: (newest?.seq ?? 0) + 1,
        provider: terms.provider,
        requester: PAYERS[0],
        workCid: named("work"),
        profile: 0,
        policy: DOCUMENT,
        policyVersion: POLICY.version,
        tariff: terms.tariff,
        tree: "rfc6962-sha256",
        root: NO_HASH,
        count,
        failed: (newest?.failed ?? 0) + failed,
        peak,
        tasksRoot: NO_HASH,
        taskCount: count,
        amount,
        final: false,
      },
      advance: { ...HEAD, lease: id, receiptCid, tasksRoot: NO_HASH, taskCount: count, close: false },
      lost: 0,
    });
  }

  draw(lease: Cid, leaves: number): void {
    this.happens({ type: "draw", lease, leaves });
  }

  judge(lease: Cid, result: VerdictResult): void {
    this.happens({ type: "verdict", lease, result });
    carryOut(this, lease, result);
  }

  leases(): readonly LeaseState[] {
    return [...this.ledger.leases.values()];
  }

  unreleased(peer: PeerId): readonly Cid[] {
    return this.leases()
      .filter(({ terms, state, held }) => terms.provider === peer && (state !== "settled" || held > 0n))
      .map(({ id }) => id);
  }

  settle(id: Cid): void {
    const { job, terms, earned, bound } = this.ledger.lease(id)!;
    const body = {
      lease: id,
      job,
      provider: terms.provider,
      paid: earned,
      returned: bound,
      reason: "final",
    } as const;
    this.happens({ type: "settle", body });
  }

  forfeit(body: ForfeitBody): void {
    this.happens({ type: "forfeit", body });
  }

  bar(identity: PeerId): void {
    this.barred.add(identity);
  }

  /** @returns what vested. */
  vest(id: Cid): ReturnType<typeof vestingOf> {
    const lease = this.ledger.lease(id)!;
    const body = vestingOf(lease, providerOf(lease.terms.provider, this.ledger), POLICY, this.time);
    if (body !== undefined) this.happens({ type: "vest", body });
    return body;
  }

  balance(name: string): bigint {
    return this.ledger.balance(name);
  }
}

const step = fc.record({
  kind: fc.constantFrom(
    "begin",
    "begin",
    "report",
    "report",
    "report",
    "draw",
    "draw",
    "judge",
    "judge",
    "judge",
    "settle",
    "settle",
    "wait",
    "vest",
    "vest",
    "retire",
    "unbond",
    "release",
  ),
  which: fc.nat(1_000),
  amount: fc.nat(20),
  result: fc.constantFrom<VerdictResult>(
    "match",
    "match",
    "match",
    "match",
    "inconclusive",
    "missing",
    "mismatch",
  ),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

function pick<T>(from: readonly T[], which: number): T | undefined {
  return from[which % Math.max(from.length, 1)];
}

function isFree(lease: LeaseState, books: Books): boolean {
  return lease.state !== "settled" && !books.barred.has(lease.terms.provider);
}

function judgeOne(books: Books, which: number, result: VerdictResult): void {
  const lease = pick(
    books.leases().filter(({ drawn, judged }) => drawn > judged),
    which,
  );
  if (lease === undefined) return;
  const { provider } = lease.terms;
  const escrowsBefore = books.leases().map(({ job }) => books.balance(`escrow:${job}`));
  const heldBefore = books.balance(`held:${provider}`) + books.balance(`pending:${provider}`);
  books.judge(lease.id, result);
  if (result !== "mismatch" && result !== "missing") return;
  // Everything that was not released is with the jobs that paid it, and the bond is nobody's.
  for (const kind of ["held", "pending", "bond"]) expect(books.balance(`${kind}:${provider}`)).toBe(0n);
  const escrows = books.leases().map(({ job }) => books.balance(`escrow:${job}`));
  const back = escrows.reduce((all, each, at) => all + each - escrowsBefore[at]!, 0n);
  expect(back).toBeGreaterThanOrEqual(heldBefore);
  if (result === "mismatch") expect(books.barred.has(provider)).toBe(true);
  expect(books.provider(provider)).toMatchObject({ audited: 0n, experience: 0n });
}

function vestOne(books: Books, which: number): void {
  const lease = pick(books.leases(), which);
  if (lease === undefined) return;
  const vested = books.vest(lease.id);
  if (vested === undefined) return;
  expect(lease.state).toBe("settled");
  expect(lease.judged).toBe(lease.drawn);
  if (vested.released > 0n) expect(books.time).toBeGreaterThanOrEqual(lease.settledAt! + POLICY.holdMs);
  const provider = books.provider(lease.terms.provider)!;
  if (provider.retiring === undefined && vested.released > 0n) {
    expect(provider.bond).toBeGreaterThanOrEqual(bondWanted(provider, POLICY));
    expect(provider.held).toBeGreaterThanOrEqual(provider.peak * BigInt(POLICY.holdTasks));
  }
}

function take(books: Books, { kind, which, amount, result }: Step): void {
  const open = books.leases().filter((lease) => isFree(lease, books));
  const lease = pick(open, which);
  const provider = pick(PROVIDERS, which)!;
  switch (kind) {
    case "begin":
      if (!books.barred.has(provider)) books.begin(pick(PAYERS, amount)!, provider);
      return;
    case "report":
      if (lease !== undefined)
        books.report(lease.id, amount, (1 + (which % 7)) * 10_000, which % 5 === 0 ? 1 : 0);
      return;
    case "draw": {
      const ofAny = pick(books.leases(), which);
      const left = (ofAny?.newest?.count ?? 0) - (ofAny?.drawn ?? 0);
      if (ofAny !== undefined && left > 0) books.draw(ofAny.id, Math.min(left, 1 + (amount % 4)));
      return;
    }
    case "judge":
      judgeOne(books, which, result);
      return;
    case "settle":
      if (lease !== undefined) books.settle(lease.id);
      return;
    case "wait":
      books.time += amount * 100;
      return;
    case "vest":
      vestOne(books, which);
      return;
    case "retire":
      if (books.provider(provider) !== undefined && amount === 0)
        books.happens({ type: "retire", account: provider });
      return;
    case "unbond": {
      const state = providerOf(provider, books.ledger);
      if (mayUnbond(state, POLICY, books.time))
        books.happens({ type: "unbond", body: { provider, amount: state.bond } });
      return;
    }
    case "release": {
      const job = pick([...books.ledger.jobs.values()], which);
      if (job === undefined || job.openLeases > 0) return;
      books.happens({ type: "release", body: { job: job.id, payer: job.terms.payer, amount: job.unbound } });
      return;
    }
    default:
      kind satisfies never;
  }
}

function sum(values: readonly bigint[]): bigint {
  return values.reduce((all, each) => all + each, 0n);
}

/** Every number of a record is what the leases and accounts say. */
function requireSound(books: Books): void {
  expect(books.ledger.total()).toBe(0n);
  const leases = books.leases();
  for (const peer of PROVIDERS) {
    const state = books.provider(peer);
    if (state === undefined) continue;
    const own = leases.filter(({ terms }) => terms.provider === peer);
    const unsettled = own.filter(({ state: its }) => its !== "settled");
    expect(state.held).toBe(sum(own.map(({ held }) => held)));
    expect(state.pending).toBe(sum(unsettled.map(({ earned }) => earned)));
    expect(state.openLeases).toBe(unsettled.length);
    for (const kind of ["held", "pending", "bond"] as const)
      expect(books.balance(`${kind}:${peer}`)).toBe(state[kind]);
    const counted = PAYERS.map((payer) => books.experience(state, payer));
    expect(state.experience).toBe(sum(counted));
    for (const share of counted)
      expect(share * BigInt(PPM)).toBeLessThanOrEqual(state.audited * BigInt(POLICY.payerPpm));
  }
}

describe("any story with audits", () => {
  it("keeps every account above zero and all of them at nothing, and every record true", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const books = new Books();
        for (const each of steps) {
          // An account that would go below zero throws.
          take(books, each);
          requireSound(books);
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe("what is at stake", () => {
  const [payer] = PAYERS;
  const [provider] = PROVIDERS;

  function stake(books: Books, lease: Cid, outcomes: number): ReturnType<typeof stakeOf> {
    const before = books.ledger.lease(lease)!;
    const count = (before.newest?.count ?? 0) + outcomes;
    const totals = { payable: count, cancelled: 0, fuel: fuel(count * GIGA), bytes: 0n };
    const receipt = { count, peak: fuel(GIGA), failed: 0, amount: priceOf(TARIFF, totals, START_FEE) };
    return stakeOf(receipt, before, providerOf(provider, books.ledger), TARIFF);
  }

  it("is the bond and the lease's own pay, not what other requesters would get back", () => {
    const books = new Books();
    const other = books.begin(payer, provider);
    books.report(other, 10, GIGA);
    books.settle(other);
    const lease = books.begin(PAYERS[1], provider);
    expect(stake(books, lease, 5)).toMatchObject({ first: 0, end: 5, bond: 0n, value: 1_011n });
    books.report(lease, 5, GIGA);
    expect(stake(books, lease, 5)).toMatchObject({ first: 5, end: 10, bond: 5n * 1_011n });
  });

  it("counts the bond, as soon as checked work has filled it", () => {
    const books = new Books();
    const lease = books.begin(payer, provider);
    books.report(lease, 10, GIGA);
    books.draw(lease, 3);
    books.settle(lease);
    expect(books.vest(lease)).toBeUndefined();
    for (let i = 0; i < 3; i += 1) books.judge(lease, "match");
    expect(books.vest(lease)).toMatchObject({ bonded: 3n * 1_011n, released: 0n });
    expect(books.vest(lease)).toBeUndefined();
    expect(stake(books, books.begin(payer, provider), 1).bond).toBe(3n * 1_011n);
  });

  it("is worth as much as the dearest outcome, when one is hidden among cheap ones", () => {
    const books = new Books();
    const lease = books.begin(payer, provider);
    const { value } = stakeOf(
      { count: 10, peak: fuel(9 * GIGA), failed: 0, amount: microCredits(9_200) },
      books.ledger.lease(lease)!,
      providerOf(provider, books.ledger),
      TARIFF,
    );
    expect(value).toBe(9_011n);
  });
});

describe("held pay", () => {
  const [payer] = PAYERS;
  const [provider] = PROVIDERS;

  function worked(books: Books, outcomes: number): Cid {
    const lease = books.begin(payer, provider);
    books.report(lease, outcomes, GIGA);
    books.settle(lease);
    return lease;
  }

  it("fills the bond when its time is over, and is free only beyond the last tasks", () => {
    const books = new Books();
    const [first, second] = [worked(books, 8), worked(books, 8)];
    books.time = POLICY.holdMs - 1;
    expect(books.vest(first)).toBeUndefined();
    books.time = POLICY.holdMs;
    // Sixteen tasks: four are the bond, six stay back, six are free.
    expect(books.vest(first)).toMatchObject({ bonded: 4n * 1_011n, released: 4n * 1_011n });
    expect(books.vest(second)).toMatchObject({ bonded: 0n, released: 2n * 1_011n });
    expect(books.balance(`available:${provider}`)).toBe(6n * 1_011n);
  });

  it("waits for every verdict, however long that takes", () => {
    const books = new Books();
    const lease = worked(books, 20);
    books.draw(lease, 1);
    books.time = 100 * POLICY.holdMs;
    expect(books.vest(lease)).toBeUndefined();
    books.judge(lease, "inconclusive");
    expect(books.vest(lease)).toMatchObject({ released: 10n * 1_011n });
  });

  it("is all free for who retires, and then so is the bond", () => {
    const books = new Books();
    const lease = worked(books, 20);
    books.time = POLICY.holdMs;
    books.vest(lease);
    books.happens({ type: "retire", account: provider });
    books.vest(lease);
    expect(mayUnbond(books.provider(provider)!, POLICY, books.time)).toBe(false);
    books.time += POLICY.holdMs;
    expect(mayUnbond(books.provider(provider)!, POLICY, books.time)).toBe(true);
    const { bond } = books.provider(provider)!;
    books.happens({ type: "unbond", body: { provider, amount: bond } });
    expect(books.balance(`available:${provider}`)).toBe(20n * 1_011n);
    expect(books.provider(provider)).toMatchObject({ bond: 0n, experience: 0n, era: 1 });
  });
});

describe("a sentence", () => {
  const [provider] = PROVIDERS;

  /** Two leases of two requesters; the bond is filled by checked work of the first. */
  function scene(): { readonly books: Books; readonly first: Cid; readonly second: Cid } {
    const books = new Books();
    const first = books.begin(PAYERS[0], provider);
    books.report(first, 10, GIGA);
    books.draw(first, 4);
    books.settle(first);
    for (let i = 0; i < 4; i += 1) books.judge(first, "match");
    books.vest(first);
    const second = books.begin(PAYERS[1], provider);
    books.report(second, 10, GIGA);
    books.draw(second, 1);
    return { books, first, second };
  }

  it.each(["mismatch", "missing"] as const)(
    "for one outcome with the verdict %s voids what is not released and burns the bond",
    (result) => {
      const { books, first, second } = scene();
      const fees = books.balance("burnt");
      const escrow = `escrow:${books.lease(first)!.job}`;
      const before = books.balance(escrow);
      books.judge(second, result);
      expect(books.balance("burnt") - fees).toBe(4n * 1_011n);
      // The first requester keeps four checked results, and has the pay of the other six back.
      expect(books.balance(escrow) - before).toBe(6n * 1_011n);
      expect(books.lease(second)).toMatchObject({ state: "settled", held: 0n });
      expect(books.balance(`available:${provider}`)).toBe(0n);
      expect(books.barred.has(provider)).toBe(result === "mismatch");
    },
  );

  it.each(["match", "inconclusive"] as const)("for one outcome with the verdict %s is none", (result) => {
    const { books, second } = scene();
    const before = new Map(books.ledger.balances);
    books.judge(second, result);
    expect(new Map(books.ledger.balances)).toEqual(before);
    expect(books.barred.size).toBe(0);
  });

  it("takes nothing from anybody else", () => {
    const { books, second } = scene();
    const other = books.begin(PAYERS[2], PROVIDERS[1]);
    books.report(other, 10, GIGA);
    books.settle(other);
    books.judge(second, "mismatch");
    expect(books.balance(`held:${PROVIDERS[1]}`)).toBe(10n * 1_011n);
  });
});

describe("experience", () => {
  it("counts a fifth of what one friend has paid, and nothing after a verdict against it", () => {
    const books = new Books();
    const [provider] = PROVIDERS;
    const lease = books.begin(PAYERS[0], provider);
    for (let i = 0; i < 5; i += 1) books.report(lease, 10, GIGA);
    expect(books.provider(provider)).toMatchObject({ audited: 50n * 1_011n, experience: 10n * 1_011n });
    const other = books.begin(PAYERS[1], provider);
    books.report(other, 10, GIGA);
    expect(books.provider(provider)!.experience).toBe(20n * 1_011n);
    books.draw(other, 1);
    books.judge(other, "missing");
    expect(books.provider(provider)).toMatchObject({ audited: 0n, experience: 0n, missing: 1 });
  });
});
