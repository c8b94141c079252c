import type { Rate } from "../rate-limit.ts";

/** Bounds of what the relay keeps for runs. Those that clients must know are in protocol/limits.ts. */

/** A run-access counts for this long from its issue, ms; a tab signs a new one each half of that. */
export const ACCESS_MS: number = 60 * 60 * 1000;

/** Receipts of one run, and their bytes: 65,536 iterations that are each given out one and a half times, at 500 bytes. */
export const MAX_RUN_STEPS = 100_000;
export const MAX_RUN_STEP_BYTES: number = 64 * 1024 * 1024;

/** Of that, what one provider may fill: it could sign any number of steps that nobody asked for. */
export const MAX_PROVIDER_STEPS: number = MAX_RUN_STEPS / 4;
export const MAX_PROVIDER_STEP_BYTES: number = MAX_RUN_STEP_BYTES / 4;

/** Different receipts of one peer for one step that are kept: two convict it, more say no more. */
export const MAX_VERSIONS = 2;

/** Values of one run that wait at the relay, bytes: a few large results, or thousands of small ones. */
export const MAX_RUN_VALUE_BYTES: number = 64 * 1024 * 1024;

/**
 * Plans and receipts, and values, of the runs of one account and of all, bytes. Beyond that the oldest runs that have ended go first, and then
 * nothing more is taken: runs cost nothing to register, and values that wait are kept beside what the relay keeps of blobs.
 */
export const MAX_PAYER_MAIL_BYTES: number = 256 * 1024 * 1024;
export const MAX_MAIL_BYTES: number = 2 * 1024 * 1024 * 1024;
export const MAX_PAYER_VALUE_BYTES: number = 256 * 1024 * 1024;
export const MAX_VALUE_BYTES: number = 1024 * 1024 * 1024;

/** Steps that are read at a time for a listener. */
export const STEPS_READ_AT_ONCE = 64;

/** Listeners to runs at once, in all and from one address. */
export const MAX_RUN_STREAMS = 5_000;
export const MAX_RUN_STREAMS_PER_ADDRESS = 64;

/** Runs whose plan, coordinators and readers are remembered. */
export const KEPT_RUNS = 2_000;

/** What has waited long enough is thrown away this often, ms. */
export const SWEEP_MS: number = 10 * 60 * 1000;

/** Calls to return addresses are looked through this often, ms. */
export const RETURN_CALL_MS = 1_000;

/** Calls to return addresses of one account: one for each of its runs. */
export const RETURN_CALLS: Rate = { burst: 60, perSecond: 1 };

/** A name stays its owner's for this long after it expired, ms: whoever was away over a weekend has it still. */
export const NAME_GRACE_MS: number = 7 * 24 * 60 * 60 * 1000;
