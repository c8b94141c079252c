import type { Rate } from "./rate-limit.ts";

/** Bounds of the relay itself. Those that two machines must agree on are in protocol/limits.ts. */

/** Offers: the relay pings each provider this often, and takes its offer back after two pings without an answer. */
export const PING_MS = 2_000;
export const MISSED_PINGS = 2;

/** A stranger who has opened an offer stream says hello within this time; honest ones take one round trip. */
export const HELLO_TIMEOUT_MS = 10_000;

/** Frames on an offer stream: a hello with a checkpoint and a delegation takes 6 KiB, an offer less. */
export const MAX_OFFER_FRAME_BYTES: number = 16 * 1024;

/** Offers of one provider: renewed at most every 250 ms by the protocol's own provider, so twice that is generous. */
export const OFFERS_PER_SECOND = 8;
export const OFFER_BURST = 40;

/** Leases whose providers one requester has watched at a time: more than its jobs may have open; each takes some hundred bytes. */
export const MAX_WATCHED_LEASES = 1_024;

/** Instances (tabs, machines) that may offer under one identity at a time. */
export const MAX_INSTANCES_PER_IDENTITY = 64;

/**
 * A new lease counts against its provider's free threads for this long: dialling and the first task take half a second,
 * then the provider's own offers tell.
 */
export const LEASE_RESERVE_MS = 1_000;

/**
 * An instance whose lease of a job was given back gets no other one of that job for this long: the requester could not
 * reach it, and others come first. Half of what a requester waits for a provider, so that the only one is tried again.
 */
export const RETURN_COOLING_MS = 30_000;

/** Jobs and leases for which the relay remembers whom they were given to. */
export const KEPT_RETURNS = 10_000;

/** Requests with a body that is not a blob: one envelope. */
export const MAX_MESSAGE_REQUEST_BYTES: number = 60 * 1024;

/** A request's headers and body arrive within these times, else the socket is closed (slow senders hold memory). */
export const HEADERS_TIMEOUT_MS = 10_000;
export const REQUEST_TIMEOUT_MS: number = 10 * 60 * 1000;

/** An idle connection is kept for longer than the 60 s of common proxies, so that the proxy closes first and no request is lost. */
export const KEEP_ALIVE_MS = 65_000;

/** A message request is read and answered within this time; blobs and event streams are not bound by it. */
export const ANSWER_TIMEOUT_MS = 15_000;

/** Below the minute after which proxies close a silent connection; relay-events.ts gives up after three missed ones. */
export const EVENT_HEARTBEAT_MS = 15_000;

/** Event streams at once, in all and from one address: a tab holds one, a browser six per origin. */
export const MAX_EVENT_STREAMS = 10_000;
export const MAX_EVENT_STREAMS_PER_ADDRESS = 64;

/** Entries that are read again for a client that resumes, 20 µs each; beyond that it gets the newest receipts instead. */
export const MAX_RESUMED_ENTRIES = 300;

/**
 * Receipts that one question about a history looks through, 1 µs each; the answer says where to go on. A page of an
 * account with millions of them would keep everybody else waiting.
 */
export const MAX_SEARCHED_RECEIPTS = 5_000;

/** Receipts that may be passed over to begin further down in a list, 50 ns each. */
export const MAX_SKIPPED_RECEIPTS = 1_000_000;

/** Leases past their time are settled this often. */
export const SETTLE_MS = 1_000;

/** The relay calls itself unhealthy when nothing was settled for this long, or the disk has less room than this. */
export const UPKEEP_LATE_MS = 15_000;
export const LEAST_DISK_BYTES: number = 64 * 1024 * 1024;

/** The operator's socket: Linux takes 107 bytes of path; a request or list of denials is far shorter than 16 MiB. */
export const LONGEST_SOCKET_PATH = 104;
export const MAX_CONTROL_LENGTH: number = 16 * 1024 * 1024;
/** A backup of a large log takes minutes. */
export const CONTROL_TIMEOUT_MS: number = 30 * 60 * 1000;

/** Batches of payouts that the operator is shown, the newest: one a week makes 1,000 in 19 years. */
export const MAX_LISTED_PAYOUTS = 1_000;

/** Requests under way when the relay stops have this long to finish. */
export const STOP_GRACE_MS = 1_000;

/** Blobs on their way in at a time: each may take MAX_BLOB_BYTES of disk before it is counted. */
export const MAX_UPLOADS = 32;

/** The time of a blob's last use is written to its file at most that often; a restart forgets no more. */
export const USE_NOTED_MS: number = 60 * 60 * 1000;

/** An identity that has not offered for so many days, and has no account, is new again: the list of known ones does not grow for ever. */
export const KNOWN_DAYS = 90;

/**
 * Sites and assignments of accounts that have nothing here yet, for each group of addresses. So many visitors of a site may come at
 * once from behind one address, and then 8,640 a day; a flood of new keys from there fills the log by some 6 MB a day.
 */
export const STRANGERS_RATE: Rate = { burst: 100, perSecond: 0.1 };
