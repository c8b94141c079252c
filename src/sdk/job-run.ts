import type { Cid } from "../protocol/cid.ts";
import { FailureError } from "../protocol/failure.ts";
import { type MicroCredits, microCredits } from "../protocol/units.ts";
import { Alarm } from "./alarm.ts";
import type { JobProgress, JobSummary, LeaseSummary, MapResult } from "./job-options.ts";
import { Copies } from "./copies.ts";
import { providerOf } from "./ballot.ts";
import { closeJob } from "./close-job.ts";
import { createQuorum } from "./create-quorum.ts";
import { JobCounts } from "./job-counts.ts";
import type { JobRunOptions } from "./job-run-options.ts";
import { LeaseCrew, type Member } from "./lease-crew.ts";
import { AUDIT_PATIENCE_MS, NO_PROVIDER_TIMEOUT_MS, TASK_ATTEMPTS, UNREAD_RESULTS } from "./limits.ts";
import { Outbound } from "./outbound.ts";
import { Provisional } from "./provisional.ts";
import type { Quorum } from "./quorum.ts";
import { Recruiting } from "./recruiting.ts";
import { isShared } from "./share-work.ts";
import { SecondDraw } from "./second-draw.ts";
import { silenceOf } from "./silence.ts";
import { type Said, StepResults } from "./step-watch.ts";
import type { TaskAttempt } from "./task-watch.ts";
import type { TaskAnswer } from "./task-answers.ts";
import {
  failureOfJob,
  inputOf,
  isOwn,
  isSpent,
  leaveSpent,
  lostResult,
  mayRetry,
  resultOf,
} from "./task-result.ts";
import { type WorkItem, WorkQueue } from "./work-queue.ts";

/** Carries one job from its first lease to the refund. */
export class JobRun {
  readonly results: Outbound<MapResult> = new Outbound(UNREAD_RESULTS);
  readonly summary: Promise<JobSummary>;
  /** After the job: delays neither its results nor its summary. */
  readonly secondDraw: SecondDraw;
  readonly #run: JobRunOptions;
  readonly #queue: WorkQueue;
  readonly #recruiting: Recruiting;
  /** Of this round: one round, unless results wait for their audits. */
  #crew: LeaseCrew;
  readonly #leases: LeaseSummary[] = [];
  readonly #provisional = new Provisional();
  /** Compares replicas, where the job has them. */
  readonly #quorum: Quorum | undefined;
  readonly #abort = new AbortController();
  #changed = Promise.withResolvers<void>();
  readonly #copies = new Copies<Member>();
  readonly #counts = new JobCounts();
  /** Micro-credits of rounds that are over. */
  #past = 0n;
  #state: JobProgress["state"] = "submitting";
  readonly #alarm = new Alarm(() => this.#wake());
  /** Of a job that belongs to a run. */
  readonly #steps: StepResults | undefined;

  constructor(run: JobRunOptions) {
    this.#run = run;
    this.#steps = run.steps && new StepResults(run.steps);
    this.secondDraw = new SecondDraw(run);
    const { nonce } = run.job.body;
    const onNews = run.steps && (() => this.#wake());
    this.#queue = new WorkQueue(run.inputs, nonce, (bytes) => run.ports.sha256(bytes), onNews);
    this.#recruiting = new Recruiting({
      parallel: run.job.body.parallel,
      least: run.job.body.verify.k,
      timeoutMs: run.options.noProviderTimeoutMs ?? NO_PROVIDER_TIMEOUT_MS,
      onState: (state) => this.#enter(state),
      onNote: (note) => this.#tell(note),
    });
    this.#crew = this.#newCrew();
    this.#quorum = run.job.body.verify.k > 1 ? this.#newQuorum() : undefined;
    const { signal } = run.options;
    if (signal?.aborted === true) this.cancel();
    signal?.addEventListener("abort", () => this.cancel(), { once: true });
    this.results.onRead = () => this.#wake();
    this.results.onLeave = () => this.cancel();
    this.summary = this.#carry();
    this.summary.catch(() => undefined);
  }

  #newCrew(): LeaseCrew {
    return new LeaseCrew({
      ...this.#run,
      ports: {
        ...this.#run.ports,
        onRoom: () => this.#wake(),
        ...(this.secondDraw.isDue ? { keep: (outcome, leaf) => this.secondDraw.keep(outcome, leaf) } : {}),
      },
      signal: this.#abort.signal,
      onChange: (note) => this.#tell(note),
    });
  }

  #newQuorum(): Quorum {
    return createQuorum({
      ...this.#run,
      signal: this.#abort.signal,
      patienceMs: this.#run.options.noProviderTimeoutMs ?? NO_PROVIDER_TIMEOUT_MS,
      report: (session) => this.#crew.report(session),
      onResult: (item, result, leases, votes) => this.#take(leases, item, result, votes),
      onChange: (note) => this.#tell(note),
    });
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
      const shared = isShared(this.#run, this.#abort.signal);
      // A run has many small jobs: none of them waits for that.
      if (this.#steps === undefined && !(await shared))
        this.#tell("the relay could not be given the function, so it cannot audit its results");
      await this.#allRounds();
    } catch (error) {
      failure = failureOfJob(error);
    }
    this.#alarm.clear();
    await this.#queue.stop().catch(() => undefined);
    const isCut = this.#cancelled || failure !== undefined;
    this.#enter("settling");
    await this.#dismiss(isCut ? "cancel" : "close");
    const closed = await closeJob(this.#run).catch(() => undefined);
    if (closed !== undefined) this.secondDraw.begin();
    this.#enter(this.#cancelled ? "cancelled" : "done");
    if (failure === undefined) this.results.end(this.#cancelled ? this.#abort.signal.reason : undefined);
    else this.results.end(failure);
    if (failure !== undefined && !this.#cancelled) throw failure;
    return {
      job: this.#run.job.id,
      ...this.#counts.all,
      copied: this.#copies.made,
      ...this.#quorum?.counts,
      spent: closed?.spent ?? this.#spent,
      ...(closed === undefined ? {} : { refunded: closed.refunded }),
      cancelled: this.#cancelled,
      leases: this.#leases,
    };
  }

  /** Works until everything is served. Results that wait for audits come in rounds: what is void is done again. */
  async #allRounds(): Promise<void> {
    await this.#dispatch();
    while ((this.#provisional.count > 0 || !this.#queue.isEmpty) && !this.#cancelled) {
      // oxlint-disable-next-line no-await-in-loop -- round after round
      await this.#endRound();
      // oxlint-disable-next-line no-await-in-loop
      await this.#dispatch();
    }
  }

  /** Ends the round's leases, waits for their audits, gives out what is certain and takes back what is void. */
  async #endRound(): Promise<void> {
    this.#enter("auditing");
    await this.#dismiss("close");
    const { certain, voided } = await this.#provisional.judged({
      client: this.#run.client,
      job: this.#run.job.id,
      signal: this.#abort.signal,
      patienceMs: AUDIT_PATIENCE_MS + this.#run.job.body.limits.deadlineMs,
      onWait: (note) => this.#tell(note),
    });
    for (const result of certain) this.#give(result);
    for (const item of voided) this.#queue.giveBack({ ...item, attempts: 0 });
    this.#counts.voided(voided.length);
    if (voided.length > 0)
      this.#tell(`${voided.length} results were false or not proven, and are computed again`);
    this.#recruiting.reset();
  }

  async #dismiss(how: "close" | "cancel"): Promise<void> {
    const crew = this.#crew;
    this.#leases.push(...(await crew.dismiss(how)));
    this.#past += crew.spent;
    this.#crew = this.#newCrew();
  }

  /** Micro-credits under the newest receipts of all rounds. */
  get #spent(): MicroCredits {
    return microCredits(this.#past + this.#crew.spent);
  }

  /** Enough waits for audits: the round ends before more is begun. */
  get #isRoundFull(): boolean {
    return this.#provisional.isFull;
  }

  async #dispatch(): Promise<void> {
    this.#enter("finding-providers");
    while (!this.#cancelled && !this.#isServed) {
      const changed = this.#changed.promise;
      // oxlint-disable-next-line no-await-in-loop -- the loop of the job
      await this.#recruiting.keep(this.#crew, this.#queue.hasWork || this.#quorum?.wants === true);
      // oxlint-disable-next-line no-await-in-loop
      await this.#assignAll();
      // oxlint-disable-next-line no-await-in-loop
      if (!this.#isServed) await this.#pause(changed);
    }
  }

  get #isServed(): boolean {
    const underWay = this.#copies.open + (this.#quorum?.underWay ?? 0);
    // Of a run, what comes next may follow from what waits for its audit: that is not put off.
    const isDone = !this.#queue.hasWork && (this.#queue.isEmpty || this.#provisional.count > 0);
    return (isDone || this.#isRoundFull) && underWay === 0;
  }

  /** Inputs are taken as long as somebody has room for them. */
  async #assignAll(): Promise<void> {
    if (this.#quorum !== undefined) {
      await this.#quorum.assign(this.#crew, this.#queue, () => this.#queue.hasWork && this.#mayTake);
      return;
    }
    this.#copy();
    while (this.#queue.hasWork && this.#mayTake && this.#crew.roomiest() !== undefined) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other, in their order
      const item = await this.#queue.take();
      if (item === undefined) break;
      this.#assign(item);
    }
    this.#copy();
  }

  /** Nobody waits for a provider that is silent, nor at the end of a job for one that is slow while others have nothing to do. */
  #copy(): void {
    const total = this.#queue.isEmpty ? this.#queue.taken : undefined;
    while (this.#mayTake) {
      const next = this.#copies.next(total, performance.now(), (but) => this.#crew.roomiest(but));
      if (next === undefined) return;
      if (next.isRescue) this.#counts.reassigned();
      void this.#runOn(next.member, next.item);
    }
  }

  get #mayTake(): boolean {
    return !this.#cancelled && !this.results.isFull && !this.#isRoundFull;
  }

  /** Given to the member with most room now: it may have changed while the input was read. */
  #assign(item: WorkItem): void {
    const member = this.#crew.roomiest();
    if (member === undefined) {
      this.#queue.giveBack(item);
      return;
    }
    void this.#runOn(member, item);
  }

  async #runOn(member: Member, item: WorkItem): Promise<void> {
    item.attempts += 1;
    const sentAt = performance.now();
    const attempt = this.#run.watch?.attempt(item.index, item.bytes, providerOf(member));
    const silence = attempt?.segment === undefined ? undefined : silenceOf(member.session);
    this.#copies.begin(item, attempt?.segment === undefined && item.step === undefined, sentAt);
    try {
      const sent = member.session.send(inputOf(item, attempt, silence));
      this.#copies.sent(item, member, sent.seq);
      this.#run.steps?.given(item, () => void member.session.stop(sent.seq));
      const answer = await sent.answer;
      member.pace.answered(performance.now() - sentAt);
      if (answer.kind !== "done" || answer.held === undefined) await sent.final;
      if (answer.kind === "done") this.#copies.answered(performance.now() - sentAt);
      if (isSpent(answer)) leaveSpent(member.session, item);
      if (mayRetry(answer) && this.#mayTry(item, attempt)) this.#leave(member, item, true);
      else this.#deliver(member, item, answer);
    } catch (error) {
      // The session is over; its end says why. A task that was not paid for is given to another.
      this.#leave(member, item, this.#mayTry(item, attempt), error);
    }
    silence?.end();
    this.#wake();
  }

  /** Whether another provider may have a try. One that came further does not count. */
  #mayTry(item: WorkItem, attempt: TaskAttempt | undefined): boolean {
    // Whoever had it may have signed for it: the next attempt at a step is one of its own.
    if (item.step !== undefined) return false;
    if (attempt?.leave() === true) item.attempts = 0;
    return item.attempts < TASK_ATTEMPTS;
  }

  /** A task that nobody has done is given to another, unless every provider that had it left; perhaps because of it. */
  #leave(member: Member, item: WorkItem, mayTry: boolean, error?: unknown): void {
    if (!this.#copies.left(item, member) || this.#cancelled) return;
    if (mayTry) {
      this.#counts.reassigned();
      this.#queue.giveBack(item);
    } else this.#take([], item, lostResult(item, providerOf(member), error));
  }

  #deliver(member: Member, item: WorkItem, answer: TaskAnswer): void {
    if (!this.#copies.counts(item, member, isOwn(answer))) return;
    const result = resultOf(item, providerOf(member), answer);
    this.#take([member.session.channel.lease], item, result, [{ member, answer }]);
  }

  #take(leases: readonly Cid[], item: WorkItem, result: MapResult, said: Said = []): void {
    this.#steps?.show(item, said);
    if (this.#run.options.accept === "audited" && leases.length > 0) {
      this.#provisional.hold(leases, item, result);
      this.#tell();
    } else this.#give(result);
  }

  #give(result: MapResult): void {
    this.#counts.result(result);
    if (this.#steps === undefined) this.results.push(result);
    else this.#steps.tell(result);
    this.#tell();
  }

  /** Waits for a change, or until the relay may be asked for leases again. */
  async #pause(changed: Promise<void>): Promise<void> {
    const now = performance.now();
    const lateAt = this.#queue.isEmpty ? this.#copies.nextLateAt(this.#queue.taken) : Infinity;
    this.#alarm.setFor(this.#recruiting.wakeAt(now, lateAt));
    await changed;
  }

  #enter(state: JobProgress["state"]): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#tell();
  }

  #tell(note?: string): void {
    const total = this.#run.total ?? (this.#queue.isExhausted ? this.#queue.taken : undefined);
    const parts = { state: this.#state, providers: this.#crew.members.length, spent: this.#spent };
    this.#run.options.onProgress?.(this.#counts.progress(parts, total, note));
    this.#wake();
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
