/** Bounds of what the relay counts of its network. */

const MINUTE_MS = 60_000;

/** A provider counts as verified for this long after a receipt or a right answer: a tab that has gone is not shown as one that works. */
export const VERIFIED_MS: number = 10 * MINUTE_MS;

/** A view is put together at most this often, whoever asks: with 5,000 peers it takes 24 ms of a processor (network.bench.ts). */
export const VIEW_MS = 2_000;

/** Samples of one latency that are kept: at 5,000 providers those of four minutes, at fewer all of VERIFIED_MS. */
export const MAX_SAMPLES: number = 16_384;

/** Of each line one answer to a ping is kept in this time, so that the samples of many reach back far enough. */
export const LINE_SAMPLE_MS = 10_000;

/** Leases whose totals are remembered, to know what a later receipt adds: more run at no relay of today. */
export const KEPT_LEASES: number = 20_000;

/** What a provider says of its links is shown for this long after it was said: it says so with each answer to a ping. */
export const LINK_MS: number = MINUTE_MS;

/** Hours of work are written to the disk this often; what is not written is counted again from the log. */
export const FLUSH_MS: number = MINUTE_MS;

/** Entries that are looked at in one go after a start, 20 µs each, before others get their turn. */
export const CAUGHT_UP_AT_ONCE = 500;

/** Names in the picture are others after this time. */
export const NAMES_MS: number = 24 * 60 * MINUTE_MS;
