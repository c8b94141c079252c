/** Bounds of deployments. */

const MINUTE_MS = 60_000;

/** Deployments of all accounts: each is looked at every second. */
export const MAX_DEPLOYMENTS = 2_000;

/** Replicas and versions under trial are looked at this often. */
export const KEEP_MS = 1_000;

/** A replica whose offer is gone for so long has left, ms: a page that is loaded anew is back sooner. */
export const GONE_MS = 5_000;

/** A replica is tried out again after this, ms, where the deployment says how; each trial is a run that is paid for. */
export const HEALTH_MS: number = 10 * MINUTE_MS;

/** A provider that failed a trial is not taken again for this long, ms. */
export const SHUNNED_MS: number = 10 * MINUTE_MS;

/** A new version waits this long for a provider to try it out, ms; and tries again this often. */
export const TRIAL_MS: number = 5 * MINUTE_MS;
export const TRIAL_PAUSE_MS = 5_000;

/** A run that a deployment starts has this long, ms. */
export const RUN_MS: number = 60 * MINUTE_MS;

/** A run without any provider that fits gives up after this, ms: of an event, and of a caller who waits. */
export const NO_PROVIDER_MS: number = MINUTE_MS;
export const CALLER_NO_PROVIDER_MS = 10_000;

/** Body of a call over HTTP, bytes: it becomes a parameter of a run, which its providers fetch. */
export const MAX_CALL_BYTES: number = 4 * 1024 * 1024;

/**
 * Bodies of all calls under way together, and of those to one owner's deployments, bytes: sixteen of the largest, and four. They lie in
 * memory, about three times over while they are made parameters of.
 */
export const MAX_BODIES_BYTES: number = 16 * MAX_CALL_BYTES;
export const MAX_BODIES_OF_ONE_BYTES: number = 4 * MAX_CALL_BYTES;

/** Body of a webhook's call, bytes: it waits in the file of firings. */
export const MAX_HOOK_BYTES: number = 256 * 1024;

/** A webhook's timestamp may be this far from the relay's clock, ms: as Standard Webhooks says. */
export const HOOK_SKEW_MS: number = 5 * MINUTE_MS;

/** Calls of one deployment under way at a time, and over time. */
export const MAX_CALLS = 16;
export const CALL_RATE: { readonly burst: number; readonly perSecond: number } = { burst: 60, perSecond: 10 };

/** Lines of one deployment's log: the oldest thousand go when there are more. A line takes 300 bytes. */
export const MAX_KEPT_LINES = 20_000;

/** An ended deployment's name and log stay its owner's for so long, ms. */
export const KEPT_ENDED_MS: number = 30 * 24 * 60 * MINUTE_MS;

/** Listeners of one deployment's log. */
export const MAX_FOLLOWERS = 8;
