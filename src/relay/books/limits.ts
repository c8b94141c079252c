/** Operations in one transaction: at about 200 µs each it takes 100 ms, and the wait for the disk is spread over all. */
export const MAX_BATCH_OPERATIONS = 512;

/**
 * Operations prepared step by step together: signatures checked in a row find the processor's caches full of curve
 * points, which decoding in between would push out. More at a time only keeps more in memory.
 */
export const PREPARED_TOGETHER = 64;

/** All money there is, in micro-credits: SQLite's integers are signed and 64 bits wide. */
export const MAX_ISSUED: bigint = (1n << 63n) - 1n;

/** Public keys kept as imported, 100 bytes and a handle each; importing one again takes as long as a verification. */
export const KEPT_KEYS = 8_192;

/** Delegations remembered as verified, one for each session key. */
export const KEPT_DELEGATIONS = 8_192;

/** Jobs, leases and accounts kept in memory, of each twice as many at most; others are read from the disk again. */
export const KEPT_STATES = 16_384;

/** Hashes of the tree kept in memory for each level; proofs of older entries read the disk. */
export const KEPT_NODES = 8_192;

/** API keys of one account that are in force at a time; all keys are kept in memory, 1 KiB each. */
export const MAX_API_KEYS = 64;

/**
 * Lines of one batch of payouts, each two entries in its life. They are written in one transaction, in which nothing else is
 * answered: 0.4 s to prepare, 0.3 s to confirm. Accounts beyond it are paid by the next batch.
 */
export const MAX_PAYOUT_LINES = 5_000;

/** Leases and jobs settled in one go; the rest a moment later, so that reports are not kept waiting. */
export const MAX_SETTLED_AT_ONCE = 500;

/**
 * Outcomes of one lease that its requester may have recomputed where replicas disagree, or half of its outcomes where that is
 * more, what the relay drew itself included: recomputing is work that nobody pays.
 */
export const REFEREED_LEAVES = 64;
