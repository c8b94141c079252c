import fc, { type Arbitrary } from "fast-check";
import { type Cid, cidFromDigest, DAG_CBOR, RAW } from "./cid.ts";
import { FAILURE_KINDS, type FailureCode } from "./failure-code.ts";
import type { Ext, ExtValue, Header } from "./header.ts";
import type { Alert, AlertRequest, PushTarget, WebhookTarget } from "./messages/alert.ts";
import { type ApiKey, type ApiKeyRevoke } from "./messages/api-key.ts";
import { CAP_PERIODS } from "./cap-period.ts";
import { type AuditPolicy, PPM } from "./audit-policy.ts";
import {
  type Dispute,
  type Draw,
  type Opening,
  type Referee,
  type Retire,
  type Reveal,
  type Verdict,
  VERDICT_RESULTS,
} from "./messages/audit.ts";
import {
  type Challenge,
  type ChallengeAnswer,
  type Claim,
  type Decline,
  DECLINES,
} from "./messages/capability.ts";
import { PROPERTIES } from "./property.ts";
import { MAX_CHALLENGE_LANES, MAX_REPLICAS, MIN_INTERVAL_MS, MIN_RETIRE_AFTER_MS } from "./limits.ts";
import type { EntryBodies, EntryType } from "./messages/entry.ts";
import {
  type CloseJob,
  type Job,
  type JobArgs,
  type JobFile,
  type JobLimits,
  PREFERENCES,
  type Verification,
  type Work,
} from "./messages/job.ts";
import { NAME_PATTERN, type Name } from "./messages/name.ts";
import type {
  Run,
  RunAccess,
  RunEnd,
  RunHolders,
  RunRegistration,
  Step,
  StepBatch,
  StepPage,
} from "./messages/run.ts";
import {
  type Capability,
  EFFECT_KINDS,
  type EffectPlace,
  type EffectRecord,
  type SealedSecret,
} from "./messages/effect.ts";
import type { EffectOrder, EffectParcel, EffectReply } from "./messages/effect-order.ts";
import type { Accept, Lease, LeaseAnswer, LeaseGrant } from "./messages/lease.ts";
import type { Inclusion, Receipt, Report, ReportAnswer } from "./messages/receipt.ts";
import { MODEL_NAME, type PublishModel, type UnpublishModel } from "./messages/model.ts";
import type { PayoutAddress, PayoutBatch, PayoutLine } from "./messages/payout.ts";
import type { Assign } from "./messages/assign.ts";
import { SITE_STATES, type SiteRegistration } from "./messages/site.ts";
import { type SiteId, siteId } from "./site.ts";
import { ABIS, type Drain, type Hello, type KeyRevoke, type Offer } from "./messages/session.ts";
import type { Advance, Cancel, OutcomeLeaf, Stop, Task, TaskStep } from "./messages/task.ts";
import type { Delegation } from "./delegation.ts";
import { type Deploy, type DeployRequest, MISSED_POLICIES, type TriggerTerms } from "./messages/deploy.ts";
import { type PeerId, peerIdFromKey } from "./peer-id.ts";
import type { Tariff } from "./tariff.ts";
import { fuel, type Fuel, microCredits, type MicroCredits, U64_MAX } from "./units.ts";
import type { Open } from "./work-frame.ts";

/** Any valid body of any message, for properties over the whole wire format. */
type FieldsOf<T> = { readonly [K in keyof T]-?: Arbitrary<Exclude<T[K], undefined>> };
type OptionalKey<T> = { [K in keyof T]-?: undefined extends T[K] ? K : never }[keyof T];

function record<T extends object>(fields: FieldsOf<T>, ...optional: readonly OptionalKey<T>[]): Arbitrary<T> {
  const absent: readonly PropertyKey[] = optional;
  const requiredKeys = Object.keys(fields).filter((key) => !absent.includes(key));
  // oxlint-disable-next-line typescript/no-unnecessary-type-assertion -- the compiler needs it: fast-check's own type lacks the missing keys
  return fc.record(fields, { requiredKeys: requiredKeys as never }) as unknown as Arbitrary<T>;
}

export const anyBytes = (maxLength: number): Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });
const exact = (length: number): Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length });
const hash = exact(32);
/** Any code points but surrogates: up to four bytes each. */
export const anyText = (maxBytes: number): Arbitrary<string> =>
  fc.string({ unit: "binary", maxLength: Math.floor(Math.min(maxBytes, 400) / 4) });
const uint = (max: number = Number.MAX_SAFE_INTEGER): Arbitrary<number> =>
  fc.oneof(
    fc.constantFrom(
      0,
      Math.min(max, 23),
      Math.min(max, 24),
      Math.min(max, 255),
      Math.min(max, 256),
      Math.min(max, 65_536),
      max,
    ),
    fc.nat({ max: Math.min(max, 2 ** 31 - 1) }),
    fc.maxSafeNat().map((value) => value % (max + 1)),
  );
export const anyU64: Arbitrary<bigint> = fc.oneof(
  fc.constantFrom(
    0n,
    23n,
    24n,
    255n,
    256n,
    65_535n,
    65_536n,
    0xffff_ffffn,
    0x1_0000_0000n,
    2n ** 53n,
    U64_MAX,
  ),
  fc.bigInt({ min: 0n, max: U64_MAX }),
);
const amount: Arbitrary<MicroCredits> = anyU64.map(microCredits);
const fuelAmount: Arbitrary<Fuel> = anyU64.map(fuel);
export const anyCid: Arbitrary<Cid> = fc
  .tuple(fc.constantFrom(DAG_CBOR, RAW), hash)
  .map(([codec, digest]) => cidFromDigest(codec, digest));
export const anyPeer: Arbitrary<PeerId> = hash.map(peerIdFromKey);
const list = <T>(item: Arbitrary<T>, maxLength = 4): Arbitrary<T[]> => fc.array(item, { maxLength });
const code: Arbitrary<FailureCode> = fc.constantFrom(
  ...FAILURE_KINDS.map((kind) => kind.code as FailureCode),
);
const abi = fc.constantFrom(...ABIS);
const modelName: Arbitrary<string> = fc.stringMatching(MODEL_NAME);
export const anySiteOrigin: Arbitrary<string> = fc.oneof(
  fc.stringMatching(/^https:\/\/([a-z0-9]{1,12}\.){0,2}[a-z]([a-z0-9-]{0,9}[a-z0-9])?(:[1-3][0-9]{3,4})?$/u),
  fc.constantFrom(
    "http://localhost:8080",
    "http://127.0.0.1",
    "http://[::1]:5173",
    "http://app.localhost:3000",
  ),
);
const anySiteId: Arbitrary<SiteId> = fc
  .tuple(anyPeer, anySiteOrigin)
  .map(([owner, page]) => siteId(owner, page));
const anySlug: Arbitrary<string> = fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,20}[a-z0-9])?$/u);
const missed = fc.constantFrom(...MISSED_POLICIES);
const anyTrigger: Arbitrary<TriggerTerms> = fc.oneof(
  fc.record({ id: anySlug, kind: fc.constant("cron"), missed, cron: anyText(128), zone: anyText(64) }),
  fc.record({
    id: anySlug,
    kind: fc.constant("interval"),
    missed,
    everyMs: uint().map((ms) => Math.max(ms, MIN_INTERVAL_MS)),
  }),
  fc.record({ id: anySlug, kind: fc.constant("webhook"), missed, secret: hash }),
  fc.record({ id: anySlug, kind: fc.constant("run"), missed, plan: anyCid }),
  fc.record({ id: anySlug, kind: fc.constant("name"), missed, name: anyText(128) }),
  fc.record({
    id: anySlug,
    kind: fc.constant("log"),
    missed,
    chain: anyText(64),
    address: fc.stringMatching(/^0x[0-9a-f]{40}$/u),
    topic: fc.stringMatching(/^0x[0-9a-f]{64}$/u),
  }),
  fc.record({ id: anySlug, kind: fc.constant("peer"), missed, peer: anyPeer }),
);
const payoutAddress: Arbitrary<string> = fc.stringMatching(/^[0-9A-Za-z][0-9A-Za-z._:@/+-]{0,127}$/u);
const payoutLine: FieldsOf<PayoutLine> = { account: anyPeer, amount, address: payoutAddress };
const proof = list(hash, 8);
const ppm = uint(1_000_000);
const short = uint(65_535);

const auditPolicy: Arbitrary<AuditPolicy> = record<AuditPolicy>({
  version: short,
  firstTasks: short,
  floorPpm: ppm,
  rateNumerator: short,
  rateTasks: short,
  lossPpm: uint(100_000_000),
  failedPpm: ppm,
  requesterPpm: ppm,
  payerPpm: ppm,
  bondTasks: short,
  holdTasks: short,
  holdMs: uint(),
  leaseFee: amount,
  verdictMs: uint(),
  epochEntries: uint(),
  epochMs: uint(),
  peerPpm: ppm,
  knownPpm: ppm,
  auditorCheckTasks: short,
  faultPpm: ppm,
  acceptPpm: ppm,
  maxReplicas: uint(64),
});

const extValue: Arbitrary<ExtValue> = fc.letrec<{ value: ExtValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    anyU64,
    anyText(40),
    fc.boolean(),
    anyBytes(20),
    fc.array(tie("value"), { maxLength: 3 }),
  ),
})).value;
const ext: Arbitrary<Ext> = fc.dictionary(anyText(40), extValue, { maxKeys: 4, noNullPrototype: true });

const header: FieldsOf<Header> = {
  v: fc.constant(1),
  origin: anyText(128),
  asset: anyText(160),
  crit: fc.constant([]),
  ext,
};
const tariff: Arbitrary<Tariff> = record<Tariff>({
  perGfuel: amount,
  perTask: amount,
  perKiB: amount,
  perInstantiation: amount,
});

const outcomeFields = {
  lease: anyCid,
  seq: uint(),
  segment: uint(),
  from: uint(),
  to: uint(),
  inputCid: anyCid,
  salt: exact(16),
  size: uint(32 * 1024 * 1024),
  fuel: fuelAmount,
  stateHash: hash,
  effectsCid: anyCid,
  end: fc.boolean(),
  seal: hash,
};
type Done = Omit<OutcomeLeaf, "code"> & { readonly outputCid: Cid };
type Failed = Omit<OutcomeLeaf, "outputCid"> & { readonly code: FailureCode };
const outcome: Arbitrary<OutcomeLeaf> = fc.oneof<Arbitrary<OutcomeLeaf>[]>(
  record<Done>(
    { ...outcomeFields, status: fc.constant("done"), outputCid: anyCid },
    "stateHash",
    "effectsCid",
    "seal",
  ),
  record<Failed>(
    { ...outcomeFields, status: fc.constant("failed"), code },
    "stateHash",
    "effectsCid",
    "seal",
  ),
);

const anyProperty = fc.constantFrom(...PROPERTIES);
const challengeFields = {
  ...header,
  instance: anyPeer,
  nonce: exact(16),
  amount: uint(0xffff_fffe).map((value) => value + 1),
};
type Computed = Omit<ChallengeAnswer, "declined"> & { readonly digest: Uint8Array };
type Declined = Omit<ChallengeAnswer, "digest" | "device"> & { readonly declined: Decline };
const answered = { ...header, instance: anyPeer, challenge: anyCid };

/** A valid body for each name of a message type. */
const anyPlainMessage: Readonly<Record<string, Arbitrary<unknown>>> = {
  hello: record<Hello>(
    {
      ...header,
      role: fc.constantFrom("requester", "provider", "relay"),
      versions: list(uint(255)),
      features: list(anyText(64)),
      instance: anyPeer,
      checkpoint: anyText(4_096),
    },
    "checkpoint",
  ),
  offer: record<Offer>(
    {
      ...header,
      provider: anyPeer,
      instance: anyPeer,
      seq: uint(),
      workers: uint(1_024),
      free: uint(1_024),
      memoryBytes: uint(),
      profiles: list(uint(65_535)),
      abis: list(abi),
      tariffMin: tariff,
      addresses: list(anyText(512)),
      models: list(anyCid),
      claims: list(record<Claim>({ property: anyProperty, value: uint() })),
      effects: list(anyText(300)),
      site: anyText(256),
    },
    "models",
    "claims",
    "effects",
    "site",
  ),
  challenge: fc.oneof(
    record<Challenge>({ ...challengeFields, property: anyProperty, seeds: fc.tuple(hash) }),
    record<Challenge>({
      ...challengeFields,
      property: fc.constant("fuel-all"),
      seeds: fc.array(hash, { minLength: 1, maxLength: MAX_CHALLENGE_LANES }),
    }),
  ),
  "challenge-answer": fc.oneof<Arbitrary<ChallengeAnswer>[]>(
    record<Computed>(
      { ...answered, digest: hash, device: fc.constantFrom("hardware", "software") },
      "device",
    ),
    record<Declined>({ ...answered, declined: fc.constantFrom(...DECLINES) }),
  ),
  "publish-model": record<PublishModel>({
    ...header,
    publisher: anyPeer,
    name: modelName,
    model: anyCid,
    issuedAt: uint(),
  }),
  "unpublish-model": record<UnpublishModel>({
    ...header,
    publisher: anyPeer,
    name: modelName,
    issuedAt: uint(),
  }),
  drain: record<Drain>(
    {
      ...header,
      lease: anyCid,
      instance: anyPeer,
      code,
      acceptedUpTo: uint(),
      running: list(uint()),
      returned: list(uint()),
      lost: list(uint()),
      receipt: anyBytes(200),
      resumeAfterMs: uint(),
    },
    "receipt",
    "resumeAfterMs",
  ),
  "key-revoke": record<KeyRevoke>({ ...header, root: anyPeer, key: anyPeer }),
  alert: fc.oneof(
    record<Omit<Alert, "push" | "below">>({
      ...header,
      account: anyPeer,
      webhook: record<WebhookTarget>({ url: anyText(1_024), secret: hash }),
      events: fc.constant(["audit-failed", "payout"]),
      issuedAt: uint(),
    }),
    record<Omit<Alert, "webhook">>({
      ...header,
      account: anyPeer,
      push: record<PushTarget>({ endpoint: anyText(1_024), p256dh: exact(65), auth: exact(16) }),
      events: fc.constant(["low-balance"]),
      below: amount,
      issuedAt: uint(),
    }),
  ),
  "alert-request": record<AlertRequest>({
    ...header,
    account: anyPeer,
    does: fc.constantFrom("test", "remove"),
    alert: anyCid,
    issuedAt: uint(),
  }),
  deploy: record<Deploy>(
    {
      ...header,
      owner: anyPeer,
      name: anySlug,
      version: uint(),
      plan: anyCid,
      params: anyText(1_024),
      replicas: fc.integer({ min: 1, max: MAX_REPLICAS }),
      triggers: fc.uniqueArray(anyTrigger, { maxLength: 4, selector: ({ id }) => id }),
      open: fc.boolean(),
      health: anyText(1_024),
      apiKey: anyCid,
      budget: amount,
      perDay: amount,
      issuedAt: uint(),
    },
    "health",
  ),
  "deploy-request": record<DeployRequest>({
    ...header,
    owner: anyPeer,
    does: fc.constantFrom("logs", "undeploy"),
    name: anySlug,
    issuedAt: uint(),
  }),
  "api-key": record<ApiKey>(
    {
      ...header,
      account: anyPeer,
      gateway: anyPeer,
      hash,
      label: anyText(64),
      cap: amount,
      per: fc.constantFrom(...CAP_PERIODS),
      expires: uint(),
    },
    "expires",
  ),
  "api-key-revoke": record<ApiKeyRevoke>({ ...header, account: anyPeer, apiKey: anyCid }),
  "payout-address": record<PayoutAddress>(
    { ...header, account: anyPeer, address: payoutAddress, prev: anyCid },
    "prev",
  ),
  "payout-batch": record<PayoutBatch>({
    ...header,
    number: uint(),
    count: uint(),
    total: amount,
    root: hash,
  }),
  site: record<SiteRegistration>({
    ...header,
    owner: anyPeer,
    page: anySiteOrigin,
    share: uint(PPM),
    state: fc.constantFrom(...SITE_STATES),
    at: uint(),
  }),
  assign: record<Assign>(
    {
      ...header,
      account: anyPeer,
      payee: anyPeer,
      ppm: uint(PPM),
      sweep: fc.boolean(),
      site: anySiteId,
      retireAfterMs: uint().map((ms) => Math.max(ms, MIN_RETIRE_AFTER_MS)),
      at: uint(),
    },
    "site",
    "retireAfterMs",
  ).filter(({ account, payee }) => account !== payee),
  delegation: record<Delegation>({ root: anyPeer, session: anyPeer, notBefore: uint(), notAfter: uint() }),
  job: record<Job>(
    {
      ...header,
      requester: anyPeer,
      payer: anyPeer,
      apiKey: anyCid,
      nonce: exact(16),
      issuedAt: uint(),
      expires: uint(),
      work: record<Work>({
        kind: fc.constantFrom("function", "model", "effect"),
        cid: anyCid,
        entry: anyText(128),
        abi,
        profile: uint(65_535),
        effects: list(anyText(64)),
      }),
      argsCid: anyCid,
      limits: record<JobLimits>({
        fuel: fuelAmount,
        memory: uint(1024 ** 3),
        output: uint(32 * 1024 * 1024),
        deadlineMs: uint(86_400_000),
      }),
      maxTasks: uint(1_000_000),
      parallel: uint(1_024),
      inputsRoot: hash,
      cap: amount,
      tariffMax: tariff,
      verify: record<Verification>({
        policy: anyText(64),
        k: uint(16),
        disclosure: fc.constantFrom("relay", "peers", "requester"),
        drawCommit: hash,
      }),
      run: record({ id: anyCid, node: anyText(64), turn: uint(65_535) }),
      only: list(anyPeer),
      apartFrom: list(anyPeer),
      prefer: fc.constantFrom(...PREFERENCES),
    },
    "apiKey",
    "inputsRoot",
    "run",
    "only",
    "apartFrom",
    "prefer",
  ),
  "close-job": record<CloseJob>({ ...header, job: anyCid }),
  lease: record<Lease>(
    {
      ...header,
      job: anyCid,
      rev: uint(65_535),
      prev: anyCid,
      provider: anyPeer,
      instance: anyPeer,
      requesterKey: anyPeer,
      replica: uint(65_535),
      gateway: fc.boolean(),
      budget: amount,
      tariff: anyCid,
      profile: uint(65_535),
      policy: anyCid,
      policyVersion: uint(65_535),
      windowMax: uint(65_535),
      inflightMax: uint(65_535),
      startFee: amount,
      disputeDeposit: amount,
      holdBytes: uint(),
      issuedAt: uint(),
      firstTaskMs: uint(),
      dispatchMs: uint(),
      reportMs: uint(),
      openMs: uint(),
      escrowIndex: uint(),
      checkpoint: anyText(4_096),
    },
    "prev",
    "policyVersion",
  ),
  accept: record<Accept>({ ...header, lease: anyCid }),
  advance: record<Advance>(
    { ...header, lease: anyCid, receiptCid: anyCid, tasksRoot: hash, taskCount: uint(), close: fc.boolean() },
    "receiptCid",
  ),
  stop: record<Stop>({ ...header, lease: anyCid, seq: uint(), atUnit: uint() }),
  cancel: record<Cancel>({ ...header, lease: anyCid, seq: uint(), atUnit: uint() }),
  receipt: record<Receipt>(
    {
      ...header,
      job: anyCid,
      lease: anyCid,
      rev: uint(65_535),
      seq: uint(),
      prev: anyCid,
      provider: anyPeer,
      requester: anyPeer,
      workCid: anyCid,
      profile: uint(65_535),
      policy: anyCid,
      policyVersion: uint(65_535),
      tariff: anyCid,
      tree: fc.constant("rfc6962-sha256"),
      root: hash,
      count: uint(),
      ended: uint(),
      payable: uint(),
      cancelled: uint(),
      failed: uint(),
      peak: fuelAmount,
      tasksRoot: hash,
      taskCount: uint(),
      fuel: fuelAmount,
      bytes: anyU64,
      amount,
      final: fc.boolean(),
    },
    "prev",
    "policyVersion",
    "ended",
    "failed",
    "peak",
  ),
  report: record<Report>({
    ...header,
    receipt: anyBytes(200),
    advance: anyBytes(200),
    prevCount: uint(),
    consistency: proof,
    lost: list(uint()),
  }),
  draw: record<Draw>({
    ...header,
    lease: anyCid,
    entryIndex: uint(),
    entryHash: hash,
    epoch: uint(),
    source: fc.constantFrom("relay", "requester"),
    policy: anyCid,
    n: amount,
    bond: amount,
    value: amount,
    first: uint(),
    end: uint(),
    leaves: list(uint()),
    openBy: uint(),
    verdictBy: uint(),
  }),
  opening: record<Opening>(
    {
      ...header,
      entryIndex: uint(),
      index: uint(),
      leaf: anyBytes(200),
      path: proof,
      task: anyBytes(200),
      taskPath: proof,
      advance: anyBytes(200),
      input: anyBytes(300),
      sealed: anyCid,
      effects: anyCid,
    },
    "input",
    "sealed",
    "effects",
  ),
  verdict: record<Verdict>(
    {
      ...header,
      lease: anyCid,
      entryIndex: uint(),
      index: uint(),
      result: fc.constantFrom(...VERDICT_RESULTS),
      expected: hash,
      found: hash,
      fuel: fuelAmount,
      profile: uint(65_535),
      engine: anyText(128),
      auditors: list(anyPeer),
      evidenceCid: anyCid,
    },
    "evidenceCid",
  ),
  dispute: record<Dispute>({
    ...header,
    lease: anyCid,
    receipt: anyBytes(200),
    advance: anyBytes(200),
    prevCount: uint(),
    consistency: proof,
  }),
  referee: record<Referee>({
    ...header,
    lease: anyCid,
    entryIndex: uint(),
    leaves: fc.array(uint(), { maxLength: 64 }),
  }),
  reveal: record<Reveal>({ ...header, job: anyCid, secret: hash }),
  retire: record<Retire>({ ...header, account: anyPeer }),
};

const inclusion: FieldsOf<Inclusion> = { index: uint(), leaf: hash, proof, checkpoint: anyText(4_096) };

const place = { ...header, run: anyCid };
const name = {
  ...header,
  owner: anyPeer,
  name: fc.stringMatching(NAME_PATTERN),
  version: uint(),
  issuedAt: uint(),
  expires: uint(),
};
const step = {
  run: anyCid,
  node: anyText(64),
  iteration: anyText(128),
  attempt: uint(65_535),
  args: anyCid,
  size: uint(32 * 1024 * 1024),
  callee: anyCid,
  profile: uint(65_535),
  fuel: fuelAmount,
  record: anyCid,
  parents: list(anyCid),
};

/** Bodies of messages of runs and names. */
const anyRunMessage: Readonly<Record<string, Arbitrary<unknown>>> = {
  run: record<Run>(
    {
      ...header,
      initiator: anyPeer,
      payer: anyPeer,
      apiKey: anyCid,
      plan: anyCid,
      params: anyCid,
      nonce: exact(16),
      issuedAt: uint(),
      notAfter: uint(),
      budget: amount,
      returnTo: anyText(1_024),
    },
    "apiKey",
  ),
  "run-holders": record<RunHolders>({ ...place, rev: uint(65_535), holders: list(anyPeer) }),
  "run-end": fc.oneof<Arbitrary<RunEnd>[]>(
    record<Omit<RunEnd, "code" | "detail">>({ ...place, status: fc.constant("done"), result: anyCid }),
    record<Omit<RunEnd, "result">>(
      { ...place, status: fc.constant("failed"), code, detail: anyText(512) },
      "detail",
    ),
    record<Omit<RunEnd, "result" | "code" | "detail">>({ ...place, status: fc.constant("cancelled") }),
  ),
  "run-access": record<RunAccess>({ ...place, audience: anyPeer, issuedAt: uint() }),
  "effect-order": record<EffectOrder>({
    ...place,
    node: anyText(64),
    iteration: anyText(128),
    attempt: uint(65_535),
    capability: anyCid,
    request: anyCid,
    parents: list(anyCid),
    issuedAt: uint(),
  }),
  step: fc.oneof<Arbitrary<Step>[]>(
    record<Omit<Step, "code" | "detail">>(
      { ...step, status: fc.constant("done"), result: anyCid, lease: anyCid, seq: uint() },
      "callee",
      "record",
    ),
    record<Omit<Step, "result" | "lease" | "seq">>(
      { ...step, status: fc.constant("failed"), code, detail: anyText(512) },
      "callee",
      "record",
      "detail",
    ),
    record<Omit<Step, "code" | "detail" | "result" | "lease" | "seq">>(
      { ...step, status: fc.constant("skipped") },
      "callee",
      "record",
    ),
  ),
  name: fc.oneof<Arbitrary<Name>[]>(
    record({ ...name, peers: list(anyPeer) }),
    record({ ...name, plan: anyCid }),
  ),
};

/** A valid body for each message, by its type's name. */
export const anyMessage: Readonly<Record<string, Arbitrary<unknown>>> = {
  ...anyPlainMessage,
  ...anyRunMessage,
};

/** A valid body for each part, by the first word of its name in the vectors. */
export const anyPart: Readonly<Record<string, Arbitrary<unknown>>> = {
  "job-args": record<JobArgs>(
    {
      args: list(anyText(4_096)),
      env: list(record({ name: anyText(256), value: anyText(4_096) })),
      files: list(record<JobFile>({ path: anyText(512), cid: anyCid, size: uint(32 * 1024 * 1024) })),
      inputFile: anyText(512),
      outputFile: anyText(512),
    },
    "inputFile",
    "outputFile",
  ),
  tariff,
  "lease-answer": record<LeaseAnswer>({
    job: anyCid,
    leases: list(record<LeaseGrant>({ lease: anyBytes(300), tariff, addresses: list(anyText(512)) })),
    available: amount,
  }),
  task: record<Task>(
    {
      lease: anyCid,
      seq: uint(),
      inputCid: anyCid,
      size: uint(32 * 1024 * 1024),
      salt: exact(16),
      seed: hash,
      fuelLimit: fuelAmount,
      deadlineMs: uint(),
      stream: fc.boolean(),
      step: record<TaskStep>({
        iteration: anyText(128),
        attempt: uint(65_535),
        parents: list(anyCid),
        from: list(anyPeer),
        hold: fc.boolean(),
      }),
    },
    "step",
  ),
  outcome,
  "audit-policy": auditPolicy,
  "payout-line": record<PayoutLine>(payoutLine),
  "run-registration": record<RunRegistration>({
    run: anyBytes(300),
    plan: anyBytes(300),
    params: anyBytes(300),
  }),
  "step-batch": record<StepBatch>({ steps: list(anyBytes(300)), leaving: fc.boolean() }),
  capability: record<Capability>({
    kind: fc.constantFrom(...EFFECT_KINDS),
    origins: list(anyText(256)),
    methods: list(anyText(16)),
    namespace: anyText(64),
    chains: list(anyText(48)),
    secrets: list(anyText(64)),
    maxBytes: uint(4 * 1024 * 1024),
    timeoutMs: uint(60_000),
  }),
  "effect-record": record<EffectRecord>(
    {
      v: fc.constant(1 as const),
      kind: fc.constantFrom(...EFFECT_KINDS),
      capability: anyCid,
      request: anyCid,
      response: anyCid,
      size: uint(4 * 1024 * 1024),
      signer: anyPeer,
      at: uint(),
      place: record<EffectPlace>({
        run: anyCid,
        node: anyText(64),
        iteration: anyText(128),
        attempt: uint(65_535),
      }),
      status: uint(999),
      block: record({ number: uint(), hash }),
      proof: anyBytes(96),
    },
    "place",
    "status",
    "block",
    "proof",
  ),
  "effect-parcel": record<EffectParcel>({
    order: anyBytes(300),
    capability: anyBytes(300),
    request: anyBytes(300),
    secrets: list(record<SealedSecret>({ name: anyText(64), enc: hash, sealed: anyBytes(300) })),
  }),
  "effect-reply": record<EffectReply>({ step: anyBytes(300), record: anyBytes(300), value: anyBytes(300) }),
  "step-page": record<StepPage>({ next: uint(), total: uint(), steps: list(anyBytes(300)) }),
  inclusion: record<Inclusion>(inclusion),
  "report-answer": record<ReportAnswer>({ ...inclusion, entry: anyBytes(300), draw: anyBytes(300) }, "draw"),
  open: record<Open>({ job: anyBytes(300), lease: anyBytes(300), tariff, args: anyBytes(300) }),
  refuse: record({ code, detail: anyText(1_024) }),
};

const envelope = anyBytes(300);
const funding = { account: anyPeer, amount, reference: anyText(256) };

/** A valid body for each entry type. */
export const anyEntryBody: { readonly [K in EntryType]: Arbitrary<EntryBodies[K]> } = {
  policy: record<EntryBodies["policy"]>(
    {
      origin: anyText(128),
      asset: anyText(160),
      keys: record({ log: anyPeer, lease: anyPeer, draw: anyPeer }),
      tariff,
      policy: anyCid,
      audit: auditPolicy,
    },
    "audit",
  ),
  deposit: record<EntryBodies["deposit"]>(funding),
  grant: record<EntryBodies["grant"]>(funding),
  escrow: record<EntryBodies["escrow"]>({ job: anyCid, payer: anyPeer, amount, envelope }),
  lease: record<EntryBodies["lease"]>({ lease: anyCid, job: anyCid, envelope }),
  receipt: record<EntryBodies["receipt"]>({ lease: anyCid, envelope }),
  cancel: record<EntryBodies["cancel"]>({ lease: anyCid, envelope }),
  dispute: record<EntryBodies["dispute"]>({ lease: anyCid, envelope }),
  draw: record<EntryBodies["draw"]>({ envelope }),
  reveal: record<EntryBodies["reveal"]>({ envelope }),
  verdict: record<EntryBodies["verdict"]>({ envelope }),
  settle: record<EntryBodies["settle"]>(
    {
      lease: anyCid,
      job: anyCid,
      provider: anyPeer,
      receiptIndex: uint(),
      paid: amount,
      returned: amount,
      reason: fc.constantFrom("final", "closed", "report-by", "void"),
    },
    "receiptIndex",
  ),
  release: record<EntryBodies["release"]>({ job: anyCid, payer: anyPeer, amount }),
  forfeit: record<EntryBodies["forfeit"]>({
    lease: anyCid,
    provider: anyPeer,
    refunded: amount,
    burnt: amount,
  }),
  vest: record<EntryBodies["vest"]>({ lease: anyCid, provider: anyPeer, released: amount, bonded: amount }),
  retire: record<EntryBodies["retire"]>({ envelope }),
  unbond: record<EntryBodies["unbond"]>({ provider: anyPeer, amount }),
  reset: record<EntryBodies["reset"]>({ provider: anyPeer, reason: anyText(256) }),
  "payout-address": record<EntryBodies["payout-address"]>({ envelope }),
  "payout-batch": record<EntryBodies["payout-batch"]>({ batch: anyCid, envelope }),
  "payout-prepare": record<EntryBodies["payout-prepare"]>({ batch: anyCid, ...payoutLine }),
  payout: record<EntryBodies["payout"]>({ batch: anyCid, ...payoutLine, reference: anyText(256) }),
  "payout-cancel": record<EntryBodies["payout-cancel"]>({ batch: anyCid, account: anyPeer, amount }),
  assign: record<EntryBodies["assign"]>({ envelope }),
  transfer: record<EntryBodies["transfer"]>({ from: anyPeer, to: anyPeer, amount, cause: uint() }),
  "retire-idle": record<EntryBodies["retire-idle"]>({ account: anyPeer, assignment: anyCid }),
  "epoch-open": record<EntryBodies["epoch-open"]>(
    { epoch: uint(), commit: hash, revealed: hash },
    "revealed",
  ),
  "key-rotate": record<EntryBodies["key-rotate"]>({
    purpose: fc.constantFrom("log", "lease", "draw"),
    previous: anyPeer,
    next: anyPeer,
    proof: exact(64),
  }),
  "key-revoke": record<EntryBodies["key-revoke"]>({ envelope }),
  "api-key": record<EntryBodies["api-key"]>({ envelope }),
  "api-key-revoke": record<EntryBodies["api-key-revoke"]>({ envelope }),
  run: record<EntryBodies["run"]>({ envelope }),
  "run-holders": record<EntryBodies["run-holders"]>({ envelope }),
  "run-end": record<EntryBodies["run-end"]>({ envelope }),
  bar: record<EntryBodies["bar"]>({ identity: anyPeer, reason: anyText(256) }),
};
