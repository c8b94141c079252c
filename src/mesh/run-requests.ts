import { toBase64 } from "../protocol/base64.ts";
import type { Cid } from "../protocol/cid.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import { hashesTo } from "../protocol/hashes-to.ts";
import {
  MAX_EFFECT_BYTES,
  MAX_EFFECT_MS,
  MAX_ENVELOPE_BYTES,
  MAX_STEP_BATCH_BYTES,
} from "../protocol/limits.ts";
import {
  type EffectParcel,
  effectParcelSchema,
  type EffectReply,
  effectReplySchema,
} from "../protocol/messages/effect-order.ts";
import { type Inclusion, inclusionSchema } from "../protocol/messages/receipt.ts";
import {
  type RunRegistration,
  runRegistrationSchema,
  stepBatchSchema,
  type StepPage,
  stepPageSchema,
} from "../protocol/messages/run.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import { MESSAGE_TYPE, RELAY_PATHS, RUN_ACCESS_HEADER, type RunRole } from "../protocol/relay-api.ts";
import {
  nameViewJson,
  nameViewsJson,
  runStepEventJson,
  runSummariesJson,
  runViewJson,
} from "../protocol/run-json.ts";
import type { NameView, RunSummary, RunView } from "../protocol/run-views.ts";
import { decode, encode } from "../protocol/schema.ts";
import { eventId, parseJson, relayEvents, type SentEvent } from "./relay-events.ts";
import { exchangeBytes } from "./relay-exchange.ts";
import {
  exchangeOptions,
  fill,
  MAX_VIEW_BYTES,
  pageQuery,
  type RelayClientOptions,
  view,
} from "./relay-queries.ts";

/** A log entry's leaf, its proof and a signed note. */
const MAX_INCLUSION_BYTES: number = 16 * 1024;
/** What a page of steps adds to them. */
const PAGE_FRAME_BYTES = 4_096;
/** An effect's value with its step and record. */
const MAX_EFFECT_REPLY_BYTES: number = MAX_EFFECT_BYTES + MAX_ENVELOPE_BYTES + 8 * 1024;
/** What the way there and back may take besides, ms. */
const EFFECT_GRACE_MS = 10_000;

/** One thing that happened in a run. */
export type RelayRunEvent =
  /** A receipt came in; `id` is its place, to resume by. */
  | { readonly id: number; readonly kind: "step"; readonly step: Uint8Array }
  /** Budget, holders, jobs or state changed. `id` is the place of the newest receipt. */
  | { readonly id: number; readonly kind: "run"; readonly run: RunView };

/**
 * What the relay does for runs of plans; a part of RelayClient.
 * `access` is a run-access envelope of who asks: what is in a run's mailbox is for those alone who take part.
 */
export interface RunRequests {
  /** The same run again answers with the same entry. */
  registerRun(registration: RunRegistration, signal?: AbortSignal): Promise<Inclusion>;
  setRunHolders(run: Cid, envelope: Uint8Array, signal?: AbortSignal): Promise<Inclusion>;
  /** The first end counts; a later one answers with its entry. */
  endRun(run: Cid, envelope: Uint8Array, signal?: AbortSignal): Promise<Inclusion>;
  /** @throws FailureError `not-found` */
  run(run: Cid, signal?: AbortSignal): Promise<RunView>;
  /**
   * Newest first; `before` is an entry index to continue below. As "holder" those that are open and name the peer as one, else those
   * that it started or pays for.
   */
  runs(
    peer: PeerId,
    page: { readonly before?: number; readonly limit: number; readonly role?: RunRole },
    signal?: AbortSignal,
  ): Promise<readonly RunSummary[]>;
  /**
   * Safe to repeat. With none it is a coordinator's sign of life, or with `leaving` its last one. At most MAX_STEPS_PER_BATCH,
   * MAX_STEP_BATCH_BYTES.
   */
  putSteps(
    run: Cid,
    access: Uint8Array,
    steps: readonly Uint8Array[],
    options?: { readonly leaving?: boolean; readonly signal?: AbortSignal },
  ): Promise<void>;
  steps(run: Cid, access: Uint8Array, from: number, signal?: AbortSignal): Promise<StepPage>;
  /** Receipts from `from` on, then as they come, and the run whenever it changes; through lost connections. */
  runEvents(
    run: Cid,
    access: Uint8Array,
    options: { readonly from?: number; readonly signal: AbortSignal; readonly onLost?: () => void },
  ): AsyncIterable<RelayRunEvent>;
  /** @throws FailureError `not-found` for what neither plan nor parameters nor a receipt of the run names */
  putRunValue(run: Cid, access: Uint8Array, cid: Cid, bytes: Uint8Array, signal?: AbortSignal): Promise<void>;
  /** Plan, parameters and values that were left. `undefined` where the relay has no such value. */
  runValue(
    run: Cid,
    access: Uint8Array,
    cid: Cid,
    maxBytes: number,
    signal?: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Has the relay itself carry out an effect, at most once; safe to repeat. Takes as long as the effect's capability allows. */
  performEffect(run: Cid, parcel: EffectParcel, signal?: AbortSignal): Promise<EffectReply>;
  putName(name: string, envelope: Uint8Array, signal?: AbortSignal): Promise<NameView>;
  /** @throws FailureError `not-found`, also for a name that has expired */
  name(name: string, signal?: AbortSignal): Promise<NameView>;
  names(owner: PeerId, signal?: AbortSignal): Promise<readonly NameView[]>;
}

function accessHeaders(access: Uint8Array): Readonly<Record<string, string>> {
  return { [RUN_ACCESS_HEADER]: toBase64(access) };
}

function runEvent(sent: SentEvent): RelayRunEvent | undefined {
  if (sent.event === "step")
    return {
      id: eventId(sent),
      kind: "step",
      step: runStepEventJson.read(parseJson(sent.data), "step").step,
    };
  if (sent.event === "run")
    return { id: eventId(sent), kind: "run", run: runViewJson.read(parseJson(sent.data), "run") };
  return undefined;
}

function valuePath(run: Cid, cid: Cid): string {
  return fill(fill(RELAY_PATHS.runValue, run), cid);
}

export function createRunRequests(options: RelayClientOptions): RunRequests {
  const http = exchangeOptions(options);

  async function logged(path: string, body: Uint8Array, signal?: AbortSignal): Promise<Inclusion> {
    const answer = await exchangeBytes(http, {
      path,
      method: "POST",
      body,
      contentType: MESSAGE_TYPE,
      maxBytes: MAX_INCLUSION_BYTES,
      signal,
    });
    return decode(inclusionSchema, answer, MAX_INCLUSION_BYTES);
  }

  return {
    registerRun: (registration, signal) =>
      logged(RELAY_PATHS.runs, encode(runRegistrationSchema, registration), signal),
    setRunHolders: (run, envelope, signal) => logged(fill(RELAY_PATHS.runHolders, run), envelope, signal),
    endRun: (run, envelope, signal) => logged(fill(RELAY_PATHS.runEnd, run), envelope, signal),
    run: (run, signal) => view(http, runViewJson, { path: fill(RELAY_PATHS.run, run), signal }),
    runs: (peer, page, signal) =>
      view(http, runSummariesJson, {
        path: `${fill(RELAY_PATHS.accountRuns, peer)}?${pageQuery(page)}${page.role === undefined ? "" : `&role=${page.role}`}`,
        signal,
      }),
    async putSteps(run, access, steps, { leaving = false, signal } = {}) {
      await exchangeBytes(http, {
        path: fill(RELAY_PATHS.runSteps, run),
        method: "POST",
        body: encode(stepBatchSchema, { steps, leaving }),
        contentType: MESSAGE_TYPE,
        headers: accessHeaders(access),
        maxBytes: MAX_VIEW_BYTES,
        signal,
      });
    },
    async steps(run, access, from, signal) {
      const maxBytes = MAX_STEP_BATCH_BYTES + PAGE_FRAME_BYTES;
      const answer = await exchangeBytes(http, {
        path: `${fill(RELAY_PATHS.runSteps, run)}?from=${from}`,
        headers: accessHeaders(access),
        maxBytes,
        signal,
      });
      return decode(stepPageSchema, answer, maxBytes);
    },
    runEvents: (run, access, { from = 0, signal, onLost }) =>
      relayEvents(
        {
          ...http,
          path: fill(RELAY_PATHS.runEvents, run),
          headers: accessHeaders(access),
          lastId: from === 0 ? undefined : from - 1,
          signal,
          onLost,
        },
        runEvent,
      ),
    async putRunValue(run, access, cid, bytes, signal) {
      await exchangeBytes(http, {
        path: valuePath(run, cid),
        method: "PUT",
        body: bytes,
        contentType: "application/octet-stream",
        headers: accessHeaders(access),
        maxBytes: MAX_VIEW_BYTES,
        signal,
      });
    },
    async runValue(run, access, cid, maxBytes, signal) {
      const headers = accessHeaders(access);
      try {
        const bytes = await exchangeBytes(http, { path: valuePath(run, cid), headers, maxBytes, signal });
        if (await hashesTo(crypto.subtle, cid, bytes)) return bytes;
      } catch (error) {
        if (error instanceof FailureError && error.code === failureCode("not-found")) return undefined;
        throw error;
      }
      throw new FailureError("content-mismatch", `the relay sent other bytes under ${cid}`);
    },
    async performEffect(run, parcel, signal) {
      const answer = await exchangeBytes(
        { ...http, timeoutMs: Math.max(http.timeoutMs ?? 0, MAX_EFFECT_MS + EFFECT_GRACE_MS) },
        {
          path: fill(RELAY_PATHS.runEffects, run),
          method: "POST",
          body: encode(effectParcelSchema, parcel),
          contentType: MESSAGE_TYPE,
          maxBytes: MAX_EFFECT_REPLY_BYTES,
          signal,
        },
      );
      return decode(effectReplySchema, answer, MAX_EFFECT_REPLY_BYTES);
    },
    putName: (name, envelope, signal) =>
      view(http, nameViewJson, {
        path: fill(RELAY_PATHS.name, name),
        method: "PUT",
        body: envelope,
        contentType: MESSAGE_TYPE,
        signal,
      }),
    name: (name, signal) => view(http, nameViewJson, { path: fill(RELAY_PATHS.name, name), signal }),
    names: (owner, signal) =>
      view(http, nameViewsJson, { path: fill(RELAY_PATHS.accountNames, owner), signal }),
  };
}
