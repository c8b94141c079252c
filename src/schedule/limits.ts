/** Firings that are decided in one look, of one trigger: after a long silence the rest follows in the next. */
export const MAX_FIRINGS_AT_ONCE = 500;

/** A time that passed less than so long ago was not missed, ms: relays look every second, and machines are busy at times. */
export const ON_TIME_MS = 30_000;

/** Dates are told in this range, ms since 1970: the years 1970 to 9999. */
export const MAX_DATE_MS = 253_402_300_799_999;
