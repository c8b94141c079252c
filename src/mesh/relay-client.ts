import {
  type AlertTrial,
  alertTrialJson,
  type AlertView,
  alertViewJson,
  alertViewsJson,
  type PushKey,
  pushKeyJson,
} from "../protocol/alert-view.ts";
import type { Cid } from "../protocol/cid.ts";
import { openEnvelope } from "../protocol/envelope.ts";
import { FailureError } from "../protocol/failure.ts";
import { hashesTo } from "../protocol/hashes-to.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { MAX_ENTRY_BYTES } from "../protocol/limits.ts";
import { type RefereeAnswer, refereeAnswerSchema } from "../protocol/messages/audit.ts";
import { closeJobMessage } from "../protocol/messages/job.ts";
import { type LeaseAnswer, leaseAnswerSchema } from "../protocol/messages/lease.ts";
import {
  type Inclusion,
  inclusionSchema,
  proofSchema,
  type ReportAnswer,
  reportAnswerSchema,
} from "../protocol/messages/receipt.ts";
import { unpublishModelMessage } from "../protocol/messages/model.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import {
  type ApiKeyView,
  type JobView,
  MESSAGE_TYPE,
  type ModelPeers,
  type PayoutAddressView,
  type PayoutView,
  type PublishedModel,
  RELAY_PATHS,
} from "../protocol/relay-api.ts";
import {
  apiKeyViewsJson,
  jobViewJson,
  keyRotationsJson,
  modelPeersJson,
  payoutAddressViewJson,
  payoutViewsJson,
  publishedModelJson,
} from "../protocol/relay-json.ts";
import { decode, type Schema } from "../protocol/schema.ts";
import { type Exchange, exchangeBytes, type ExchangeOptions } from "./relay-exchange.ts";
import {
  createRelayQueries,
  exchangeOptions,
  fill,
  MAX_VIEW_BYTES,
  pageQuery,
  type RelayClientOptions,
  type RelayQueries,
  view,
} from "./relay-queries.ts";
import { createDeploymentRequests, type DeploymentRequests } from "./deployment-requests.ts";
import { createRunRequests, type RunRequests } from "./run-requests.ts";
import { createSiteRequests, type SiteRequests } from "./site-requests.ts";

/** 1,024 leases of at most 3 KiB. */
const MAX_LEASE_ANSWER_BYTES: number = 4 * 1024 * 1024;
/** An entry and a draw, each at most an envelope, and a proof. */
const MAX_PROOF_ANSWER_BYTES: number = 160 * 1024;
/** A signed note of a log and its witnesses. */
const MAX_NOTE_BYTES = 4_096;

/**
 * The relay's HTTP interface as functions. Answers are decoded and bounded in size, but nothing is verified: signatures,
 * proofs and checkpoints are the caller's to check. All requests may be repeated.
 * @throws FailureError, every function: with the relay's own code when it refuses; `disconnected` or `timed-out` when it
 * cannot be reached; `malformed` or `too-large` when its answer is not what was asked for. An aborted signal's reason.
 */
export interface RelayClient extends RelayQueries, SiteRequests, RunRequests, DeploymentRequests {
  submitJob(envelope: Uint8Array, signal?: AbortSignal): Promise<LeaseAnswer>;
  job(job: Cid, signal?: AbortSignal): Promise<JobView>;
  closeJob(envelope: Uint8Array, signal?: AbortSignal): Promise<JobView>;
  cancelLease(lease: Cid, envelope: Uint8Array, signal?: AbortSignal): Promise<JobView>;
  report(envelope: Uint8Array, signal?: AbortSignal): Promise<ReportAnswer>;
  /** Lays a drawn outcome open. @throws FailureError `not-found` where nothing of it is drawn, or its input is not there */
  open(envelope: Uint8Array, signal?: AbortSignal): Promise<void>;
  dispute(envelope: Uint8Array, signal?: AbortSignal): Promise<ReportAnswer>;
  reveal(envelope: Uint8Array, signal?: AbortSignal): Promise<Inclusion>;
  /** Safe to repeat: until there are verdicts. @throws FailureError `unsupported`, `rate-limited` */
  referee(envelope: Uint8Array, signal?: AbortSignal): Promise<RefereeAnswer>;
  retire(peer: PeerId, envelope: Uint8Array, signal?: AbortSignal): Promise<Inclusion>;
  putBlob(cid: Cid, bytes: Uint8Array, signal?: AbortSignal): Promise<void>;
  /** `undefined` when the relay has no such blob. @throws FailureError `content-mismatch` when the bytes are others. */
  getBlob(cid: Cid, maxBytes: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Whether the relay has the blob. */
  hasBlob(cid: Cid, signal?: AbortSignal): Promise<boolean>;
  /** @param model a published name or a CID. @throws FailureError `not-found` */
  model(model: string, signal?: AbortSignal): Promise<PublishedModel>;
  /** Providers that say they hold a model. */
  modelPeers(model: Cid, signal?: AbortSignal): Promise<ModelPeers>;
  /** @throws FailureError `not-found` naming chunks that the relay lacks, `denied` for a name of somebody else */
  publishModel(envelope: Uint8Array, signal?: AbortSignal): Promise<PublishedModel>;
  unpublishModel(envelope: Uint8Array, signal?: AbortSignal): Promise<void>;
  /** The newest signed note. */
  checkpoint(signal?: AbortSignal): Promise<string>;
  /** Bytes of one log entry. */
  entry(index: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
  inclusion(index: number, signal?: AbortSignal): Promise<Inclusion>;
  consistency(from: number, to: number, signal?: AbortSignal): Promise<readonly Uint8Array[]>;
  /** Indices of the key-rotate entries, oldest first. */
  keyRotations(signal?: AbortSignal): Promise<readonly number[]>;
  revoke(envelope: Uint8Array, signal?: AbortSignal): Promise<Inclusion>;
  addApiKey(envelope: Uint8Array, signal?: AbortSignal): Promise<Inclusion>;
  revokeApiKey(envelope: Uint8Array, signal?: AbortSignal): Promise<Inclusion>;
  /** API keys of an account, newest first. */
  apiKeys(peer: PeerId, signal?: AbortSignal): Promise<readonly ApiKeyView[]>;
  /** The relay's key for Web Push. */
  pushKey(signal?: AbortSignal): Promise<PushKey>;
  addAlert(envelope: Uint8Array, signal?: AbortSignal): Promise<AlertView>;
  /** @param envelope alert-request for a list, of its signer's account; likewise below for a test and a removal */
  alerts(envelope: Uint8Array, signal?: AbortSignal): Promise<readonly AlertView[]>;
  testAlert(envelope: Uint8Array, signal?: AbortSignal): Promise<AlertTrial>;
  removeAlert(envelope: Uint8Array, signal?: AbortSignal): Promise<void>;
  setPayoutAddress(peer: PeerId, envelope: Uint8Array, signal?: AbortSignal): Promise<Inclusion>;
  /** @throws FailureError `not-found` while there is none */
  payoutAddress(peer: PeerId, signal?: AbortSignal): Promise<PayoutAddressView>;
  /** Newest first; `before` is the number of a batch to continue below. */
  payouts(
    peer: PeerId,
    page: { readonly before?: number; readonly limit: number },
    signal?: AbortSignal,
  ): Promise<readonly PayoutView[]>;
}

function post(path: string, body: Uint8Array, signal?: AbortSignal): Omit<Exchange, "maxBytes"> {
  return { path, method: "POST", body, contentType: MESSAGE_TYPE, signal };
}

export function createRelayClient(options: RelayClientOptions): RelayClient {
  const http = exchangeOptions(options);

  async function message<T>(schema: Schema<T>, exchange: Exchange): Promise<T> {
    return decode(schema, await exchangeBytes(http, exchange), exchange.maxBytes);
  }

  /** Sends what becomes an entry of the log. */
  async function logged(
    path: string,
    envelope: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<Inclusion> {
    return message(inclusionSchema, { ...post(path, envelope, signal), maxBytes: MAX_PROOF_ANSWER_BYTES });
  }

  return {
    ...createRelayQueries(options),
    ...createSiteRequests(options),
    ...createRunRequests(options),
    ...createDeploymentRequests(options),
    submitJob: (envelope, signal) =>
      message(leaseAnswerSchema, {
        ...post(RELAY_PATHS.jobs, envelope, signal),
        maxBytes: MAX_LEASE_ANSWER_BYTES,
      }),
    job: (job, signal) => view(http, jobViewJson, { path: fill(RELAY_PATHS.job, job), signal }),
    async closeJob(envelope, signal) {
      const { job } = openEnvelope(closeJobMessage, envelope).body;
      return view(http, jobViewJson, post(fill(RELAY_PATHS.closeJob, job), envelope, signal));
    },
    cancelLease: (lease, envelope, signal) =>
      view(http, jobViewJson, post(fill(RELAY_PATHS.cancelLease, lease), envelope, signal)),
    report: (envelope, signal) =>
      message(reportAnswerSchema, {
        ...post(RELAY_PATHS.reports, envelope, signal),
        maxBytes: MAX_PROOF_ANSWER_BYTES,
      }),
    async open(envelope, signal) {
      await exchangeBytes(http, {
        ...post(RELAY_PATHS.openings, envelope, signal),
        maxBytes: MAX_VIEW_BYTES,
      });
    },
    dispute: (envelope, signal) =>
      message(reportAnswerSchema, {
        ...post(RELAY_PATHS.disputes, envelope, signal),
        maxBytes: MAX_PROOF_ANSWER_BYTES,
      }),
    reveal: (envelope, signal) => logged(RELAY_PATHS.reveals, envelope, signal),
    referee: (envelope, signal) =>
      message(refereeAnswerSchema, {
        ...post(RELAY_PATHS.referees, envelope, signal),
        maxBytes: MAX_PROOF_ANSWER_BYTES,
      }),
    retire: (peer, envelope, signal) => logged(fill(RELAY_PATHS.retire, peer), envelope, signal),
    async putBlob(cid, bytes, signal) {
      await exchangeBytes(http, {
        path: fill(RELAY_PATHS.blob, cid),
        method: "PUT",
        body: bytes,
        contentType: "application/octet-stream",
        maxBytes: MAX_VIEW_BYTES,
        signal,
      });
    },
    getBlob: (cid, maxBytes, signal) => getBlob(http, cid, maxBytes, signal),
    async hasBlob(cid, signal) {
      try {
        await exchangeBytes(http, { path: fill(RELAY_PATHS.blob, cid), method: "HEAD", maxBytes: 0, signal });
        return true;
      } catch (error) {
        if (isNotFound(error)) return false;
        throw error;
      }
    },
    model: (model, signal) =>
      view(http, publishedModelJson, { path: fill(RELAY_PATHS.model, model), signal }),
    modelPeers: (model, signal) =>
      view(http, modelPeersJson, { path: fill(RELAY_PATHS.modelPeers, model), signal }),
    publishModel: (envelope, signal) =>
      view(http, publishedModelJson, post(RELAY_PATHS.models, envelope, signal)),
    async unpublishModel(envelope, signal) {
      const { name } = openEnvelope(unpublishModelMessage, envelope).body;
      const path = fill(RELAY_PATHS.unpublishModel, name);
      await exchangeBytes(http, { ...post(path, envelope, signal), maxBytes: MAX_VIEW_BYTES });
    },
    async checkpoint(signal) {
      const note = await exchangeBytes(http, {
        path: RELAY_PATHS.checkpoint,
        maxBytes: MAX_NOTE_BYTES,
        signal,
      });
      return new TextDecoder().decode(note);
    },
    entry: (index, signal) =>
      exchangeBytes(http, { path: fill(RELAY_PATHS.entry, index), maxBytes: MAX_ENTRY_BYTES, signal }),
    inclusion: (index, signal) =>
      message(inclusionSchema, {
        path: `${RELAY_PATHS.inclusion}?index=${index}`,
        maxBytes: MAX_PROOF_ANSWER_BYTES,
        signal,
      }),
    consistency: (from, to, signal) =>
      message(proofSchema, {
        path: `${RELAY_PATHS.consistency}?from=${from}&to=${to}`,
        maxBytes: MAX_PROOF_ANSWER_BYTES,
        signal,
      }),
    async keyRotations(signal) {
      return (await view(http, keyRotationsJson, { path: RELAY_PATHS.keyRotations, signal })).indices;
    },
    revoke: (envelope, signal) => logged(RELAY_PATHS.revocations, envelope, signal),
    addApiKey: (envelope, signal) => logged(RELAY_PATHS.apiKeys, envelope, signal),
    revokeApiKey: (envelope, signal) => logged(RELAY_PATHS.apiKeyRevocations, envelope, signal),
    apiKeys: (peer, signal) =>
      view(http, apiKeyViewsJson, { path: fill(RELAY_PATHS.accountApiKeys, peer), signal }),
    pushKey: (signal) => view(http, pushKeyJson, { path: RELAY_PATHS.pushKey, signal }),
    addAlert: (envelope, signal) => view(http, alertViewJson, post(RELAY_PATHS.alerts, envelope, signal)),
    alerts: (envelope, signal) =>
      view(http, alertViewsJson, post(RELAY_PATHS.alertRequests, envelope, signal)),
    testAlert: (envelope, signal) =>
      view(http, alertTrialJson, post(RELAY_PATHS.alertRequests, envelope, signal)),
    async removeAlert(envelope, signal) {
      const exchange = post(RELAY_PATHS.alertRequests, envelope, signal);
      await exchangeBytes(http, { ...exchange, maxBytes: MAX_VIEW_BYTES });
    },
    setPayoutAddress: (peer, envelope, signal) =>
      logged(fill(RELAY_PATHS.accountPayoutAddress, peer), envelope, signal),
    payoutAddress: (peer, signal) =>
      view(http, payoutAddressViewJson, { path: fill(RELAY_PATHS.accountPayoutAddress, peer), signal }),
    payouts: (peer, page, signal) =>
      view(http, payoutViewsJson, {
        path: `${fill(RELAY_PATHS.accountPayouts, peer)}?${pageQuery(page)}`,
        signal,
      }),
  };
}

function isNotFound(error: unknown): boolean {
  return error instanceof FailureError && error.code === failureCode("not-found");
}

async function getBlob(
  http: ExchangeOptions,
  cid: Cid,
  maxBytes: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    const bytes = await exchangeBytes(http, { path: fill(RELAY_PATHS.blob, cid), maxBytes, signal });
    if (await hashesTo(crypto.subtle, cid, bytes)) return bytes;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
  throw new FailureError("content-mismatch", `the relay sent other bytes under ${cid}`);
}
