import { sha256 } from "@noble/hashes/sha2.js";
import { bodyId } from "../envelope.ts";
import { auditPolicySchema, DEFAULT_AUDIT_POLICY, PPM } from "../audit-policy.ts";
import { delegationMessage } from "../delegation.ts";
import { drawnLeaves } from "../draw.ts";
import type { MessageType } from "../envelope.ts";
import { type Alert, alertMessage, alertRequestMessage } from "../messages/alert.ts";
import { type ApiKey, apiKeyMessage, apiKeyRevokeMessage } from "../messages/api-key.ts";
import {
  disputeMessage,
  type Draw,
  drawMessage,
  openingMessage,
  refereeAnswerSchema,
  refereeMessage,
  retireMessage,
  revealMessage,
  verdictMessage,
} from "../messages/audit.ts";
import {
  type Challenge,
  type ChallengeAnswer,
  challengeAnswerMessage,
  challengeMessage,
} from "../messages/capability.ts";
import { type EntryBodies, entryBodies, type EntryType } from "../messages/entry.ts";
import { type Deploy, deployMessage, deployRequestMessage } from "../messages/deploy.ts";
import { closeJobMessage, jobArgsSchema, jobMessage } from "../messages/job.ts";
import { acceptMessage, leaseAnswerSchema, leaseMessage } from "../messages/lease.ts";
import { type Assign, assignMessage } from "../messages/assign.ts";
import { type SiteRegistration, siteMessage } from "../messages/site.ts";
import { siteId } from "../site.ts";
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
import { runMessages, runParts } from "./run-samples.contract.ts";
import { EPOCH_SECRET, POLICY, type Story } from "./story.contract.ts";

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

/** The same with some optional fields left out. */
function without<T extends object, K extends keyof T>(value: T, ...names: readonly K[]): Omit<T, K> {
  const rest = { ...value };
  for (const name of names) delete rest[name];
  return rest;
}

function part<T>(file: string, name: string, schema: Schema<T>, body: T): PartSample {
  return { file, name, schema: schema, body };
}

function challengeMessages({ providerSession }: Cast, { head }: Story): readonly MessageSample[] {
  const { key: instance } = providerSession;
  const all: Challenge = {
    ...head,
    instance,
    nonce: hash(9).subarray(0, 16),
    property: "fuel-all",
    amount: 4_000_000,
    seeds: [hash(10), hash(11)],
  };
  const one: Challenge = { ...all, property: "webgpu-rows", amount: 16, seeds: [hash(12)] };
  const challenge = bodyId(challengeMessage, one);
  const answer: ChallengeAnswer = { ...head, instance, challenge, digest: hash(13), device: "software" };
  const declined: ChallengeAnswer = { ...head, instance, challenge, declined: "busy" };
  return [
    message("session", "challenge of all threads", challengeMessage, all, "relay"),
    message("session", "challenge of a graphics card", challengeMessage, one, "relay"),
    message("session", "challenge-answer", challengeAnswerMessage, answer, "providerSession"),
    message("session", "challenge-answer, declined", challengeAnswerMessage, declined, "providerSession"),
  ];
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
    message(
      "session",
      "offer of an embedded provider that knows its speed",
      offerMessage,
      {
        ...offer,
        claims: [
          { property: "fuel", value: 4_000_000_000 },
          { property: "memory", value: 536_870_912 },
        ],
        effects: ["time", "fetch https://example.org"],
        site: "https://news.example",
      },
      "providerSession",
    ),
    ...challengeMessages(cast, story),
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

function siteOf(cast: Cast, { head }: Story): SiteRegistration {
  const page = "https://news.example";
  return { ...head, owner: cast.requester.key, page, share: 250_000, state: "open", at: START };
}

function assignOf(cast: Cast, story: Story): Assign {
  const { owner, page } = siteOf(cast, story);
  return {
    ...story.head,
    account: cast.provider.key,
    payee: owner,
    ppm: 750_000,
    sweep: false,
    site: siteId(owner, page),
    retireAfterMs: 86_400_000,
    at: START,
  };
}

function siteMessages(cast: Cast, story: Story): readonly MessageSample[] {
  const assign = assignOf(cast, story);
  return [
    message("payout", "site", siteMessage, siteOf(cast, story), "requester"),
    message("payout", "assign", assignMessage, assign, "provider"),
    message(
      "payout",
      "assign of everything to another account",
      assignMessage,
      {
        ...without(assign, "site", "retireAfterMs"),
        payee: cast.auditor.key,
        ppm: 1_000_000,
        sweep: true,
        at: START + 1,
      },
      "provider",
    ),
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

function alertMessages(cast: Cast, { head }: Story): readonly MessageSample[] {
  const account = cast.provider.key;
  const ask = { ...head, account, issuedAt: START };
  const url = "https://example.org/hooks/tabmesh";
  const webhook: Alert = {
    ...ask,
    webhook: { url, secret: hash(0x21) },
    events: ["audit-failed", "payout", "provider-stopped"],
  };
  const p256dh = new Uint8Array(65).fill(0x22).fill(0x04, 0, 1);
  const push: Alert = {
    ...ask,
    push: { endpoint: "https://push.example.org/subscription/1", p256dh, auth: hash(0x23).slice(0, 16) },
    events: ["low-balance"],
    below: microCredits(500_000),
  };
  const alert = bodyId(alertMessage, webhook);
  return [
    message("session", "alert by webhook", alertMessage, webhook, "provider"),
    message("session", "alert by push", alertMessage, push, "provider"),
    message("session", "alert-request for a list", alertRequestMessage, { ...ask, does: "list" }, "provider"),
    message("session", "alert-request", alertRequestMessage, { ...ask, does: "remove", alert }, "provider"),
  ];
}

function deployMessages(cast: Cast, { head }: Story): readonly MessageSample[] {
  const owner = cast.requester.key;
  const ask = { ...head, owner, issuedAt: START };
  const missed = "once" as const;
  const deploy: Deploy = {
    ...ask,
    name: "digest",
    version: 3,
    plan: POLICY,
    params: '{"most":10}',
    replicas: 3,
    triggers: [
      { id: "morning", kind: "cron", missed, cron: "30 6 * * 1-5", zone: "Europe/Berlin" },
      { id: "often", kind: "interval", missed: "skip", everyMs: 300_000 },
      { id: "hook", kind: "webhook", missed: "all", secret: hash(0x24) },
      { id: "after", kind: "run", missed, plan: POLICY },
      { id: "moved", kind: "name", missed, name: "prices" },
      { id: "paid", kind: "log", missed, chain: "eip155:1", address: `0x${"0a".repeat(20)}` },
      { id: "came", kind: "peer", missed, peer: cast.provider.key },
    ],
    open: true,
    health: '{"most":1}',
    apiKey: POLICY,
    budget: microCredits(50_000),
    perDay: microCredits(1_000_000),
  };
  const logs = { ...ask, does: "logs", name: "digest" } as const;
  return [
    message("session", "deploy", deployMessage, deploy, "requester"),
    message(
      "session",
      "deploy-request for a list",
      deployRequestMessage,
      { ...ask, does: "list" },
      "requester",
    ),
    message("session", "deploy-request", deployRequestMessage, logs, "requester"),
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
      { ...job, inputsRoot: hash(0x11), run: { id: POLICY, node: "blur", turn: 2 } },
      "requesterSession",
    ),
    message(
      "job",
      "job for some providers and not for others",
      jobMessage,
      {
        ...job,
        only: [cast.provider.key],
        apartFrom: [cast.requester.key, cast.auditor.key],
        prefer: "fair",
      },
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
      "lease of a relay that audits nothing",
      leaseMessage,
      without(lease, "policyVersion"),
      "lease",
    ),
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
    message(
      "receipt",
      "receipt without anything to audit",
      receiptMessage,
      {
        ...without(receipt, "policyVersion", "failed", "peak"),
        payable: 0,
        cancelled: 0,
        fuel: fuel(0),
        bytes: 0n,
        amount: microCredits(0),
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
  const draw: Draw = {
    ...head,
    lease: story.leaseId,
    entryIndex: inclusion.index,
    entryHash: inclusion.leaf,
    epoch: 1,
    source: "relay",
    policy: POLICY,
    n: microCredits(0),
    bond: microCredits(0),
    value: microCredits(5_006),
    first: 0,
    end: 3,
    leaves: drawnLeaves(story.drawSeeds.relay, 0, 3, () => PPM),
    openBy: START + 600_000,
    verdictBy: START + 1_200_000,
  };
  const { requesterPpm } = DEFAULT_AUDIT_POLICY;
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
    message("audit", "draw of a provider without experience", drawMessage, draw, "draw"),
    message(
      "audit",
      "draw by the requester's secret",
      drawMessage,
      {
        ...draw,
        source: "requester",
        n: microCredits(1_003),
        bond: microCredits(5_017),
        value: microCredits(0),
        leaves: drawnLeaves(story.drawSeeds.requester, 0, 3, () => requesterPpm),
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
        lease: story.leaseId,
        entryIndex: inclusion.index,
        index: 0,
        result: "mismatch",
        expected: hash(0x21),
        found: encodeOutcome(outcome).hash,
        fuel: fuel(1_234_567),
        profile: 0,
        engine: "v8 14.1",
        auditors: [cast.auditor.key],
        evidenceCid: POLICY,
      },
      "draw",
    ),
    message(
      "audit",
      "verdict on what nobody opened",
      verdictMessage,
      {
        ...head,
        lease: story.leaseId,
        entryIndex: inclusion.index,
        index: 2,
        result: "missing",
        expected: hash(0),
        found: hash(0),
        fuel: fuel(0),
        profile: 0,
        engine: "",
        auditors: [],
      },
      "draw",
    ),
    message(
      "audit",
      "dispute",
      disputeMessage,
      {
        ...head,
        lease: story.leaseId,
        receipt: story.receiptEnvelope,
        advance: story.firstAdvanceEnvelope,
        prevCount: 2,
        consistency: story.outcomeTree.consistencyProof(2),
      },
      "providerSession",
    ),
    message(
      "audit",
      "reveal",
      revealMessage,
      { ...head, job: story.jobId, secret: story.drawSecret },
      "requesterSession",
    ),
    message(
      "audit",
      "referee",
      refereeMessage,
      { ...head, lease: story.leaseId, entryIndex: inclusion.index, leaves: [0, 2] },
      "requesterSession",
    ),
    message("audit", "retire", retireMessage, { ...head, account: cast.provider.key }, "provider"),
  ];
}

export function messageSamples(cast: Cast, story: Story): readonly MessageSample[] {
  return [
    ...sessionMessages(cast, story),
    ...keyMessages(cast, story),
    ...modelMessages(cast, story),
    ...alertMessages(cast, story),
    ...deployMessages(cast, story),
    ...payoutMessages(cast, story),
    ...siteMessages(cast, story),
    ...workMessages(cast, story),
    ...runMessages(cast, story),
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
    part("audit", "referee-answer", refereeAnswerSchema, {
      lease: story.leaseId,
      entryIndex: inclusion.index,
      leaves: [{ leaf: 0, verdict: 9 }, { leaf: 2 }],
    }),
    part("audit", "audit-policy", auditPolicySchema, DEFAULT_AUDIT_POLICY),
    part("payout", "payout-line", payoutLineSchema, payoutLineOf(story)),
    ...runParts(story),
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
  const policy = {
    origin: ORIGIN,
    asset: story.head.asset,
    keys: { log: cast.log.key, lease: cast.lease.key, draw: cast.draw.key },
    tariff,
    policy: POLICY,
  };
  return [
    bodyOf("policy", { ...policy, audit: DEFAULT_AUDIT_POLICY }),
    bodyOf("policy", policy, "policy under which nothing is audited"),
    bodyOf("deposit", { account: job.payer, amount: microCredits(10_000_000), reference: "payment 1" }),
    bodyOf("grant", { account: job.payer, amount: microCredits(10_000_000), reference: "first contact" }),
    bodyOf("escrow", { job: jobId, payer: job.payer, amount: job.cap, envelope: story.jobEnvelope }),
    bodyOf("lease", { lease: leaseId, job: jobId, envelope: story.leaseEnvelope }),
    bodyOf("receipt", { lease: leaseId, envelope: story.reportEnvelope }),
    bodyOf("cancel", { lease: leaseId, envelope: envelope("cancel") }),
    bodyOf("dispute", { lease: leaseId, envelope: envelope("dispute") }),
    bodyOf("draw", { envelope: envelope("draw of a provider without experience") }),
    bodyOf("reveal", { envelope: envelope("reveal") }),
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
    bodyOf("vest", {
      lease: leaseId,
      provider: cast.provider.key,
      released: microCredits(17),
      bonded: microCredits(5_000),
    }),
    bodyOf("retire", { envelope: envelope("retire") }),
    bodyOf("unbond", { provider: cast.provider.key, amount: microCredits(5_000) }),
    bodyOf("reset", { provider: cast.provider.key, reason: "fuel: claims more than it can" }),
    bodyOf("payout-address", { envelope: envelope("payout-address") }),
    bodyOf("payout-batch", { batch, envelope: envelope("payout-batch") }),
    bodyOf("payout-prepare", { batch, ...line }),
    bodyOf("payout", { batch, ...line, reference: "transfer 17" }),
    bodyOf("payout-cancel", { batch, account: line.account, amount: line.amount }),
    bodyOf("assign", { envelope: envelope("assign") }),
    bodyOf("transfer", {
      from: cast.provider.key,
      to: cast.requester.key,
      amount: microCredits(12),
      cause: 14,
    }),
    bodyOf("retire-idle", {
      account: cast.provider.key,
      assignment: bodyId(assignMessage, assignOf(cast, story)),
    }),
    bodyOf("epoch-open", { epoch: 0, commit: hash(0x41) }, "epoch-open, the first"),
    bodyOf("epoch-open", { epoch: 1, commit: sha256(EPOCH_SECRET), revealed: hash(0x43) }),
    bodyOf(
      "epoch-open",
      { epoch: 2, commit: hash(0x42), revealed: EPOCH_SECRET },
      "epoch-open that reveals the secret of the draws here",
    ),
    bodyOf("key-rotate", {
      purpose: "log",
      previous: log.key,
      next: cast.nextLog.key,
      proof: await log.sign(rotationMessage(ORIGIN, "log", cast.nextLog.key)),
    }),
    bodyOf("key-revoke", { envelope: envelope("key-revoke") }),
    bodyOf("api-key", { envelope: envelope("api-key") }),
    bodyOf("api-key-revoke", { envelope: envelope("api-key-revoke") }),
    bodyOf("run", { envelope: envelope("run") }),
    bodyOf("run-holders", { envelope: envelope("run-holders") }),
    bodyOf("run-end", { envelope: envelope("run-end") }),
    bodyOf("bar", { identity: cast.auditor.key, reason: "equivocated" }),
  ];
}

export function schemaOfEntry(type: EntryType): Schema<unknown> {
  return entryBodies[type];
}
