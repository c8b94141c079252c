import type { Logger } from "pino";
import { type LeaseBasis, leaseTerms, shareOf } from "../../market/lease-terms.ts";
import {
  type Candidate,
  describeReasons,
  type Match,
  matchJob,
  type ReplicaRules,
} from "../../market/match-job.ts";
import type { Cid } from "../../protocol/cid.ts";
import { openEnvelope, seal, type Verified, verifiedSync } from "../../protocol/envelope.ts";
import { failureCode } from "../../protocol/failure-code.ts";
import { FailureError } from "../../protocol/failure.ts";
import { closeJobMessage, type Job, jobMessage } from "../../protocol/messages/job.ts";
import {
  type Lease,
  type LeaseAnswer,
  type LeaseGrant,
  leaseMessage,
} from "../../protocol/messages/lease.ts";
import type { Offer } from "../../protocol/messages/session.ts";
import type { Inclusion } from "../../protocol/messages/receipt.ts";
import { cancelMessage } from "../../protocol/messages/task.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { JobView } from "../../protocol/relay-api.ts";
import type { Tariff } from "../../protocol/tariff.ts";
import { microCredits } from "../../protocol/units.ts";
import type { KeptApart } from "../audits/peer-auditors.ts";
import type { Authentication } from "../authenticate.ts";
import type { Books } from "../books.ts";
import { verifyNative } from "../books/native-keys.ts";
import { RecentMap } from "../books/recent-map.ts";
import { requireServed } from "../denials.ts";
import type { Jobs } from "../http/http-parts.ts";
import { KEPT_RETURNS, RETURN_COOLING_MS } from "../limits.ts";
import type { RelayMetrics } from "../metrics.ts";
import type { LeaseWatch } from "../offers/lease-watch.ts";
import type { LiveOffers } from "../offers/live-offers.ts";
import type { RateLimit } from "../rate-limit.ts";
import type { RunDesk } from "../runs/run-desk.ts";
import { checkJob } from "./check-job.ts";
import { OneAtATime } from "./one-at-a-time.ts";

export interface JobParts {
  readonly books: Books;
  readonly authentication: Authentication;
  readonly offers: LiveOffers;
  readonly tariff: Tariff;
  readonly isLoopback: boolean;
  /** Requesters of audits, and whose work they have computed again: nobody of that owner gets it. */
  readonly apart?: KeptApart;
  /** Whether two identities may have one owner. */
  readonly sameOwner: (a: PeerId, b: PeerId) => boolean;
  /** Told of each lease that is granted. */
  readonly watch?: LeaseWatch;
  /** Runs that jobs are steps of. */
  readonly runs: Pick<RunDesk, "isSilent" | "requireStep">;
  /** Gives a new payer its test credits, or does nothing. */
  readonly welcome: (payer: PeerId) => Promise<void>;
  readonly limit: RateLimit;
  /** Identity of this relay's own gateway, whose requests are limited by key instead. */
  readonly gateway?: PeerId;
  readonly metrics: RelayMetrics;
  readonly log: Logger;
  readonly nowMs: () => number;
}

/** Takes jobs: checks them, sets their money aside, and finds them providers. */
export class JobDesk implements Jobs {
  readonly #parts: JobParts;
  readonly #turns = new OneAtATime<Cid>();
  /** Instances that hold a lease, by lease. */
  readonly #holders = new RecentMap<Cid, PeerId>(KEPT_RETURNS);
  /** Instances whose lease of a job was given back, and until when they get no other one, milliseconds since 1970. */
  readonly #returned = new RecentMap<Cid, Map<PeerId, number>>(KEPT_RETURNS);

  constructor(parts: JobParts) {
    this.#parts = parts;
  }

  /**
   * Answers with the job's open leases, topped up to `parallel`. The same job again gives the same leases. The escrow
   * stays until the job is closed or expires, also when no provider is found, so that the requester may ask again.
   * @throws FailureError `no-provider` with the reasons counted; whatever stands against the job.
   */
  async open(envelope: Uint8Array): Promise<LeaseAnswer> {
    const { books, authentication, limit, tariff, isLoopback } = this.#parts;
    const { message: job, by } = authentication.open(jobMessage, envelope);
    const { requester, payer, work, argsCid } = job.body;
    requireServed(books, requester, payer, work.cid, argsCid);
    const maxReplicas = books.audits.policy?.maxReplicas ?? 0;
    checkJob(job.body, { tariff, isLoopback, maxReplicas });
    const key = by.find(({ root }) => root === requester)?.session;
    if (key === undefined) throw new FailureError("bad-signature", "job: its requester has not signed it");
    if (requester !== this.#parts.gateway) limit.take(requester);
    this.#parts.runs.requireStep(job);
    return this.#turns.run(job.id, () => this.#open(job, key));
  }

  async close(job: Cid, envelope: Uint8Array): Promise<JobView> {
    const { message } = this.#parts.authentication.open(closeJobMessage, envelope);
    if (message.body.job !== job) throw new FailureError("malformed", "close-job: is about another job");
    return this.#turns.run(job, () => this.#parts.books.closeJob(message));
  }

  async cancel(lease: Cid, envelope: Uint8Array): Promise<JobView> {
    const { message } = this.#parts.authentication.open(cancelMessage, envelope);
    if (message.body.lease !== lease) throw new FailureError("malformed", "cancel: is about another lease");
    if (message.body.seq !== 0)
      throw new FailureError("malformed", "cancel: a lease is given back from seq 0");
    const view = await this.#parts.books.cancelLease(message);
    const instance = this.#holders.get(lease);
    if (instance !== undefined) {
      const returned = this.#returned.get(view.job) ?? new Map<PeerId, number>();
      this.#returned.set(view.job, returned.set(instance, this.#parts.nowMs() + RETURN_COOLING_MS));
    }
    return view;
  }

  async #open(job: Verified<Job>, requesterKey: PeerId): Promise<LeaseAnswer> {
    const { books, runs, welcome, metrics } = this.#parts;
    const known = books.job(job.id);
    if (known === undefined) await welcome(job.body.payer);
    else if (known.state !== "open") throw new FailureError("lease-ended", "the job is closed");
    const started = performance.now();
    const escrow = await books.openJob(job, (run, coordinator) => runs.isSilent(run, coordinator));
    metrics.committed((performance.now() - started) / 1000);
    const open = books.openLeases(job.id);
    const wanted = job.body.parallel - open.length;
    const made = wanted > 0 ? await this.#make(job, requesterKey, escrow, open, wanted) : [];
    const leases = [...open, ...made].map((lease) => this.#grant(lease));
    return { job: job.id, leases, available: books.account(job.body.payer).available };
  }

  async #make(
    job: Verified<Job>,
    requesterKey: PeerId,
    escrow: Inclusion,
    open: readonly Verified<Lease>[],
    wanted: number,
  ): Promise<readonly Verified<Lease>[]> {
    const { books, tariff } = this.#parts;
    // What stands against the job is told to who asks, and is held against no provider.
    books.requireLeasable(job.id);
    const { matches, reasons } = this.#match(job, open, wanted, escrow);
    // The fee of each new lease comes out of what is free as well: else nothing is left for the last one.
    const fees = (books.audits.policy?.leaseFee ?? 0n) * BigInt(matches.length);
    const unbound = books.unbound(job.id);
    const budget = shareOf(microCredits(unbound > fees ? unbound - fees : 0n), matches.length, wanted);
    if (budget < 1n && matches.length > 0 && open.length === 0)
      throw new FailureError("insufficient-funds", "the job's cap is used up by the leases it had");
    const before = books.job(job.id)?.leases.length ?? 0;
    const { index: escrowIndex, checkpoint } = escrow;
    const gateway = job.body.requester === this.#parts.gateway;
    const basis = { job, requesterKey, budget, tariff, escrowIndex, checkpoint, gateway };
    const made = await Promise.all(
      (budget < 1n ? [] : matches).map((candidate, index) =>
        this.#add({ ...basis, candidate, replica: before + index }),
      ),
    );
    const leases = made.filter((lease) => lease !== undefined);
    this.#parts.metrics.leased(leases.length);
    // Fewer than its replicas are of no use to a job: nobody new is a reason to say why, though it has some leases.
    const isTooFew = leases.length + open.length < job.body.verify.k;
    if (isTooFew && leases.length === 0) throw new FailureError("no-provider", describeReasons(reasons));
    return leases;
  }

  #match(
    job: Verified<Job>,
    open: readonly Verified<Lease>[],
    wanted: number,
    { leaf }: Inclusion,
  ): Match<Candidate> {
    const { books, offers, tariff, nowMs } = this.#parts;
    const live = offers.list();
    // Counted as denied below, and not asked again.
    for (const { offer } of live) if (this.#isBarred(offer)) offers.drop(offer.instance);
    const cooling = this.#returned.get(job.id);
    const returned = new Set<PeerId>();
    for (const { offer } of live)
      if ((cooling?.get(offer.instance) ?? 0) > nowMs()) returned.add(offer.provider);
    const holders = new Set(open.map(({ body }) => body.instance));
    const accused = this.#parts.apart?.get(job.body.requester);
    const denied = (identity: PeerId): boolean =>
      (accused !== undefined && this.#parts.sameOwner(identity, accused)) ||
      books.denied("peer", identity) !== undefined ||
      books.audits.barred(identity) !== undefined;
    const replicas = job.body.verify.k > 1 ? { replicas: this.#replicas(job.id) } : {};
    const retiring = (provider: PeerId): boolean => books.audits.provider(provider)?.retiring !== undefined;
    return matchJob(job.body, live, {
      tariff,
      wanted,
      holders,
      returned,
      denied,
      retiring,
      ...replicas,
      sameOwner: this.#parts.sameOwner,
      experience: (provider) => books.audits.provider(provider)?.experience ?? 0n,
      distanceMs: (instance) => offers.distanceMs(instance),
      // The hash of the job's entry has the relay's clock in it: who made the job could not choose that.
      seed: leaf,
    });
  }

  #isBarred({ provider, instance }: Pick<Offer, "provider" | "instance">): boolean {
    const { audits } = this.#parts.books;
    return audits.barred(provider) !== undefined || audits.barred(instance) !== undefined;
  }

  #replicas(job: Cid): ReplicaRules {
    const leases = this.#parts.books.job(job)?.leases ?? [];
    const open = leases.filter(({ state }) => state === "open");
    const voters = leases.filter(({ count }) => count > 0);
    return {
      open: new Set(open.map(({ provider }) => provider)),
      voters: new Set(voters.map(({ provider }) => provider)),
      sameOwner: this.#parts.sameOwner,
    };
  }

  /** Signs and logs one lease. An offer that the books do not welcome is taken back and gets none. */
  async #add(
    basis: Omit<LeaseBasis, "policy" | "policyVersion" | "nowMs">,
  ): Promise<Verified<Lease> | undefined> {
    const { books, offers, log, nowMs } = this.#parts;
    const { instance } = basis.candidate.offer;
    const policyVersion = books.audits.policy?.version;
    const terms = leaseTerms({
      ...basis,
      policy: books.policy,
      ...(policyVersion === undefined ? {} : { policyVersion }),
      nowMs: nowMs(),
    });
    offers.reserve(instance);
    try {
      const envelope = await seal(leaseMessage, terms, [books.signer("lease")]);
      const lease = verifiedSync(openEnvelope(leaseMessage, envelope), verifyNative);
      await books.addLease(lease);
      return lease;
    } catch (error) {
      // The books' own trouble says nothing about the provider: its offer stands, and the requester asks again.
      if (!(error instanceof FailureError) || error.code === failureCode("relay-fault")) throw error;
      log.warn({ peer: instance, code: error.code, detail: error.detail }, "lease refused by the books");
      offers.drop(instance);
      return undefined;
    }
  }

  #grant(lease: Verified<Lease>): LeaseGrant {
    const { offers, tariff } = this.#parts;
    this.#holders.set(lease.id, lease.body.instance);
    this.#parts.watch?.granted(lease.id, lease.body);
    const addresses = offers.find(lease.body.instance)?.offer.addresses ?? [];
    return { lease: lease.bytes, tariff, addresses };
  }
}
