/** Answers to one prepared challenge: the relay computes an eighth of what it asks for. More, and strangers who tell each other answers gain more. */
export const MOST_USES = 8;

/** Challenges of one kind and amount that are prepared and not used up; those given out first go first. */
export const KEPT_CHALLENGES = 64;

/** Kinds of challenges that may wait for being prepared: each takes a tenth of a second, so all of them some seconds. */
export const MOST_PREPARING = 64;

/** A challenge takes the relay's own threads as long as a provider's; a machine that needs so long is stuck. */
export const PREPARE_MS = 10_000;

/** A provider that has not answered by then is not asked again on this stream. It computes for a quarter of a second; the rest is the line. */
export const ANSWER_MS = 10_000;

/** Delays of the line that count: those of the last half minute. */
export const KEPT_DELAYS = 16;

/**
 * For matching, at least this share of the time is taken to have gone into computing, however slow the line is said to be: who
 * delays its pongs gains no more by that.
 */
export const LEAST_COMPUTING_SHARE = 0.125;

/** Instances whose measurements are kept, also after they have gone: 1 KiB each. */
export const KEPT_SHEETS = 10_000;
