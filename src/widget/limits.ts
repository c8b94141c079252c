/** Bounds of the widget. Each says its unit and why this number. */

/** Consent to a site ends after so long: a person who comes back another day is asked another day. */
export const CONSENT_MS: number = 24 * 60 * 60 * 1000;

/** The window of consent takes no click before it has been in view and in front for so long: a click meant for something else arrives within half a second. */
export const ARM_MS = 1_000;

/** From the person's yes until the page has its frame open: a document, a script and some answers of the relay over a slow line, or on a busy machine. */
export const HAND_OVER_MS = 45_000;

/** How often the window asks whether the frame is there. */
export const KNOCK_MS = 200;

/** A frame that is covered for so long rests; a menu that passes over it does not count. */
export const COVERED_MS = 2_000;

/** Below this a person can neither read nor press what the frame shows, CSS pixels. */
export const LEAST_WIDTH = 180;
export const LEAST_HEIGHT = 40;

/** Share of one thread's time that an embedded provider computes, and its threads. A site's visitor came for the site. */
export const EMBED_CPU_PERCENT = 25;
export const EMBED_WORKERS = 1;

/** Data an embedded provider moves in a month at most, millions of bytes: the visitor's line is not the site's. */
export const EMBED_MONTHLY_MB = 2_000;

/** Who does not work for a site any more gets what is held back after so long, milliseconds of log time: the key may be gone by then. */
export const RETIRE_AFTER_MS: number = 7 * 24 * 60 * 60 * 1000;

/** Entries of one kind that this window remembers. */
export const MOST_SESSIONS = 50;
