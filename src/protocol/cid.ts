import { sha256 } from "@noble/hashes/sha2.js";
import { base32 } from "multiformats/bases/base32";
import { equalBytes } from "./bytes.ts";
import { WireError } from "./wire-error.ts";

/**
 * A CIDv1 with SHA-256, in base32 lower case ("bafy…" for dag-cbor, "bafk…" for raw bytes). In memory it is text:
 * it compares, keys a map, and crosses threads and JSON as it is. On the wire it is tag 42 over its 36 bytes.
 */
declare const cidBrand: unique symbol;
export type Cid = string & { readonly [cidBrand]: "cid" };

/** Multicodec codes of the two kinds of content: messages, and everything else. */
export const DAG_CBOR = 0x71;
export const RAW = 0x55;
export type Codec = typeof DAG_CBOR | typeof RAW;

const SHA2_256 = 0x12;
const DIGEST_BYTES = 32;
export const CID_BYTES = 36;

function isCodec(value: number | undefined): value is Codec {
  return value === DAG_CBOR || value === RAW;
}

function isCidBytes(bytes: Uint8Array): boolean {
  return (
    bytes.length === CID_BYTES &&
    bytes[0] === 1 &&
    isCodec(bytes[1]) &&
    bytes[2] === SHA2_256 &&
    bytes[3] === DIGEST_BYTES
  );
}

/** True for exactly the canonical text of a CID this project uses: version 1, raw or dag-cbor, SHA-256, base32. */
export function isCid(text: unknown): text is Cid {
  if (typeof text !== "string" || text.length !== 59 || text[0] !== "b") return false;
  try {
    const bytes = base32.decode(text);
    return isCidBytes(bytes) && base32.encode(bytes) === text;
  } catch {
    return false;
  }
}

function brand(text: string): Cid {
  if (!hasCidLength(text)) throw new WireError("CID has the wrong length");
  return text;
}

function hasCidLength(text: string): text is Cid {
  return text.length === 59;
}

/** Text of CIDs met lately, by their first digest bytes: the messages of a lease name the same few again and again. */
const REMEMBERED = 4_096;
const remembered: ({ readonly bytes: Uint8Array; readonly cid: Cid } | undefined)[] = Array.from({
  length: REMEMBERED,
});

/** @throws WireError unless the bytes are a version 1 CID, raw or dag-cbor, with SHA-256. */
export function cidFromBytes(bytes: Uint8Array): Cid {
  const place = ((bytes[4] ?? 0) * 256 + (bytes[5] ?? 0)) % REMEMBERED;
  const known = remembered[place];
  if (known !== undefined && equalBytes(known.bytes, bytes)) return known.cid;
  const cid = encodeCid(bytes);
  remembered[place] = { bytes: bytes.slice(), cid };
  return cid;
}

function encodeCid(bytes: Uint8Array): Cid {
  if (!isCidBytes(bytes)) throw new WireError("CID is not version 1, raw or dag-cbor, with SHA-256");
  return brand(base32.encode(bytes));
}

/** The 36 bytes of a CID. */
export function cidBytes(cid: Cid): Uint8Array {
  return base32.decode(cid);
}

/** @param digest SHA-256, 32 bytes. */
export function cidFromDigest(codec: Codec, digest: Uint8Array): Cid {
  if (digest.length !== DIGEST_BYTES) throw new WireError("digest is not 32 bytes");
  const bytes = new Uint8Array(CID_BYTES);
  bytes.set([1, codec, SHA2_256, DIGEST_BYTES]);
  bytes.set(digest, 4);
  return brand(base32.encode(bytes));
}

/** The SHA-256 digest inside a CID, 32 bytes. */
export function cidDigest(cid: Cid): Uint8Array {
  return cidBytes(cid).subarray(4);
}

export function cidCodec(cid: Cid): Codec {
  const codec = cidBytes(cid)[1];
  if (!isCodec(codec)) throw new WireError("CID has another codec");
  return codec;
}

/** SHA-256 of some bytes, 32 bytes. A runtime's own is faster than the one here. */
export type Digest = (bytes: Uint8Array) => Uint8Array;

/** Hashes here and now, about 100 MB/s: for messages. Hash large blobs off the window's thread and use cidFromDigest. */
export function cidOf(codec: Codec, bytes: Uint8Array, digest: Digest = sha256): Cid {
  return cidFromDigest(codec, digest(bytes));
}

/** @throws WireError unless `text` is a canonical CID. */
export function parseCid(text: string): Cid {
  if (!isCid(text)) throw new WireError("is not a CID (version 1, raw or dag-cbor, SHA-256, base32)");
  return text;
}
