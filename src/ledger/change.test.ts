import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FailureError } from "../protocol/failure.ts";
import { type MicroCredits, microCredits } from "../protocol/units.ts";
import {
  Accounts,
  grow,
  jobTerms,
  leaseTerms,
  named,
  Outcomes,
  PAYER,
  peerOf,
  TARIFF,
} from "./accounts-scene.contract.ts";
import type { JobState, LeaseState } from "./ledger-state.ts";
import { judgeReceipt } from "./receipt-rules.ts";
import { priceAtLimits } from "./window-reserve.ts";

const GRANT = microCredits(100_000);

/** Random operations, each as a few numbers; whoever cannot happen does not. */
interface Step {
  readonly kind:
    | "escrow"
    | "lease"
    | "top-up"
    | "work"
    | "report"
    | "close-lease"
    | "cancel"
    | "settle"
    | "release";
  readonly which: number;
  readonly amount: number;
  readonly close: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(
    "escrow",
    "lease",
    "lease",
    "top-up",
    "work",
    "work",
    "report",
    "report",
    "report",
    "close-lease",
    "cancel",
    "settle",
    "release",
  ),
  which: fc.nat(1_000),
  amount: fc.nat(2_000),
  close: fc.boolean(),
});

class Story {
  readonly accounts = new Accounts();
  readonly #works = new Map<string, Outcomes>();
  #jobs = 0;
  #leases = 0;

  constructor() {
    this.accounts.happens({ type: "income", account: PAYER, amount: GRANT });
  }

  #pick<T>(from: Iterable<T>, which: number): T | undefined {
    const all = [...from];
    return all.length === 0 ? undefined : all[which % all.length];
  }

  #openLease(which: number): LeaseState | undefined {
    return this.#pick(
      [...this.accounts.leases.values()].filter(({ state }) => state !== "settled"),
      which,
    );
  }

  take({ kind, which, amount, close }: Step): void {
    const { accounts } = this;
    accounts.time += 1;
    switch (kind) {
      case "escrow": {
        const terms = jobTerms({ cap: microCredits(amount * 5) });
        if (accounts.balance(`available:${PAYER}`) < terms.cap) return;
        this.#jobs += 1;
        accounts.happens({ type: "escrow", job: named(`job ${this.#jobs}`), terms, signers: [PAYER] });
        return;
      }
      case "lease":
        this.#lease(which, amount);
        return;
      case "top-up":
        this.#topUp(which, amount);
        return;
      case "work": {
        const lease = this.#openLease(which);
        const work = lease === undefined ? undefined : this.#works.get(lease.id);
        if (work === undefined) return;
        grow(work.tasks, `${work.lease.id} task`, amount % 20);
        grow(
          work.outcomes,
          `${work.lease.id} outcome`,
          Math.min(amount % 20, work.tasks.size - work.outcomes.size),
        );
        return;
      }
      case "report":
        this.report(which, false, close);
        return;
      case "close-lease":
        this.report(which, true, close);
        return;
      case "cancel": {
        const lease = this.#openLease(which);
        if (lease?.state === "open") accounts.happens({ type: "cancel", lease: lease.id });
        return;
      }
      case "settle": {
        const lease = this.#openLease(which);
        if (lease !== undefined && which % 3 === 0) this.settle(lease);
        return;
      }
      case "release": {
        const job = this.#pick(accounts.jobs.values(), which);
        if (job !== undefined && which % 3 === 0) this.release(job);
        return;
      }
      default:
        kind satisfies never;
    }
  }

  #lease(which: number, amount: number): void {
    const { accounts } = this;
    const job = this.#pick(
      [...accounts.jobs.values()].filter(({ state }) => state === "open"),
      which,
    );
    if (job === undefined) return;
    const budget: MicroCredits = microCredits(BigInt(amount) < job.unbound ? amount : job.unbound);
    this.#leases += 1;
    const lease = named(`lease ${this.#leases}`);
    const terms = leaseTerms(job.id, peerOf(which % 5), { budget, windowMax: which % 7 });
    accounts.happens({ type: "lease", lease, revision: lease, terms });
    this.#works.set(lease, new Outcomes(accounts.leases.get(lease)!));
  }

  #topUp(which: number, amount: number): void {
    const { accounts } = this;
    const lease = this.#openLease(which);
    const job = lease === undefined ? undefined : accounts.job(lease.job);
    if (
      lease === undefined ||
      job?.state !== "open" ||
      lease.state !== "open" ||
      job.unbound < BigInt(amount)
    )
      return;
    const terms = {
      ...lease.terms,
      rev: lease.terms.rev + 1,
      budget: microCredits(lease.terms.budget + BigInt(amount)),
    };
    accounts.happens({ type: "lease", lease: lease.id, revision: named(`${lease.id} ${terms.rev}`), terms });
  }

  report(which: number, close: boolean, final: boolean): void {
    const { accounts } = this;
    const lease = this.#openLease(which);
    const work = lease === undefined ? undefined : this.#works.get(lease.id);
    const job = lease === undefined ? undefined : accounts.job(lease.job);
    if (lease === undefined || work === undefined || job === undefined) return;
    const { id, receipt } = work.receipt(job, { final: close && final });
    const advance = work.advance(id, { close });
    const before = lease.newest?.count ?? 0;
    const report = { prevCount: before, consistency: work.outcomes.consistencyProof(before), lost: [] };
    try {
      judgeReceipt({ id, receipt, advance, report, lease, job, tariff: TARIFF });
    } catch (error) {
      if (error instanceof FailureError) return;
      throw error;
    }
    accounts.happens({ type: "receipt", lease: lease.id, id, receipt, advance, lost: 0 });
    if (receipt.final || (close && receipt.count === advance.taskCount))
      this.settle(accounts.leases.get(lease.id)!);
  }

  settle({ id, job, terms, newest, bound }: LeaseState): void {
    this.accounts.happens({
      type: "settle",
      body: {
        lease: id,
        job,
        provider: terms.provider,
        paid: newest?.amount ?? microCredits(0),
        returned: bound,
        reason: "report-by",
      },
    });
  }

  release({ id, terms, unbound }: JobState): void {
    this.accounts.happens({ type: "release", body: { job: id, payer: terms.payer, amount: unbound } });
  }
}

function expectSound({ balances, jobs, leases, paid }: Accounts): void {
  let sum = 0n;
  for (const [name, balance] of balances) {
    sum += balance;
    if (name !== "outside") expect(balance, name).toBeGreaterThanOrEqual(0n);
  }
  expect(sum).toBe(0n);
  for (const job of jobs.values()) {
    const own = [...leases.values()].filter((lease) => lease.job === job.id);
    const bound = own.reduce((all, lease) => all + lease.bound, 0n);
    const earned = own.reduce((all, lease) => all + (lease.newest?.amount ?? 0n), 0n);
    const budgets = own
      .filter(({ state }) => state === "open")
      .reduce((all, lease) => all + lease.bound + (lease.newest?.amount ?? 0n), 0n);
    expect(budgets).toBeLessThanOrEqual(job.terms.cap);
    expect(job.spent).toBe(earned);
    expect(job.unbound + bound + earned + job.refunded).toBe(job.terms.cap);
    expect(balances.get(`escrow:${job.id}`) ?? 0n).toBe(job.unbound);
    expect(job.openLeases).toBe(own.filter(({ state }) => state !== "settled").length);
  }
  for (const lease of leases.values()) {
    expect(balances.get(`lease:${lease.id}`) ?? 0n).toBe(lease.bound);
    if (lease.state !== "settled") expect(paid.has(lease.id)).toBe(false);
  }
}

describe("double entry", () => {
  it("sums to zero after every operation, with no account below zero and no job above its cap", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 60 }), (steps) => {
        const story = new Story();
        for (const each of steps) {
          story.take(each);
          expectSound(story.accounts);
        }
      }),
      { numRuns: 150 },
    );
  });

  it("was tried on stories in which something happens", () => {
    const earned = fc
      .sample(fc.array(step, { minLength: 40, maxLength: 60 }), { numRuns: 50, seed: 1 })
      .map((steps) => {
        const story = new Story();
        for (const each of steps) story.take(each);
        return [...story.accounts.jobs.values()].reduce((sum, { spent }) => sum + spent, 0n);
      });
    expect(earned.filter((each) => each > 0n).length).toBeGreaterThan(25);
  });

  it("leaves every micro-credit of a cap with payer or providers once all is closed and settled, each receipt paid once", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 60 }), (steps) => {
        const story = new Story();
        for (const each of steps) story.take(each);
        const { accounts } = story;
        for (const lease of accounts.leases.values()) if (lease.state !== "settled") story.settle(lease);
        for (const job of accounts.jobs.values()) if (job.state !== "closed") story.release(job);
        expectSound(accounts);
        let earned = 0n;
        for (const { id, newest, state } of accounts.leases.values()) {
          expect(state).toBe("settled");
          expect(accounts.paid.get(id)).toBe(newest?.amount ?? 0n);
          earned += newest?.amount ?? 0n;
        }
        for (const job of accounts.jobs.values()) expect(job.state).toBe("closed");
        expect(accounts.balance(`available:${PAYER}`)).toBe(GRANT - earned);
        const providers = [0, 1, 2, 3, 4].map((number) => accounts.balance(`available:${peerOf(number)}`));
        expect(providers.reduce((all, each) => all + each, 0n)).toBe(earned);
      }),
      { numRuns: 150 },
    );
  });
});

function leased(budget: number, windowMax: number): { story: Accounts; lease: LeaseState; work: Outcomes } {
  const story = new Accounts();
  story.happens({ type: "income", account: PAYER, amount: GRANT });
  story.happens({ type: "escrow", job: named("job"), terms: jobTerms(), signers: [PAYER] });
  const id = named("lease");
  const terms = leaseTerms(named("job"), peerOf(0), { budget: microCredits(budget), windowMax });
  story.happens({ type: "lease", lease: id, revision: id, terms });
  const lease = story.leases.get(id)!;
  return { story, lease, work: new Outcomes(lease) };
}

describe("a lease that is given back", () => {
  it("keeps one window at the price of the job's limits while nothing is reported", () => {
    const { story, lease } = leased(1_000, 4);
    const each = priceAtLimits(jobTerms(), TARIFF);
    story.happens({ type: "cancel", lease: lease.id });
    expect(story.leases.get(lease.id)).toMatchObject({ state: "returning", bound: 4n * each });
    expect(story.jobs.get(named("job"))!.unbound).toBe(10_000n - 4n * each);
  });

  it("keeps one window at the mean of its outcomes once something is reported", () => {
    const { story, lease, work } = leased(1_000, 4);
    grow(work.tasks, "task", 20);
    grow(work.outcomes, "outcome", 10);
    const job = story.jobs.get(named("job"))!;
    const { id, receipt } = work.receipt(job);
    story.happens({ type: "receipt", lease: lease.id, id, receipt, advance: work.advance(id), lost: 0 });
    story.happens({ type: "cancel", lease: lease.id });
    const each = (receipt.amount + 9n) / 10n;
    expect(story.leases.get(lease.id)!.bound).toBe(4n * each);
  });

  it("keeps no more than what its unanswered tasks can cost when it is closed", () => {
    const { story, lease, work } = leased(1_000, 4);
    grow(work.tasks, "task", 11);
    grow(work.outcomes, "outcome", 10);
    const { id, receipt } = work.receipt(story.jobs.get(named("job"))!);
    story.happens({
      type: "receipt",
      lost: 0,
      lease: lease.id,
      id,
      receipt,
      advance: work.advance(id, { close: true }),
    });
    expect(story.leases.get(lease.id)!.bound).toBe((receipt.amount + 9n) / 10n);
  });

  it("keeps a whole window when it is closed while a stream runs, which has more outcomes to come", () => {
    const { story, lease, work } = leased(1_000, 4);
    const job = story.jobs.get(named("job"))!;
    const streamed = { ...job.terms.work, kind: "model", entry: "generate", abi: "model-1" } as const;
    story.jobs.set(named("job"), { ...job, terms: { ...job.terms, work: streamed } });
    grow(work.tasks, "task", 11);
    grow(work.outcomes, "outcome", 10);
    const { id, receipt } = work.receipt(job);
    const advance = work.advance(id, { close: true });
    story.happens({ type: "receipt", lease: lease.id, id, receipt, advance, lost: 0 });
    expect(story.leases.get(lease.id)!.bound).toBe(4n * ((receipt.amount + 9n) / 10n));
  });

  it("never keeps more than its budget", () => {
    const { story, lease } = leased(7, 1_000);
    story.happens({ type: "cancel", lease: lease.id });
    expect(story.leases.get(lease.id)!.bound).toBe(7n);
  });
});
