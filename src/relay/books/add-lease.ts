import type { Cid } from "../../protocol/cid.ts";
import type { Verified } from "../../protocol/envelope.ts";
import { FailureError } from "../../protocol/failure.ts";
import { requireOrigin } from "../../protocol/header.ts";
import type { Lease } from "../../protocol/messages/lease.ts";
import { isWithinTariff } from "../../protocol/tariff.ts";
import type { Draft } from "./draft.ts";
import { type Court, jobIn, requireWelcome } from "./judging.ts";
import { requireLeaseInRun } from "./runs.ts";
import type { JobState, LeaseState } from "./standing.ts";

function refuse(detail: string): never {
  throw new FailureError("malformed", `lease: ${detail}`);
}

function requireOwnSignature(draft: Draft, { signedBy }: Verified<Lease>): void {
  const [by, ...more] = signedBy;
  if (more.length > 0 || by?.key !== draft.policy?.keys.lease)
    throw new FailureError("bad-signature", "lease: not signed by the relay's lease key alone");
}

function requirePrice(draft: Draft, job: JobState, terms: Lease): void {
  const tariff = draft.tariff(terms.tariff);
  if (tariff === undefined) refuse("its tariff was never announced");
  if (!isWithinTariff(tariff, job.terms.tariffMax))
    throw new FailureError("overpriced", "the tariff is above what the job allows");
}

function requireOpen({ id, state, terms }: JobState, time: number): void {
  if (state !== "open") throw new FailureError("lease-ended", `job ${id} is closed`);
  if (terms.expires <= time) throw new FailureError("expired", `job ${id} has expired`);
}

function requireJob(job: JobState, terms: Lease, time: number): void {
  requireOpen(job, time);
  if (terms.escrowIndex !== job.escrowIndex) refuse("names another escrow entry");
  if (!job.signers.includes(terms.requesterKey)) refuse("its requester's key has not signed the job");
  if (terms.profile !== job.terms.work.profile) refuse("has another profile than the job");
}

/** The key that a job is paid for under: its own, or its run's. */
function apiKeyOf(draft: Draft, { terms: { apiKey, run } }: JobState): Cid | undefined {
  return run === undefined ? apiKey : draft.runs.run(run.id)?.terms.apiKey;
}

function requireUnrevoked(draft: Draft, apiKey: Cid): void {
  if (draft.apiKey(apiKey)?.revoked !== undefined)
    throw new FailureError("key-revoked", "the API key was revoked");
}

/** Rule 11, and a key that was revoked gets no further work, not even for a job that is open. */
function requireKey(draft: Draft, job: JobState, terms: Lease): void {
  const apiKey = apiKeyOf(draft, job);
  if (apiKey === undefined) return;
  if (!terms.gateway) refuse("is not flagged as the gateway's, and its job is paid for under an api-key");
  requireUnrevoked(draft, apiKey);
}

/**
 * Whether a job may have leases at all, whoever is to get them.
 * @throws FailureError `not-found`, `lease-ended`, `expired`, `key-revoked`, `run-over`, `bad-signature`.
 */
export function requireLeasable(draft: Draft, id: Cid): void {
  const job = jobIn(draft, id);
  requireOpen(job, draft.time);
  const apiKey = apiKeyOf(draft, job);
  if (apiKey !== undefined) requireUnrevoked(draft, apiKey);
  requireLeaseInRun(draft, job.terms);
}

/** The lease that a revision revises: same parties, next number, not less money. */
function revised(draft: Draft, terms: Lease, first: LeaseState | undefined): LeaseState {
  if (first === undefined) throw new FailureError("unknown-lease", "lease: revises one that is not logged");
  if (first.state !== "open") throw new FailureError("lease-ended", `lease ${first.id} takes no top-up`);
  const before = first.terms;
  if (first.revision !== terms.prev || terms.rev !== before.rev + 1)
    refuse("does not follow the newest revision");
  const same =
    terms.job === before.job &&
    terms.provider === before.provider &&
    terms.instance === before.instance &&
    terms.requesterKey === before.requesterKey &&
    terms.tariff === before.tariff &&
    terms.policy === before.policy &&
    terms.startFee === before.startFee;
  if (!same) refuse("a revision changes more than budget, window and time");
  if (terms.budget < before.budget) refuse("a revision lowers the budget");
  return first;
}

/**
 * Logs a lease or a revision of one.
 * @param first CID of the first revision, when this is a later one.
 * @returns its entry. See Books.addLease.
 */
export function addLease(court: Court, draft: Draft, lease: Verified<Lease>, first: Cid | undefined): number {
  const terms = lease.body;
  requireOrigin(terms, court.origin, court.asset);
  requireOwnSignature(draft, lease);
  const before = draft.lease(first ?? lease.id);
  if (before?.revision === lease.id) return before.termsIndex;
  const job = jobIn(draft, terms.job);
  requireJob(job, terms, draft.time);
  requireKey(draft, job, terms);
  requireLeaseInRun(draft, job.terms);
  requirePrice(draft, job, terms);
  requireWelcome(draft, [terms.provider, terms.instance]);
  if (draft.isRevoked(terms.instance, terms.provider))
    throw new FailureError("key-revoked", `${terms.instance} no longer acts for ${terms.provider}`);
  const isRevision = terms.rev > 0 || terms.prev !== undefined;
  const id = isRevision ? revised(draft, terms, before).id : lease.id;
  const added = terms.budget - (isRevision ? (before?.terms.budget ?? 0n) : 0n);
  if (added > job.unbound)
    throw new FailureError("over-budget", `${added} micro-credits, ${job.unbound} of the cap are free`);
  return draft.append(
    "lease",
    { lease: id, job: job.id, envelope: lease.bytes },
    { type: "lease", lease: id, revision: lease.id, terms },
  );
}
