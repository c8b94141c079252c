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

/** Drawn leaves are to be opened within this. */
export const OPEN_MS: number = 10 * 60 * 1000;
