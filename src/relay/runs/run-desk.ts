import { mayCoordinate } from "../../ledger/run-rules.ts";
import { decodePlan } from "../../plan/plan-codec.ts";
import type { NodeId, Plan } from "../../plan/plan.ts";
import { type Cid, cidCodec, cidOf, isCid } from "../../protocol/cid.ts";
import type { Verified } from "../../protocol/envelope.ts";
import { FailureError } from "../../protocol/failure.ts";
import { MAX_RUN_HOLDERS, RUN_KEPT_MS, RUN_SILENCE_MS } from "../../protocol/limits.ts";
import type { Job } from "../../protocol/messages/job.ts";
import type { Inclusion } from "../../protocol/messages/receipt.ts";
import {
  type Run,
  runEndMessage,
  runHoldersMessage,
  runMessage,
  type RunRegistration,
} from "../../protocol/messages/run.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { RunRole } from "../../protocol/relay-api.ts";
import { MAX_LISTED_RUN_JOBS } from "../../protocol/run-json.ts";
import type { CoordinatorView, RunSummary, RunView } from "../../protocol/run-views.ts";
import { decodeUtf8 } from "../../protocol/text.ts";
import { microCredits } from "../../protocol/units.ts";
import { whyNotCallable } from "../alerts/place-call.ts";
import type { Authentication } from "../authenticate.ts";
import { RecentMap } from "../books/recent-map.ts";
import type { Books } from "../books.ts";
import { requireServed } from "../denials.ts";
import type { RateLimit } from "../rate-limit.ts";
import type { RunStanding } from "../run-books.ts";
import { KEPT_RUNS } from "./limits.ts";
import type { MailRoom } from "./mail-room.ts";
import { planWorks } from "./plan-works.ts";
import type { RunListeners } from "./run-listeners.ts";
import type { RunMail } from "./run-mail.ts";

export interface RunDeskParts {
  readonly books: Books;
  readonly authentication: Authentication;
  readonly mail: RunMail;
  readonly room: MailRoom;
  readonly listeners: RunListeners;
  /** Gives a new payer its test credits, or does nothing. */
  readonly welcome: (payer: PeerId) => Promise<void>;
  readonly limit: RateLimit;
  /** Whether return addresses may be on the relay's own network. */
  readonly allowPrivate: boolean;
  readonly nowMs: () => number;
}

/** Registers runs, says who coordinates them, and who of them is alive. */
export class RunDesk {
  readonly #parts: RunDeskParts;
  /** When a coordinator was heard last, milliseconds since 1970, by run and identity. */
  readonly #heard = new RecentMap<string, number>(KEPT_RUNS * (MAX_RUN_HOLDERS + 1));
  /** When the relay began to listen. */
  readonly #since: number;
  readonly #works = new RecentMap<Cid, ReadonlyMap<NodeId, readonly Cid[]>>(KEPT_RUNS);

  constructor(parts: RunDeskParts) {
    this.#parts = parts;
    this.#since = parts.nowMs();
  }

  /**
   * Takes a run with its plan and parameters. The same one again answers alike.
   * @throws FailureError what the books throw; `malformed`, `content-mismatch` of plan and parameters.
   */
  async register({ run: envelope, plan, params }: RunRegistration): Promise<Inclusion> {
    const { books, authentication, limit, mail, room, welcome } = this.#parts;
    const { message, by } = authentication.open(runMessage, envelope);
    const { body: terms } = message;
    for (const { root } of by) limit.requireRoom(root);
    requireServed(books, terms.initiator, terms.payer, terms.plan);
    const { decoded, values } = readRun(terms, plan, params);
    this.#requireReturn(terms);
    await welcome(terms.payer);
    const isNew = books.runs.run(message.id) === undefined;
    const isOpen = isNew || books.runs.run(message.id)?.stage === "open";
    if (isOpen && mail.box(message.id) === undefined)
      room.require(terms.payer, "bytes", plan.length + params.length);
    const before = books.size();
    const inclusion = await books.runs.register(message);
    this.#count(inclusion, before, by);
    const keptUntil = terms.notAfter + RUN_KEPT_MS;
    const { payer } = terms;
    // What was thrown away of a run that is over stays away.
    if (isOpen) mail.openBox({ run: message.id, payer, name: decoded.name, plan, params, keptUntil, values });
    this.#works.set(message.id, planWorks(decoded));
    // A registration may be brought again by anybody who has it: that is no sign of life.
    if (isNew) this.heard(message.id, terms.initiator);
    this.#parts.listeners.tell(message.id);
    return inclusion;
  }

  /**
   * The log is public, so anybody can bring a message again that is in it: only one that became an entry uses up the share of who signed it.
   * @param before entries that there were before it came. @returns whether it became an entry
   */
  #count({ index }: Inclusion, before: number, by: Iterable<{ readonly root: PeerId }>): boolean {
    if (index < before) return false;
    for (const { root } of by) this.#parts.limit.tryTake(root);
    return true;
  }

  #requireReturn({ returnTo }: Run): void {
    if (returnTo === "relay") return;
    const why = whyNotCallable(returnTo, this.#parts.allowPrivate);
    if (why !== undefined) throw new FailureError("malformed", `run: returnTo: ${why}`);
  }

  async setHolders(run: Cid, envelope: Uint8Array): Promise<Inclusion> {
    const { books, authentication, limit } = this.#parts;
    const { message, by } = authentication.open(runHoldersMessage, envelope);
    if (message.body.run !== run) throw new FailureError("malformed", "run-holders: is about another run");
    for (const { root } of by) limit.requireRoom(root);
    const before = books.size();
    const inclusion = await books.runs.setHolders(message);
    if (this.#count(inclusion, before, by)) this.#parts.listeners.tell(run);
    return inclusion;
  }

  async end(run: Cid, envelope: Uint8Array): Promise<Inclusion> {
    const { books, authentication, limit, listeners } = this.#parts;
    const { message, by } = authentication.open(runEndMessage, envelope);
    if (message.body.run !== run) throw new FailureError("malformed", "run-end: is about another run");
    for (const { root } of by) limit.requireRoom(root);
    const before = books.size();
    const inclusion = await books.runs.end(message);
    this.#keepEnded(books.runs.run(run));
    if (this.#count(inclusion, before, by)) listeners.tell(run);
    return inclusion;
  }

  /** What waits stays for some time after the run's first end. Brought again it changes nothing, but for what a crash left undone. */
  #keepEnded(run: RunStanding | undefined): void {
    const { mail, nowMs } = this.#parts;
    if (run?.endedAt === undefined || mail.box(run.id) === undefined) return;
    mail.keepUntil(run.id, run.endedAt + RUN_KEPT_MS);
    if (run.end?.result !== undefined) mail.addName(run.id, run.end.result);
    if (run.terms.returnTo !== "relay") mail.addReturn(run.id, nowMs());
  }

  /** A coordinator gave a sign of life. */
  heard(run: Cid, coordinator: PeerId): void {
    this.#heard.set(`${run} ${coordinator}`, this.#parts.nowMs());
  }

  /** A coordinator has left: it counts as silent from now on, until it is heard again. */
  left(run: Cid, coordinator: PeerId): void {
    this.#heard.set(`${run} ${coordinator}`, this.#parts.nowMs() - RUN_SILENCE_MS - 1);
    this.#parts.listeners.tell(run);
  }

  /** Whether another coordinator may take over what this one has open. */
  isSilent(run: Cid, coordinator: PeerId): boolean {
    return this.#parts.nowMs() - this.#lastHeard(run, coordinator) > RUN_SILENCE_MS;
  }

  /** After a start of the relay everybody has as long as after a heartbeat. */
  #lastHeard(run: Cid, coordinator: PeerId): number {
    return this.#heard.get(`${run} ${coordinator}`) ?? this.#since;
  }

  /**
   * Whether a job carries out a step of its run's plan: who coordinates a run spends its payer's money on that alone.
   * @throws FailureError `not-found`, `malformed`.
   */
  requireStep({ id, body: { run: step, work, requester } }: Verified<Job>): void {
    if (step === undefined) return;
    const works = this.#worksOf(step.id);
    const allowed = works.get(step.node);
    if (allowed === undefined)
      throw new FailureError("malformed", `job: the plan of its run has no node ${step.node}`);
    if (!allowed.includes(work.cid))
      throw new FailureError("malformed", `job: the plan of its run has other work for ${step.node}`);
    const { books } = this.#parts;
    // A job that is in the log may be brought again by anybody: that is no sign of life.
    if (books.job(id) !== undefined) return;
    const run = books.runs.run(step.id);
    if (run !== undefined && mayCoordinate(run, requester)) this.heard(step.id, requester);
  }

  #worksOf(id: Cid): ReadonlyMap<NodeId, readonly Cid[]> {
    const known = this.#works.get(id);
    if (known !== undefined) return known;
    const { books, mail } = this.#parts;
    if (books.runs.run(id) === undefined) throw new FailureError("not-found", `no run ${id}`);
    const terms = mail.terms(id);
    if (terms === undefined)
      throw new FailureError("not-found", "the plan of this run is not here; register the run again");
    const works = planWorks(decodePlan(terms.plan));
    this.#works.set(id, works);
    return works;
  }

  /** @throws FailureError `not-found` */
  view(id: Cid): RunView {
    const { books, mail } = this.#parts;
    const run = books.runs.run(id);
    if (run === undefined) throw new FailureError("not-found", "this relay knows no such run");
    const { terms, holders, holdersRev, charged, spent, end, endedAt } = run;
    return {
      ...this.#summary(run),
      setAside: microCredits(charged - spent),
      left: microCredits(terms.budget - charged),
      params: terms.params,
      notAfter: terms.notAfter,
      returnTo: terms.returnTo,
      coordinators: [terms.initiator, ...holders.filter((peer) => peer !== terms.initiator)].map((peer) =>
        this.#coordinator(id, peer),
      ),
      holdersRev,
      ...(run.holdersIndex === undefined ? {} : { holdersIndex: run.holdersIndex }),
      steps: mail.box(id)?.steps ?? 0,
      ...(endedAt === undefined ? {} : { endedAt }),
      ...(end?.result === undefined ? {} : { result: end.result }),
      ...(end?.code === undefined ? {} : { code: end.code }),
      ...(end?.detail === undefined ? {} : { detail: end.detail }),
      jobs: books.runs.jobs(id, MAX_LISTED_RUN_JOBS),
    };
  }

  #coordinator(run: Cid, peer: PeerId): CoordinatorView {
    const at = this.#heard.get(`${run} ${peer}`);
    return at === undefined ? { peer } : { peer, silentMs: Math.max(0, this.#parts.nowMs() - at) };
  }

  /** Newest first: those that an account started or pays for, or those that are open and name it as a holder. */
  list(account: PeerId, role: RunRole, before: number | undefined, limit: number): readonly RunSummary[] {
    const { runs } = this.#parts.books;
    const found =
      role === "holder" ? runs.heldBy(account, before, limit) : runs.runsOf(account, before, limit);
    return found.map((run) => this.#summary(run));
  }

  #summary({ id, index, terms, stage, spent }: RunStanding): RunSummary {
    const { plan, initiator, payer, budget, issuedAt } = terms;
    return {
      run: id,
      plan,
      name: this.#parts.mail.box(id)?.name ?? "",
      initiator,
      payer,
      state: stage,
      budget,
      spent,
      issuedAt,
      entryIndex: index,
    };
  }
}

/** Plan and parameters of a run, under the CIDs that it names. */
function readRun(
  terms: Run,
  plan: Uint8Array,
  params: Uint8Array,
): { readonly decoded: Plan; readonly values: readonly Cid[] } {
  if (cidOf(cidCodec(terms.plan), plan) !== terms.plan)
    throw new FailureError("content-mismatch", "run: its plan is another one");
  if (cidOf(cidCodec(terms.params), params) !== terms.params)
    throw new FailureError("content-mismatch", "run: its parameters are others");
  return { decoded: decodePlan(plan), values: paramValues(params) };
}

function paramValues(params: Uint8Array): readonly Cid[] {
  let value: unknown;
  try {
    value = JSON.parse(decodeUtf8(params));
  } catch (error) {
    throw new FailureError("malformed", "run: its parameters are no JSON", { cause: error });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new FailureError("malformed", "run: its parameters are no map of names to CIDs");
  return Object.values(value).map((each: unknown) => {
    if (isCid(each)) return each;
    throw new FailureError("malformed", "run: its parameters are no map of names to CIDs");
  });
}
