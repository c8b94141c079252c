/** Headers of an answer, bytes: what browsers take. */
export const MAX_ANSWER_HEADER_BYTES: number = 16 * 1024;

/** Effects that wait for other servers at a time, for all: each holds up to 4 MiB. */
export const MAX_EFFECTS_AT_A_TIME = 32;

/** Of those, of one payer: eight accounts find room beside each other. */
export const MAX_EFFECTS_OF_A_PAYER = 4;

/** Effects of one run, and bytes of all their answers together: what is more belongs to tabs, whose effects are paid. */
export const MAX_EFFECTS_PER_RUN = 1_024;
export const MAX_EFFECT_BYTES_PER_RUN: number = 32 * 1024 * 1024;

/** An answer is kept so long after its run's time is over: whoever asks again hears the same, and nothing is done twice. */
export const KEPT_ANSWERS_MS: number = 60 * 60 * 1000;

/** What one account keeps in its stores, keys and values together, bytes: a store of notes between steps, no database. */
export const MAX_STORE_BYTES: number = 16 * 1024 * 1024;
