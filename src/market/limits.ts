/**
 * Fuel that the slowest provider worth matching burns in a second, until providers are measured: a few simple
 * instructions per nanosecond on a desktop, five to ten times less on a phone or in a tab that shares its core.
 */
export const ASSUMED_FUEL_PER_SECOND = 500_000_000n;

/**
 * The same of models, whose fuel is integer multiply-adds: one thread does 5 to 40 in a nanosecond with 128-bit vectors on
 * a desktop, of which a phone in which other things run keeps a tenth.
 */
export const ASSUMED_MODEL_FUEL_PER_SECOND = 2_000_000_000n;

/**
 * Tasks sent to one thread and not answered, whatever the job's limits, which mostly are far above the truth. A no-op
 * takes about 0.1 ms in a thread and 1.3 ms with the way there and back, so 16 keep a thread busy on a good line.
 */
export const LEAST_INFLIGHT_PER_THREAD = 16;

/** A thread has work for as long as a slow line takes there and back, by the fuel limit at the assumed rate. */
export const PIPELINE_MS = 250n;

/** Tasks in flight under one lease: 2,000 no-op tasks a second need 512 in flight on a line of 250 ms. More only fills memory. */
export const MOST_INFLIGHT = 512;

/** Unsigned outcomes under one lease: twice what is in flight, so that a countersignature is never waited for. */
export const MOST_WINDOW = 1_024;

/** A deep window may put a quarter of the budget at risk: cancelling a lease keeps that much back until its report time. */
export const WINDOW_BUDGET_SHARE = 4n;

/** Input bytes a provider keeps until its next report: two full tasks, which a phone's tab can hold. */
export const HOLD_BYTES: number = 64 * 1024 * 1024;

/** A requester dials and shows the lease within this; WebRTC takes 0.2 to 0.4 s, a cold function of 20 MB some more. */
export const FIRST_TASK_MS = 60_000;

/** New tasks may be sent for so long after the lease. A longer job gets a new lease. Never beyond the job's expiry. */
export const DISPATCH_MS: number = 60 * 60 * 1000;

/** After the last dispatch and the longest task, time to report; a tab may have been offline meanwhile. */
export const REPORT_GRACE_MS: number = 10 * 60 * 1000;

/**
 * Drawn leaves are to be opened within this: a tab that was closed on the way comes back on most days, and until then its pay
 * is held back anyway.
 */
export const OPEN_MS: number = 24 * 60 * 60 * 1000;

/**
 * A challenge is made as long as this, milliseconds, by what the last one took: long enough that the way there and back, some
 * tens of ms, does not hide the rest, and less than half of what a provider takes on (MAX_CHALLENGE_MS).
 */
export const CHALLENGE_TARGET_MS = 100;

/** Challenges of one property in a row: the first starts threads and compiles, the next ones are adapted to what it showed. */
export const CHALLENGES_PER_ROUND = 3;

/** The second round comes so long after the first: another moment, in which the machine does other things. */
export const CROSS_CHECK_MS: number = 10 * 60 * 1000;

/** Further rounds: machines get hot and are throttled in minutes, but are replaced in years. Eight properties take 8 seconds in a day so. */
export const REMEASURE_MS: number = 6 * 60 * 60 * 1000;

/**
 * A provider that has been idle for so long is asked for one challenge beside the rounds, so that who counts as verified in the last ten
 * minutes is who is there. A tenth of a second of its time, and an eighth of that of the relay's.
 */
export const REPROVE_MS: number = 8 * 60 * 1000;

/** A provider that had work, or hides, is asked again after this. */
export const ASK_AGAIN_MS: number = 60 * 1000;

/** Measurements of a property that count: those of two rounds and some. The best of them is its value, as anything may slow one down. */
export const KEPT_MEASUREMENTS = 8;

/** Two measurements agree when neither is more than twice the other: power plans of laptops make that much. */
export const AGREEMENT_FACTOR = 2;

/** Audited work agrees with a measurement within this factor: functions differ so much in fuel per nanosecond (3.4 to 71 were measured). */
export const AUDITED_FACTOR = 8;

/**
 * A claim contradicts the clock when it is more than so many times the best of TELLING_MEASUREMENTS, all delay of the line
 * forgiven: what slows an honest machine down for a moment does not slow it down fourfold each time.
 */
export const CLAIM_MARGIN = 4;
export const TELLING_MEASUREMENTS = 6;

/** A contradiction is shown for this long; then the property may be measured anew. */
export const CONTRADICTION_MS: number = 24 * 60 * 60 * 1000;

/** An address block or site ties identities together for so long after it was seen: as long as a job may last. */
export const OWNER_FACT_MS: number = 24 * 60 * 60 * 1000;
