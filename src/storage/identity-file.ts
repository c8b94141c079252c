import { base64pad } from "multiformats/bases/base64";
import { type Ed25519Runtime, peerIdFromSeed, SEED_BYTES } from "../protocol/ed25519.ts";
import { FailureError } from "../protocol/failure.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import { MAX_IDENTITY_FILE_LENGTH } from "./limits.ts";
import { asText, fieldsOf } from "./stored-value.ts";

/** A root identity: whoever has the seed can spend what it earned. */
export interface Identity {
  /** Ed25519 seed (RFC 8032), 32 bytes. Callers do not change it. */
  readonly seed: Uint8Array;
  /** The seed's public key: the account's name. */
  readonly peer: PeerId;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

const FILE_VERSION = 1;

/** The file a person keeps: JSON with version, peer id, seed in base64 and time of creation. It is a secret. */
export function identityFile(identity: Identity): string {
  const { peer, createdAt } = identity;
  const seed = base64pad.baseEncode(identity.seed);
  return `${JSON.stringify({ tabmeshIdentity: FILE_VERSION, peer, seed, createdAt }, undefined, 2)}\n`;
}

function refuse(detail: string): never {
  throw new FailureError("malformed", `identity file: ${detail}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return refuse("is not JSON");
  }
}

function parseSeed(value: unknown): Uint8Array {
  const text = asText(value) ?? refuse("holds no seed");
  try {
    const seed = base64pad.baseDecode(text);
    if (seed.length === SEED_BYTES) return seed;
  } catch {
    // Said below, without repeating a secret.
  }
  return refuse(`the seed is not ${SEED_BYTES} bytes in base64`);
}

/**
 * Reads an identity file and verifies that its peer id is the one of its seed.
 * @throws FailureError `malformed`, `unsupported`; the detail holds no part of the seed.
 */
export async function parseIdentityFile(runtime: Ed25519Runtime, text: string): Promise<Identity> {
  if (text.length > MAX_IDENTITY_FILE_LENGTH) refuse("is too long");
  const fields = fieldsOf(parseJson(text));
  const version = fields.get("tabmeshIdentity") ?? refuse("is another kind of file");
  if (version !== FILE_VERSION) {
    throw new FailureError("unsupported", "identity file: written by a newer version");
  }
  const seed = parseSeed(fields.get("seed"));
  const peer = await peerIdFromSeed(runtime, seed);
  if (fields.get("peer") !== peer) refuse("the peer id does not belong to the seed");
  const createdAt = fields.get("createdAt");
  return { seed, peer, createdAt: typeof createdAt === "number" ? createdAt : 0 };
}
