import { judgeReplicas, type ReplicaJudgement } from "../market/replicas.ts";
import type { AuditPolicy } from "../protocol/audit-policy.ts";
import type { Cid } from "../protocol/cid.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { Finding } from "./ask-referee.ts";
import { Ballot, forget, payAnyway, providerOf, type Replica, type Vote, voteOf } from "./ballot.ts";
import type { MapResult } from "./job-options.ts";
import type { Member } from "./lease-crew.ts";
import { SEAL_PATIENCE_MS, STANDING_AGE_MS, TASK_ATTEMPTS } from "./limits.ts";
import { type Crew, Seating, type SeatingPorts } from "./seating.ts";
import type { Standing } from "./standings.ts";
import type { TaskAnswer } from "./task-answers.ts";
import { inputOf, isSpent, mayRetry } from "./task-result.ts";
import { revealMs, within } from "./within.ts";
import type { WorkItem, WorkQueue } from "./work-queue.ts";

export interface QuorumPorts extends SeatingPorts {
  /** Providers that compute each input. */
  readonly replicas: number;
  readonly policy: Pick<AuditPolicy, "faultPpm" | "acceptPpm" | "maxReplicas">;
  readonly standing: (provider: PeerId, isFresh: boolean) => Promise<Standing>;
  /** Has an outcome recomputed. @throws FailureError why that is not possible */
  readonly referee: (vote: Vote, item: WorkItem) => Promise<Finding>;
  /** How long to wait for one more provider, milliseconds. */
  readonly patienceMs: number;
  /** @param leases under which it was computed alike @param votes all that were compared, those that agree first */
  readonly onResult: (
    item: WorkItem,
    result: MapResult,
    leases: readonly Cid[],
    votes: readonly Vote[],
  ) => void;
}

/**
 * Has each input computed by several providers, and takes what they agree on. Nobody's outcome is asked for before all that
 * are to be compared have sealed theirs.
 */
export class Quorum {
  readonly #ports: QuorumPorts;
  readonly #seating: Seating;
  readonly #ballots = new Set<Ballot>();
  #agreed = 0;
  #disputed = 0;

  constructor(ports: QuorumPorts) {
    this.#ports = ports;
    this.#seating = new Seating(ports);
  }

  /** Inputs that are not decided. */
  get underWay(): number {
    return this.#ballots.size;
  }

  /** Some input waits for one more provider. */
  get wants(): boolean {
    return this.#seating.wants;
  }

  /** Results on which all agreed, and those on which somebody said otherwise. */
  get counts(): { readonly agreed: number; readonly disputed: number } {
    return { agreed: this.#agreed, disputed: this.#disputed };
  }

  /** Gives work to whoever has room: first to inputs that wait for one more, then to new ones, several providers at once. */
  async assign(crew: Crew, queue: WorkQueue, mayTake: () => boolean): Promise<void> {
    const seating = this.#seating;
    seating.seatWaiting(crew);
    const { replicas } = this.#ports;
    while (mayTake() && seating.free().length >= replicas) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other, in their order
      const item = await queue.take();
      if (item === undefined) return;
      const members = seating.free().slice(0, replicas);
      if (members.length < replicas) {
        queue.giveBack(item);
        return;
      }
      const ballot = new Ballot(item, replicas);
      this.#ballots.add(ballot);
      void this.#hold(ballot, members);
    }
  }

  /** From the first replica to the result. Never rejects. */
  async #hold(ballot: Ballot, members: readonly Member[]): Promise<void> {
    try {
      await this.#decide(ballot, members);
    } catch (error) {
      this.#giveUp(ballot, error);
    }
    // What is computed is paid, also where it is not needed any more.
    for (const replica of ballot.open) void payAnyway(replica);
    this.#ballots.delete(ballot);
    this.#ports.onChange();
  }

  async #decide(ballot: Ballot, first: readonly Member[]): Promise<void> {
    let members = first;
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- round after round, until the votes suffice
      if (!(await this.#collect(ballot, members))) return;
      // oxlint-disable-next-line no-await-in-loop
      await this.#reveal(ballot);
      members = [];
      if (ballot.missing > 0) continue;
      // oxlint-disable-next-line no-await-in-loop
      if (await this.#judge(ballot)) return;
    }
  }

  /**
   * Until as many replicas as are wanted are under seal, or have voted. Nobody is asked to show anything meanwhile.
   * @returns false when the result is given already: nobody can compute that.
   */
  async #collect(ballot: Ballot, first: readonly Member[]): Promise<boolean> {
    let asked = first.map((member) => this.#ask(ballot, member));
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- those that are lost are replaced, until none is missing
      await Promise.all(asked);
      const refusal = ballot.lastRefusal;
      if (refusal !== undefined && ballot.votes.length === 0 && this.#isRefused(ballot)) {
        this.#give(ballot, refusal);
        return false;
      }
      if (ballot.missing <= 0) return true;
      asked = Array.from({ length: ballot.missing }, async () => {
        const member = await this.#seating.seat(ballot, 2 * this.#ports.patienceMs);
        if (member === undefined) throw noSeat(ballot);
        // It may have been given up meanwhile.
        if (this.#ballots.has(ballot)) await this.#ask(ballot, member);
      });
    }
  }

  /** Gives an input to a provider, and waits until its outcome is under seal or it is lost. Never rejects for the provider. */
  async #ask(ballot: Ballot, member: Member): Promise<void> {
    const { session, pace } = member;
    const provider = providerOf(member);
    ballot.asked.add(provider);
    const before = session.channel.unanswered;
    const { deadlineMs } = session.channel.held.job.body.limits;
    const sentAt = performance.now();
    let replica: Replica | undefined;
    let unpaid: TaskAnswer;
    try {
      replica = { member, provider, sent: session.send(inputOf(ballot.item, undefined, undefined)) };
      ballot.open.add(replica);
      const { sealed, answer, seq } = replica.sent;
      await within(session, sealed, (before + 1) * deadlineMs + SEAL_PATIENCE_MS);
      pace.answered(performance.now() - sentAt);
      this.#ports.onChange();
      if (session.channel.isSealed(seq)) return;
      unpaid = await within(session, answer, revealMs(session));
      ballot.open.delete(replica);
    } catch (error) {
      if (replica !== undefined) ballot.open.delete(replica);
      this.#lose(ballot, provider, error);
      return;
    }
    this.#refused(ballot, member, unpaid);
  }

  /** A provider has not computed it, and is not paid. */
  #refused(ballot: Ballot, member: Member, answer: TaskAnswer): void {
    if (isSpent(answer)) this.#seating.retire(member);
    if (mayRetry(answer)) this.#lose(ballot, providerOf(member), undefined);
    else ballot.refuse(answer);
  }

  /** As many have refused it alike as would have to compute it. */
  #isRefused(ballot: Ballot): boolean {
    return ballot.alikeRefusals >= this.#ports.replicas;
  }

  #lose(ballot: Ballot, provider: PeerId, error: unknown): void {
    ballot.asked.delete(provider);
    ballot.lost += 1;
    ballot.item.attempts += 1;
    this.#ports.signal.throwIfAborted();
    if (ballot.lost < TASK_ATTEMPTS + this.#ports.replicas) return;
    throw error instanceof FailureError
      ? error
      : new FailureError("disconnected", "no provider has finished it");
  }

  /** Asks for all outcomes that are under seal, and waits until they are here and signed for. */
  async #reveal(ballot: Ballot): Promise<void> {
    const sealed = [...ballot.open];
    for (const { member, sent } of sealed) member.session.unseal(sent.seq);
    await Promise.all(sealed.map((replica) => this.#shown(ballot, replica)));
  }

  async #shown(ballot: Ballot, replica: Replica): Promise<void> {
    const { member, provider, sent } = replica;
    const { session } = member;
    try {
      const answer = await within(session, sent.answer, revealMs(session));
      await within(session, sent.final, revealMs(session));
      ballot.votes.push(voteOf(replica, answer));
      ballot.open.delete(replica);
    } catch (error) {
      ballot.open.delete(replica);
      this.#lose(ballot, provider, error);
    }
    this.#seating.retireIfSpent(member);
  }

  /** @returns whether it is decided; else more replicas are wanted, or some have to be replaced. */
  async #judge(ballot: Ballot): Promise<boolean> {
    let judgement = await this.#judgement(ballot, false);
    if (judgement.kind !== "accepted") judgement = await this.#judgement(ballot, true);
    if (judgement.kind === "more") judgement = await this.#more(ballot);
    // Some of the votes were of providers that are barred by now, or somebody else has been asked.
    if (ballot.missing > 0 || ballot.open.size > 0) return false;
    if (judgement.kind === "accepted") {
      this.#giveVotes(ballot, ballot.votes);
      forget(ballot.votes);
      return true;
    }
    return judgement.kind === "referee" && this.#referee(ballot);
  }

  async #judgement(ballot: Ballot, isFresh: boolean): Promise<ReplicaJudgement<string>> {
    const { policy, standing } = this.#ports;
    const standings = new Map<PeerId, Standing>();
    await Promise.all(
      ballot.votes.map(async ({ provider }) => {
        standings.set(provider, await standing(provider, isFresh));
      }),
    );
    forget(
      ballot.dismiss(
        ({ provider }) => this.#seating.isLiar(provider) || standings.get(provider)?.isBarred === true,
      ),
    );
    const replicas = ballot.votes.map(({ provider, says }) => ({
      result: says,
      passed: standings.get(provider)?.passed ?? 0,
    }));
    return ballot.votes.length === 0 ? { kind: "more" } : judgeReplicas(replicas, policy);
  }

  /**
   * One more replica is wanted. Meanwhile those that have voted may pass audits, so that it is not needed; and where nobody
   * comes, the relay has to recompute.
   */
  async #more(ballot: Ballot): Promise<ReplicaJudgement<string>> {
    const { patienceMs, onChange, policy } = this.#ports;
    const { index } = ballot.item;
    const until = performance.now() + patienceMs;
    if (ballot.missing > 0) return { kind: "more" };
    if (ballot.votes.length >= policy.maxReplicas) return { kind: "referee" };
    const before = ballot.wanted;
    ballot.wanted += 1;
    onChange(`input ${index} needs one more provider to be sure of its result`);
    for (;;) {
      const isHopeless = this.#seating.isHopeless(ballot);
      // oxlint-disable-next-line no-await-in-loop -- until somebody comes, or is not needed
      const member = await this.#seating.seat(ballot, STANDING_AGE_MS);
      if (member !== undefined) {
        // oxlint-disable-next-line no-await-in-loop
        await this.#ask(ballot, member);
        return { kind: "more" };
      }
      // oxlint-disable-next-line no-await-in-loop
      const judgement: ReplicaJudgement<string> = await this.#judgement(ballot, true);
      if (judgement.kind !== "more" || isHopeless || performance.now() > until) {
        ballot.wanted = before;
        return judgement.kind === "more" ? { kind: "referee" } : judgement;
      }
    }
  }

  /** @returns whether it is decided. */
  async #referee(ballot: Ballot): Promise<boolean> {
    const { onChange } = this.#ports;
    const { votes, item } = ballot;
    const isDisputed = new Set(votes.map(({ says }) => says)).size > 1;
    ballot.isDisputed ||= isDisputed;
    onChange(
      isDisputed
        ? `providers disagree about input ${item.index}: the relay computes it again`
        : `the relay computes input ${item.index} again, to be sure of its result`,
    );
    const findings = await Promise.all(votes.map((vote) => this.#find(ballot, vote)));
    const found = (finding: Finding): readonly Vote[] => votes.filter((_, i) => findings[i] === finding);
    const [right, wrong] = [found("match"), found("mismatch")];
    for (const vote of wrong) this.#expel(vote);
    forget(votes);
    ballot.dismiss((vote) => wrong.includes(vote));
    if (right.length > 0) {
      this.#giveVotes(ballot, right);
      return true;
    }
    if (wrong.length === 0) {
      this.#giveResult(
        ballot,
        ballot.failed(failureCode("verification-failed"), "nobody could say which result is right"),
        [],
      );
      return true;
    }
    ballot.wanted = Math.max(this.#ports.replicas, ballot.votes.length + 1);
    return false;
  }

  /** A proven liar gets no further task, and nothing of it is signed for any more. */
  #expel({ member, provider }: Vote): void {
    this.#seating.expel(provider);
    member.session.fail(
      new FailureError("verification-failed", "recomputing a result of it gave another one"),
    );
  }

  async #find(ballot: Ballot, vote: Vote): Promise<Finding> {
    try {
      return await this.#ports.referee(vote, ballot.item);
    } catch (error) {
      if (this.#ports.signal.aborted) return "unknown";
      if (!(error instanceof FailureError)) throw error;
      this.#ports.onChange(`a result could not be recomputed: ${error.detail}`);
      return "unknown";
    }
  }

  #giveVotes(ballot: Ballot, agreeing: readonly Vote[]): void {
    const [first] = agreeing;
    if (first === undefined) throw new RangeError("a result that nobody has given");
    const leases = agreeing.map(({ member }) => member.session.channel.lease);
    const others = ballot.votes.filter((vote) => !agreeing.includes(vote));
    this.#giveResult(ballot, ballot.resultOf(first), leases, [...agreeing, ...others]);
  }

  #give(ballot: Ballot, refusal: TaskAnswer): void {
    const provider = [...ballot.asked][0];
    if (provider !== undefined) this.#giveResult(ballot, ballot.resultOf({ provider, answer: refusal }), []);
  }

  #giveResult(ballot: Ballot, result: MapResult, leases: readonly Cid[], votes: readonly Vote[] = []): void {
    if (this.#ports.signal.aborted) return;
    if (ballot.isDisputed) this.#disputed += 1;
    else this.#agreed += 1;
    this.#ports.onResult(ballot.item, result, leases, votes);
  }

  #giveUp(ballot: Ballot, error: unknown): void {
    forget(ballot.votes);
    if (this.#ports.signal.aborted) return;
    const failure =
      error instanceof FailureError
        ? error
        : new FailureError("relay-fault", "could not be compared", { cause: error });
    this.#ports.onResult(ballot.item, ballot.failed(failure.code, failure.detail), [], []);
  }
}

function noSeat({ item, wanted, votes }: Ballot): FailureError {
  return new FailureError(
    "no-provider",
    `input ${item.index}: ${votes.length} of ${wanted} providers of distinct owners could be had`,
  );
}
