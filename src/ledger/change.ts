import { endedTasks } from "../protocol/messages/receipt.ts";
import { microCredits } from "../protocol/units.ts";
import { type Posting, transfer } from "./account.ts";
import type { LedgerEvent } from "./ledger-event.ts";
import type { JobState, LeaseState, LedgerLookup, LoggedReceipt } from "./ledger-state.ts";
import { windowReserve } from "./window-reserve.ts";

/** What an entry does: money moves, and the job and the lease it is about stand anew. */
export interface Change {
  readonly postings: readonly Posting[];
  readonly job?: JobState;
  readonly lease?: LeaseState;
}

/** Where an entry is in the log. */
export interface Place {
  readonly index: number;
  /** Log time, milliseconds since 1970. */
  readonly time: number;
}

type Event<K extends LedgerEvent["type"]> = Extract<LedgerEvent, { type: K }>;

function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new RangeError(`the log has no such ${what}`);
  return value;
}

function opened({ job, terms, signers }: Event<"escrow">, { index }: Place): Change {
  return {
    postings: transfer({ kind: "available", peer: terms.payer }, { kind: "escrow", job }, terms.cap),
    job: {
      id: job,
      escrowIndex: index,
      terms,
      signers,
      state: "open",
      unbound: terms.cap,
      spent: microCredits(0),
      refunded: microCredits(0),
      openLeases: 0,
    },
  };
}

function leased(event: Event<"lease">, place: Place, ledger: LedgerLookup): Change {
  const { lease: id, terms, revision } = event;
  const job = found(ledger.job(terms.job), "job");
  const before = ledger.lease(id);
  const added = microCredits(terms.budget - (before?.terms.budget ?? 0n));
  const lease: LeaseState = {
    ...(before ?? { id, index: place.index, job: job.id, state: "open" }),
    revision,
    termsIndex: place.index,
    terms,
    bound: microCredits((before?.bound ?? 0n) + added),
    reportBy: place.time + terms.reportMs,
  };
  return {
    postings: transfer({ kind: "escrow", job: job.id }, { kind: "lease", lease: id }, added),
    lease,
    job: {
      ...job,
      unbound: microCredits(job.unbound - added),
      openLeases: job.openLeases + (before === undefined ? 1 : 0),
    },
  };
}

function logged({ id, receipt, advance }: Event<"receipt">, { index, time }: Place): LoggedReceipt {
  const { seq, count, payable, cancelled, fuel, bytes, amount, root, final } = receipt;
  const { taskCount, tasksRoot } = advance;
  return {
    id,
    index,
    time,
    seq,
    count,
    payable,
    cancelled,
    fuel,
    bytes,
    amount,
    root,
    taskCount,
    tasksRoot,
    final,
  };
}

/** The lease and its job after all but `reserve` of what is bound went back to the job. */
function freed(lease: LeaseState, job: JobState, unanswered: number, ledger: LedgerLookup): Change {
  const tariff = found(ledger.tariff(lease.terms.tariff), "tariff");
  const reserve = windowReserve(lease, unanswered, job.terms, tariff);
  const free = microCredits(lease.bound - reserve);
  return {
    postings: transfer({ kind: "lease", lease: lease.id }, { kind: "escrow", job: job.id }, free),
    lease: { ...lease, state: "returning", bound: reserve },
    job: { ...job, unbound: microCredits(job.unbound + free) },
  };
}

function reported(event: Event<"receipt">, place: Place, ledger: LedgerLookup): Change {
  const before = found(ledger.lease(event.lease), "lease");
  const { receipt, advance } = event;
  const earned = microCredits(receipt.amount - (before.newest?.amount ?? 0n));
  const lease: LeaseState = {
    ...before,
    bound: microCredits(before.bound - earned),
    newest: logged(event, place),
  };
  const jobBefore = found(ledger.job(before.job), "job");
  const job: JobState = { ...jobBefore, spent: microCredits(jobBefore.spent + earned) };
  const paid = transfer(
    { kind: "lease", lease: before.id },
    { kind: "pending", peer: before.terms.provider },
    earned,
  );
  const unanswered = advance.taskCount - endedTasks(receipt);
  if (!advance.close || receipt.final || unanswered <= 0) return { postings: paid, lease, job };
  const closing = freed(lease, job, unanswered, ledger);
  return { ...closing, postings: [...paid, ...closing.postings] };
}

function givenBack({ lease: id }: Event<"cancel">, ledger: LedgerLookup): Change {
  const lease = found(ledger.lease(id), "lease");
  return freed(lease, found(ledger.job(lease.job), "job"), lease.terms.windowMax, ledger);
}

function settled({ body }: Event<"settle">, ledger: LedgerLookup): Change {
  const lease = found(ledger.lease(body.lease), "lease");
  const job = found(ledger.job(lease.job), "job");
  const { provider } = lease.terms;
  return {
    postings: [
      ...transfer({ kind: "pending", peer: provider }, { kind: "available", peer: provider }, body.paid),
      ...transfer({ kind: "lease", lease: lease.id }, { kind: "escrow", job: job.id }, body.returned),
    ],
    lease: { ...lease, state: "settled", bound: microCredits(lease.bound - body.returned) },
    job: {
      ...job,
      unbound: microCredits(job.unbound + body.returned),
      openLeases: job.openLeases - 1,
      state:
        job.state === "closing" && job.openLeases === 1 && job.unbound + body.returned === 0n
          ? "closed"
          : job.state,
    },
  };
}

function released({ body }: Event<"release">, ledger: LedgerLookup): Change {
  const job = found(ledger.job(body.job), "job");
  const unbound = microCredits(job.unbound - body.amount);
  return {
    postings: transfer(
      { kind: "escrow", job: job.id },
      { kind: "available", peer: job.terms.payer },
      body.amount,
    ),
    job: {
      ...job,
      unbound,
      refunded: microCredits(job.refunded + body.amount),
      state: job.openLeases === 0 && unbound === 0n ? "closed" : "closing",
    },
  };
}

/** A line of a batch: from the account into the batch, and from there out of the relay or back. */
function paidOut({
  type,
  body: { batch, account: peer, amount },
}: Event<"payout-prepare" | "payout" | "payout-cancel">): readonly Posting[] {
  const available = { kind: "available", peer } as const;
  const aside = { kind: "payout", batch, peer } as const;
  switch (type) {
    case "payout-prepare":
      return transfer(available, aside, amount);
    case "payout":
      return transfer(aside, { kind: "outside" }, amount);
    case "payout-cancel":
      return transfer(aside, available, amount);
    default:
      return type satisfies never;
  }
}

function forfeited({ body }: Event<"forfeit">, ledger: LedgerLookup): Change {
  const lease = found(ledger.lease(body.lease), "lease");
  const job = found(ledger.job(lease.job), "job");
  const pending = { kind: "pending", peer: lease.terms.provider } as const;
  return {
    postings: [
      ...transfer(pending, { kind: "escrow", job: job.id }, body.refunded),
      ...transfer(pending, { kind: "burnt" }, body.burnt),
    ],
    job: { ...job, unbound: microCredits(job.unbound + body.refunded) },
  };
}

/**
 * What an event at a place in the log does to the accounts. It takes the event for granted: whether it may happen is
 * judged before. The states it answers with agree with its postings.
 * @throws RangeError when the log contradicts itself: something is unknown, or an account would go below zero.
 */
export function changeBy(event: LedgerEvent, place: Place, ledger: LedgerLookup): Change {
  switch (event.type) {
    case "income":
      return {
        postings: transfer({ kind: "outside" }, { kind: "available", peer: event.account }, event.amount),
      };
    case "payout-prepare":
    case "payout":
    case "payout-cancel":
      return { postings: paidOut(event) };
    case "escrow":
      return opened(event, place);
    case "lease":
      return leased(event, place, ledger);
    case "receipt":
      return reported(event, place, ledger);
    case "cancel":
      return givenBack(event, ledger);
    case "settle":
      return settled(event, ledger);
    case "release":
      return released(event, ledger);
    case "forfeit":
      return forfeited(event, ledger);
    case "other":
      return { postings: [] };
    default:
      return event satisfies never;
  }
}
