/** Bounds of a requester. Each says its unit and why this number. */

/** Tasks and receipts are signed for at most that often; within a window the provider goes on without. */
export const ADVANCE_INTERVAL_MS = 50;

/** With so few tasks open somebody waits for each: they are named at once, since a provider signs for nothing that is not named. */
export const QUIET_TASKS = 4;

/** Dialling a provider: WebRTC takes a third of a second nearby, some seconds through a slow relay. */
export const DIAL_TIMEOUT_MS = 15_000;

/** A provider answers hello and open within one round trip, plus fetching the escrow's proof. */
export const ACCEPT_TIMEOUT_MS = 15_000;

/** After the last outcome both sides sign once more; longer than that the other side is gone. */
export const FINISH_TIMEOUT_MS = 5_000;

/** Outputs up to this size are hashed at once; larger ones off the thread. */
export const HASH_HERE_BYTES: number = 16 * 1024;

/** How often one task is given to another provider before it counts as failed. */
export const TASK_ATTEMPTS = 5;

/** Wait before the relay is asked again for leases; doubles up to the maximum. */
export const LEASE_RETRY_MIN_MS = 500;
export const LEASE_RETRY_MAX_MS = 5_000;

/** Without any provider for that long, a job fails with the relay's reasons. */
export const NO_PROVIDER_TIMEOUT_MS = 60_000;

/** Every lease is reported at least that often (rules 2 and 4). */
export const REPORT_INTERVAL_MS = 30_000;

/** How often the relay is asked whether audits are over: recomputing takes as long as computing did. */
export const AUDIT_POLL_MS = 500;

/** Beyond a task's deadline so long without any verdict, and a lease is not waited for: its provider is gone. */
export const AUDIT_PATIENCE_MS = 30_000;

/** Results that are kept until their audits are over before the job pauses for that, and their bytes with the inputs'. */
export const PROVISIONAL_RESULTS = 4_096;
export const PROVISIONAL_BYTES: number = 256 * 1024 * 1024;

/** Results that wait for their reader before the job pauses. */
export const UNREAD_RESULTS = 256;

/** Random salts that are drawn together, 4 KiB. */
export const SALTS_IN_STOCK = 256;

/** A provider that is being dialled when the job ends gets that long to answer: most need a third of a second, a second attempt from Node three. */
export const OPENING_GRACE_MS = 5_000;

/** Texts of one task of `embed`: some 50 ms of a small encoder on one slow core, and of a large one seconds, not minutes. */
export const EMBED_TASK_TEXTS = 32;

/** UTF-8 bytes of the texts of such a task, unless one is longer: a few thousand words. */
export const EMBED_TASK_BYTES: number = 64 * 1024;

/** Tasks for each provider that is wanted: one is sent while another is computed. */
export const EMBED_TASKS_PER_PROVIDER = 2;

/** Providers wanted at a time for texts to be embedded. */
export const EMBED_PARALLEL = 4;

/** Tokens written at most, where the requester names no number. */
export const GENERATE_TOKENS = 256;

/** Tasks of a text's job: where providers leave, others go on with what is left, and the cap has to cover that. */
export const GENERATE_TASKS = 4;

/** Pieces of a text are small and their reader a person: as many may wait as there are positions. */
export const UNREAD_PIECES = 65_536;

/**
 * Silence in the middle of a text after which its provider counts as lost. Segments come every tenth of a second, or with
 * each token where one takes longer; a connection notices only after some fifteen seconds that a browser has died.
 */
export const STREAM_SILENCE_MS = 5_000;

/**
 * A provider that has said nothing for so long is asked for a word, and when it has said nothing for the second time others do
 * its tasks as well: they are with somebody else within six seconds. After the third it is left. Twenty tabs on two cores
 * take up to eight seconds to answer.
 */
export const PULSE_QUIET_MS = 2_000;
export const PULSE_SILENCE_MS = 4_500;
export const PULSE_LOST_MS = 20_000;

/** A provider that the relay does not hear either is asked at once and has so long to answer: ten times what a busy machine takes. */
export const PULSE_DOUBT_MS = 1_500;

/** While a large input is on its way a provider hears late what it is asked: one megabyte, at 64 KiB/s, goes before that. */
export const PULSE_CLOGGED_MS = 16_000;

/** A timer that is so much later than set says that this side itself was asleep: everybody has one more chance to be heard. Hidden pages have timers once a second. */
export const PULSE_LATE_MS = 2_000;

/** First wait before the watch stream to a relay that was lost is opened again; doubles up to the maximum. */
export const WATCH_RETRY_MIN_MS = 1_000;
export const WATCH_RETRY_MAX_MS = 30_000;

/** Opening the watch stream: one round trip on a connection that stands, and one to the relay where it does not. */
export const WATCH_OPEN_MS = 10_000;

/** The last part of a job, in per cent, of which tasks that are late are given to a second provider as well. */
export const HEDGE_LAST_PERCENT = 3;

/** A task is late when it takes so many times as long as most of the job, and at least that long: else the copy would come later than it. */
export const HEDGE_LATE_FACTOR = 2;
export const HEDGE_LEAST_MS = 1_000;

/** The durations of so many tasks tell how long one takes. */
export const HEDGE_SAMPLES = 64;

/** Beyond its deadline and those of the tasks before it, a replica has so long until it seals its outcome; then it counts as lost. */
export const SEAL_PATIENCE_MS = 30_000;

/** A sealed outcome that was asked for has so long to arrive and be signed for, and what its bytes take on a slow line. */
export const REVEAL_PATIENCE_MS = 30_000;
export const SLOW_BYTES_PER_MS = 64;

/** Where doubts are left, the providers' records are asked for again so often: audits that they passed meanwhile may settle it. */
export const STANDING_AGE_MS = 2_000;

/** Tries to have a disputed outcome signed for and logged before it is left undecided, REFEREE_POLL_MIN_MS apart. */
export const REFEREE_LOG_TRIES = 40;

/** Beyond two deadlines of the task, the relay has so long to recompute a disputed outcome. */
export const REFEREE_PATIENCE_MS = 120_000;

/** How often the relay is asked whether it has recomputed an outcome: less and less often, for it counts requests. */
export const REFEREE_POLL_MIN_MS = 500;
export const REFEREE_POLL_MAX_MS = 5_000;

/** Inputs up to this size are part of an opening; larger ones are put under their CID. */
export const INLINE_INPUT_BYTES: number = 32 * 1024;

/**
 * Outcomes kept with their inputs for the second draw, in bytes of one job; beyond it a random share of them. As much as one
 * blob may have: a page that embeds texts or renders tiles does not notice it, and a share of 32 MiB is still many outcomes.
 */
export const KEPT_OUTCOME_BYTES: number = 32 * 1024 * 1024;

/** After a job the second draw has so long: some hundred openings, each a round trip, with a wait where the relay has no room. */
export const SECOND_DRAW_MS = 120_000;

/** Where the relay has no room for one more opening it is asked again after that. */
export const OPENING_RETRY_MS = 1_000;

/** A client that is closed waits for its second draws no longer than that: a person waits with it. */
export const SECOND_DRAW_CLOSE_MS = 5_000;

/** Values of a run that were fetched here and are kept, bytes: they can be fetched again. */
export const RUN_VALUE_BYTES: number = 64 * 1024 * 1024;

/** A value of 32 MiB takes four seconds at 8 MB/s; a poor line gets ten times that. */
export const VALUE_FETCH_MS = 45_000;

/**
 * A value that stays at its provider is fetched here when nobody has worked with it by then: a provider waits a minute for a
 * signature before it gives the lease up.
 */
export const HELD_PATIENCE_MS = 20_000;

/** Providers wanted at a time for the steps of one node, unless told otherwise. */
export const STEP_PARALLEL = 16;

/** Tasks that a job of a run has room for, for each step that is expected: attempts that were lost are tasks too. */
export const TASKS_PER_STEP = 4;

/** A job of a run without any step under way keeps its providers for so long: the next step may come soon. */
export const IDLE_JOB_MS = 1_500;

/** A run ends within an hour unless told otherwise: what it has set aside is free by then. */
export const RUN_TIMEOUT_MS: number = 60 * 60 * 1000;

/** A coordinator that waits for others to be silent looks so often whether they are; they are after RUN_SILENCE_MS. */
export const RUN_LOOK_MS = 2_000;

/** A peer that is asked for the receipts of a run is reached within this, or is gone. */
export const STEPS_FETCH_MS = 8_000;

/** Receipts of a run are brought to the relay this soon after they came, together with those that came meanwhile. */
export const STEPS_BRING_MS = 1_000;

/** Runs of which a holder asks at a time whether they are coordinated, pages of such runs that it reads, and runs that it carries on. */
export const RUNS_LOOKED_AT = 10;
export const MAX_HELD_PAGES = 10;
export const MAX_RUNS_CARRIED = 8;

/** A hosted schedule looks at the clock this often at least, since machines sleep; a run that could not begin is tried again so much later. */
export const MAX_SCHEDULE_SLEEP_MS = 10_000;
export const SCHEDULE_AGAIN_MS = 2_000;

/** Leases of a coordinator before are asked back this often, until they are: they are free when its step was taken over. */
export const FREE_AGAIN_MS = 10_000;
