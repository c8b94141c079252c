/** Headers of one request or answer: what programs send fits a dozen. */
export const MAX_HEADERS = 32;

/** Bytes of one header's value, secrets put in: servers refuse more than 8 KiB of all headers together. */
export const MAX_HEADER_BYTES: number = 4 * 1024;

/** Bytes of one key of a store, UTF-8: a path of a few names. */
export const MAX_KEY_BYTES = 256;

/** Keys in one list; more are asked for with `after`. */
export const MAX_LISTED_KEYS = 256;

/** Random bytes of one effect. */
export const MAX_RANDOM_BYTES = 256;

/** Blocks that one question for logs may span: public nodes refuse more. */
export const MAX_LOG_BLOCKS = 2_000;

/** Bytes of one secret, UTF-8: a signed token with claims takes some 2 KiB. */
export const MAX_SECRET_BYTES: number = 4 * 1024;
