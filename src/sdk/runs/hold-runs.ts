import type { Cid } from "../../protocol/cid.ts";
import { RUN_HEARTBEAT_MS, RUN_SILENCE_MS } from "../../protocol/limits.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { RunView } from "../../protocol/run-views.ts";
import { MAX_HELD_RUNS, RUN_LOOK_MS } from "../limits.ts";
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
  /** When each was seen first, by performance.now(): the relay forgets at a restart whom it has heard. */
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
    const { client, root } = this.#ground;
    try {
      const { signal } = this.#options;
      const runs = await client.runs(root, { limit: MAX_HELD_RUNS, role: "holder" }, signal);
      const ids = new Set(runs.map(({ run }) => run));
      for (const known of [this.#seen, this.#restUntil])
        for (const id of known.keys()) if (!ids.has(id)) known.delete(id);
      for (const id of ids) if (!this.#seen.has(id)) this.#seen.set(id, performance.now());
      const waiting = [...ids].filter((id) => !this.#carried.has(id));
      const views = await Promise.all(waiting.map((id) => client.run(id, signal)));
      for (const view of views) if (this.#isMyTurn(view)) this.#carried.set(view.run, this.#carry(view.run));
    } catch (error) {
      if (this.#options.signal?.aborted !== true) this.#options.onTrouble?.(error);
    }
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
    const { signal: _ends, onRun, onTrouble, ...options } = this.#options;
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
