/** Bounds of a provider. Each says its unit and why this number. */

/** Least time between two receipts of a lease. A receipt costs two signatures; what it covers meanwhile is at risk, so it is short. */
export const RECEIPT_INTERVAL_MS = 20;

/** A requester that has opened a stream shows lease and job within this time; honest ones take one round trip. */
export const OPEN_TIMEOUT_MS = 10_000;

/** After the last outcome both sides sign once more; longer than that the other side is gone. */
export const CLOSE_TIMEOUT_MS = 5_000;

/** A receipt that grew is written to disk at most that often; the requester reports it as well. */
export const OUTBOX_INTERVAL_MS = 250;

/**
 * A lease that has grown is reported at least that often. Rule 2 allows a minute; but a requester that gives a lease back
 * frees all but one window of what the relay has not heard of, so a provider says it soon. Twelve reports a minute and lease.
 */
export const REPORT_INTERVAL_MS = 5_000;

/** First wait before a failed report is sent again; doubles up to REPORT_RETRY_MAX_MS. */
export const REPORT_RETRY_MIN_MS = 1_000;
export const REPORT_RETRY_MAX_MS = 60_000;

/** An offer is renewed when the free capacity changes, at most that often. */
export const OFFER_INTERVAL_MS = 250;

/** A relay pings every two seconds; one of which nothing is heard for so long is dialled anew. Shorter, and a busy relay is stormed. */
export const RELAY_SILENCE_MS = 10_000;

/** A drain waits that long for the requester's last signature: what is unsigned by then is lost, but the tab must go. */
export const DRAIN_SIGN_TIMEOUT_MS = 400;

/** A drain waits that long for the last receipt to be on the disk: with the drain's own signature it is out within half a second. */
export const DRAIN_RECEIPT_MS = 300;

/** Tasks go to a thread together as far as they will probably end within this: far below what a person or a window of receipts notices. */
export const BATCH_MS = 8;

/** Tasks that go to a thread together: their outcomes fill one coalesced send of the mesh; more saves nothing. */
export const MAX_BATCH_TASKS = 64;

/** Input bytes that go to a thread together, unless it is one task: what is copied while the window's thread waits. */
export const MAX_BATCH_BYTES: number = 256 * 1024;

/** A thread holds the tasks it runs and the next ones, so that it never waits for the window's thread. */
export const BATCHES_PER_THREAD = 2;

/** The frame of the sandbox is a document of two kilobytes; slower than that, it is not there. */
export const FRAME_LOAD_MS = 10_000;

/** A frame that has loaded answers within milliseconds, on a machine under load later; an error page in its place never does. Too short, and a slow tab would do without the frame. */
export const FRAME_ANSWER_MS = 4_000;

/** A thread that has not said a word by then never will: starting takes 15 to 40 ms, on a machine under load ten times that. */
export const THREAD_START_MS = 10_000;

/** A frame whose process has crashed says nothing, and no engine tells: it is asked that often, and is lost when it owes that many answers. */
export const FRAME_PING_MS = 2_000;
export const FRAME_PINGS_OWED = 3;

/** A thread has been taken: the next spare one is started that much later, so that it does not take the processor from the first task. */
export const SPARE_DELAY_MS = 1_000;

/** One chunk of a model, 1 MiB, at 64 KiB/s takes 16 s: slower than that, somebody else is asked for it. */
export const CHUNK_TIMEOUT_MS = 20_000;

/** A source of chunks is asked no more after that many failures in a row. */
export const MOST_CHUNK_FAILURES = 3;

/** Chunks asked of one source at a time: two keep its line busy while one is hashed and written. */
export const CHUNK_LANES = 2;

/** Tasks, fuel and tokens per second are told over this time. */
export const RATE_WINDOW_MS = 10_000;

/** The speed of a download is told over this time. */
export const SPEED_WINDOW_MS = 5_000;

/** A manifest, and who has the model, is asked for this long. */
export const MANIFEST_TIMEOUT_MS = 20_000;

/** A chunk that the disk has damaged is fetched again: times that this is tried in one start. */
export const MOST_REPAIRS = 2;

/** A model's thread that does not stop a task within this time is ended; what a person paused is over within 100 ms. */
export const MODEL_STOP_MS = 80;

/**
 * All models on this machine together, bytes: four of the largest. Strangers choose which ones come, so there is a bound below
 * what the browser grants; beyond it the ones used longest ago go.
 */
export const MODELS_CAP_BYTES: number = 4 * 1024 * 1024 * 1024;

/** Opening a model: the largest are read within ten seconds and tried on the graphics card in as many. Longer, and it is stuck. */
export const MODEL_OPEN_MS = 120_000;

/** So long the open model keeps its turn while it has tasks and others wait: opening costs a second or more, so it is not done for each task. */
export const MODEL_TURN_MS = 5_000;

/** Threads of challenges end this long after the last one: a round of challenges asks every two seconds. */
export const CHALLENGE_THREADS_MS = 6_000;

/** What goes before a challenge is not part of it: threads start and compile, a model's kernels are made. Longer, and it is given back. */
export const CHALLENGE_START_MS = 3_000;

/** Bytes of an `upstream` challenge in one frame: a relay takes frames of 16 KiB from a stranger. */
export const CHALLENGE_FRAME_BYTES: number = 16 * 1024;

/**
 * Inputs that all leases of a tab keep in memory until a draw has passed over them: as much as one lease may hold. They are
 * on the disk as well, so beyond this only the copies go; where the disk is full, what does not fit is declared lost.
 */
export const HELD_MEMORY_BYTES: number = 64 * 1024 * 1024;

/** A lease that is over is held this much longer than its time to report: the relay settles it by its own clock. */
export const HELD_GRACE_MS: number = 2 * 60 * 1000;

/** A lease that has ended, but may still be reported by its requester, is looked after that often. A tenth of the time in which a draw is to be opened. */
export const HELD_WATCH_MS: number = 60_000;

/** An input up to this goes along in its opening, bytes: what the message takes. A larger one is put beside it as a blob. */
export const INLINE_INPUT_BYTES: number = 32 * 1024;

/** First wait before an opening is sent again; doubles up to OPENING_RETRY_MAX_MS, so that ten minutes hold a dozen attempts. */
export const OPENING_RETRY_MIN_MS = 1_000;
export const OPENING_RETRY_MAX_MS = 60_000;

/** The relay says when an opening is too late, since clocks of tabs are wrong by hours at times; what it never answers to goes after this. */
export const OPENING_KEPT_MS: number = 24 * 60 * 60 * 1000;

/** A tab that stops files disputes, and then sends openings, for that long each; the rest waits for its next start. */
export const OPENING_STOP_MS = 3_000;

/** Nothing new is signed for so long while outcomes wait for it: an honest requester signs within a second, a hidden tab that lost its connection comes back within a minute or not at all. */
export const DISPUTE_AFTER_MS: number = 60_000;

/**
 * Least pay that is disputed, micro-credits. A dispute has every new outcome opened and computed again; an outcome of a
 * millisecond earns ten to fifty, and opening it takes about as long as computing it did. Below it the outcomes stay held
 * until the lease is settled, so nothing but this is lost.
 */
export const DISPUTE_LEAST: bigint = 50n;

/** How it stands is asked that often, for a person to read, and whenever the line is lost: a relay drops whom it bars. */
export const STANDING_INTERVAL_MS: number = 5 * 60 * 1000;

/** Values of steps that are kept for the peers of their runs, bytes of all runs together: as much again as a tab keeps for audits. */
export const STEP_VALUE_BYTES: number = 128 * 1024 * 1024;

/** Runs whose receipts are kept: those used last. */
export const RUNS_KEPT = 64;
/** Receipts of one run, bytes: eight thousand of half a kilobyte. Those that others bring get half of it. */
export const RUN_RECEIPT_BYTES: number = 4 * 1024 * 1024;
/** Receipts of all runs together, bytes. The run that was used longest ago makes room. */
export const RECEIPT_BYTES: number = 32 * 1024 * 1024;
/** Places of steps that are remembered as signed, some hundred bytes each. Where they are all of runs that go on, no more is signed. */
export const SIGNED_PLACES = 250_000;

/** A value of 32 MiB takes four seconds at 8 MB/s; a poor line gets ten times that. */
export const VALUE_FETCH_MS = 45_000;

/** Values that are fetched from one peer at a time: that peer answers so many streams of it, and the line is full with fewer. */
export const VALUE_FETCHES_PER_PEER = 4;
