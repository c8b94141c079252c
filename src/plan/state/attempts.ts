import type { NodeId } from "../plan.ts";
import type { StepKey } from "../runner-ports.ts";

/**
 * Numbers of attempts say who made them, so that two coordinators who know nothing of each other never ask one peer for one
 * attempt twice: the initiator counts from 0, the holder in place i from (i + 1) · ATTEMPTS_EACH.
 */
export const ATTEMPTS_EACH = 1_000;

/** Attempts of peers are below; a coordinator's own recomputation of attempt n is REPLAYED_FROM + n. */
export const REPLAYED_FROM = 30_000;

/** Steps that gather receipts, where one step follows from more than it may name: GATHERED_FROM + 0, 1, …. */
export const GATHERED_FROM = 50_000;

/** What a coordinator settles: the outcome of a node that it carried out, or that took several attempts or peers. */
export const SETTLED_FROM = 60_000;

/** Receipts that one step names at most; the message has room for MAX_STEP_PARENTS, and a bit of it is left free. */
export const PARENTS_EACH = 1_000;

/** The node whose step closes a run: no node of a plan has this name. */
export const WHOLE_RUN: NodeId = "";

export function isPeerAttempt(attempt: number): boolean {
  return attempt < REPLAYED_FROM;
}

export function isSettling(attempt: number): boolean {
  return attempt >= SETTLED_FROM;
}

/** The place inside: "" and 3 give "3", "3" and 0 give "3.0". */
export function innerIteration(iteration: string, index: number): string {
  return iteration === "" ? String(index) : `${iteration}.${index}`;
}

/** How many numbers an iteration has. */
export function iterationDepth(iteration: string): number {
  return iteration === "" ? 0 : iteration.split(".").length;
}

/** One text for a step, as maps are keyed. Neither part holds a space. */
export function keyText({ node, iteration }: StepKey): string {
  return `${node} ${iteration}`;
}
