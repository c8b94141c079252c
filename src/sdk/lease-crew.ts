import type { RelayContact } from "../ledger/relay-contact.ts";
import type { Mesh, TransportInfo } from "../mesh/mesh.ts";
import type { RelayClient } from "../mesh/relay-client.ts";
import { sendReport } from "../mesh/send-report.ts";
import { type Cid } from "../protocol/cid.ts";
import { seal } from "../protocol/envelope.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import { header } from "../protocol/header.ts";
import { cancelMessage } from "../protocol/messages/task.ts";
import { microCredits, type MicroCredits } from "../protocol/units.ts";
import type { LeaseSummary } from "./job-options.ts";
import { OPENING_GRACE_MS, REPORT_INTERVAL_MS } from "./limits.ts";
import type { Lookout } from "./lookout.ts";
import type { MadeJob } from "./make-job.ts";
import { isLogged } from "./logged-receipt.ts";
import { openSession, type VerifiedGrant, verifyGrant } from "./open-session.ts";
import { Pace } from "./pace.ts";
import type { ReportMaterial } from "./requester-channel.ts";
import type { RequesterPorts, RequesterSession } from "./requester-session.ts";

export interface CrewOptions {
  readonly job: MadeJob;
  readonly mesh: Mesh;
  readonly client: RelayClient;
  readonly contact: RelayContact;
  /** Tells of providers that the relay does not hear. */
  readonly lookout?: Pick<Lookout, "watch">;
  readonly ports: RequesterPorts;
  readonly signal: AbortSignal;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** A session opened, ended or failed to open; `note` says what a person may want to know. */
  readonly onChange: (note?: string) => void;
}

/** A receipt in the log. */
export interface LoggedReport {
  readonly index: number;
  /** The relay has proved it. */
  readonly verified: boolean;
  readonly material: ReportMaterial;
}

/** A provider at work for this job. */
export interface Member {
  readonly session: RequesterSession;
  readonly pace: Pace;
  readonly transport: Promise<TransportInfo | undefined>;
}

/** The providers of one job: opens a session for each lease, reports each that ends, and asks for more when one is lost. */
export class LeaseCrew {
  readonly #options: CrewOptions;
  readonly #members = new Map<Cid, Member>();
  readonly #seen = new Set<Cid>();
  readonly #summaries: LeaseSummary[] = [];
  readonly #openings = new Set<Promise<void>>();
  readonly #ending = new Set<Promise<void>>();
  /** Over, but not summed up yet: what they cost is not to disappear meanwhile. */
  readonly #leaving = new Set<RequesterSession>();
  readonly #dismissed = new AbortController();
  /** Outcomes that this side has brought into the log. */
  readonly #logged = new WeakMap<RequesterSession, number>();
  #filling: Promise<number> | undefined;
  #lastFailure: FailureError | undefined;

  constructor(options: CrewOptions) {
    this.#options = options;
  }

  get members(): readonly Member[] {
    return [...this.#members.values()];
  }

  /** Sessions open or being opened. */
  get strength(): number {
    return this.#members.size + this.#openings.size;
  }

  /** The member with the fewest open tasks of those that have room for one more. @param but who is not asked */
  roomiest(but?: ReadonlyMap<Member, unknown>): Member | undefined {
    let best: Member | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const member of this.#members.values()) {
      const { unanswered } = member.session.channel;
      if (but?.has(member) === true) continue;
      if (member.session.hasRoom && unanswered < member.pace.limit && unanswered < least) {
        best = member;
        least = unanswered;
      }
    }
    return best;
  }

  /** Why the last provider could not be used. */
  get lastFailure(): FailureError | undefined {
    return this.#lastFailure;
  }

  /** Micro-credits under the newest receipts. */
  get spent(): MicroCredits {
    const sessions = [...this.members.map(({ session }) => session), ...this.#leaving];
    const open = sessions.map(({ channel }) => channel.receipt?.body.amount ?? 0n);
    const amounts: readonly bigint[] = [...open, ...this.#summaries.map(({ amount }) => amount)];
    return microCredits(amounts.reduce((sum, amount) => sum + amount, 0n));
  }

  /**
   * Asks the relay for leases, up to the job's `parallel`, and opens those that are new, without waiting for them.
   * @returns how many are new. @throws FailureError as the relay's.
   */
  fill(): Promise<number> {
    this.#filling ??= this.#fill().finally(() => {
      this.#filling = undefined;
    });
    return this.#filling;
  }

  async #fill(): Promise<number> {
    const { client, job, contact, ports, signal } = this.#options;
    const answer = await client.submitJob(job.envelope, signal);
    const grants = await Promise.all(answer.leases.map((grant) => verifyGrant(grant, job, contact, ports)));
    const fresh = grants.filter(({ lease }) => !this.#seen.has(lease.id));
    for (const granted of fresh) {
      this.#seen.add(granted.lease.id);
      const opening = this.#open(granted);
      this.#openings.add(opening);
      void this.#forgetOpening(opening);
    }
    return fresh.length;
  }

  async #open(granted: VerifiedGrant): Promise<void> {
    const { mesh, contact, job, ports, now, onChange } = this.#options;
    const signal = AbortSignal.any([this.#options.signal, this.#dismissed.signal]);
    try {
      const session = await openSession({ mesh, contact, job, granted, ports, signal, now });
      const transport = session.transport().catch(() => undefined);
      this.#members.set(granted.lease.id, {
        session,
        pace: new Pace(granted.lease.body.inflightMax),
        transport,
      });
      const over = this.#watch(granted.lease.id, session);
      this.#ending.add(over);
      onChange();
    } catch (error) {
      const failure =
        error instanceof FailureError
          ? error
          : new FailureError("unreachable", "the provider could not be reached", { cause: error });
      this.#lastFailure = failure;
      this.#summaries.push(unusedLease(granted, failure));
      await this.#returnLease(granted.lease.id);
      onChange(`a provider could not be used: ${failure.detail}`);
    }
  }

  async #forgetOpening(opening: Promise<void>): Promise<void> {
    await opening;
    this.#openings.delete(opening);
    this.#options.onChange();
  }

  /** Tells the relay that a lease will not be used, so that its budget becomes free. */
  async #returnLease(lease: Cid): Promise<void> {
    const { client, contact, ports } = this.#options;
    const { origin, asset } = contact.info;
    const cancel = await seal(cancelMessage, { ...header(origin, asset), lease, seq: 0, atUnit: 0 }, [
      ports.signer,
    ]);
    await client.cancelLease(lease, cancel).catch(() => undefined);
  }

  async #watch(lease: Cid, session: RequesterSession): Promise<void> {
    const timer = setInterval(() => void this.report(session).catch(() => undefined), REPORT_INTERVAL_MS);
    const leave = this.#options.lookout?.watch(lease, () => session.pulse?.doubt());
    const failure = await session.ended;
    leave?.();
    clearInterval(timer);
    const member = this.#members.get(lease);
    this.#members.delete(lease);
    this.#leaving.add(session);
    if (failure !== undefined) {
      this.#lastFailure = failure;
      this.#options.onChange(`a provider left: ${failure.detail}`);
    }
    const summary = await this.#summarise(session, member, failure);
    this.#leaving.delete(session);
    this.#summaries.push(summary);
    if (failure !== undefined) await this.#returnLease(lease);
    this.#options.onChange();
  }

  /** Brings a session's newest countersigned receipt into the log. @returns nothing where there is none, or the log has a newer one. */
  async report(session: RequesterSession): Promise<LoggedReport | undefined> {
    const material = session.channel.report();
    const { client, contact, ports } = this.#options;
    if (material === undefined) return undefined;
    const logged = this.#logged.get(session) ?? 0;
    const answer = await sendReport(client, contact.info, ports.signer, { ...material, logged, lost: [] });
    if (answer === undefined) return undefined;
    this.#logged.set(session, material.body.count);
    try {
      await contact.log.checkInclusion(answer, answer.entry);
      return { index: answer.index, verified: isLogged(answer.entry, material.body), material };
    } catch (error) {
      if (error instanceof FailureError && error.code === failureCode("forged-checkpoint"))
        this.#options.onChange(error.detail);
      return { index: answer.index, verified: false, material };
    }
  }

  async #summarise(
    session: RequesterSession,
    member: Member | undefined,
    failure: FailureError | undefined,
  ): Promise<LeaseSummary> {
    const { channel } = session;
    const material = channel.report();
    const logged = await this.report(session).catch(() => undefined);
    const transport = await member?.transport;
    return {
      lease: channel.lease,
      provider: channel.held.lease.body.provider,
      tasks: material?.body.payable ?? 0,
      amount: material?.body.amount ?? microCredits(0),
      ...(material === undefined ? {} : { receipt: material.receipt, advance: material.advance }),
      receiptVerified: material !== undefined,
      ...(logged === undefined ? {} : { entryIndex: logged.index }),
      inclusionVerified: logged?.verified ?? false,
      ...(transport === undefined ? {} : { transport }),
      ...(failure === undefined ? {} : { failure: failure.toFailure() }),
    };
  }

  /**
   * Ends every session in order, or cancels its tasks, and waits until all are reported. One that is just being opened is
   * waited for a little: a lease that both sides sign as unused is free at once, one that is given back only much later.
   */
  async dismiss(how: "close" | "cancel"): Promise<readonly LeaseSummary[]> {
    const late = setTimeout(
      () =>
        this.#dismissed.abort(new FailureError("cancelled", "the job ended before the provider answered")),
      OPENING_GRACE_MS,
    );
    await Promise.all(this.#openings);
    clearTimeout(late);
    await Promise.all(this.members.map(({ session }) => session[how]()));
    await Promise.all(this.#ending);
    return this.#summaries;
  }
}

function unusedLease({ lease }: VerifiedGrant, failure: FailureError): LeaseSummary {
  return {
    lease: lease.id,
    provider: lease.body.provider,
    tasks: 0,
    amount: microCredits(0),
    receiptVerified: false,
    inclusionVerified: false,
    failure: failure.toFailure(),
  };
}
