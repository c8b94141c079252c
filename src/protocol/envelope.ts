import { type Cid, cidOf, DAG_CBOR, type Digest } from "./cid.ts";
import { FailureError } from "./failure.ts";
import { MAX_BODY_BYTES, MAX_ENVELOPE_BYTES, MAX_SIGNATURES } from "./limits.ts";
import { keyFromPeerId, type PeerId } from "./peer-id.ts";
import {
  bytes,
  bytesInPlace,
  decode,
  encode,
  exactBytes,
  list,
  optional,
  peer,
  record,
  type Schema,
  text,
  where,
} from "./schema.ts";
import {
  isSoundSignature,
  SIGNATURE_BYTES,
  type SignatureClaim,
  signedBytes,
  type Signer,
  type Verify,
  type VerifySync,
} from "./signature.ts";
import { WireError } from "./wire-error.ts";

/** A message type: its name, which is part of what is signed, and the shape of its body. */
export interface MessageType<T> {
  readonly name: string;
  readonly schema: Schema<T>;
}

/** Signatures stand outside the body, so the identity of a message (CID of the body) does not depend on them. */
interface EnvelopeSignature {
  readonly key: PeerId;
  /** A delegation envelope, when `key` acts for a root identity. */
  readonly delegation?: Uint8Array;
  readonly sig: Uint8Array;
}

interface Envelope {
  readonly type: string;
  readonly body: Uint8Array;
  readonly signatures: readonly EnvelopeSignature[];
}

/** A delegation envelope has one small body and one signature; it may not carry a delegation itself. */
const MAX_DELEGATION_BYTES = 1_024;

const envelopeSchema: Schema<Envelope> = record<Envelope>({
  type: text(32),
  body: bytesInPlace(MAX_BODY_BYTES),
  signatures: list(
    record<EnvelopeSignature>({
      key: peer,
      delegation: optional(bytes(MAX_DELEGATION_BYTES)),
      sig: exactBytes(SIGNATURE_BYTES),
    }),
    MAX_SIGNATURES,
  ),
});

/** The same shape, whose signatures are read as views: for whoever does not look at them. */
const unprovenSchema: Schema<Envelope> = record<Envelope>({
  type: text(32),
  body: bytesInPlace(MAX_BODY_BYTES),
  signatures: list(
    record<EnvelopeSignature>({
      key: peer,
      delegation: optional(bytesInPlace(MAX_DELEGATION_BYTES)),
      sig: where(
        bytesInPlace(SIGNATURE_BYTES),
        ({ length }) => length === SIGNATURE_BYTES,
        "is not 64 bytes long",
      ),
    }),
    MAX_SIGNATURES,
  ),
});

/** Who signed, as the envelope says. Trust it only after the claims have been verified. */
export interface SignedBy {
  readonly key: PeerId;
  readonly delegation?: Uint8Array;
}

/** A decoded message whose signatures have not been verified yet. */
export interface Unverified<T> {
  readonly type: string;
  /** CID of the body: the identity of the message. Idempotence goes by this, never by signature bytes (rule 20). */
  readonly id: Cid;
  readonly body: T;
  /** The envelope as it came. */
  readonly bytes: Uint8Array;
  readonly signedBy: readonly SignedBy[];
  readonly claims: readonly SignatureClaim[];
}

declare const verifiedBrand: unique symbol;
/** A message all of whose signatures hold. Delegations are judged by `signatory` in delegation.ts. */
export type Verified<T> = Unverified<T> & { readonly [verifiedBrand]: true };

/** Encodes and signs a body. The result is the envelope's bytes. */
export async function seal<T>(
  type: MessageType<T>,
  body: T,
  signers: readonly Signer[],
): Promise<Uint8Array<ArrayBuffer>> {
  const encoded = encode(type.schema, body);
  const message = signedBytes(type.name, encoded);
  const signatures = await Promise.all(
    signers.map(async (signer): Promise<EnvelopeSignature> => ({
      key: signer.key,
      ...(signer.delegation === undefined ? {} : { delegation: signer.delegation }),
      sig: await signer.sign(message),
    })),
  );
  return encode(envelopeSchema, { type: type.name, body: encoded, signatures });
}

/** Like `seal`, with one key that signs at once. */
export function sealSync<T>(
  type: MessageType<T>,
  body: T,
  key: PeerId,
  sign: (message: Uint8Array) => Uint8Array,
): Uint8Array<ArrayBuffer> {
  const encoded = encode(type.schema, body);
  const sig = sign(signedBytes(type.name, encoded));
  return encode(envelopeSchema, { type: type.name, body: encoded, signatures: [{ key, sig }] });
}

/** Identity of a body that is not signed yet. */
export function bodyId<T>(type: MessageType<T>, body: T): Cid {
  return cidOf(DAG_CBOR, encode(type.schema, body));
}

function readEnvelope(type: string, data: Uint8Array, schema: Schema<Envelope> = envelopeSchema): Envelope {
  const envelope = decode(schema, data, MAX_ENVELOPE_BYTES);
  if (envelope.type !== type)
    throw new WireError(`message: expected a ${type}, not a ${envelope.type.slice(0, 32)}`);
  return envelope;
}

/**
 * What an envelope says, whoever signed it: for content that carries its own proof.
 * @throws FailureError `malformed`, `unsupported`, `too-large`.
 */
export function readBody<T>(type: MessageType<T>, data: Uint8Array): T {
  return decode(type.schema, readEnvelope(type.name, data, unprovenSchema).body);
}

/** A message as its envelope has it, and the keys that are said to have signed it. */
export interface Unproven<T> {
  readonly id: Cid;
  readonly body: T;
  readonly signers: readonly PeerId[];
}

/**
 * Like readBody, with the message's identity and who is said to have signed it; no signature is looked at.
 * @param digest the runtime's SHA-256 where it can hash at once.
 * @throws FailureError as readBody.
 */
export function readMessage<T>(type: MessageType<T>, data: Uint8Array, digest?: Digest): Unproven<T> {
  const { body, signatures } = readEnvelope(type.name, data, unprovenSchema);
  return {
    id: cidOf(DAG_CBOR, body, digest),
    body: decode(type.schema, body),
    signers: signatures.map(({ key }) => key),
  };
}

/** What remains to be verified of an envelope. @throws FailureError `bad-signature` when a signature breaks the signature law. */
function claimsIn({ type, body, signatures }: Envelope): readonly SignatureClaim[] {
  if (signatures.length === 0) throw new FailureError("bad-signature", `${type}: nobody signed it`);
  const message = signedBytes(type, body);
  return signatures.map(({ key, sig }) => {
    const raw = keyFromPeerId(key);
    if (!isSoundSignature(raw, sig))
      throw new FailureError("bad-signature", `${type}: key or signature is not canonical`);
    return { key: raw, message, signature: sig };
  });
}

function signersIn({ signatures }: Envelope): readonly SignedBy[] {
  return signatures.map(({ key, delegation }) => (delegation === undefined ? { key } : { key, delegation }));
}

/**
 * Decodes an envelope of the expected type.
 * @param digest the runtime's SHA-256 where it can hash at once.
 * @throws FailureError `malformed`, `unsupported`, `too-large`, or `bad-signature` when a signature breaks the signature law.
 */
export function openEnvelope<T>(type: MessageType<T>, data: Uint8Array, digest?: Digest): Unverified<T> {
  const envelope = readEnvelope(type.name, data);
  const claims = claimsIn(envelope);
  return {
    type: type.name,
    id: cidOf(DAG_CBOR, envelope.body, digest),
    body: decode(type.schema, envelope.body),
    bytes: data,
    signedBy: signersIn(envelope),
    claims,
  };
}

/**
 * Who signed an envelope of whatever type, and what remains to be verified of that; its body is not looked at.
 * @throws FailureError as openEnvelope.
 */
export function openSignatures(data: Uint8Array): Pick<Unverified<unknown>, "type" | "signedBy" | "claims"> {
  const envelope = decode(envelopeSchema, data, MAX_ENVELOPE_BYTES);
  return { type: envelope.type, signedBy: signersIn(envelope), claims: claimsIn(envelope) };
}

function refuse(type: string): never {
  throw new FailureError("bad-signature", `${type}: a signature does not fit the message and its key`);
}

function markVerified<T>(message: Unverified<T>, every: boolean): message is Verified<T> {
  return every && message.claims.length > 0;
}

/** @throws FailureError `bad-signature`. */
export async function verified<T>(message: Unverified<T>, verify: Verify): Promise<Verified<T>> {
  const results = await Promise.all(
    message.claims.map(async (claim) => verify(claim.key, claim.message, claim.signature)),
  );
  return markVerified(message, results.every(Boolean)) ? message : refuse(message.type);
}

/** @throws FailureError `bad-signature`. */
export function verifiedSync<T>(message: Unverified<T>, verify: VerifySync): Verified<T> {
  const every = message.claims.every((claim) => verify(claim.key, claim.message, claim.signature));
  return markVerified(message, every) ? message : refuse(message.type);
}
