/** The requester's public interface, for browsers and Node. */
export { connect, type ConnectOptions, type JobHandle, type RunResult, type Tabmesh } from "./client.ts";
export type { JobOptions, JobProgress, JobSummary, LeaseSummary, MapResult } from "./job-options.ts";
export { FailureError } from "../protocol/failure.ts";
export { FAILURE_KINDS, type FailureCode, failureKind, type FailureKind } from "../protocol/failure-code.ts";
export type { PinnedRelay, PinStore } from "../ledger/relay-contact.ts";
export { type Identity, identityFile, parseIdentityFile } from "../storage/identity-file.ts";
