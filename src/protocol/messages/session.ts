import type { MessageType } from "../envelope.ts";
import { isFailureCode, type FailureCode } from "../failure-code.ts";
import { type Header, headerFields } from "../header.ts";
import type { Cid } from "../cid.ts";
import { MAX_OFFERED_MODELS } from "../limits.ts";
import type { PeerId } from "../peer-id.ts";
import { bytes, cid, list, oneOf, optional, peer, record, type Schema, text, uint } from "../schema.ts";
import { type Tariff, tariffSchema } from "../tariff.ts";
import { type Claim, claims } from "./capability.ts";
import { EFFECT_ABI } from "./effect.ts";

/** Names of sandbox interfaces a function can be written for. */
export const FUNCTION_ABIS = ["wasi-p1", "bytes-1", "component-1"] as const;
export type FunctionAbi = (typeof FUNCTION_ABIS)[number];

/** Exported function that each interface calls unless told otherwise; "" leaves it to the component. */
export const USUAL_ENTRY: Readonly<Record<FunctionAbi, string>> = {
  "wasi-p1": "_start",
  "bytes-1": "tabmesh_run",
  "component-1": "",
};

export function isFunctionAbi(name: Abi): name is FunctionAbi {
  return FUNCTION_ABIS.some((each) => each === name);
}

/** The interface of models, see model-task.ts. */
export const MODEL_ABI = "model-1";

export const ABIS: readonly [...typeof FUNCTION_ABIS, typeof MODEL_ABI, typeof EFFECT_ABI] = [
  ...FUNCTION_ABIS,
  MODEL_ABI,
  EFFECT_ABI,
];
export type Abi = (typeof ABIS)[number];
export const abi: Schema<Abi> = oneOf(ABIS);

/** First message in each direction of every conversation. The checkpoint lets peers find a split view (rule 10). */
export interface Hello extends Header {
  readonly role: "requester" | "provider" | "relay";
  /** Wire versions spoken, best first. */
  readonly versions: readonly number[];
  readonly features: readonly string[];
  /** The session key speaking; for a provider, the instance that leases bind. */
  readonly instance: PeerId;
  /** The newest checkpoint known, as a signed note. */
  readonly checkpoint?: string;
}

export const helloMessage: MessageType<Hello> = {
  name: "hello",
  schema: record<Hello>({
    ...headerFields,
    role: oneOf(["requester", "provider", "relay"]),
    versions: list(uint(255), 16),
    features: list(text(64), 32),
    instance: peer,
    checkpoint: optional(text(4_096)),
  }),
};

/** A provider tells the relay what it can take on. Replaced by the next one with a higher `seq`. */
export interface Offer extends Header {
  readonly provider: PeerId;
  readonly instance: PeerId;
  readonly seq: number;
  /** Threads in all, and those idle now. */
  readonly workers: number;
  readonly free: number;
  /** Linear memory one function may have, bytes. */
  readonly memoryBytes: number;
  readonly profiles: readonly number[];
  readonly abis: readonly Abi[];
  /** The least it works for. */
  readonly tariffMin: Tariff;
  /** Addresses it can be dialled at, multiaddr text. */
  readonly addresses: readonly string[];
  /** Manifests of models it holds whole: it can run them at once, and give them to others. */
  readonly models?: readonly Cid[];
  /** What it says of its own speed. Nothing rests on it but that it be no lie. */
  readonly claims?: readonly Claim[];
  /** Effects that the person lets it carry out, as in effectNeeds of effect.ts. */
  readonly effects?: readonly string[];
  /** Origin of the page that embeds it, as in "https://example.org"; absent where the person opened it by itself. */
  readonly site?: string;
}

export const offerMessage: MessageType<Offer> = {
  name: "offer",
  schema: record<Offer>({
    ...headerFields,
    provider: peer,
    instance: peer,
    seq: uint(),
    workers: uint(1_024),
    free: uint(1_024),
    memoryBytes: uint(),
    profiles: list(uint(65_535), 16),
    abis: list(abi, 8),
    tariffMin: tariffSchema,
    addresses: list(text(512), 16),
    models: optional(list(cid, MAX_OFFERED_MODELS)),
    claims: optional(claims),
    effects: optional(list(text(300), 64)),
    site: optional(text(256)),
  }),
};

/** A failure code as it travels. */
export const code: Schema<FailureCode> = {
  write: (out, value) => out.head(0, value),
  read(from) {
    const value = from.uint(65_535);
    return isFailureCode(value) ? value : from.fail(`${value} is not a failure code`);
  },
};

/** A provider stops a lease in order: what it took, what still runs, what it gives back, what it lost. */
export interface Drain extends Header {
  readonly lease: Cid;
  readonly instance: PeerId;
  readonly code: FailureCode;
  /** Tasks with a lower seq were accepted. */
  readonly acceptedUpTo: number;
  readonly running: readonly number[];
  readonly returned: readonly number[];
  readonly lost: readonly number[];
  /** Its newest receipt, as an envelope. */
  readonly receipt?: Uint8Array;
  /** When it may come back, counted from arrival; absent when it will not. */
  readonly resumeAfterMs?: number;
}

export const drainMessage: MessageType<Drain> = {
  name: "drain",
  schema: record<Drain>({
    ...headerFields,
    lease: cid,
    instance: peer,
    code,
    acceptedUpTo: uint(),
    running: list(uint()),
    returned: list(uint()),
    lost: list(uint()),
    receipt: optional(bytes(8_192)),
    resumeAfterMs: optional(uint()),
  }),
};

/** A root identity revokes a session key: only what was logged before counts (rule 12). */
export interface KeyRevoke extends Header {
  readonly root: PeerId;
  readonly key: PeerId;
}

export const keyRevokeMessage: MessageType<KeyRevoke> = {
  name: "key-revoke",
  schema: record<KeyRevoke>({ ...headerFields, root: peer, key: peer }),
};
