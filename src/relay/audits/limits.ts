/** Bounds of the audits. What decides over money is in the policy (protocol/audit-policy.ts). */

/**
 * Openings that wait to be recomputed, at most 60 KiB each on the disk: 1.2 GB. A provider that brings more is told to come
 * again, and has until the time to open is over.
 */
export const MAX_WAITING = 20_000;

/** What nobody has opened in time is looked for this often. */
export const TICK_MS = 1_000;

/** So many of them in one go, which share a commit. */
export const OVERDUE_AT_ONCE = 256;

/** A function or model that is not here is looked for again after this, until the time to open is over: its requester may send it yet. */
export const LOOK_AGAIN_MS = 2_000;

/** So long before the time for verdicts ends, what is not recomputed yet is called inconclusive: our fault, nobody's loss. */
export const VERDICT_ROOM_MS = 30_000;

/**
 * A task may take this many times its own deadline here, since the relay's machine does other things as well; and never
 * longer than this, or one task would hold a thread for a day.
 */
export const DEADLINE_FACTOR = 4;
/** Loading a function counts here and not at providers: checking, metering and compiling 64 MiB takes some seconds. */
export const LOADING_MS = 30_000;
export const MOST_TASK_MS: number = 15 * 60 * 1000;

/** Recomputations of one outcome that failed by our own fault before it is called inconclusive. */
export const MOST_TRIES = 3;

/** Reading and opening a model of a gigabyte takes a minute on a slow disk. */
export const OPEN_MODEL_MS: number = 5 * 60 * 1000;

/** A function with its files, in memory for each task that runs: a module has 64 MiB at most, and files should not hold a relay up. */
export const MOST_CONTENT_BYTES: number = 192 * 1024 * 1024;

/** Functions with their files that are kept for the next task. */
export const RECENT_CONTENT_BYTES: number = 256 * 1024 * 1024;

/**
 * Share of the machine's memory that all tasks under way may have by their limits. A function that asks for more is not
 * recomputed here, or it could have the relay killed for want of memory.
 */
export const AUDIT_MEMORY_SHARE = 0.5;

/** Outcomes that other providers compute at a time: each takes a place in the mesh. */
export const PEERS_AT_A_TIME = 2;

/** So long a provider is waited for; then the relay computes it itself. */
export const ASK_PEER_MS: number = 2 * 60 * 1000;

/** What an effect is followed from, bytes: its value, its record, its capability. */
export const MOST_EVIDENCE_BYTES: number = 4 * 1024 * 1024 + 8 * 1024;
