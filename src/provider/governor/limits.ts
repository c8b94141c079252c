/** Bounds of the governor. Each says its unit and why this number. */

/** What stood against work has to stay away so long before more is allowed: shorter, and tabs that are switched or loads that come and go would start and stop work all the time. */
export const CALM_MS = 30_000;

/** A machine under critical pressure gets this long to show what fewer threads have changed, before there are fewer still: the browser looks once a second and tells what it saw on average. */
export const PRESSURE_STEP_MS = 5_000;

/** Below this charge, 0 to 1, and not charging, nothing is computed whatever the person has set: systems themselves begin to save at a fifth. */
export const LOW_BATTERY = 0.2;

/** Nothing was touched for so long: the person is not at the machine. The least that browsers let a page ask for. */
export const IDLE_MS = 60_000;

/** A thread may fall behind its rest, or be ahead of it, by that much: timers wake up to 4 ms late, and what was slept too long is worked off again. Longer, and work after a pause would come in bursts that a person hears in the fan. */
export const REST_SLACK_MS = 40;

/** The same for a model, whose parts take a quarter of a second, and whose rest is timed by the page: hidden, that wakes once a second. */
export const MODEL_REST_SLACK_MS = 1_000;

/** Shorter rests than that are put together: a timer takes a millisecond at least. */
export const LEAST_REST_MS = 2;

/** A thread that rests longer than this is told to the relay as taken. Shorter, and offers would change with every task. */
export const LONG_REST_MS = 1_000;

/** A thread too many ends what it runs within this time; then it is ended, and its tasks go to the others. */
export const LEAVE_MS = 500;

/** The share of the processor is told over this time. */
export const DUTY_WINDOW_MS = 10_000;

/** How fast the processor is, is measured that often while there is work: heat comes and goes in tens of seconds, and a measurement takes about 10 ms. */
export const CALIBRATE_INTERVAL_MS = 15_000;

/** Steps of the calibration kernel: 2 to 4 ms on machines of today. Shorter than a scheduler's turn, so that other programs seldom interrupt it. */
export const CALIBRATE_STEPS = 1_000_000;

/** Measurements of which the quickest counts: what interrupts one does not interrupt all. */
export const CALIBRATE_ROUNDS = 4;

/** Slower than the best by this factor, twice in a row: the processor is hot. Clocks of laptops vary by a tenth without that. */
export const HOT_FACTOR = 1.35;
export const HOT_IN_A_ROW = 2;

/** Share of the allowed time that a hot processor is used for, as a part of 1. */
export const HOT_SHARE = 0.5;

/** Bytes on the line for each byte of a stream: headers of IP, UDP, DTLS and SCTP on packets of 1,200 bytes, acknowledgements, and a twentieth to spare. */
export const LINE_FACTOR = 1.15;

/** Bytes of a request's and an answer's heads together. */
export const HTTP_HEAD_BYTES = 1_000;

/** The data of the month are written down that often: what is lost when a tab is killed is what went over the line meanwhile. */
export const USAGE_SAVE_MS = 10_000;

/** Hours and months change without a signal: the clock is looked at that often. */
export const CLOCK_MS = 20_000;
