import { base58btc } from "multiformats/bases/base58";
import { equalBytes } from "./bytes.ts";
import { WireError } from "./wire-error.ts";

/**
 * An Ed25519 identity as libp2p writes it: "12D3KooW…", the base58 of an identity multihash over the protobuf of the
 * public key (libp2p specification, peer-ids). On the wire it is the multicodec key: 0xed 0x01 ‖ 32 bytes.
 */
declare const peerBrand: unique symbol;
export type PeerId = string & { readonly [peerBrand]: "peer-id" };

export const PUBLIC_KEY_BYTES = 32;
const PEER_PREFIX = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20);
const KEY_PREFIX = Uint8Array.of(0xed, 0x01);
export const MULTICODEC_KEY_BYTES: number = KEY_PREFIX.length + PUBLIC_KEY_BYTES;

/** Base58 is slow (quadratic); a relay meets the same few thousand identities again and again. */
const REMEMBERED = 8_192;
const keys = new Map<string, Uint8Array>();

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return prefix.every((byte, index) => bytes[index] === byte);
}

function hasPeerPrefix(text: string): text is PeerId {
  return text.startsWith("12D3KooW");
}

/** @param key raw Ed25519 public key, 32 bytes. */
export function peerIdFromKey(key: Uint8Array): PeerId {
  if (key.length !== PUBLIC_KEY_BYTES) throw new WireError("public key is not 32 bytes");
  const bytes = new Uint8Array(PEER_PREFIX.length + PUBLIC_KEY_BYTES);
  bytes.set(PEER_PREFIX);
  bytes.set(key, PEER_PREFIX.length);
  const text = base58btc.baseEncode(bytes);
  if (!hasPeerPrefix(text)) throw new WireError("public key does not make an Ed25519 peer id");
  return text;
}

/** Raw Ed25519 public key of a peer id, 32 bytes. Callers do not change it. */
export function keyFromPeerId(peer: PeerId): Uint8Array {
  const known = keys.get(peer);
  if (known !== undefined) return known;
  const bytes = base58btc.baseDecode(peer);
  if (bytes.length !== PEER_PREFIX.length + PUBLIC_KEY_BYTES || !startsWith(bytes, PEER_PREFIX)) {
    throw new WireError("is not an Ed25519 peer id");
  }
  const key = bytes.slice(PEER_PREFIX.length);
  if (keys.size >= REMEMBERED) keys.clear();
  keys.set(peer, key);
  return key;
}

export function isPeerId(text: unknown): text is PeerId {
  if (typeof text !== "string" || !hasPeerPrefix(text) || text.length > 64) return false;
  try {
    return peerIdFromMulticodecKey(multicodecKey(text)) === text;
  } catch {
    return false;
  }
}

/** @throws WireError unless `text` is an Ed25519 peer id. */
export function parsePeerId(text: string): PeerId {
  if (!isPeerId(text)) throw new WireError("is not an Ed25519 peer id (12D3KooW…)");
  return text;
}

export function multicodecKey(peer: PeerId): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(MULTICODEC_KEY_BYTES);
  bytes.set(KEY_PREFIX);
  bytes.set(keyFromPeerId(peer), KEY_PREFIX.length);
  return bytes;
}

/** Peers met lately, by the first bytes of their keys. */
const peers: ({ readonly bytes: Uint8Array; readonly peer: PeerId } | undefined)[] = Array.from({
  length: REMEMBERED,
});

export function peerIdFromMulticodecKey(bytes: Uint8Array): PeerId {
  const place = ((bytes[2] ?? 0) * 256 + (bytes[3] ?? 0)) % REMEMBERED;
  const known = peers[place];
  if (known !== undefined && equalBytes(known.bytes, bytes)) return known.peer;
  if (bytes.length !== MULTICODEC_KEY_BYTES || !startsWith(bytes, KEY_PREFIX)) {
    throw new WireError("is not an Ed25519 public key");
  }
  const peer = peerIdFromKey(bytes.subarray(KEY_PREFIX.length));
  peers[place] = { bytes: bytes.slice(), peer };
  return peer;
}
