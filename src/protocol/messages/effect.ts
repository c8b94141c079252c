import { type Cid, cidOf, RAW } from "../cid.ts";
import { MAX_CAPABILITY_BYTES, MAX_EFFECT_BYTES, MAX_EFFECT_MS, MAX_EFFECT_SECRETS } from "../limits.ts";
import type { PeerId } from "../peer-id.ts";
import {
  bytes,
  cid,
  decode,
  encode,
  exactBytes,
  list,
  oneOf,
  optional,
  peer,
  record,
  type Schema,
  text,
  uint,
} from "../schema.ts";

/** What cannot be computed again, and so is recorded and signed instead. */
export const EFFECT_KINDS = ["fetch", "kv-get", "kv-put", "kv-list", "evm-read", "time", "random"] as const;
export type EffectKind = (typeof EFFECT_KINDS)[number];

/** The interface of effects: the job's work is the CID of the encoded capability, its entry the kind, a task's input a request. */
export const EFFECT_ABI = "effect-1";

/** What an effect may touch. Nothing that is not named here is reachable. */
export interface Capability {
  readonly kind: EffectKind;
  /** Origins a fetch may go to, as in "https://example.org". */
  readonly origins: readonly string[];
  /** Methods a fetch may use. */
  readonly methods: readonly string[];
  /** Namespace of a key-value store; "" for effects that have none. */
  readonly namespace: string;
  /** Chains that may be read, as in "eip155:1". */
  readonly chains: readonly string[];
  /** Names of secrets that the peer is given sealed; "{secret:NAME}" in a header stands for one. */
  readonly secrets: readonly string[];
  /** Of the answer. */
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

export const capabilitySchema: Schema<Capability> = record<Capability>({
  kind: oneOf(EFFECT_KINDS),
  origins: list(text(256), 32),
  methods: list(text(16), 8),
  namespace: text(64),
  chains: list(text(48), 16),
  secrets: list(text(64), MAX_EFFECT_SECRETS),
  maxBytes: uint(MAX_EFFECT_BYTES),
  timeoutMs: uint(MAX_EFFECT_MS),
});

/** @throws RangeError when it is larger than MAX_CAPABILITY_BYTES. */
export function encodeCapability(capability: Capability): Uint8Array<ArrayBuffer> {
  const encoded = encode(capabilitySchema, capability);
  if (encoded.length > MAX_CAPABILITY_BYTES)
    throw new RangeError(`a capability of ${encoded.length} bytes, at most ${MAX_CAPABILITY_BYTES}`);
  return encoded;
}

/** @throws WireError */
export function decodeCapability(encoded: Uint8Array): Capability {
  return decode(capabilitySchema, encoded, MAX_CAPABILITY_BYTES);
}

/** What a job's work and a step's callee name: CID (raw) of the encoded capability. */
export function capabilityCid(capability: Capability): Cid {
  return cidOf(RAW, encodeCapability(capability));
}

const METHOD = /^[A-Z]{1,16}$/u;
const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/iu;
const CHAIN = /^eip155:[1-9][0-9]{0,31}$/u;
/** As URL.origin gives it: lower case, no path, no port where it is the scheme's own. */
const ORIGIN = /^(?<scheme>https?):\/\/(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?<port>[1-9][0-9]{0,4}))?$/u;

function isOrigin(origin: string): boolean {
  const { scheme, port } = ORIGIN.exec(origin)?.groups ?? {};
  return scheme !== undefined && port !== (scheme === "https" ? "443" : "80");
}

/** What only effects of one kind have; of others it must be empty. */
function fieldProblem({
  kind,
  origins,
  methods,
  namespace,
  chains,
  secrets,
}: Capability): string | undefined {
  const isFetch = kind === "fetch";
  if (isFetch !== origins.length > 0) return isFetch ? "a fetch names no origin" : `${kind} has no origins`;
  if (isFetch !== methods.length > 0) return isFetch ? "a fetch names no method" : `${kind} has no methods`;
  if (kind.startsWith("kv-") !== (namespace !== ""))
    return namespace === "" ? "a store's namespace is missing" : `${kind} has no namespace`;
  if ((kind === "evm-read") !== chains.length > 0)
    return kind === "evm-read" ? "a chain read names no chain" : `${kind} has no chains`;
  if (!isFetch && secrets.length > 0) return `${kind} takes no secrets`;
  return undefined;
}

/** Why a capability makes no sense, a phrase for people; undefined where it does. */
export function capabilityProblem(capability: Capability): string | undefined {
  const { origins, methods, namespace, chains, secrets, maxBytes, timeoutMs } = capability;
  const field = fieldProblem(capability);
  if (field !== undefined) return field;
  const origin = origins.find((each) => !isOrigin(each));
  if (origin !== undefined) return `"${origin}" is not an origin as in https://example.org`;
  const method = methods.find((each) => !METHOD.test(each));
  if (method !== undefined) return `"${method}" is not a method as in GET`;
  if (namespace !== "" && !NAME.test(namespace))
    return `"${namespace}" is not a namespace: letters, digits, ".", "-", "_"`;
  const chain = chains.find((each) => !CHAIN.test(each));
  if (chain !== undefined) return `"${chain}" is not a chain as in eip155:1`;
  const secret = secrets.find((each) => !NAME.test(each));
  if (secret !== undefined) return `"${secret}" is not a secret's name: letters, digits, ".", "-", "_"`;
  if (maxBytes < 1 || timeoutMs < 1) return "maxBytes and timeoutMs are at least 1";
  return undefined;
}

/**
 * What a job of such an effect says that it needs (Work.effects), one line each: "fetch https://example.org",
 * "evm-read eip155:1", or the kind alone.
 */
export function effectNeeds({ kind, origins, chains }: Capability): readonly string[] {
  switch (kind) {
    case "fetch":
      return origins.map((origin) => `fetch ${origin}`);
    case "evm-read":
      return chains.map((chain) => `evm-read ${chain}`);
    case "kv-get":
    case "kv-put":
    case "kv-list":
    case "time":
    case "random":
      return [kind];
    default:
      return kind satisfies never;
  }
}

/** Whether a provider that grants these (Offer.effects) may be asked for what needs those. A kind alone grants all of it. */
export function grantsEffects(granted: readonly string[], needs: readonly string[]): boolean {
  return needs.every((need) => granted.includes(need) || granted.includes(need.split(" ")[0] ?? need));
}

/** Which step of a run an effect belongs to: a record says it, so that it counts in no other. */
export interface EffectPlace {
  readonly run: Cid;
  readonly node: string;
  readonly iteration: string;
  readonly attempt: number;
}

/** What was asked and answered, by CID. Step.record and OutcomeLeaf.effectsCid are the CID (raw) of these bytes. */
export interface EffectRecord {
  readonly v: 1;
  readonly kind: EffectKind;
  readonly capability: Cid;
  /** CID (raw) of the request as it was given: secrets stand in it by their names. */
  readonly request: Cid;
  /** CID (raw) of the value. */
  readonly response: Cid;
  /** Bytes of the value. */
  readonly size: number;
  /** Who has carried it out and signs for it: the session key. */
  readonly signer: PeerId;
  /** By the signer's clock, milliseconds since 1970. */
  readonly at: number;
  /** Absent outside of runs. */
  readonly place?: EffectPlace;
  /** Of a fetch: status of the answer. */
  readonly status?: number;
  /** Of a chain read: the block that it was made at. */
  readonly block?: { readonly number: number; readonly hash: Uint8Array };
  /** Of verifiable randomness: BLS signature that it follows from. */
  readonly proof?: Uint8Array;
}

export const effectRecordSchema: Schema<EffectRecord> = record<EffectRecord>({
  v: {
    write: (out, value) => uint().write(out, value),
    read: (from) => (from.uint(255) === 1 ? 1 : from.fail("is a version that is not known here")),
  },
  kind: oneOf(EFFECT_KINDS),
  capability: cid,
  request: cid,
  response: cid,
  size: uint(MAX_EFFECT_BYTES),
  signer: peer,
  at: uint(),
  place: optional(
    record<EffectPlace>({ run: cid, node: text(64), iteration: text(128), attempt: uint(65_535) }),
  ),
  status: optional(uint(999)),
  block: optional(record<{ number: number; hash: Uint8Array }>({ number: uint(), hash: exactBytes(32) })),
  proof: optional(bytes(96)),
});

/** Everything that an effect is followed from, but for its request: what an opening names (Opening.effects), as a blob. */
export interface EffectEvidence {
  readonly capability: Uint8Array;
  readonly record: Uint8Array;
  readonly value: Uint8Array;
}

export const effectEvidenceSchema: Schema<EffectEvidence> = record<EffectEvidence>({
  capability: bytes(MAX_CAPABILITY_BYTES),
  record: bytes(2_048),
  value: bytes(MAX_EFFECT_BYTES),
});

/** A secret for one peer: HPKE (X25519, HKDF-SHA-256, ChaCha20-Poly1305) to the X25519 form of its session key. */
export interface SealedSecret {
  readonly name: string;
  /** Encapsulated key. */
  readonly enc: Uint8Array;
  readonly sealed: Uint8Array;
}

export const sealedSecretsSchema: Schema<readonly SealedSecret[]> = list(
  record<SealedSecret>({ name: text(64), enc: exactBytes(32), sealed: bytes(4_112) }),
  MAX_EFFECT_SECRETS,
);
