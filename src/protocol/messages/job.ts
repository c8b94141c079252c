import type { Cid } from "../cid.ts";
import type { MessageType } from "../envelope.ts";
import { type Header, headerFields } from "../header.ts";
import { MAX_ARGS_BYTES, MAX_FUNCTION_MEMORY_BYTES, MAX_TASK_BYTES, MAX_TASKS_PER_JOB } from "../limits.ts";
import { HASH_BYTES } from "../merkle.ts";
import { MODEL_ENTRIES } from "../model-entry.ts";
import type { PeerId } from "../peer-id.ts";
import {
  amount,
  cid,
  encode,
  exactBytes,
  fuelAmount,
  list,
  oneOf,
  optional,
  peer,
  record,
  type Schema,
  text,
  uint,
} from "../schema.ts";
import { type Tariff, tariffSchema } from "../tariff.ts";
import type { Fuel, MicroCredits } from "../units.ts";
import { EFFECT_ABI, EFFECT_KINDS } from "./effect.ts";
import { type Abi, abi, MODEL_ABI } from "./session.ts";

/** What is to be run. */
export interface Work {
  readonly kind: "function" | "model" | "effect";
  /** The module, raw, the model's manifest, or the encoded capability, which is then the first program argument in base64. */
  readonly cid: Cid;
  /** Exported function to call; "_start" for a WASI command. Of a model "generate" or "embed", of an effect its kind. */
  readonly entry: string;
  readonly abi: Abi;
  /** Sandbox profile that fuel and behaviour are defined by (rule 13). */
  readonly profile: number;
  /** Recorded effects it needs, as in effectNeeds of effect.ts; of functions and models none are granted. */
  readonly effects: readonly string[];
}

/** What work of an interface is: each kind has interfaces of its own. */
export function kindOfAbi(name: Abi): Work["kind"] {
  if (name === MODEL_ABI) return "model";
  return name === EFFECT_ABI ? "effect" : "function";
}

/** Entries that work of a kind has; undefined where it may have any. */
export function entriesOf(kind: Work["kind"]): readonly string[] | undefined {
  switch (kind) {
    case "function":
      return undefined;
    case "model":
      return MODEL_ENTRIES;
    case "effect":
      return EFFECT_KINDS;
    default:
      return kind satisfies never;
  }
}

/** Whether each task of such work answers in segments. */
export function isStreamed({ kind, entry }: Pick<Work, "kind" | "entry">): boolean {
  return kind === "model" && entry === "generate";
}

/**
 * Whether outcomes of a job that pay are sealed before they are shown: where replicas are compared. Texts are told as they
 * are written, so there is nothing to seal.
 */
export function isSealed({ work, verify }: Pick<Job, "work" | "verify">): boolean {
  return verify.k > 1 && !isStreamed(work);
}

/** Bounds of one task. */
export interface JobLimits {
  readonly fuel: Fuel;
  /** Linear memory, bytes; of a model everything it needs, at least what its manifest says. */
  readonly memory: number;
  /** Output, bytes. */
  readonly output: number;
  /** From start to end of one task at the provider, milliseconds. */
  readonly deadlineMs: number;
}

/** How results are to be checked. */
export interface Verification {
  /** Name of the policy; "sampled" is the relay's default. */
  readonly policy: string;
  /** Replicas asked for; 1 means no quorum. */
  readonly k: number;
  /** Who may see inputs in an audit (rule 14). */
  readonly disclosure: "relay" | "peers" | "requester";
  /** H(r): the requester's share of the draw, revealed after the entry (rule 3). */
  readonly drawCommit: Uint8Array;
}

/** Where a job belongs when it carries out a node of a run; its tasks are the node's iterations. */
export interface RunStep {
  readonly id: Cid;
  readonly node: string;
  /** Which job for this node it is, from 0: a later one takes over what an earlier one has not done. */
  readonly turn: number;
}

/** A signed request. Its CID is the job's identity: submitting it again gives the same leases (rule 19). */
export interface Job extends Header {
  readonly requester: PeerId;
  readonly payer: PeerId;
  /** The api-key by which the payer lets the requester spend its money; absent where the payer has signed too. */
  readonly apiKey?: Cid;
  /** 16 random bytes. */
  readonly nonce: Uint8Array;
  /** Milliseconds since 1970, by the requester's clock. */
  readonly issuedAt: number;
  readonly expires: number;
  readonly work: Work;
  /** Arguments, environment and files that all tasks share (JobArgs). */
  readonly argsCid: Cid;
  readonly limits: JobLimits;
  readonly maxTasks: number;
  /** Providers wanted at a time. */
  readonly parallel: number;
  /** Merkle root over the inputs' CIDs, when all are known beforehand. */
  readonly inputsRoot?: Uint8Array;
  /** The most the whole job may cost; reserved in escrow. */
  readonly cap: MicroCredits;
  readonly tariffMax: Tariff;
  readonly verify: Verification;
  readonly run?: RunStep;
  /** Root identities of the only providers that may have it; absent where any may. */
  readonly only?: readonly PeerId[];
  /** Root identities whose owners may not have it. */
  readonly apartFrom?: readonly PeerId[];
  /** Which of the providers that fit come first; by price where nothing is said. */
  readonly prefer?: Preference;
}

/** Lowest price, longest sound record, shortest way to the relay, or a lot that nobody can choose. */
export const PREFERENCES = ["price", "reputation", "distance", "fair"] as const;
export type Preference = (typeof PREFERENCES)[number];

export const jobMessage: MessageType<Job> = {
  name: "job",
  schema: record<Job>({
    ...headerFields,
    requester: peer,
    payer: peer,
    apiKey: optional(cid),
    nonce: exactBytes(16),
    issuedAt: uint(),
    expires: uint(),
    work: record<Work>({
      kind: oneOf(["function", "model", "effect"]),
      cid,
      entry: text(128),
      abi,
      profile: uint(65_535),
      effects: list(text(300), 64),
    }),
    argsCid: cid,
    limits: record<JobLimits>({
      fuel: fuelAmount,
      memory: uint(MAX_FUNCTION_MEMORY_BYTES),
      output: uint(MAX_TASK_BYTES),
      deadlineMs: uint(24 * 60 * 60 * 1000),
    }),
    maxTasks: uint(MAX_TASKS_PER_JOB),
    parallel: uint(1_024),
    inputsRoot: optional(exactBytes(HASH_BYTES)),
    cap: amount,
    tariffMax: tariffSchema,
    verify: record<Verification>({
      policy: text(64),
      k: uint(16),
      disclosure: oneOf(["relay", "peers", "requester"]),
      drawCommit: exactBytes(HASH_BYTES),
    }),
    run: optional(record<RunStep>({ id: cid, node: text(64), turn: uint(65_535) })),
    only: optional(list(peer, 16)),
    apartFrom: optional(list(peer, 64)),
    prefer: optional(oneOf(PREFERENCES)),
  }),
};

/** One file that every task finds in its directory. */
export interface JobFile {
  /** Path below the program's root, without a leading slash. */
  readonly path: string;
  readonly cid: Cid;
  readonly size: number;
}

interface EnvironmentVariable {
  readonly name: string;
  readonly value: string;
}

/** What all tasks of a job share. Named in the job by CID, sent beside the lease. */
export interface JobArgs {
  /** Program arguments after the program's name. "{input}" stands for the task's input as UTF-8 text. */
  readonly args: readonly string[];
  readonly env: readonly EnvironmentVariable[];
  readonly files: readonly JobFile[];
  /** Where the task's input appears as a file; on standard input when absent. */
  readonly inputFile?: string;
  /** File whose content is the output; standard output when absent. */
  readonly outputFile?: string;
}

export const jobArgsSchema: Schema<JobArgs> = record<JobArgs>({
  args: list(text(4_096), 256),
  env: list(record<EnvironmentVariable>({ name: text(256), value: text(4_096) }), 256),
  files: list(record<JobFile>({ path: text(512), cid, size: uint(MAX_TASK_BYTES) }), 256),
  inputFile: optional(text(512)),
  outputFile: optional(text(512)),
});

/** @throws RangeError when the arguments are larger than MAX_ARGS_BYTES. */
export function encodeJobArgs(args: JobArgs): Uint8Array<ArrayBuffer> {
  const encoded = encode(jobArgsSchema, args);
  if (encoded.length > MAX_ARGS_BYTES)
    throw new RangeError(`arguments take ${encoded.length} bytes, at most ${MAX_ARGS_BYTES}`);
  return encoded;
}

/** The requester wants no further leases: what remains in escrow goes back once the open leases are settled. */
export interface CloseJob extends Header {
  readonly job: Cid;
}

export const closeJobMessage: MessageType<CloseJob> = {
  name: "close-job",
  schema: record<CloseJob>({ ...headerFields, job: cid }),
};
