import type { RelayContact } from "../ledger/relay-contact.ts";
import type { Mesh } from "../mesh/mesh.ts";
import type { RelayClient } from "../mesh/relay-client.ts";
import type { Cid } from "../protocol/cid.ts";
import { seal } from "../protocol/envelope.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import { header } from "../protocol/header.ts";
import { closeJobMessage } from "../protocol/messages/job.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { MicroCredits } from "../protocol/units.ts";
import type { JobOptions, JobProgress, JobSummary, MapResult } from "./job-options.ts";
import { LeaseCrew, type Member } from "./lease-crew.ts";
import {
  LEASE_RETRY_MAX_MS,
  LEASE_RETRY_MIN_MS,
  NO_PROVIDER_TIMEOUT_MS,
  STREAM_SILENCE_MS,
  TASK_ATTEMPTS,
  UNREAD_RESULTS,
} from "./limits.ts";
import type { MadeJob } from "./make-job.ts";
import { Outbound } from "./outbound.ts";
import type { RequesterPorts } from "./requester-session.ts";
import { Silence } from "./silence.ts";
import type { TaskAttempt, TaskWatch } from "./task-watch.ts";
import type { TaskAnswer } from "./task-answers.ts";
import { inputOf, isSpent, lostResult, mayRetry, resultOf } from "./task-result.ts";
import { type WorkItem, WorkQueue } from "./work-queue.ts";

export interface JobRunOptions {
  readonly job: MadeJob;
  readonly inputs: AsyncIterable<Uint8Array>;
  /** How many inputs there are, where it is known. */
  readonly total?: number;
  readonly options: Pick<JobOptions, "noProviderTimeoutMs" | "onProgress" | "signal">;
  /** Of a job of a model: what is known about its outputs. */
  readonly watch?: TaskWatch;
  readonly mesh: Mesh;
  readonly client: RelayClient;
  readonly contact: RelayContact;
  readonly ports: Omit<RequesterPorts, "onRoom">;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Refusals of the relay that may pass by themselves. */
const PASSING: ReadonlySet<number> = new Set(
  (
    ["no-provider", "disconnected", "timed-out", "relay-fault", "rate-limited", "insufficient-funds"] as const
  ).map(failureCode),
);

/** Watches over a stream: whoever falls silent in the middle is left. */
function silenceOf({ session }: Member): Silence {
  return new Silence(STREAM_SILENCE_MS, () =>
    session.fail(new FailureError("heartbeat-lost", "the provider fell silent in the middle")),
  );
}

/** Carries one job from its first lease to the refund. */
export class JobRun {
  readonly results: Outbound<MapResult> = new Outbound(UNREAD_RESULTS);
  readonly summary: Promise<JobSummary>;
  readonly #run: JobRunOptions;
  readonly #queue: WorkQueue;
  readonly #crew: LeaseCrew;
  readonly #abort = new AbortController();
  #changed = Promise.withResolvers<void>();
  #underWay = 0;
  #done = 0;
  #failed = 0;
  #reassigned = 0;
  #state: JobProgress["state"] = "submitting";
  #lonelySince: number | undefined;
  #nextFillAt = 0;
  #fillPauseMs = LEASE_RETRY_MIN_MS;
  #alarm: ReturnType<typeof setTimeout> | undefined;
  /** When it goes off, by performance.now(). */
  #alarmAt = 0;

  constructor(run: JobRunOptions) {
    this.#run = run;
    const ports = { ...run.ports, onRoom: () => this.#wake() };
    this.#queue = new WorkQueue(run.inputs, run.job.body.nonce, (bytes) => run.ports.sha256(bytes));
    this.#crew = new LeaseCrew({
      ...run,
      ports,
      signal: this.#abort.signal,
      onChange: (note) => this.#tell(note),
    });
    const { signal } = run.options;
    if (signal?.aborted === true) this.cancel();
    signal?.addEventListener("abort", () => this.cancel(), { once: true });
    this.results.onRead = () => this.#wake();
    this.results.onLeave = () => this.cancel();
    this.summary = this.#carry();
    this.summary.catch(() => undefined);
  }

  get job(): Cid {
    return this.#run.job.id;
  }

  /** Cancels open tasks at the providers; what is not spent is refunded. The results end with `cancelled`. */
  cancel(): void {
    this.#abort.abort(new FailureError("cancelled", "the job was cancelled"));
    this.#wake();
  }

  get #cancelled(): boolean {
    return this.#abort.signal.aborted;
  }

  async #carry(): Promise<JobSummary> {
    let failure: FailureError | undefined;
    try {
      await this.#dispatch();
    } catch (error) {
      failure =
        error instanceof FailureError
          ? error
          : new FailureError("relay-fault", "the job could not be carried on", { cause: error });
    }
    clearTimeout(this.#alarm);
    await this.#queue.stop().catch(() => undefined);
    const isCut = this.#cancelled || failure !== undefined;
    this.#enter("settling");
    const leases = await this.#crew.dismiss(isCut ? "cancel" : "close");
    const refunded = await this.#close().catch(() => undefined);
    this.#enter(this.#cancelled ? "cancelled" : "done");
    if (failure === undefined) this.results.end(this.#cancelled ? this.#abort.signal.reason : undefined);
    else this.results.end(failure);
    if (failure !== undefined && !this.#cancelled) throw failure;
    return {
      job: this.#run.job.id,
      tasks: this.#done + this.#failed,
      done: this.#done,
      failed: this.#failed,
      reassigned: this.#reassigned,
      spent: this.#crew.spent,
      ...(refunded === undefined ? {} : { refunded }),
      cancelled: this.#cancelled,
      leases,
    };
  }

  async #dispatch(): Promise<void> {
    this.#enter("finding-providers");
    while (!this.#cancelled && !this.#isServed) {
      const changed = this.#changed.promise;
      // oxlint-disable-next-line no-await-in-loop -- the loop of the job
      await this.#keepCrew();
      // oxlint-disable-next-line no-await-in-loop
      await this.#assignAll();
      // oxlint-disable-next-line no-await-in-loop
      if (!this.#isServed) await this.#pause(changed);
    }
  }

  get #isServed(): boolean {
    return this.#queue.isEmpty && this.#underWay === 0;
  }

  /** Inputs are taken as long as somebody has room for them. */
  async #assignAll(): Promise<void> {
    while (!this.#cancelled && !this.results.isFull && this.#roomiest() !== undefined) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other, in their order
      const item = await this.#queue.take();
      if (item === undefined) return;
      this.#assign(item);
    }
  }

  /** Given to the member with most room now: it may have changed while the input was read. */
  #assign(item: WorkItem): void {
    const member = this.#roomiest();
    if (member === undefined) {
      this.#queue.giveBack(item);
      return;
    }
    this.#underWay += 1;
    void this.#runOn(member, item);
  }

  #roomiest(): Member | undefined {
    let best: Member | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const member of this.#crew.members) {
      const { unanswered } = member.session.channel;
      if (member.session.hasRoom && unanswered < member.pace.limit && unanswered < least) {
        best = member;
        least = unanswered;
      }
    }
    return best;
  }

  async #runOn(member: Member, item: WorkItem): Promise<void> {
    item.attempts += 1;
    const sentAt = performance.now();
    const { provider } = member.session.channel.held.lease.body;
    const attempt = this.#run.watch?.attempt(item.index, item.bytes, provider);
    const silence = attempt?.segment === undefined ? undefined : silenceOf(member);
    try {
      const sent = member.session.send(inputOf(item, attempt, silence));
      const answer = await sent.answer;
      member.pace.answered(performance.now() - sentAt);
      await sent.final;
      if (isSpent(answer)) void member.session.close();
      if (mayRetry(answer) && this.#mayTry(item, attempt)) this.#retry(item);
      else this.#deliver(provider, item, answer);
    } catch (error) {
      // The session is over; its end says why. A task that was not paid for is given to another.
      if (this.#mayTry(item, attempt)) this.#retry(item);
      else this.#giveUp(provider, item, error);
    }
    silence?.end();
    this.#underWay -= 1;
    this.#wake();
  }

  /** Whether another provider may have a try. One that came further does not count. */
  #mayTry(item: WorkItem, attempt: TaskAttempt | undefined): boolean {
    if (attempt?.leave() === true) item.attempts = 0;
    return item.attempts < TASK_ATTEMPTS;
  }

  /** Every provider that had it left; perhaps because of it. */
  #giveUp(provider: PeerId, item: WorkItem, error: unknown): void {
    if (this.#cancelled) return;
    this.#failed += 1;
    this.results.push(lostResult(item, provider, error));
    this.#tell();
  }

  #retry(item: WorkItem): void {
    if (this.#cancelled) return;
    this.#reassigned += 1;
    this.#queue.giveBack(item);
  }

  #deliver(provider: PeerId, item: WorkItem, answer: TaskAnswer): void {
    if (answer.kind === "done") this.#done += 1;
    else this.#failed += 1;
    this.results.push(resultOf(item, provider, answer));
    this.#tell();
  }

  /** Asks for leases where there is work and not enough hands; fails when nobody could be had for too long. */
  async #keepCrew(): Promise<void> {
    const { job, options } = this.#run;
    if (this.#crew.members.length > 0) {
      this.#lonelySince = undefined;
      this.#enter("running");
    } else {
      this.#lonelySince ??= performance.now();
      this.#enter(this.#crew.strength > 0 ? "connecting" : "finding-providers");
    }
    if (
      this.#crew.strength >= job.body.parallel ||
      this.#queue.isEmpty ||
      performance.now() < this.#nextFillAt
    )
      return;
    try {
      await this.#crew.fill();
      this.#fillPauseMs = this.#crew.strength > 0 ? LEASE_RETRY_MAX_MS : LEASE_RETRY_MIN_MS;
    } catch (error) {
      this.#mindRefusal(error, options.noProviderTimeoutMs ?? NO_PROVIDER_TIMEOUT_MS);
    }
    this.#nextFillAt = performance.now() + this.#fillPauseMs;
    this.#fillPauseMs = Math.min(this.#fillPauseMs * 2, LEASE_RETRY_MAX_MS);
  }

  /** No provider now is no failure yet, nor is a relay that is restarting; any other refusal is final. */
  #mindRefusal(error: unknown, timeoutMs: number): void {
    if (!(error instanceof FailureError)) throw error;
    const isFunds = error.code === failureCode("insufficient-funds");
    const lonelyMs = this.#lonelySince === undefined ? 0 : performance.now() - this.#lonelySince;
    if (!PASSING.has(error.code) || isFunds || lonelyMs > timeoutMs) throw this.#crew.lastFailure ?? error;
    this.#tell(error.detail);
  }

  /** Waits for a change, or until the relay may be asked for leases again. */
  async #pause(changed: Promise<void>): Promise<void> {
    const now = performance.now();
    const wakeAt = now + Math.max(10, Math.min(LEASE_RETRY_MAX_MS, this.#nextFillAt - now));
    // A timer for each of thousands of pauses a second would cost more than a small task: one that is early enough stays.
    if (this.#alarm === undefined || wakeAt < this.#alarmAt) {
      clearTimeout(this.#alarm);
      this.#alarmAt = wakeAt;
      this.#alarm = setTimeout(() => {
        this.#alarm = undefined;
        this.#wake();
      }, wakeAt - now);
    }
    await changed;
  }

  /** The escrow's rest goes back to the payer. @returns micro-credits refunded so far. */
  async #close(): Promise<MicroCredits> {
    const { job, client, ports } = this.#run;
    const close = { ...header(job.body.origin, job.body.asset), job: job.id };
    const view = await client.closeJob(await seal(closeJobMessage, close, [ports.signer]));
    return view.refunded;
  }

  #enter(state: JobProgress["state"]): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#tell();
  }

  #tell(note?: string): void {
    const { total } = this.#run;
    const known = total ?? (this.#queue.isExhausted ? this.#queue.taken : undefined);
    this.#run.options.onProgress?.({
      state: this.#state,
      ...(known === undefined ? {} : { total: known }),
      done: this.#done,
      failed: this.#failed,
      providers: this.#crew.members.length,
      spent: this.#crew.spent,
      ...(note === undefined ? {} : { note }),
    });
    this.#wake();
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
