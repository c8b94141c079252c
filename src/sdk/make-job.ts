import { sha256 } from "@noble/hashes/sha2.js";
import { type Cid, cidOf, DAG_CBOR, RAW } from "../protocol/cid.ts";
import { bodyId, seal } from "../protocol/envelope.ts";
import { header } from "../protocol/header.ts";
import { DEFAULT_AUDIT_POLICY } from "../protocol/audit-policy.ts";
import { MAX_TASKS_PER_JOB, SANDBOX_PROFILE } from "../protocol/limits.ts";
import { FailureError } from "../protocol/failure.ts";
import {
  encodeJobArgs,
  type Job,
  type JobArgs,
  jobMessage,
  type JobLimits,
  type Work,
} from "../protocol/messages/job.ts";
import { type FunctionAbi, MODEL_ABI, USUAL_ENTRY } from "../protocol/messages/session.ts";
import type { ModelEntry } from "../protocol/model-entry.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { RelayInfo } from "../protocol/relay-api.ts";
import type { Signer } from "../protocol/signature.ts";
import { priceOf } from "../protocol/tariff.ts";
import { fuel, type MicroCredits, microCredits } from "../protocol/units.ts";
import type { JobOptions } from "./job-options.ts";
import type { ModelJobOptions } from "./model-options.ts";

/** A signed job, and everything providers may ask for by CID. */
export interface MadeJob {
  /** Of an effect: what is sealed to each provider that takes a lease of it. Stands in no message. */
  readonly secrets?: Readonly<Record<string, string>>;
  readonly id: Cid;
  readonly body: Job;
  readonly envelope: Uint8Array;
  /** Encoded JobArgs. */
  readonly args: Uint8Array;
  readonly blobs: ReadonlyMap<Cid, Uint8Array>;
  /** The requester's share of the draw, 32 bytes: nobody else knows it before the job is over (rule 3). */
  readonly drawSecret: Uint8Array;
}

export interface JobGround {
  readonly info: RelayInfo;
  readonly requester: PeerId;
  /** Who pays. */
  readonly payer: PeerId;
  /** The api-key by which the payer lets the requester spend its money; absent where they are one. */
  readonly apiKey?: Cid | undefined;
  readonly signer: Signer;
  /** Micro-credits that can be set aside; absent or nothing when the account is new, and a relay may still grant it some. */
  readonly available: MicroCredits | undefined;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  /** 16 random bytes. */
  readonly nonce: Uint8Array;
  /** Bytes of the largest input, where it is known; else as much as an output may have is reckoned with. */
  readonly largestInput: number | undefined;
  /** 32 random bytes: the requester's share of the draw. */
  readonly drawSecret: Uint8Array;
}

/** Limits of a task, and the size of a job, where the requester names none. */
export const JOB_DEFAULTS: JobDefaults = {
  fuel: 20_000_000_000n,
  memoryBytes: 256 * 1024 * 1024,
  outputBytes: 16 * 1024 * 1024,
  deadlineMs: 120_000,
  maxTasks: 1_000,
  parallel: 4,
};

interface JobDefaults {
  readonly fuel: bigint;
  readonly memoryBytes: number;
  readonly outputBytes: number;
  readonly deadlineMs: number;
  readonly maxTasks: number;
  readonly parallel: number;
}

/** A job may be picked up again within this time; escrow of what is left over returns at its end at the latest. */
const JOB_LIFETIME_MS: number = 6 * 60 * 60 * 1000;

/** Bytes that a WASM module importing WASI preview 1 holds somewhere near its start. */
const WASI_NAME = Uint8Array.from("wasi_snapshot_preview1", (letter) => letter.charCodeAt(0));
const IMPORTS_WITHIN = 64 * 1024;

/** What a component begins with; in a core module the version and layer are 01 00 00 00. */
const COMPONENT_HEADER = [0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00];

/** The interface a module seems to be written for; the sandbox decides. */
export function guessAbi(module: Uint8Array): FunctionAbi {
  if (COMPONENT_HEADER.every((byte, i) => module[i] === byte)) return "component-1";
  const end = Math.min(module.length, IMPORTS_WITHIN) - WASI_NAME.length;
  for (let at = 0; at <= end; at += 1) {
    if (module[at] === WASI_NAME[0] && WASI_NAME.every((byte, i) => module[at + i] === byte))
      return "wasi-p1";
  }
  return "bytes-1";
}

function jobArgs(options: JobOptions): { args: JobArgs; files: Map<Cid, Uint8Array> } {
  const files = new Map<Cid, Uint8Array>();
  const listed = (options.files ?? []).map(({ path, bytes }) => {
    const cid = cidOf(RAW, bytes);
    files.set(cid, bytes);
    return { path, cid, size: bytes.length };
  });
  const args: JobArgs = {
    args: options.args ?? [],
    env: Object.entries(options.env ?? {}).map(([name, value]) => ({ name, value })),
    files: listed,
    ...(options.inputFile === undefined ? {} : { inputFile: options.inputFile }),
    ...(options.outputFile === undefined ? {} : { outputFile: options.outputFile }),
  };
  return { args, files };
}

/** What decides the most that a job can cost. */
interface Bounds extends Pick<Job, "limits" | "maxTasks" | "tariffMax"> {
  /** Bytes of the largest input. */
  readonly largestInput: number;
  /** Leases wanted at a time. */
  readonly parallel: number;
  /** Providers that compute each task. */
  readonly replicas: number;
  /** What the relay burns of the cap for each lease. */
  readonly leaseFee: MicroCredits;
}

/** Most replicas of one task, as relays have it unless their operator says otherwise. */
const MAX_REPLICAS = DEFAULT_AUDIT_POLICY.maxReplicas;

/** Replicas that a task may come to where the first ones leave doubts: one more. */
function likelyReplicas(replicas: number): number {
  return replicas === 1 ? 1 : Math.min(replicas + 1, MAX_REPLICAS);
}

/** What one task costs when it uses all it may, at the highest price accepted. */
function mostOfOne({ limits, tariffMax, largestInput }: Bounds): MicroCredits {
  const totals = {
    payable: 1,
    cancelled: 0,
    fuel: limits.fuel,
    bytes: BigInt(largestInput + limits.output),
  };
  return priceOf(tariffMax, totals, microCredits(0));
}

function smallerOf(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function defaultCap(
  job: Bounds,
  { available, apiKey }: Pick<JobGround, "available" | "apiKey">,
): MicroCredits {
  // Each rounded up by itself, so that the shares of the leases cover whole tasks; and one more for each lease, since a
  // lease whose rest does not cover a task at its limits is spent, however little its tasks really cost.
  const worst = mostOfOne(job) * BigInt(job.maxTasks * likelyReplicas(job.replicas) + job.parallel);
  if (available === undefined || available === 0n) return microCredits(smallerOf(worst, NEW_ACCOUNT_CAP));
  const half = available / 2n;
  const one = mostOfOne(job);
  // Whoever made a key has said what it may spend: all of that, where half is less than one task.
  const share = apiKey === undefined || half >= one ? half : smallerOf(one, available);
  return microCredits(smallerOf(worst, share));
}

/** H(r): the requester reveals r after its report is logged (rule 3). */
function drawCommitment(secret: Uint8Array): Uint8Array {
  return sha256(secret);
}

/** A relay that grants test credits to new requesters grants at least twice this. */
export const NEW_ACCOUNT_CAP = 4_000_000n;

/** The cap is shared out over the leases: each must cover at least one task at its limits, or nobody would begin it. */
function mostLeases(cap: MicroCredits, bounds: Bounds): number {
  const one = mostOfOne(bounds);
  const wanted = BigInt(bounds.parallel);
  const each = one + bounds.leaseFee;
  const affordable = each === 0n ? wanted : cap / each;
  return Math.max(1, Number(affordable < wanted ? affordable : wanted));
}

/** What a job is about, apart from money and time. */
export interface JobContent {
  readonly work: Omit<Work, "profile" | "effects"> & Partial<Pick<Work, "effects">>;
  readonly args: Uint8Array;
  readonly blobs: ReadonlyMap<Cid, Uint8Array>;
  readonly limits: JobLimits;
  /** Inputs: each becomes a task for every replica. */
  readonly maxTasks: number;
  readonly parallel: number;
  readonly replicas: number;
}

/** What a job of a run says besides. */
interface Belonging extends Pick<Job, "run" | "only" | "apartFrom" | "prefer"> {
  /** How its results are checked; "sampled" when absent. */
  readonly policy?: string;
}

/** @throws RangeError when it is no number of replicas that a relay takes. */
function requireReplicas(replicas: number): number {
  if (!Number.isInteger(replicas) || replicas < 1 || replicas > MAX_REPLICAS)
    throw new RangeError(`${replicas} replicas; a whole number from 1 to ${MAX_REPLICAS} is possible`);
  return replicas;
}

/**
 * @throws RangeError when an option is beyond what the wire format holds. FailureError `insufficient-funds` where the cap does
 * not cover one task at its limits at every replica.
 */
export async function makeJob(module: Uint8Array, options: JobOptions, ground: JobGround): Promise<MadeJob> {
  const { args, files } = jobArgs(options);
  const workCid = cidOf(RAW, module);
  const abi = options.abi ?? guessAbi(module);
  const content = {
    work: { kind: "function", cid: workCid, entry: options.entry ?? USUAL_ENTRY[abi], abi } as const,
    args: encodeJobArgs(args),
    blobs: new Map([[workCid, module], ...files]),
    limits: limitsOf(options),
    maxTasks: options.maxTasks ?? JOB_DEFAULTS.maxTasks,
    parallel: options.parallel ?? JOB_DEFAULTS.parallel,
    replicas: requireReplicas(options.replicas ?? 1),
  };
  const { made, most } = await signJob(content, options, ground);
  if (content.replicas > made.body.parallel)
    throw new FailureError(
      "insufficient-funds",
      `${content.replicas} replicas at their limits cost ${mostOfOne(most) * BigInt(content.replicas)} micro-credits, the cap is ${made.body.cap}`,
    );
  return made;
}

/** A model's job, apart from money. */
export interface ModelContent {
  /** CID of the manifest. */
  readonly model: Cid;
  readonly entry: ModelEntry;
  readonly limits: JobLimits;
  readonly maxTasks: number;
  readonly parallel: number;
}

/**
 * @throws FailureError `insufficient-funds` where the cap does not cover one task at its limits: no provider would begin it.
 * RangeError when an option is beyond what the wire format holds.
 */
export async function makeModelJob(
  { model, entry, ...content }: ModelContent,
  options: Pick<ModelJobOptions, "cap" | "tariffMax">,
  ground: JobGround,
): Promise<MadeJob> {
  const work = { kind: "model", cid: model, entry, abi: MODEL_ABI } as const;
  const args = encodeJobArgs({ args: [], env: [], files: [] });
  const whole = { ...content, replicas: 1, work, args, blobs: new Map() };
  const { made, most } = await signJob(whole, options, ground);
  if (made.body.cap < mostOfOne(most))
    throw new FailureError(
      "insufficient-funds",
      `at its limits it costs ${mostOfOne(most)} micro-credits, the cap is ${made.body.cap}`,
    );
  return made;
}

/** Limits of a task as a job will name them. */
function limitsOf(options: JobOptions): JobLimits {
  return {
    fuel: fuel(options.fuel ?? JOB_DEFAULTS.fuel),
    memory: options.memoryBytes ?? JOB_DEFAULTS.memoryBytes,
    output: options.outputBytes ?? JOB_DEFAULTS.outputBytes,
    deadlineMs: options.deadlineMs ?? JOB_DEFAULTS.deadlineMs,
  };
}

function boundsOf(
  content: Pick<JobContent, "limits" | "maxTasks" | "parallel" | "replicas">,
  options: Pick<JobOptions, "tariffMax">,
  { info, largestInput }: Pick<JobGround, "info" | "largestInput">,
): Bounds {
  const { limits, maxTasks, parallel, replicas } = content;
  return {
    limits,
    maxTasks,
    tariffMax: options.tariffMax ?? info.tariff,
    largestInput: largestInput ?? limits.output,
    parallel: Math.max(Math.min(parallel, maxTasks), likelyReplicas(replicas)),
    replicas,
    leaseFee: info.auditVersion === undefined ? microCredits(0) : DEFAULT_AUDIT_POLICY.leaseFee,
  };
}

/** What a job of a function will set aside where its options name no cap, and what it burns for each lease. */
export interface CapForecast {
  readonly cap: MicroCredits;
  /** What one task costs that uses all it may: a cap below it finds no provider. */
  readonly mostOfOne: MicroCredits;
  readonly leaseFee: MicroCredits;
  /** Leases wanted at a time. */
  readonly leases: number;
}

export function forecastCap(
  options: JobOptions,
  ground: Pick<JobGround, "info" | "available" | "largestInput">,
): CapForecast {
  const content = {
    limits: limitsOf(options),
    maxTasks: options.maxTasks ?? JOB_DEFAULTS.maxTasks,
    parallel: options.parallel ?? JOB_DEFAULTS.parallel,
    replicas: options.replicas ?? 1,
  };
  const bounds = boundsOf(content, options, ground);
  const { available } = ground;
  const cap =
    options.cap === undefined
      ? defaultCap(bounds, { available, apiKey: undefined })
      : microCredits(options.cap);
  return { cap, mostOfOne: mostOfOne(bounds), leaseFee: bounds.leaseFee, leases: mostLeases(cap, bounds) };
}

export async function signJob(
  content: JobContent,
  options: Pick<JobOptions, "cap" | "disclosure" | "tariffMax">,
  ground: JobGround,
  belonging: Belonging = {},
): Promise<{ readonly made: MadeJob; readonly most: Bounds }> {
  const { info, requester, payer, apiKey, signer, nowMs, nonce, drawSecret } = ground;
  const { work, args, blobs, limits, maxTasks, replicas } = content;
  const { policy = "sampled", ...place } = belonging;
  const most = boundsOf(content, options, ground);
  const cap = options.cap === undefined ? defaultCap(most, ground) : microCredits(options.cap);
  const body: Job = {
    ...header(info.origin, info.asset),
    requester,
    payer,
    ...(apiKey === undefined ? {} : { apiKey }),
    nonce,
    issuedAt: nowMs,
    expires: nowMs + JOB_LIFETIME_MS,
    work: { effects: [], ...work, profile: info.profiles[0] ?? SANDBOX_PROFILE },
    argsCid: cidOf(DAG_CBOR, args),
    limits,
    tariffMax: most.tariffMax,
    maxTasks: Math.min(maxTasks * replicas, MAX_TASKS_PER_JOB),
    parallel: mostLeases(cap, most),
    cap,
    ...place,
    verify: {
      policy,
      k: replicas,
      disclosure: options.disclosure ?? "relay",
      drawCommit: drawCommitment(drawSecret),
    },
  };
  const envelope = await seal(jobMessage, body, [signer]);
  return { made: { id: bodyId(jobMessage, body), body, envelope, args, blobs, drawSecret }, most };
}
