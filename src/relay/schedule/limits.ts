/** Bounds of the schedule. */

/** The schedule is looked through this often: a firing is that late at most. */
export const TURN_MS = 500;

/** Whoever holds a firing says so again within this time, or another takes it over: a process that was stopped is noticed in as long. */
export const LEASE_MS = 30_000;

/** Firings under way at one relay: each is a run, which holds jobs and a place in the mesh. */
export const MAX_UNDER_WAY = 32;

/** Firings of one owner's deployments under way: one owner's events do not keep those of others waiting. */
export const MAX_UNDER_WAY_OF_ONE = 8;

/** Firings of one trigger that wait; beyond that an event is refused: whoever calls it is told to come back later. */
export const MAX_WAITING_OF_ONE = 10_000;

/** Starts of one firing that came to nothing because the relay itself failed; then it is given up, and the log says so. */
export const MAX_ATTEMPTS = 5;

/** Waits after a start that came to nothing, ms; the last one again for all others. */
export const RETRY_MS: readonly number[] = [1_000, 5_000, 30_000, 120_000];

/** A firing that has ended is remembered so long, ms, so that its event starts nothing again: callers of webhooks repeat for days. */
export const KEPT_FIRINGS_MS: number = 7 * 24 * 3_600_000;
