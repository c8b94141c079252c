/**
 * Every bound two machines must agree on, or that a decoder enforces on bytes from a stranger.
 * Each says its unit, why this number, and what happens beyond it.
 */

/** Version of the first wire format; part of every signature's domain tag and of every stream protocol id. */
export const WIRE_VERSION = 1;

/** The sandbox's profile: instructions, costs and outcomes of docs/sandbox-profile.md. A job names it, a receipt repeats it. */
export const SANDBOX_PROFILE = 1;

/** One signed message body. The largest is a report (two envelopes and a proof of 64 hashes, under 8 KiB); more is refused before decoding. */
export const MAX_BODY_BYTES: number = 48 * 1024;

/** One envelope: a body and up to MAX_SIGNATURES signatures with their delegations. */
export const MAX_ENVELOPE_BYTES: number = 60 * 1024;

/** Signatures on one envelope: the two parties, and room for two witnesses. */
export const MAX_SIGNATURES = 4;

/** A log entry: tlog-tiles prefixes it with 16 bits of length. */
export const MAX_ENTRY_BYTES = 65_535;

/** Nesting of CBOR items. The deepest message of version 1 nests 4 deep; the rest is room for `ext`. */
export const MAX_DEPTH = 12;

/** Items of one list in a message, unless its field says less. */
export const MAX_ITEMS = 4_096;

/** One text field, in UTF-8 bytes. */
export const MAX_TEXT_BYTES = 1_024;

/** Keys in `ext`, and names in `crit`. */
export const MAX_EXT_KEYS = 16;

/** Hashes in a Merkle proof: a tree of 2^63 leaves has 63 levels; consistency proofs may repeat one. */
export const MAX_PROOF_HASHES = 64;

/**
 * Payload of one frame on a work stream. Large data is cut into frames of this size so that a receipt never waits
 * behind a whole output. libp2p cuts further: WebRTC messages are 16 KiB at most in every implementation.
 */
export const MAX_FRAME_BYTES: number = 64 * 1024;

/** One blob (function or input) a peer or relay accepts. The largest program of the examples has 21.5 MB. */
export const MAX_BLOB_BYTES: number = 64 * 1024 * 1024;

/** Input or output of one task. A browser tab holds several of these at once. */
export const MAX_TASK_BYTES: number = 32 * 1024 * 1024;

/** Arguments, environment and file table of a job, encoded. */
export const MAX_ARGS_BYTES: number = 32 * 1024;

/** Tasks of one job: the ledger's escrow and the task tree stay small far beyond this. */
export const MAX_TASKS_PER_JOB = 1_000_000;

/** Longest life of a job: replays are remembered until expiry plus skew (rule 18). */
export const MAX_JOB_LIFETIME_MS: number = 24 * 60 * 60 * 1000;

/** Clocks of honest machines differ by less; only the relay's log time judges (rule 19). */
export const CLOCK_SKEW_MS: number = 2 * 60 * 1000;

/** Linear memory of one function: 4 pages in a test, 1 GiB in a generous job. Above 2 GiB 32-bit engines fail. */
export const MAX_FUNCTION_MEMORY_BYTES: number = 1024 * 1024 * 1024;

/** One chunk of a model file, a blob: lost work when a download breaks off is at most this, and 1,024 of them make the largest model. */
export const MODEL_CHUNK_BYTES: number = 1024 * 1024;

/** One model file: its weights lie in one WASM memory beside keys and values, and a tab rarely gets more. */
export const MAX_MODEL_BYTES: number = 1024 * 1024 * 1024;

/** A model's manifest, encoded: 32 bytes for each chunk of the largest, and its names. */
export const MAX_MANIFEST_BYTES: number = 36 * 1024;

/** Positions of one conversation with a model, prompt and answer together. */
export const MAX_MODEL_POSITIONS = 65_536;

/** Text of one prompt or message, in UTF-8 bytes: about ten bytes for each position. */
export const MAX_PROMPT_BYTES: number = 640 * 1024;

/** Messages of one conversation. */
export const MAX_CHAT_MESSAGES = 1_024;

/** Texts before which an answer ends: four is what the usual interfaces take. */
export const MAX_STOP_TEXTS = 16;

/** Texts that are turned into vectors in one task. */
export const MAX_EMBED_TEXTS = 256;

/** Models that a provider names in its offer as those it holds: the ones used last. */
export const MAX_OFFERED_MODELS = 16;

/** Models that one relay publishes; beyond that it refuses. A list of them is half a megabyte at most. */
export const MAX_PUBLISHED_MODELS = 256;

/** Providers that a relay names as holding a model: a download asks a few of them at a time. */
export const MAX_MODEL_PEERS = 16;

/** Lanes of one challenge: a machine with more threads is measured with that many, and its offer's number of them says the rest. */
export const MAX_CHALLENGE_LANES = 32;

/** One challenge, milliseconds by the provider's clock; whoever would take longer gives it back. A person does not notice a quarter of a second. */
export const MAX_CHALLENGE_MS = 250;

/** A payout address, in characters: an account's name at a chain (CAIP-10) takes 106, an IBAN 34. */
export const MAX_PAYOUT_ADDRESS_BYTES = 128;

/** A changed payout address is used no sooner, by log time: whoever lost a key has a long weekend to notice (rule 12). */
export const PAYOUT_ADDRESS_WAIT_MS: number = 72 * 60 * 60 * 1000;

/**
 * Leaves that one draw names: 5 bytes each, so that a draw fits an envelope. Where more than MEAN_DRAW_LEAVES are new in a
 * report, rates are lowered so that no more than these are expected: 9,000 is eleven standard deviations away.
 */
export const MAX_DRAW_LEAVES = 9_000;
export const MEAN_DRAW_LEAVES = 8_000;

/**
 * Outputs that a provider keeps sealed under one lease, bytes: eight at the usual limit of 16 MiB. A requester has no more
 * tasks open than fit at the job's limit, or one; beyond that the provider ends the session with `window-exceeded`.
 */
export const MAX_SEALED_BYTES: number = 128 * 1024 * 1024;

/** Outcomes that one referee message names. */
export const MAX_REFEREE_LEAVES = 64;

/** Key of a webhook's signatures, bytes: as long as what HMAC-SHA-256 makes of it. */
export const ALERT_SECRET_BYTES = 32;

/** Address of a webhook or a push service, bytes: the longest that push services give out take some 400. */
export const MAX_ALERT_URL_BYTES = 1_024;

/** Alerts of one account: each is one more call for every event. */
export const MAX_ALERTS_PER_ACCOUNT = 8;

/** Shortest idle time after which an account may be taken to have retired, ms of log time: a visitor who reads another page is not gone. */
export const MIN_RETIRE_AFTER_MS: number = 10 * 60 * 1000;

/** Sites of one account that the relay keeps; a list of all with their days is less than half a megabyte, which clients read. */
export const MAX_SITES_PER_ACCOUNT = 32;

/** Days of one site in a list, the newest: two months. */
export const MAX_SITE_DAYS = 62;

/** Peers besides its initiator that may coordinate a run: each could spend the budget on the run's own steps, so few. */
export const MAX_RUN_HOLDERS = 8;

/** Receipts that one step may follow from: a join of more than that goes through a list that an inner step makes. */
export const MAX_STEP_PARENTS = 1_024;

/** Values of steps up to this size travel along with what is said of them; larger ones stay where they are until somebody asks. */
export const MAX_INLINE_BYTES: number = 4 * 1024;

/** An encoded capability: as base64 it fits one argument of a job (4,096 bytes), in which a provider is given it. */
export const MAX_CAPABILITY_BYTES: number = 3 * 1024;

/** What an effect is asked for, JSON: an address, headers and a small body. Larger bodies belong into a store of their own. */
export const MAX_EFFECT_REQUEST_BYTES: number = 64 * 1024;

/** What an effect answers: a tab holds it in memory while its run lives, and a relay sends it in one piece. */
export const MAX_EFFECT_BYTES: number = 4 * 1024 * 1024;

/** Longest time of one effect, ms: a slow server answers within a minute or not at all. */
export const MAX_EFFECT_MS = 60_000;

/** Secrets of one effect. */
export const MAX_EFFECT_SECRETS = 8;

/** A run ends at the latest so long after it was registered, ms: its receipts and values are kept for it, and its payer bound by it. */
export const MAX_RUN_LIFETIME_MS: number = 31 * 24 * 60 * 60 * 1000;

/** A run's receipts wait at the relay at most so long after it ended, ms: whoever started it has a week to come back. */
export const RUN_KEPT_MS: number = 7 * 24 * 60 * 60 * 1000;

/** Plan of a run, bytes: 4,000 nodes of 250 bytes; large inputs are parameters. */
export const MAX_PLAN_BYTES: number = 1024 * 1024;

/** Parameters of a run, bytes: 64 bytes of name and 59 of CID for each of 128. */
export const MAX_RUN_PARAMS_BYTES: number = 16 * 1024;

/** Step envelopes in one batch, to the relay or from it: half a megabyte, which clients read. */
export const MAX_STEPS_PER_BATCH = 256;
export const MAX_STEP_BATCH_BYTES: number = 512 * 1024;

/** Silence after which a coordinator of a run may be replaced, ms: four of its heartbeats, one each RUN_HEARTBEAT_MS. */
export const RUN_HEARTBEAT_MS = 5_000;
export const RUN_SILENCE_MS: number = 4 * RUN_HEARTBEAT_MS;

/** A registered name counts at most so long without being signed anew, ms: who is gone gives it back within a season. */
export const MAX_NAME_LIFETIME_MS: number = 90 * 24 * 60 * 60 * 1000;

/** Names of one account: a name costs nothing, and others may want it. */
export const MAX_NAMES_PER_ACCOUNT = 64;

/** Peers that one name stands for. */
export const MAX_NAME_PEERS = 16;

/** Owners that stand ready for one deployment: each is looked at every second, and three outlive most things. */
export const MAX_REPLICAS = 16;

/** Triggers of one deployment. */
export const MAX_TRIGGERS = 16;

/** Shortest time between two firings of an interval, ms: a run takes a second. */
export const MIN_INTERVAL_MS = 1_000;

/** Parameters of a deployment, bytes of JSON: two of them and sixteen triggers fit a message. Larger ones belong into the plan. */
export const MAX_DEPLOY_PARAMS_BYTES: number = 16 * 1024;

/** Deployments of one account. */
export const MAX_DEPLOYMENTS_PER_ACCOUNT = 32;
