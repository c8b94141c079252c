import type { Cid } from "../protocol/cid.ts";
import { MODEL_TURN_MS } from "./limits.ts";

/** A task that waits for its model. */
export interface QueuedTask {
  readonly cid: Cid;
}

/** A model that is open, and since when, milliseconds. */
export interface ModelTurn {
  readonly cid: Cid;
  readonly since: number;
}

/**
 * Which task is next: of the open model for a turn of MODEL_TURN_MS, as long as it has any; then the one that has waited
 * longest. So two models with full queues change seldom, and neither waits for more than the turns of the others.
 * @param waiting in the order in which they came
 */
export function nextTask<T extends QueuedTask>(
  waiting: readonly T[],
  turn: ModelTurn | undefined,
  now: number,
): T | undefined {
  const [oldest] = waiting;
  if (turn === undefined || now - turn.since >= MODEL_TURN_MS) return oldest;
  return waiting.find(({ cid }) => cid === turn.cid) ?? oldest;
}
