/** Sizes that are chosen, each with why and what breaks beyond it. */

/**
 * Rows that go from stage to stage together. Fewer fill and empty the stages sooner, and read all weights more often: below 16
 * that shows. More leave stages without work where a text has few batches.
 */
export const STAGE_ROWS = 32;

/**
 * Batches under way for each stage: one that it computes, and one that waits for it. More change nothing but what is thrown
 * away where a text is found wrong or is stopped.
 */
export const BATCHES_OF_STAGE = 2;
