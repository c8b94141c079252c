import { leaseTerms, shareOf } from "../../src/market/lease-terms.ts";
import { OwnerGroups } from "../../src/market/owner-groups.ts";
import { auditorKind } from "../../src/market/auditor-kind.ts";
import { matchJob } from "../../src/market/match-job.ts";
import { priceAtLimits } from "../../src/ledger/window-reserve.ts";
import { type AuditPolicy, PPM } from "../../src/protocol/audit-policy.ts";
import type { Cid } from "../../src/protocol/cid.ts";
import type { Job } from "../../src/protocol/messages/job.ts";
import type { PeerId } from "../../src/protocol/peer-id.ts";
import { priceOf, type Tariff } from "../../src/protocol/tariff.ts";
import { fuel, microCredits } from "../../src/protocol/units.ts";
import { type Actor, assume, type Identity, newActor, type Work } from "./actor.ts";
import { Court, type DrawnLeaf, HEAD, type Totals } from "./court.ts";
import { Lots } from "./lots.ts";
import { Names } from "./names.ts";
import { agree } from "./pairs.ts";
import { type Deed, HONEST, type Strategy } from "./strategy.ts";

const TARIFF: Tariff = {
  perGfuel: microCredits(1_000),
  perTask: microCredits(10),
  perKiB: microCredits(0),
  perInstantiation: microCredits(1),
};
/** One round: everybody who is found works through one lease. A thousand tasks take two days, 600 fall into a hold of one. */
const ROUND_MS = 40 * 60 * 1000;
/** Requesters that pay, all honest. One of them pays at most a fifth of what counts as experience. */
const REQUESTERS = 40;
/** Requesters of the dishonest: whoever computes for itself has one. */
const GANG_REQUESTERS = 1;
const FUNDS = 10n ** 15n;
/** Providers wanted of those that are free: who is not found waits. */
const DEMAND = 0.9;
/** Tasks of one lease. */
const LEAST_TASKS = 10;
const MOST_TASKS = 24;

export interface WorldOptions {
  readonly strategy: Strategy;
  readonly policy: AuditPolicy;
  readonly providers: number;
  /** Tasks that each provider is given. */
  readonly tasks: number;
  readonly seed: string;
  /** Share of the providers that is dishonest. */
  readonly dishonest: number;
  /** Replicas seal their results before they show them. */
  readonly seals: boolean;
}

/** Recomputed and all outcomes of honest providers, by their place among the provider's tasks. */
export interface Overhead {
  readonly recomputed: Float64Array;
  readonly outcomes: Float64Array;
}

/** A lease under way. */
interface Shift {
  readonly work: Work;
  readonly job: Cid;
  readonly tasks: number;
  /** Mean fuel of a task. */
  readonly meanFuel: number;
  readonly fuelLimit: bigint;
  totals: Totals;
  isOver: boolean;
  /** The requester countersigns nothing. */
  isDisputed: boolean;
  /** The other replica of the same tasks, at the first of two. */
  second: Shift | undefined;
  isSecond: boolean;
}

/** What somebody says of one task. */
interface Answer {
  readonly deed: Deed;
  readonly burnt: bigint;
  /** The requester takes it, so that it goes into the receipt. */
  readonly isShown: boolean;
}

/** Whether an identity works for its own requester still, to be known. */
function isWashing({ actor, forStrangers, age }: Identity): boolean {
  return actor.strategy.washes !== undefined && forStrangers === 0 && age < actor.strategy.washes;
}

/** A market of honest and dishonest providers, hour after hour. All rules are those of src/. */
export class World {
  readonly #options: WorldOptions;
  readonly #lots: Lots;
  readonly #names = new Names();
  readonly #court: Court;
  readonly actors: readonly Actor[];
  readonly #requesters: readonly PeerId[];
  readonly gang: readonly PeerId[];
  readonly #works = new Map<Cid, Work>();
  readonly overhead: Overhead;
  readonly #retired: PeerId[] = [];
  readonly #groups = new OwnerGroups();
  #openings: DrawnLeaf[] = [];
  /** Results that were accepted and false, and all that were accepted. */
  accepted = 0;
  badAccepted = 0;
  honestBarred = 0;
  barred = 0;
  /** Pay of the distinct tasks that the gang's requesters had computed. */
  gangValue = 0;
  rounds = 0;

  constructor(options: WorldOptions) {
    this.#options = options;
    const { strategy, providers, tasks, seed, policy } = options;
    this.#lots = new Lots(`${seed} ${strategy.name} ${providers}`);
    const events = {
      voided: (lease: Cid) => this.#void(lease),
      released: (lease: Cid) => this.#release(lease),
      barred: (peer: PeerId) => this.#barred(peer),
    };
    this.#court = new Court(policy, TARIFF, { names: this.#names, lots: this.#lots, events });
    const dishonest = strategy.hedges === true ? 0 : Math.round(providers * options.dishonest);
    this.actors = Array.from({ length: providers }, (_, place) =>
      place < dishonest ? newActor(strategy, false, tasks) : newActor(HONEST, true, tasks),
    );
    this.#requesters = Array.from({ length: REQUESTERS }, () => this.#funded());
    this.gang = Array.from({ length: GANG_REQUESTERS }, () => this.#funded());
    const length = tasks + MOST_TASKS;
    this.overhead = { recomputed: new Float64Array(length), outcomes: new Float64Array(length) };
  }

  #funded(): PeerId {
    const peer = this.#names.peer();
    this.#court.fund(peer, FUNDS);
    return peer;
  }

  readonly #byPeer = new Map<PeerId, Identity>();

  #void(lease: Cid): void {
    const work = this.#works.get(lease);
    if (work !== undefined) work.isVoided = true;
  }

  #release(lease: Cid): void {
    const work = this.#works.get(lease);
    if (work !== undefined) work.isReleased = true;
  }

  #barred(peer: PeerId): void {
    const identity = this.#byPeer.get(peer);
    if (identity === undefined) return;
    this.barred += 1;
    const { actor } = identity;
    if (actor.isHonest) this.honestBarred += 1;
    if (actor.identity === identity) actor.identity = undefined;
    if (actor.strategy.restarts === false) actor.slots = 0;
  }

  /** Everybody works until the honest ones have had all their tasks, and is paid what is theirs in the end. */
  run(): void {
    while (this.actors.some(({ isHonest, slots }) => isHonest && slots > 0)) this.#round();
    this.#end();
  }

  #identities(): Identity[] {
    const present: Identity[] = [];
    for (const actor of this.actors) {
      if (actor.slots <= 0) continue;
      let { identity } = actor;
      if (identity === undefined) {
        identity = assume(actor, this.#names, TARIFF);
        this.#byPeer.set(identity.peer, identity);
        if (this.#options.strategy.replicas === true) this.#note(identity);
      }
      present.push(identity);
    }
    return present;
  }

  #round(): void {
    const court = this.#court;
    this.rounds += 1;
    court.time += ROUND_MS;
    court.openEpoch();
    const present = this.#identities();
    for (const { peer } of present) court.vest(peer);
    for (const peer of this.#retired) court.vest(peer);
    const washers = present.filter(isWashing);
    const shifts = washers.length === 0 ? [] : this.#wash(washers);
    let free = present.filter((identity) => !isWashing(identity));
    let wanted = Math.max(1, Math.floor(free.length * DEMAND));
    const each = Math.max(20, Math.ceil(this.#options.providers / 50));
    while (wanted > 0) {
      const found = this.#place(free, Math.min(wanted, each));
      if (found.length === 0) break;
      const taken = new Set(found.map(({ work }) => work.identity));
      free = free.filter((identity) => !taken.has(identity));
      shifts.push(...found);
      wanted -= found.length;
    }
    this.#half(shifts, false);
    this.#half(shifts, true);
    this.#close(shifts);
  }

  #terms(payer: PeerId, meanFuel: number, tasks: number, wanted: number, replicas: number): Job {
    const limit = fuel(2 * meanFuel);
    const terms: Job = {
      ...HEAD,
      requester: payer,
      payer,
      nonce: this.#lots.bytes(16),
      issuedAt: this.#court.time,
      expires: this.#court.time + ROUND_MS,
      work: {
        kind: "function",
        cid: this.#court.document,
        entry: "run",
        abi: "bytes-1",
        profile: 1,
        effects: [],
      },
      argsCid: this.#court.document,
      limits: { fuel: limit, memory: 2 ** 20, output: 0, deadlineMs: ROUND_MS },
      maxTasks: tasks * wanted,
      parallel: wanted,
      cap: microCredits(0),
      tariffMax: TARIFF,
      verify: { policy: "sampled", k: replicas, disclosure: "relay", drawCommit: new Uint8Array(32) },
    };
    const cap = priceAtLimits(terms, TARIFF) * BigInt((tasks + 1) * wanted);
    return { ...terms, cap: microCredits(cap) };
  }

  /** One job, and its leases. */
  #place(free: readonly Identity[], wanted: number): Shift[] {
    const lots = this.#lots;
    const { strategy, dishonest } = this.#options;
    const isHedged = strategy.hedges === true && lots.isHit(dishonest);
    const payers = isHedged ? this.gang : this.#requesters;
    const payer = payers[lots.below(payers.length)]!;
    const tasks = LEAST_TASKS + lots.below(MOST_TASKS - LEAST_TASKS + 1);
    // From a half to two thousand million instructions, evenly over the powers.
    const meanFuel = Math.round(500 * 4 ** lots.unit()) * 1e6;
    const shifts = this.#lease(payer, meanFuel, tasks, free, wanted, isHedged);
    if (strategy.replicas === true || isHedged) this.#pairUp(shifts);
    return shifts;
  }

  #wash(washers: readonly Identity[]): Shift[] {
    const payer = this.gang[this.rounds % this.gang.length]!;
    return this.#lease(payer, 1e9, MOST_TASKS, washers, washers.length, false);
  }

  #lease(
    payer: PeerId,
    meanFuel: number,
    tasks: number,
    free: readonly Identity[],
    wanted: number,
    isHedged: boolean,
  ): Shift[] {
    const court = this.#court;
    const terms = this.#terms(payer, meanFuel, tasks, wanted, isHedged ? 2 : 1);
    const byPeer = new Map(free.map((identity) => [identity.peer, identity]));
    const { matches } = matchJob(
      terms,
      free.map(({ candidate }) => candidate),
      { tariff: TARIFF, wanted, denied: (peer) => court.bars.has(peer) },
    );
    if (matches.length === 0) return [];
    const job = court.openJob(terms);
    const isWash = this.gang.includes(payer);
    return matches.map((candidate, replica) => {
      const { unbound, escrowIndex } = court.job(job)!;
      const budget = shareOf(unbound, matches.length - replica, matches.length - replica);
      const lease = court.addLease(
        leaseTerms({
          job: { id: job, body: terms },
          requesterKey: payer,
          candidate,
          replica,
          gateway: false,
          budget,
          tariff: TARIFF,
          policy: court.document,
          nowMs: court.time,
          escrowIndex,
          checkpoint: "",
        }),
      );
      const identity = byPeer.get(candidate.offer.provider)!;
      const { actor } = identity;
      const work: Work = {
        lease,
        identity,
        isWash: isWash && !isHedged,
        firstOrdinal: actor.ordinal,
        lies: new Set(),
        count: 0,
        isVoided: false,
        isReleased: false,
      };
      this.#works.set(lease, work);
      return {
        work,
        job,
        tasks: isWash ? tasks : Math.min(tasks, actor.strategy.hits ?? tasks),
        meanFuel,
        fuelLimit: terms.limits.fuel,
        totals: { count: 0, payable: 0, fuel: 0n, peak: 0n, failed: 0 },
        isOver: false,
        isDisputed: false,
        second: undefined,
        isSecond: false,
      };
    });
  }

  /** Two providers for each task, of distinct owners as far as the relay knows. */
  #pairUp(shifts: readonly Shift[]): void {
    const { hedges } = this.#options.strategy;
    const waiting: Shift[] = [];
    for (const shift of shifts) {
      const { peer } = shift.work.identity;
      const at = waiting.findIndex(
        (other) => !this.#groups.sameOwner(other.work.identity.peer, peer, this.#court.time),
      );
      const [first] = at === -1 ? [] : waiting.splice(at, 1);
      if (first === undefined) {
        waiting.push(shift);
        continue;
      }
      first.second = shift;
      shift.isSecond = true;
      shift.isDisputed = hedges === true;
    }
  }

  /** Where identities come from: honest ones each from a block of their own, a gang from one. */
  #note({ peer, actor }: Identity): void {
    const block = actor.isHonest ? String(this.actors.indexOf(actor)) : "gang";
    this.#groups.note(peer, [`block ${block}`], this.#court.time);
  }

  #mayGoOn({ work, isOver }: Shift): boolean {
    return (
      !isOver &&
      !this.#court.bars.has(work.identity.peer) &&
      this.#court.lease(work.lease)?.state !== "settled"
    );
  }

  /** The first or the second half of the tasks of each lease, its receipt, and the verdicts. */
  #half(shifts: readonly Shift[], isLast: boolean): void {
    for (const shift of shifts) {
      if (shift.isSecond || !this.#mayGoOn(shift)) continue;
      const { second } = shift;
      const { drops, hidesTail } = shift.work.identity.actor.strategy;
      if (!isLast && drops !== undefined && this.#lots.isHit(drops)) {
        this.#leave(shift, shift.tasks);
        continue;
      }
      const half = Math.ceil(shift.tasks / 2);
      const count = isLast ? shift.tasks - half : half;
      if (isLast && hidesTail === true) this.#leave(shift, count);
      else if (second !== undefined && this.#mayGoOn(second)) this.#pair(shift, second, count, isLast);
      else this.#take(shift, this.#answers(shift, count), isLast);
    }
    this.#judgeAll();
  }

  /** The provider is gone: what it answered since its last receipt is worth nothing. */
  #leave(shift: Shift, count: number): void {
    const { actor } = shift.work.identity;
    const value = this.#valueOf(count, BigInt(shift.meanFuel * count));
    actor.assigned += value;
    if (actor.strategy.hidesTail === true) actor.madeUp += value;
    actor.slots -= count;
    shift.isOver = true;
    this.#court.settle(shift.work.lease);
  }

  #valueOf(tasks: number, burnt: bigint): number {
    const totals = { payable: tasks, cancelled: 0, fuel: fuel(burnt), bytes: 0n };
    return Number(priceOf(TARIFF, totals, microCredits(0)));
  }

  #burnt({ meanFuel }: Shift): bigint {
    // Whole units of price, so that no sum is rounded.
    return BigInt(Math.round((meanFuel * (0.8 + 0.4 * this.#lots.unit())) / 1e6)) * 1_000_000n;
  }

  /** @param rate of the answer's draw, in parts per million, by its place in the report. */
  #deed({ work }: Shift, place: number, rate: (offset: number) => number): Deed {
    const { age, forStrangers, actor } = work.identity;
    if (work.isWash || actor.isHonest) return "work";
    return actor.strategy.deed({
      age: age + place,
      forStrangers: forStrangers + place,
      lots: this.#lots,
      isWatched: rate(place) >= PPM,
    });
  }

  #rates({ work, totals, meanFuel }: Shift, count: number): (offset: number) => number {
    if (work.identity.actor.isHonest) return () => 0;
    return this.#court.ratesOf(work.lease, totals, count, meanFuel);
  }

  #answers(shift: Shift, count: number): Answer[] {
    const rate = this.#rates(shift, count);
    return Array.from({ length: count }, (_, place) => {
      const deed = this.#deed(shift, place, rate);
      return { deed: deed === "copy" ? "lie" : deed, burnt: this.#burnt(shift), isShown: true };
    });
  }

  /** Both replicas answer the same tasks; a requester that hedges compares nothing. */
  #pair(first: Shift, second: Shift, count: number, isLast: boolean): void {
    const { policy, seals, strategy } = this.#options;
    const nonce = this.#lots.bytes(32);
    const own: Answer[] = [];
    const other: Answer[] = [];
    const refer: [Shift, number][] = [];
    const passed = ({ work }: Shift): number => this.#court.provider(work.identity.peer)?.matched ?? 0;
    const rates = [this.#rates(first, count), this.#rates(second, count)] as const;
    for (let i = 0; i < count; i += 1) {
      const burnt = this.#burnt(first);
      const deeds = [this.#deed(first, i, rates[0]), this.#deed(second, i, rates[1])] as const;
      const task = { seq: first.totals.count + i, truth: first.job, fuel: fuel(burnt), nonce };
      const { shown, accepted, wrong } =
        strategy.hedges === true
          ? { shown: [true, true] as const, accepted: undefined, wrong: [] }
          : agree(
              task,
              [
                { lease: first.work.lease, deed: deeds[0], passed: passed(first) },
                { lease: second.work.lease, deed: deeds[1], passed: passed(second) },
              ],
              policy,
              seals,
            );
      if (accepted !== undefined) {
        this.accepted += 1;
        if (accepted === "false") this.badAccepted += 1;
      }
      own.push({ deed: deeds[0], burnt, isShown: shown[0] });
      other.push({ deed: deeds[1], burnt, isShown: shown[1] });
      for (const place of wrong)
        refer.push([place === 0 ? first : second, place === 0 ? own.length - 1 : other.length - 1]);
    }
    this.#take(first, own, isLast);
    this.#take(second, other, isLast);
    this.#refer(refer);
  }

  /** What other replicas contradict is recomputed. */
  #refer(leaves: readonly [Shift, number][]): void {
    for (const [{ work }, place] of leaves) {
      const leaf = [...work.lies].find((lie) => lie >= place);
      if (leaf !== undefined) this.#openings.push(...this.#court.refer(work.lease, leaf));
    }
  }

  /** Takes answers into a receipt, and reports it. */
  #take(shift: Shift, answers: readonly Answer[], isLast: boolean): void {
    const { work, fuelLimit } = shift;
    const { actor } = work.identity;
    let { count, payable, fuel: sum, peak, failed } = shift.totals;
    const spent = { all: 0n, computed: 0n, madeUp: 0n };
    const tasks = { computed: 0, madeUp: 0 };
    for (const { deed, burnt, isShown } of answers) {
      const isComputed = deed === "work" || deed === "miss";
      spent.all += burnt;
      spent[isComputed ? "computed" : "madeUp"] += burnt;
      tasks[isComputed ? "computed" : "madeUp"] += 1;
      if (!isShown) continue;
      if (deed === "lie" || deed === "fail") work.lies.add(count);
      if (actor.isHonest) this.overhead.outcomes[work.firstOrdinal + count]! += 1;
      count += 1;
      if (deed === "miss") continue;
      const claimed = deed === "fail" ? fuelLimit : burnt;
      payable += 1;
      sum += claimed;
      if (claimed > peak) peak = claimed;
      if (deed === "fail") failed += 1;
    }
    work.count = count;
    shift.totals = { count, payable, fuel: sum, peak, failed };
    this.#account(shift, answers.length, spent, tasks);
    this.#openings.push(...this.#court.report(work.lease, shift.totals, isLast, shift.isDisputed));
    if (isLast) this.#court.settle(work.lease);
  }

  #account(
    { work, isDisputed, isSecond }: Shift,
    count: number,
    spent: { readonly all: bigint; readonly computed: bigint; readonly madeUp: bigint },
    tasks: { readonly computed: number; readonly madeUp: number },
  ): void {
    const { identity, isWash } = work;
    const { actor } = identity;
    identity.age += count;
    actor.ordinal += count;
    if (isWash) return;
    identity.forStrangers += count;
    actor.slots -= count;
    const value = this.#valueOf(count, spent.all);
    actor.assigned += value;
    actor.computed += this.#valueOf(tasks.computed, spent.computed);
    actor.madeUp += this.#valueOf(tasks.madeUp, spent.madeUp);
    if (this.#options.strategy.hedges === true && !isDisputed && !isSecond && this.#isGangs(work.lease))
      this.gangValue += value;
  }

  #isGangs(lease: Cid): boolean {
    const job = this.#court.job(this.#court.lease(lease)!.job)!;
    return this.gang.includes(job.terms.payer);
  }

  /** Verdicts on all that was drawn, in no order. */
  #judgeAll(): void {
    const openings = this.#openings;
    this.#openings = [];
    for (let i = openings.length - 1; i > 0; i -= 1) {
      const other = this.#lots.below(i + 1);
      [openings[i], openings[other]] = [openings[other]!, openings[i]!];
    }
    for (const opening of openings) this.#judge(opening);
  }

  #judge(opening: DrawnLeaf): void {
    const work = this.#works.get(opening.lease)!;
    const { actor } = work.identity;
    const isFalse = work.lies.has(opening.leaf);
    if (isFalse && actor.strategy.opensLies === false) {
      this.#court.judge(opening, "missing");
      return;
    }
    const recomputed = this.#recompute(actor, isFalse);
    if (actor.isHonest) this.overhead.recomputed[work.firstOrdinal + opening.leaf]! += recomputed.times;
    this.#court.judge(opening, recomputed.isFalse ? "mismatch" : "match");
  }

  /** Who recomputes, and what that shows. A second provider is not believed alone when it finds something wrong (rule 7). */
  #recompute(actor: Actor, isFalse: boolean): { readonly isFalse: boolean; readonly times: number } {
    const { policy, strategy } = this.#options;
    const lots = this.#lots;
    if (auditorKind(policy, lots.below(PPM)) !== "peer") return { isFalse, times: 1 };
    const isChecked = lots.below(policy.auditorCheckTasks) === 0;
    const times = isChecked ? 2 : 1;
    if (!lots.isHit(strategy.auditors ?? 0)) return { isFalse, times: isFalse ? 2 : times };
    // An accomplice says what the claim says, and slanders whoever is none; the relay finds out where it knows the outcome.
    if (!actor.isHonest) return { isFalse: isFalse && isChecked, times };
    return { isFalse, times: 2 };
  }

  /** Jobs end: requesters reveal their secrets, the rest of the money goes back. */
  #close(shifts: readonly Shift[]): void {
    const jobs = new Set(shifts.map(({ job }) => job));
    for (const { work } of shifts) this.#court.settle(work.lease);
    for (const job of jobs) this.#openings.push(...this.#court.reveal(job));
    this.#judgeAll();
    for (const job of jobs) this.#court.closeJob(job);
    for (const { identity } of shifts.map(({ work }) => work)) {
      const { actor, forStrangers, peer } = identity;
      if (actor.identity !== identity || forStrangers < (actor.strategy.retiresAfter ?? Infinity)) continue;
      this.#court.retire(peer);
      this.#retired.push(peer);
      actor.identity = undefined;
    }
  }

  /** Everybody retires and waits for what is held back. */
  #end(): void {
    const court = this.#court;
    const peers = this.actors.flatMap(({ identities }) => identities);
    for (const peer of peers) court.retire(peer);
    court.time += this.#options.policy.holdMs;
    for (const peer of peers) court.vest(peer);
    for (const peer of peers) court.unbond(peer);
    if (court.ledger.total() !== 0n) throw new Error("money was made or lost");
    if (this.#options.strategy.replicas === true) return;
    for (const { lies, count, isWash, isVoided, isReleased } of this.#works.values()) {
      if (isWash || (isVoided && !isReleased)) continue;
      this.accepted += count;
      this.badAccepted += lies.size;
    }
  }

  /** What accounts have beyond what they brought, micro-credits. */
  gained(peers: readonly PeerId[], brought: bigint = 0n): number {
    return Number(peers.reduce((sum, peer) => sum + this.#court.available(peer) - brought, 0n));
  }

  get funds(): bigint {
    return FUNDS;
  }
}
