/** The requester's public interface, for browsers and Node. */
export { connect, type ConnectOptions } from "./client.ts";
export type { JobHandle, RunResult, Tabmesh } from "./tabmesh.ts";
export { type ApiKeyOptions, createApiKey, listApiKeys, type MadeApiKey, revokeApiKey } from "./api-keys.ts";
export {
  addPush,
  addWebhook,
  type AlertTerms,
  listAlerts,
  type MadeWebhook,
  pushKey,
  removeAlert,
  testAlert,
} from "./alerts.ts";
export {
  deploy,
  deploymentLog,
  type DeployTerms,
  listDeployments,
  undeploy,
  webhookSecret,
} from "./deployments.ts";
export type { DeploymentView, LogLine } from "../protocol/deployment-view.ts";
export { MISSED_POLICIES, type MissedPolicy, type TriggerTerms } from "../protocol/messages/deploy.ts";
export type { AlertTrial, AlertView } from "../protocol/alert-view.ts";
export { ALERT_EVENTS, type AlertEvent, type PushTarget } from "../protocol/messages/alert.ts";
export type { AccountOwner } from "./account-desk.ts";
export {
  listModels,
  publishModel,
  type PublishOptions,
  type PublishProgress,
  type PublishSource,
  unpublishModel,
} from "./publish-model.ts";
export type { JobOptions, JobProgress, JobSummary, LeaseSummary, MapResult } from "./job-options.ts";
export type {
  Embeddings,
  GenerateRequest,
  Generation,
  GenerationPiece,
  GenerationResult,
  JobPayer,
  ModelJobOptions,
  TextTranscript,
} from "./model-options.ts";
export type { ChatMessage, ChatRole, TextEnd } from "../protocol/messages/model-task.ts";
export type { PayoutAddressView, PayoutView, PublishedModel, StandingView } from "../protocol/relay-api.ts";
export { listPayouts, payoutAddress, setPayoutAddress } from "./payouts.ts";
export type { HostedSchedule, HostScheduleOptions } from "./runs/host-schedule.ts";
export {
  memoryMarks,
  readMark,
  type ScheduleMark,
  type ScheduleMarks,
  storedMarks,
} from "./schedule-marks.ts";
export { findName, listNames, type NameTerms, registerName } from "./names.ts";
export type { NameView } from "../protocol/run-views.ts";
export { listSites, registerSite, type SiteTerms } from "./sites.ts";
export type { SiteContributions, SiteDay, SiteView } from "../protocol/site-views.ts";
export {
  type ComputeHere,
  type PlanParams,
  type PlanResult,
  type HoldRunsOptions,
  type PlanRun,
  PlanRunError,
  type PlanRunOptions,
  type PlanRunSummary,
} from "./plan-run.ts";
export {
  apartFrom,
  besides,
  capabilityOf,
  embedderOf,
  functionOf,
  type Json,
  plan,
  t,
  type Type,
  type TypedPlan,
  type TypeOf,
  type Value,
  writerOf,
} from "../plan/build.ts";
export { boundsOf } from "../plan/bounds.ts";
export { checkPlan } from "../plan/check.ts";
export { parsePlan, printPlan } from "../plan/plan-text.ts";
export type { Plan } from "../plan/plan.ts";
export { decodeRunRecord, encodeRunRecord, type RunRecord } from "../plan/run-record.ts";
export type { RunEvent, RunFailure } from "../plan/runner-ports.ts";
export { endJob, jobView } from "./job-account.ts";
export { listRuns, runView } from "./run-account.ts";
export type { RunSummary as RunListing, RunView } from "../protocol/run-views.ts";
export { proveEntry, proveJob } from "./prove.ts";
export { rank, type Ranked } from "./rank.ts";
export { retire, standing } from "./retire.ts";
export { FailureError } from "../protocol/failure.ts";
export { FAILURE_KINDS, type FailureCode, failureKind, type FailureKind } from "../protocol/failure-code.ts";
export {
  type Evidence,
  judgeEvidence,
  type Judgement,
  MAX_EVIDENCE_BYTES,
  readEvidence,
} from "../ledger/evidence.ts";
export { ForgedCheckpointError } from "../ledger/log-view.ts";
export { type CheckedProof, checkProof } from "../ledger/proof-check.ts";
export type { ReceiptStatement } from "../ledger/receipt-check.ts";
export type { PinnedRelay, PinStore } from "../ledger/relay-contact.ts";
export { type Identity, identityFile, parseIdentityFile } from "../storage/identity-file.ts";
