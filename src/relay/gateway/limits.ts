/** Bounds of the gateway. */

/** Body of a request, bytes: a prompt has at most 640 KiB of UTF-8, which JSON may double, and 2,048 short texts fit too. */
export const MAX_REQUEST_BYTES: number = 2 * 1024 * 1024;

/** Texts of one request for embeddings: as many as clients of this interface send at most. */
export const MAX_EMBED_INPUTS = 2_048;

/** Requests of one key under way at a time; each holds a lease and a connection of the gateway. */
export const MAX_REQUESTS_PER_KEY = 16;

/** Requests of all keys under way at a time: each keeps a text of up to a megabyte, and a job open. */
export const MAX_REQUESTS = 256;

/** An answer whose client reads nothing of it for so long is given up, so that it frees its place for others. */
export const READER_STALL_MS = 60_000;

/** A client waits for an answer rather than for a provider to come: after this it is told why there is none. */
export const NO_PROVIDER_TIMEOUT_MS = 5_000;

/** What a client that found no provider is asked to wait, in seconds. */
export const NO_PROVIDER_RETRY_S = 5;

/** Tokens of an answer where the request names none: of a conversation, and of a plain text, as usual there. */
export const DEFAULT_CHAT_TOKENS = 1_024;
export const DEFAULT_TEXT_TOKENS = 16;
