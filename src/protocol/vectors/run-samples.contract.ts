import { cidOf, DAG_CBOR, RAW } from "../cid.ts";
import { bodyId, type MessageType } from "../envelope.ts";
import {
  type Capability,
  capabilityCid,
  capabilitySchema,
  type EffectRecord,
  effectRecordSchema,
  encodeCapability,
} from "../messages/effect.ts";
import { effectOrderMessage, effectParcelSchema, effectReplySchema } from "../messages/effect-order.ts";
import { type Name, nameMessage } from "../messages/name.ts";
import {
  type Run,
  runAccessMessage,
  runEndMessage,
  runHoldersMessage,
  runMessage,
  runRegistrationSchema,
  type Step,
  stepBatchSchema,
  stepMessage,
  stepPageSchema,
} from "../messages/run.ts";
import { encodeUtf8 } from "../text.ts";
import { fuel, microCredits } from "../units.ts";
import { type Cast, type Role, START } from "./cast.contract.ts";
import type { MessageSample, PartSample } from "./catalogue.contract.ts";
import type { Story } from "./story.contract.ts";

const PLAN = cidOf(DAG_CBOR, encodeUtf8("a plan"));
const PARAMS = encodeUtf8("{}");
const VALUE = cidOf(RAW, encodeUtf8("a value"));

const CAPABILITY: Capability = {
  kind: "fetch",
  origins: ["https://example.org"],
  methods: ["GET", "POST"],
  namespace: "",
  chains: [],
  secrets: ["token"],
  maxBytes: 65_536,
  timeoutMs: 10_000,
};

function message<T>(name: string, type: MessageType<T>, body: T, ...signers: readonly Role[]): MessageSample {
  return { file: "run", name, type, body, signers };
}

function runOf(cast: Cast, { head }: Story): Run {
  return {
    ...head,
    initiator: cast.requester.key,
    payer: cast.requester.key,
    plan: PLAN,
    params: cidOf(RAW, PARAMS),
    nonce: new Uint8Array(16).fill(0x61),
    issuedAt: START,
    notAfter: START + 3_600_000,
    budget: microCredits(500_000),
    returnTo: "relay",
  };
}

function stepMessages(cast: Cast, story: Story): readonly MessageSample[] {
  const run = bodyId(runMessage, runOf(cast, story));
  const skipped: Step = {
    run,
    node: "blur",
    iteration: "",
    attempt: 0,
    status: "skipped",
    args: cidOf(RAW, new Uint8Array()),
    size: 0,
    profile: 1,
    fuel: fuel(0),
    parents: [],
  };
  const done: Step = {
    ...skipped,
    iteration: "3.0",
    status: "done",
    args: VALUE,
    result: VALUE,
    size: 7,
    callee: story.job.work.cid,
    fuel: fuel(1_234_567),
    record: VALUE,
    parents: [bodyId(stepMessage, skipped)],
    lease: story.leaseId,
    seq: 2,
  };
  const failed: Step = {
    ...skipped,
    attempt: 2,
    status: "failed",
    code: 30001,
    detail: "used all of 1,000,000",
  };
  return [
    message("step that was skipped", stepMessage, skipped, "requesterSession"),
    message("step", stepMessage, done, "providerSession"),
    message("step that failed", stepMessage, failed, "providerSession"),
  ];
}

/** Messages of runs and names. */
export function runMessages(cast: Cast, story: Story): readonly MessageSample[] {
  const { head } = story;
  const own = runOf(cast, story);
  const run = bodyId(runMessage, own);
  const name: Name = {
    ...head,
    owner: cast.provider.key,
    name: "blur-7",
    version: 3,
    peers: [cast.provider.key],
    issuedAt: START,
    expires: START + 86_400_000,
  };
  const { peers: _peers, ...plain } = name;
  return [
    message("run", runMessage, own, "requesterSession"),
    message(
      "run that another pays for",
      runMessage,
      { ...own, initiator: cast.auditor.key, returnTo: "https://example.org/results" },
      "auditor",
      "requester",
    ),
    message(
      "run of a gateway, paid for under an api-key",
      runMessage,
      { ...own, initiator: cast.auditor.key, apiKey: VALUE },
      "auditor",
    ),
    message(
      "run-holders",
      runHoldersMessage,
      { ...head, run, rev: 1, holders: [cast.provider.key, cast.auditor.key] },
      "requesterSession",
    ),
    message("run-end", runEndMessage, { ...head, run, status: "done", result: VALUE }, "requesterSession"),
    message(
      "run-end of one that failed",
      runEndMessage,
      { ...head, run, status: "failed", code: 40005, detail: "blur: no provider" },
      "provider",
    ),
    message(
      "run-end of one that was called off",
      runEndMessage,
      { ...head, run, status: "cancelled" },
      "requester",
    ),
    message(
      "run-access",
      runAccessMessage,
      { ...head, run, audience: cast.provider.key, issuedAt: START },
      "requesterSession",
    ),
    ...stepMessages(cast, story),
    message(
      "effect-order",
      effectOrderMessage,
      {
        ...head,
        run,
        node: "weather",
        iteration: "2",
        attempt: 0,
        capability: capabilityCid(CAPABILITY),
        request: VALUE,
        parents: [VALUE],
        issuedAt: START,
      },
      "requesterSession",
    ),
    message("name of peers", nameMessage, name, "provider"),
    message("name of a plan", nameMessage, { ...plain, version: 4, plan: PLAN }, "provider"),
  ];
}

function recordOf({ lease }: Story): EffectRecord {
  return {
    v: 1,
    kind: "fetch",
    capability: capabilityCid(CAPABILITY),
    request: VALUE,
    response: VALUE,
    size: 7,
    signer: lease.instance,
    at: START,
    status: 200,
  };
}

/** Parts of runs. @param envelopes by the name of their message */
export function runParts(story: Story): readonly PartSample[] {
  const steps = [story.leaseEnvelope, story.jobEnvelope];
  return [
    {
      file: "run",
      name: "run-registration",
      schema: runRegistrationSchema,
      body: { run: story.jobEnvelope, plan: encodeUtf8("a plan"), params: PARAMS },
    },
    { file: "run", name: "step-batch", schema: stepBatchSchema, body: { steps, leaving: false } },
    { file: "run", name: "step-batch, empty", schema: stepBatchSchema, body: { steps: [], leaving: false } },
    {
      file: "run",
      name: "step-batch of who leaves",
      schema: stepBatchSchema,
      body: { steps, leaving: true },
    },
    { file: "run", name: "capability", schema: capabilitySchema, body: CAPABILITY },
    { file: "run", name: "effect-record", schema: effectRecordSchema, body: recordOf(story) },
    {
      file: "run",
      name: "effect-record of a chain read at the relay",
      schema: effectRecordSchema,
      body: {
        ...recordOf(story),
        kind: "evm-read",
        place: { run: VALUE, node: "balance", iteration: "", attempt: 1 },
        block: { number: 21_000_000, hash: new Uint8Array(32).fill(7) },
        proof: new Uint8Array(96).fill(9),
      },
    },
    {
      file: "run",
      name: "effect-parcel",
      schema: effectParcelSchema,
      body: {
        order: story.jobEnvelope,
        capability: encodeCapability(CAPABILITY),
        request: encodeUtf8("{}"),
        secrets: [{ name: "token", enc: new Uint8Array(32).fill(3), sealed: new Uint8Array(20).fill(4) }],
      },
    },
    {
      file: "run",
      name: "effect-reply",
      schema: effectReplySchema,
      body: { step: story.leaseEnvelope, record: new Uint8Array(9), value: PARAMS },
    },
    { file: "run", name: "step-page", schema: stepPageSchema, body: { next: 9, total: 12, steps } },
  ];
}
