/** Bounds of alerts. Those that clients must know are in protocol/limits.ts. */

const MINUTE_MS = 60_000;
const HOUR_MS: number = 60 * MINUTE_MS;

/** A call ends after this time, from the name's lookup to the answer's headers: web servers answer in a second, or not at all. */
export const CALL_MS = 10_000;

/** Waits after each attempt that failed, then it is given up: a server that is down over a weekend night is back by then. 31 hours in all. */
export const RETRY_MS: readonly number[] = [
  5_000,
  30_000,
  2 * MINUTE_MS,
  10 * MINUTE_MS,
  HOUR_MS,
  4 * HOUR_MS,
  10 * HOUR_MS,
  16 * HOUR_MS,
];

/** Calls under way at a time: each holds a socket for up to CALL_MS. */
export const MAX_CALLS = 16;

/** Calls of one alert that wait: beyond that the oldest is dropped, for whoever does not answer for days needs the newest. */
export const MAX_WAITING_CALLS = 100;

/** Alerts at one relay in all: 8 accounts' worth in a megabyte. */
export const MAX_ALERTS: number = 20_000;

/** The outbox is looked through this often. */
export const OUTBOX_MS = 1_000;

/** What was delivered is remembered for this long, so that the same event is not told twice. */
export const KEPT_CALLS_MS: number = 72 * HOUR_MS;

/** Calls on request of one account, and to one host by everybody: enough to try things out, too few to bother anybody. */
export const TRIALS_OF_ACCOUNT: { readonly burst: number; readonly perSecond: number } = {
  burst: 5,
  perSecond: 1 / 20,
};
export const CALLS_TO_HOST: { readonly burst: number; readonly perSecond: number } = {
  burst: 60,
  perSecond: 1,
};

/** An account's provider counts as stopped when no offer of it stands for this long: a page that is loaded anew is back in seconds. */
export const STOPPED_MS: number = MINUTE_MS;

/** After a start of the relay providers have this long to come back before they count as stopped. */
export const RETURN_MS: number = 3 * MINUTE_MS;

/** Whether providers are here is looked up this often. */
export const WATCH_MS = 5_000;

/** A push service keeps a message for a browser that is not there this long, seconds; later it is old news. */
export const PUSH_TTL_S: number = 24 * 60 * 60;
