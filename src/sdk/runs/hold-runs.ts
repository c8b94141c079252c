import type { Cid } from "../../protocol/cid.ts";
import { RUN_HEARTBEAT_MS, RUN_SILENCE_MS } from "../../protocol/limits.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { MAX_RUNS_PER_PAGE } from "../../protocol/run-json.ts";
import type { RunView } from "../../protocol/run-views.ts";
import { MAX_HELD_PAGES, MAX_RUNS_CARRIED, RUN_LOOK_MS, RUNS_LOOKED_AT } from "../limits.ts";
import { pause } from "../pause.ts";
import type { HoldRunsOptions, PlanRun } from "../plan-run.ts";
import { continueRun } from "./continue-run.ts";
import type { RunGround } from "./run-ground.ts";

/** Time that a holder leaves the one before it to take a run over, milliseconds. */
const TURN_MS: number = 2 * RUN_HEARTBEAT_MS;

/** See Tabmesh.holdRuns. @param follow told of each run that is taken over, before anybody else */
export async function holdRuns(
  ground: RunGround,
  follow: (run: PlanRun) => void,
  options: HoldRunsOptions,
): Promise<void> {
  const hold = new RunHold(ground, follow, options);
  const { signal = new AbortController().signal } = options;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one look after the other
    await hold.look();
    try {
      // oxlint-disable-next-line no-await-in-loop
      await pause(RUN_LOOK_MS, signal);
    } catch {
      break;
    }
  }
  await hold.end();
}

/** Runs that name one identity as a holder, and those of them that it coordinates now. */
class RunHold {
  readonly #ground: RunGround;
  readonly #follow: (run: PlanRun) => void;
  readonly #options: HoldRunsOptions;
  /** When each was seen first, by performance.now(): the relay forgets at a restart whom it has heard. The next to be looked at come first. */
  readonly #seen = new Map<Cid, number>();
  readonly #carried = new Map<Cid, Promise<void>>();
  /** When one that did not come to its end here is looked at again, by performance.now(). */
  readonly #restUntil = new Map<Cid, number>();
  readonly #live = new Set<PlanRun>();
  readonly #over = new AbortController();

  constructor(ground: RunGround, follow: (run: PlanRun) => void, options: HoldRunsOptions) {
    this.#ground = ground;
    this.#follow = follow;
    this.#options = options;
  }

  /** Takes over what has nobody who coordinates it. A relay that does not answer is asked again at the next look. */
  async look(): Promise<void> {
    try {
      const { signal, most = MAX_RUNS_CARRIED } = this.#options;
      const ids = await this.#held();
      for (const known of [this.#seen, this.#restUntil])
        for (const id of known.keys()) if (!ids.has(id)) known.delete(id);
      for (const id of ids) if (!this.#seen.has(id)) this.#seen.set(id, performance.now());
      const waiting = [...this.#seen.keys()].filter((id) => !this.#carried.has(id)).slice(0, RUNS_LOOKED_AT);
      const views = await Promise.all(waiting.map((id) => this.#ground.client.run(id, signal)));
      for (const view of views) {
        this.#toTheEnd(view.run);
        if (this.#carried.size < most && this.#isMyTurn(view))
          this.#carried.set(view.run, this.#carry(view.run));
      }
    } catch (error) {
      if (this.#options.signal?.aborted !== true) this.#options.onTrouble?.(error);
    }
  }

  /** Open runs that name this identity, of those for whom it works. */
  async #held(): Promise<ReadonlySet<Cid>> {
    const { client, root } = this.#ground;
    const { for: wanted, signal } = this.#options;
    const held = new Set<Cid>();
    let before: number | undefined;
    for (let page = 0; page < MAX_HELD_PAGES; page += 1) {
      const asked = {
        limit: MAX_RUNS_PER_PAGE,
        role: "holder",
        ...(before === undefined ? {} : { before }),
      } as const;
      // oxlint-disable-next-line no-await-in-loop -- page after page
      const runs = await client.runs(root, asked, signal);
      for (const { run, initiator } of runs)
        if (wanted === undefined || wanted.includes(initiator)) held.add(run);
      before = runs.at(-1)?.entryIndex;
      if (runs.length < MAX_RUNS_PER_PAGE) break;
    }
    return held;
  }

  /** Where there are many, the others are looked at first the next time. */
  #toTheEnd(id: Cid): void {
    const since = this.#seen.get(id);
    if (since === undefined) return;
    this.#seen.delete(id);
    this.#seen.set(id, since);
  }

  /** Everybody else is silent, and for longer the later this one stands in the row: of two holders one begins. */
  #isMyTurn({ run, state, coordinators }: RunView): boolean {
    const { root } = this.#ground;
    if (state !== "open" || (this.#restUntil.get(run) ?? 0) > performance.now()) return false;
    const seenMs = performance.now() - (this.#seen.get(run) ?? performance.now());
    const others = coordinators.filter(({ peer }) => peer !== root);
    const before = coordinators.findIndex(({ peer }) => peer === root) - 1;
    const longest = RUN_SILENCE_MS + Math.max(0, before) * TURN_MS;
    return others.every(({ peer, silentMs }) => silentOf(peer, silentMs, coordinators, seenMs) >= longest);
  }

  async #carry(id: Cid): Promise<void> {
    const { for: _whose, most: _atATime, signal: _ends, onRun, onTrouble, ...options } = this.#options;
    try {
      const run = await continueRun(this.#ground, id, options, this.#over.signal);
      this.#live.add(run);
      this.#follow(run);
      onRun?.(run);
      if (this.#over.signal.aborted) await run.leave();
      await run.summary;
      this.#live.delete(run);
    } catch (error) {
      if (!this.#over.signal.aborted) onTrouble?.(error, id);
    } finally {
      this.#restUntil.set(id, performance.now() + RUN_SILENCE_MS);
      this.#carried.delete(id);
    }
  }

  /** Leaves what is under way to others. */
  async end(): Promise<void> {
    this.#over.abort();
    await Promise.allSettled([...this.#live].map((run) => run.leave()));
    await Promise.allSettled(this.#carried.values());
  }
}

/** Milliseconds for which a coordinator is silent. One that the relay has never heard is so since the run was seen, unless it is a holder. */
function silentOf(
  peer: PeerId,
  silentMs: number | undefined,
  [initiator]: RunView["coordinators"],
  seenMs: number,
): number {
  if (silentMs !== undefined) return silentMs;
  return peer === initiator?.peer ? seenMs : Number.POSITIVE_INFINITY;
}
