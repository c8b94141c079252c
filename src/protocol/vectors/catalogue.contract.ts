import { bodyId } from "../envelope.ts";
import { delegationMessage } from "../delegation.ts";
import type { MessageType } from "../envelope.ts";
import { type ApiKey, apiKeyMessage, apiKeyRevokeMessage } from "../messages/api-key.ts";
import { drawMessage, openingMessage, verdictMessage } from "../messages/audit.ts";
import { type EntryBodies, entryBodies, type EntryType } from "../messages/entry.ts";
import { closeJobMessage, jobArgsSchema, jobMessage } from "../messages/job.ts";
import { acceptMessage, leaseAnswerSchema, leaseMessage } from "../messages/lease.ts";
import { publishModelMessage, unpublishModelMessage } from "../messages/model.ts";
import {
  type PayoutAddress,
  payoutAddressMessage,
  payoutBatchMessage,
  type PayoutLine,
  payoutLineSchema,
  payoutSums,
} from "../messages/payout.ts";
import { inclusionSchema, receiptMessage, reportAnswerSchema, reportMessage } from "../messages/receipt.ts";
import {
  drainMessage,
  helloMessage,
  keyRevokeMessage,
  type Offer,
  offerMessage,
} from "../messages/session.ts";
import {
  advanceMessage,
  cancelMessage,
  encodeOutcome,
  encodeTask,
  outcomeSchema,
  stopMessage,
  taskSchema,
} from "../messages/task.ts";
import { rotationMessage } from "../rotation.ts";
import type { Schema } from "../schema.ts";
import type { Signer } from "../signature.ts";
import { tariffSchema } from "../tariff.ts";
import { fuel, microCredits } from "../units.ts";
import { failureSchema, openSchema } from "../work-frame.ts";
import { type Cast, ORIGIN, type Role, START } from "./cast.contract.ts";
import { POLICY, type Story } from "./story.contract.ts";

/** A signed message of the wire format. */
export interface MessageSample {
  readonly file: string;
  readonly name: string;
  readonly type: MessageType<unknown>;
  readonly body: unknown;
  readonly signers: readonly Role[];
}

/** A structure that travels inside something else or in an answer, unsigned. */
export interface PartSample {
  readonly file: string;
  readonly name: string;
  readonly schema: Schema<unknown>;
  readonly body: unknown;
}

export interface EntrySample {
  readonly name: string;
  readonly type: EntryType;
  readonly time: number;
  readonly body: unknown;
}

const hash = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);

function message<T>(
  file: string,
  name: string,
  type: MessageType<T>,
  body: T,
  ...signers: readonly Role[]
): MessageSample {
  return { file, name, type: type, body, signers };
}

function part<T>(file: string, name: string, schema: Schema<T>, body: T): PartSample {
  return { file, name, schema: schema, body };
}

function sessionMessages(cast: Cast, story: Story): readonly MessageSample[] {
  const { head, tariff, leaseId, receiptEnvelope, note } = story;
  const hello = {
    ...head,
    role: "requester",
    versions: [1],
    features: [],
    instance: cast.requesterSession.key,
  } as const;
  const offer: Offer = {
    ...head,
    provider: cast.provider.key,
    instance: cast.providerSession.key,
    seq: 1,
    workers: 4,
    free: 3,
    memoryBytes: 1_073_741_824,
    profiles: [0],
    abis: ["wasi-p1", "bytes-1"],
    tariffMin: tariff,
    addresses: ["/ip4/192.0.2.7/tcp/8787/ws/p2p-circuit/webrtc"],
  };
  const drain = {
    ...head,
    lease: leaseId,
    instance: cast.providerSession.key,
    code: 10010,
    acceptedUpTo: 3,
    running: [],
    returned: [],
    lost: [],
  } as const;
  return [
    message("session", "hello", helloMessage, hello, "requesterSession"),
    message(
      "session",
      "hello of a provider that knows a checkpoint, with an extension",
      helloMessage,
      {
        ...hello,
        ext: {
          "x-color": "blue",
          "x-list": [1n, true, hash(7).subarray(0, 4)],
          n: 18_446_744_073_709_551_615n,
        },
        role: "provider",
        features: ["streams"],
        instance: cast.providerSession.key,
        checkpoint: note,
      },
      "providerSession",
    ),
    message("session", "offer", offerMessage, offer, "providerSession"),
    message(
      "session",
      "offer of a provider that holds a model",
      offerMessage,
      { ...offer, abis: ["bytes-1", "model-1"], models: [POLICY] },
      "providerSession",
    ),
    message("session", "drain", drainMessage, drain, "providerSession"),
    message(
      "session",
      "drain with everything",
      drainMessage,
      {
        ...drain,
        code: 10001,
        acceptedUpTo: 30,
        running: [27, 28],
        returned: [29],
        lost: [3],
        receipt: receiptEnvelope,
        resumeAfterMs: 60_000,
      },
      "providerSession",
    ),
    message(
      "session",
      "key-revoke",
      keyRevokeMessage,
      { ...head, root: cast.provider.key, key: cast.providerSession.key },
      "provider",
    ),
    message(
      "session",
      "delegation",
      delegationMessage,
      {
        root: cast.provider.key,
        session: cast.providerSession.key,
        notBefore: START,
        notAfter: START + 43_200_000,
      },
      "provider",
    ),
  ];
}

/** The gateway of the vectors has the key of the auditor, who does nothing else here. */
function apiKeyOf(cast: Cast, { head }: Story): ApiKey {
  return {
    ...head,
    account: cast.requester.key,
    gateway: cast.auditor.key,
    hash: hash(0x51),
    label: "a program",
    cap: microCredits(1_000_000),
    per: "day",
  };
}

function keyMessages(cast: Cast, story: Story): readonly MessageSample[] {
  const key = apiKeyOf(cast, story);
  return [
    message("session", "api-key", apiKeyMessage, key, "requester"),
    message(
      "session",
      "api-key with an end, capped over its life",
      apiKeyMessage,
      { ...key, hash: hash(0x52), label: "", per: "total", expires: START + 86_400_000 },
      "requester",
    ),
    message(
      "session",
      "api-key-revoke",
      apiKeyRevokeMessage,
      { ...story.head, account: key.account, apiKey: bodyId(apiKeyMessage, key) },
      "requester",
    ),
  ];
}

function payoutAddressOf(cast: Cast, { head }: Story): PayoutAddress {
  return { ...head, account: cast.provider.key, address: "eip155:8453:0x00" };
}

function payoutLineOf({ lease }: Story): PayoutLine {
  return { account: lease.provider, amount: microCredits(5_017), address: "eip155:8453:0x00" };
}

function payoutMessages(cast: Cast, story: Story): readonly MessageSample[] {
  const first = payoutAddressOf(cast, story);
  const batch = { ...story.head, number: 1, ...payoutSums([payoutLineOf(story)]) };
  return [
    message("payout", "payout-address", payoutAddressMessage, first, "provider"),
    message(
      "payout",
      "payout-address that replaces another",
      payoutAddressMessage,
      { ...first, address: "DE02120300000000202051", prev: bodyId(payoutAddressMessage, first) },
      "provider",
    ),
    message("payout", "payout-batch", payoutBatchMessage, batch, "lease"),
  ];
}

function modelMessages(cast: Cast, { head }: Story): readonly MessageSample[] {
  const name = { ...head, publisher: cast.requester.key, name: "stories-260k", issuedAt: START };
  return [
    message("session", "publish-model", publishModelMessage, { ...name, model: POLICY }, "requester"),
    message(
      "session",
      "unpublish-model",
      unpublishModelMessage,
      { ...name, issuedAt: START + 1 },
      "requester",
    ),
  ];
}

function workMessages(cast: Cast, story: Story): readonly MessageSample[] {
  const { head, job, jobId, lease, leaseId, receipt, receiptId } = story;
  return [
    message("job", "job", jobMessage, job, "requesterSession"),
    message(
      "job",
      "job that is a step of a run, with its inputs known",
      jobMessage,
      { ...job, inputsRoot: hash(0x11), run: { id: POLICY, node: "blur", iteration: 2 } },
      "requesterSession",
    ),
    message(
      "job",
      "job of a gateway, paid for under an api-key",
      jobMessage,
      { ...job, requester: cast.auditor.key, apiKey: bodyId(apiKeyMessage, apiKeyOf(cast, story)) },
      "auditor",
    ),
    message("job", "close-job", closeJobMessage, { ...head, job: jobId }, "requesterSession"),
    message("lease", "lease", leaseMessage, lease, "lease"),
    message(
      "lease",
      "lease topped up",
      leaseMessage,
      { ...lease, rev: 1, prev: leaseId, budget: microCredits(800_000), gateway: true },
      "lease",
    ),
    message("lease", "accept", acceptMessage, { ...head, lease: leaseId }, "providerSession"),
    message("task", "advance, the first", advanceMessage, story.firstAdvance, "requesterSession"),
    message("task", "advance", advanceMessage, story.advance, "requesterSession"),
    message("task", "stop", stopMessage, { ...head, lease: leaseId, seq: 2, atUnit: 96 }, "requesterSession"),
    message(
      "task",
      "cancel",
      cancelMessage,
      { ...head, lease: leaseId, seq: 2, atUnit: 0 },
      "requesterSession",
    ),
    message("receipt", "receipt", receiptMessage, receipt, "providerSession"),
    message(
      "receipt",
      "receipt that follows another",
      receiptMessage,
      {
        ...receipt,
        seq: 2,
        prev: receiptId,
        ended: 0,
        final: false,
        fuel: fuel(18_446_744_073_709_551_615n),
      },
      "providerSession",
    ),
    message("receipt", "report", reportMessage, story.report, "providerSession"),
    message(
      "receipt",
      "report of a tree that grew, with a leaf lost",
      reportMessage,
      { ...story.report, prevCount: 2, consistency: story.outcomeTree.consistencyProof(2), lost: [1] },
      "requesterSession",
    ),
  ];
}

function auditMessages(cast: Cast, story: Story): readonly MessageSample[] {
  const { head, outcomes, tasks, inclusion } = story;
  const [outcome] = outcomes;
  const [task] = tasks;
  if (outcome === undefined || task === undefined) throw new Error("the story has no tasks");
  const opening = {
    ...head,
    entryIndex: inclusion.index,
    index: 0,
    leaf: encodeOutcome(outcome).bytes,
    path: story.outcomeTree.inclusionProof(0),
    task: encodeTask(task).bytes,
    taskPath: story.taskTree.inclusionProof(0),
    advance: story.advanceEnvelope,
  };
  return [
    message(
      "audit",
      "draw",
      drawMessage,
      {
        ...head,
        entryIndex: inclusion.index,
        entryHash: inclusion.leaf,
        epoch: 1,
        source: "relay",
        policy: POLICY,
        n: microCredits(0),
        bond: microCredits(0),
        first: 0,
        end: 3,
        leaves: [0, 2],
        openBy: START + 600_000,
        verdictBy: START + 1_200_000,
      },
      "draw",
    ),
    message(
      "audit",
      "opening with its input",
      openingMessage,
      { ...opening, input: new Uint8Array([0x6f, 0x6e, 0x65]) },
      "providerSession",
    ),
    message(
      "audit",
      "opening with a sealed input and effects",
      openingMessage,
      { ...opening, sealed: task.inputCid, effects: POLICY },
      "providerSession",
    ),
    message(
      "audit",
      "verdict",
      verdictMessage,
      {
        ...head,
        entryIndex: inclusion.index,
        index: 0,
        result: "mismatch",
        expected: hash(0x21),
        found: hash(0x22),
        fuel: fuel(1_234_567),
        profile: 0,
        engine: "v8 14.1",
        auditors: [cast.auditor.key],
        evidenceCid: POLICY,
        postings: [{ from: "bond/provider", to: "payer/requester", amount: microCredits(7) }],
        appealBy: START + 86_400_000,
      },
      "draw",
    ),
  ];
}

export function messageSamples(cast: Cast, story: Story): readonly MessageSample[] {
  return [
    ...sessionMessages(cast, story),
    ...keyMessages(cast, story),
    ...modelMessages(cast, story),
    ...payoutMessages(cast, story),
    ...workMessages(cast, story),
    ...auditMessages(cast, story),
  ];
}

export function partSamples(story: Story): readonly PartSample[] {
  const { args, tariff, tasks, outcomes, inclusion, jobId, leaseEnvelope, jobEnvelope } = story;
  const [task] = tasks;
  const [done, failed] = outcomes;
  if (task === undefined || done === undefined || failed === undefined)
    throw new Error("the story has no tasks");
  const entry = story.entries[inclusion.index]?.bytes ?? new Uint8Array();
  const addresses = ["/ip4/192.0.2.7/tcp/8787/ws/p2p-circuit/webrtc"];
  return [
    part("job", "job-args", jobArgsSchema, args),
    part("job", "job-args, empty", jobArgsSchema, { args: [], env: [], files: [] }),
    part("lease", "tariff", tariffSchema, tariff),
    part("lease", "lease-answer", leaseAnswerSchema, {
      job: jobId,
      leases: [{ lease: leaseEnvelope, tariff, addresses }],
      available: microCredits(9_000_000),
    }),
    part("task", "task", taskSchema, task),
    part("task", "task of a stream", taskSchema, { ...task, seq: 300, stream: true }),
    part("task", "outcome, done", outcomeSchema, done),
    part("task", "outcome, failed", outcomeSchema, failed),
    part("task", "outcome, a sealed segment of a stream with effects", outcomeSchema, {
      ...done,
      segment: 2,
      from: 64,
      to: 96,
      stateHash: hash(0x31),
      effectsCid: POLICY,
      end: false,
      seal: hash(0x32),
    }),
    part("receipt", "inclusion", inclusionSchema, inclusion),
    part("receipt", "report-answer", reportAnswerSchema, { ...inclusion, entry }),
    part("receipt", "report-answer with a draw", reportAnswerSchema, {
      ...inclusion,
      entry,
      draw: new Uint8Array([0xa0]),
    }),
    part("payout", "payout-line", payoutLineSchema, payoutLineOf(story)),
    part("frame", "open", openSchema, {
      job: jobEnvelope,
      lease: leaseEnvelope,
      tariff,
      args: Uint8Array.of(0xa0),
    }),
    part("frame", "refuse", failureSchema, { code: 10004, detail: "the tariff is below this provider's" }),
  ];
}

function bodyOf<K extends EntryType>(type: K, body: EntryBodies[K], name: string = type): EntrySample {
  return { name, type, time: START, body };
}

export async function entrySamples(
  cast: Cast,
  story: Story,
  envelopes: ReadonlyMap<string, Uint8Array>,
): Promise<readonly EntrySample[]> {
  const { tariff, jobId, leaseId, job } = story;
  const envelope = (name: string): Uint8Array => envelopes.get(name) ?? new Uint8Array();
  const log: Signer = cast.log;
  const line = payoutLineOf(story);
  const batch = bodyId(payoutBatchMessage, { ...story.head, number: 1, ...payoutSums([line]) });
  const settle = {
    lease: leaseId,
    job: jobId,
    provider: cast.provider.key,
    paid: microCredits(5_017),
    returned: microCredits(394_983),
    reason: "final",
  } as const;
  return [
    bodyOf("policy", {
      origin: ORIGIN,
      asset: story.head.asset,
      keys: { log: cast.log.key, lease: cast.lease.key, draw: cast.draw.key },
      tariff,
      policy: POLICY,
    }),
    bodyOf("deposit", { account: job.payer, amount: microCredits(10_000_000), reference: "payment 1" }),
    bodyOf("grant", { account: job.payer, amount: microCredits(10_000_000), reference: "first contact" }),
    bodyOf("escrow", { job: jobId, payer: job.payer, amount: job.cap, envelope: story.jobEnvelope }),
    bodyOf("lease", { lease: leaseId, job: jobId, envelope: story.leaseEnvelope }),
    bodyOf("receipt", { lease: leaseId, envelope: story.reportEnvelope }),
    bodyOf("cancel", { lease: leaseId, envelope: envelope("cancel") }),
    bodyOf("draw", { envelope: envelope("draw") }),
    bodyOf("verdict", { envelope: envelope("verdict") }),
    bodyOf("settle", { ...settle, receiptIndex: 3 }),
    bodyOf(
      "settle",
      { ...settle, paid: microCredits(0), returned: microCredits(400_000), reason: "void" },
      "settle of an unused lease",
    ),
    bodyOf("release", { job: jobId, payer: job.payer, amount: microCredits(994_983) }),
    bodyOf("forfeit", {
      lease: leaseId,
      provider: cast.provider.key,
      refunded: microCredits(10),
      burnt: microCredits(90),
    }),
    bodyOf("payout-address", { envelope: envelope("payout-address") }),
    bodyOf("payout-batch", { batch, envelope: envelope("payout-batch") }),
    bodyOf("payout-prepare", { batch, ...line }),
    bodyOf("payout", { batch, ...line, reference: "transfer 17" }),
    bodyOf("payout-cancel", { batch, account: line.account, amount: line.amount }),
    bodyOf("epoch-open", { epoch: 0, commit: hash(0x41) }, "epoch-open, the first"),
    bodyOf("epoch-open", { epoch: 1, commit: hash(0x42), revealed: hash(0x43) }),
    bodyOf("key-rotate", {
      purpose: "log",
      previous: log.key,
      next: cast.nextLog.key,
      proof: await log.sign(rotationMessage(ORIGIN, "log", cast.nextLog.key)),
    }),
    bodyOf("key-revoke", { envelope: envelope("key-revoke") }),
    bodyOf("api-key", { envelope: envelope("api-key") }),
    bodyOf("api-key-revoke", { envelope: envelope("api-key-revoke") }),
    bodyOf("bar", { identity: cast.auditor.key, reason: "equivocated" }),
  ];
}

export function schemaOfEntry(type: EntryType): Schema<unknown> {
  return entryBodies[type];
}
