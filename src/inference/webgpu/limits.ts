/** Sizes that are chosen, each with why and what breaks beyond it. */

/**
 * Milliseconds of work that one submit is meant to take. Two are under way at most, so that work ends within 100 ms of the
 * request even where one takes twice what was expected, and a screen that is drawn by the same device waits 50 ms at most.
 */
export const SUBMIT_MS = 15;

/** Multiply-adds of the first submit of a device, before anything is measured: below 10 ms on one processor core. */
export const FIRST_WORK: number = 2 ** 20;

/** Multiply-adds of any submit: no device does more in that time, so more was measured wrongly. */
export const MOST_WORK: number = 2 ** 40;

/** Workgroups of a dispatch along one axis, the least that every device allows. */
export const MOST_WORKGROUPS = 65_535;

/** Dispatches of a submit that begin at a workgroup of their own: 64 KiB of uniforms. */
export const MOST_SLICES = 256;

/** Distance of uniforms in a buffer, what every device allows. */
export const UNIFORM_STEP = 256;

/** Positions that are taken in together. More make prefill little faster and the scores' buffer larger. */
export const MOST_ROWS = 64;

/** Scores of a batch take at most this many bytes; beyond, a batch has fewer rows. */
export const MOST_SCORE_BYTES: number = 32 * 1024 * 1024;

/** Logits that are computed together, in bytes. */
export const MOST_LOGIT_BYTES: number = 16 * 1024 * 1024;

/** Rows for which memory is there beyond a batch's last one, so that a tile may read whole ones. */
export const ROW_TILE = 32;
