import { endedTasks } from "../protocol/messages/receipt.ts";
import type { AuditPolicy } from "../protocol/audit-policy.ts";
import { ceilDiv, fuel, type MicroCredits, microCredits } from "../protocol/units.ts";
import { type Posting, transfer } from "./account.ts";
import { found } from "./found.ts";
import type { LedgerEvent } from "./ledger-event.ts";
import type {
  ExperienceShare,
  JobState,
  LeaseState,
  LedgerLookup,
  LoggedReceipt,
  ProviderState,
} from "./ledger-state.ts";
import { auditOf, grown, providerOf } from "./provider-record.ts";
import { stakeOf } from "./stake.ts";
import { auditChange } from "./audit-change.ts";
import { windowReserve } from "./window-reserve.ts";

/** What an entry does: money moves, and the job and the lease it is about stand anew. */
export interface Change {
  readonly postings: readonly Posting[];
  readonly job?: JobState;
  readonly lease?: LeaseState;
  readonly provider?: ProviderState;
  readonly experience?: ExperienceShare;
}

/** Where an entry is in the log. */
export interface Place {
  readonly index: number;
  /** Log time, milliseconds since 1970. */
  readonly time: number;
}

export type Event<K extends LedgerEvent["type"]> = Extract<LedgerEvent, { type: K }>;

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
  const nothing = microCredits(0);
  const lease: LeaseState = {
    ...(before ?? {
      id,
      index: place.index,
      job: job.id,
      state: "open",
      earned: nothing,
      held: nothing,
      forfeited: nothing,
      drawn: 0,
      judged: 0,
    }),
    revision,
    termsIndex: place.index,
    terms,
    bound: microCredits((before?.bound ?? 0n) + added),
    reportBy: place.time + terms.reportMs,
  };
  const escrow = { kind: "escrow", job: job.id } as const;
  const postings = transfer(escrow, { kind: "lease", lease: id }, added);
  const unbound = microCredits(job.unbound - added);
  if (before !== undefined) return { postings, lease, job: { ...job, unbound } };
  const provider = providerOf(terms.provider, ledger);
  const fee = leaseFee(unbound, auditOf(lease, ledger));
  return {
    postings: [...postings, ...transfer(escrow, { kind: "burnt" }, fee)],
    lease,
    job: {
      ...job,
      unbound: microCredits(unbound - fee),
      spent: microCredits(job.spent + fee),
      openLeases: job.openLeases + 1,
    },
    provider: { ...provider, openLeases: provider.openLeases + 1 },
  };
}

/** What a new lease costs whether it is used or not, as far as the job has it. */
function leaseFee(unbound: MicroCredits, policy: AuditPolicy | undefined): MicroCredits {
  const fee = policy?.leaseFee ?? microCredits(0);
  return fee < unbound ? fee : unbound;
}

function logged({ id, receipt, advance }: Event<"receipt">, { index, time }: Place): LoggedReceipt {
  const { seq, count, payable, cancelled, bytes, amount, root, final } = receipt;
  const { taskCount, tasksRoot } = advance;
  return {
    id,
    index,
    time,
    seq,
    count,
    payable,
    cancelled,
    failed: receipt.failed ?? 0,
    peak: receipt.peak ?? fuel(0),
    fuel: receipt.fuel,
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

/** What a receipt adds to the one before: in all, and the share of leaves declared lost, which nobody pays (rule 2). */
function addition(
  { receipt, lost }: Event<"receipt">,
  newest: LoggedReceipt | undefined,
): {
  readonly gross: MicroCredits;
  readonly forgone: MicroCredits;
} {
  const gross = microCredits(receipt.amount - (newest?.amount ?? 0n));
  const outcomes = receipt.count - (newest?.count ?? 0);
  const forgone = lost === 0 ? 0n : ceilDiv(gross * BigInt(lost), BigInt(outcomes));
  return { gross, forgone: microCredits(forgone) };
}

function reported(event: Event<"receipt">, place: Place, ledger: LedgerLookup): Change {
  const before = found(ledger.lease(event.lease), "lease");
  const { receipt, advance } = event;
  const { gross, forgone } = addition(event, before.newest);
  const earned = microCredits(gross - forgone);
  const lease: LeaseState = {
    ...before,
    bound: microCredits(before.bound - gross),
    newest: logged(event, place),
    earned: microCredits(before.earned + earned),
  };
  const jobBefore = found(ledger.job(before.job), "job");
  const job: JobState = {
    ...jobBefore,
    spent: microCredits(jobBefore.spent + earned),
    unbound: microCredits(jobBefore.unbound + forgone),
  };
  const from = { kind: "lease", lease: before.id } as const;
  const { provider: peer } = before.terms;
  const postings = [
    ...transfer(from, { kind: "pending", peer }, earned),
    ...transfer(from, { kind: "escrow", job: job.id }, forgone),
  ];
  const tariff = found(ledger.tariff(before.terms.tariff), "tariff");
  const provider = providerOf(peer, ledger);
  const record = grown(
    provider,
    earned,
    stakeOf(receipt, before, provider, tariff).value,
    job.terms.payer,
    auditOf(lease, ledger),
    ledger,
  );
  const unanswered = advance.taskCount - endedTasks(receipt);
  if (!advance.close || receipt.final || unanswered <= 0) return { postings, lease, job, ...record };
  const closing = freed(lease, job, unanswered, ledger);
  return { ...closing, ...record, postings: [...postings, ...closing.postings] };
}

function givenBack({ lease: id }: Event<"cancel">, ledger: LedgerLookup): Change {
  const lease = found(ledger.lease(id), "lease");
  return freed(lease, found(ledger.job(lease.job), "job"), lease.terms.windowMax, ledger);
}

function settled({ body }: Event<"settle">, { time }: Place, ledger: LedgerLookup): Change {
  const lease = found(ledger.lease(body.lease), "lease");
  const job = found(ledger.job(lease.job), "job");
  const { provider: peer } = lease.terms;
  const before = providerOf(peer, ledger);
  const isAudited = auditOf(lease, ledger) !== undefined;
  const held = isAudited ? body.paid : microCredits(0);
  const unbound = microCredits(job.unbound + body.returned);
  return {
    postings: [
      ...transfer({ kind: "pending", peer }, { kind: isAudited ? "held" : "available", peer }, body.paid),
      ...transfer({ kind: "lease", lease: lease.id }, { kind: "escrow", job: job.id }, body.returned),
    ],
    lease: {
      ...lease,
      state: "settled",
      bound: microCredits(lease.bound - body.returned),
      held,
      settledAt: time,
    },
    job: {
      ...job,
      unbound,
      openLeases: job.openLeases - 1,
      state: job.state === "closing" && job.openLeases === 1 && unbound === 0n ? "closed" : job.state,
    },
    provider: {
      ...before,
      pending: microCredits(before.pending - body.paid),
      held: microCredits(before.held + held),
      openLeases: before.openLeases - 1,
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

function passed({ body: { from, to, amount } }: Event<"transfer">): readonly Posting[] {
  return transfer({ kind: "available", peer: from }, { kind: "available", peer: to }, amount);
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
    case "transfer":
      return { postings: passed(event) };
    case "escrow":
      return opened(event, place);
    case "lease":
      return leased(event, place, ledger);
    case "receipt":
      return reported(event, place, ledger);
    case "cancel":
      return givenBack(event, ledger);
    case "settle":
      return settled(event, place, ledger);
    case "release":
      return released(event, ledger);
    case "forfeit":
    case "vest":
    case "unbond":
    case "reset":
    case "draw":
    case "verdict":
    case "retire":
      return auditChange(event, place, ledger);
    case "other":
      return { postings: [] };
    default:
      return event satisfies never;
  }
}
