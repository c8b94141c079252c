/** Sizes that are chosen, each with why and what breaks beyond it. */

/** Tokens of a segment at most: what is at risk when a provider drops, and few enough that their hashes fit one frame. */
export const SEGMENT_TOKENS = 32;

/** A segment leaves after this time, milliseconds: text appears without steps that a person sees, and a receipt covers it soon. */
export const SEGMENT_MS = 100;

/** Bytes that are read from a file at once: progress is told that often. */
export const READ_BYTES: number = 4 * 1024 * 1024;

/**
 * What a token counts for against a job's limit of output, besides its text and the 32 bytes of each hash: more than any
 * segment takes for it, however a provider has cut the stream, so that all stop at the same token.
 */
export const OUTPUT_RESERVE_BYTES = 128;

/** What a token of the prompt counts for, which the first segment repeats. */
export const PROMPT_TOKEN_BYTES = 5;

/**
 * A GPU gains at most what the processor takes for a trial of a model. Where that is less than this, milliseconds, it is not
 * tried: the way there and back, once for each of a trial's answers, is of that size.
 */
export const LEAST_GPU_GAIN_MS = 3;

/** A GPU that was lost so often in one thread is not asked again. */
export const MOST_GPU_LOSSES = 3;
