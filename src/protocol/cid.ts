import { sha256 } from "@noble/hashes/sha2.js";
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

/** RFC 4648 base32 in lower case, with the multibase prefix "b" before it. */
const SYMBOLS = Array.from("abcdefghijklmnopqrstuvwxyz234567", (symbol) => symbol.charCodeAt(0));
const PREFIX = "b".charCodeAt(0);
const CID_TEXT_LENGTH = 59;
const SYMBOL_BITS = 5;
const NO_SYMBOL = 255;
const VALUES: Uint8Array = new Uint8Array(128).fill(NO_SYMBOL);
for (const [value, symbol] of SYMBOLS.entries()) VALUES[symbol] = value;

const spelled: number[] = Array.from({ length: CID_TEXT_LENGTH }, () => PREFIX);

/**
 * Made in one piece: V8 keeps a text that grew character by character as a tree of its pieces, 1.5 kB for one CID, until
 * somebody reads all of it.
 */
function encodeBase32(bytes: Uint8Array): string {
  let at = 1;
  let bits = 0;
  let pending = 0;
  for (const byte of bytes) {
    pending = ((pending << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= SYMBOL_BITS) {
      bits -= SYMBOL_BITS;
      spelled[at++] = SYMBOLS[(pending >>> bits) & 31] ?? 0;
    }
  }
  spelled[at] = SYMBOLS[(pending << (SYMBOL_BITS - bits)) & 31] ?? 0;
  return String.fromCharCode(...spelled);
}

/** The bytes of a text of the right length; `undefined` when it is not their one canonical spelling. */
function decodeBase32(cid: string): Uint8Array | undefined {
  const bytes = new Uint8Array(CID_BYTES);
  let at = 0;
  let bits = 0;
  let pending = 0;
  for (let i = 1; i < CID_TEXT_LENGTH; i += 1) {
    const value = VALUES[cid.charCodeAt(i)] ?? NO_SYMBOL;
    if (value === NO_SYMBOL) return undefined;
    pending = ((pending << SYMBOL_BITS) | value) & 0xfff;
    bits += SYMBOL_BITS;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at++] = pending >>> bits;
  }
  return (pending & ((1 << bits) - 1)) === 0 ? bytes : undefined;
}

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
  if (typeof text !== "string" || text.length !== CID_TEXT_LENGTH || text[0] !== "b") return false;
  const bytes = decodeBase32(text);
  return bytes !== undefined && isCidBytes(bytes);
}

function brand(text: string): Cid {
  if (!hasCidLength(text)) throw new WireError("CID has the wrong length");
  return text;
}

function hasCidLength(text: string): text is Cid {
  return text.length === CID_TEXT_LENGTH;
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
  return brand(encodeBase32(bytes));
}

/** The 36 bytes of a CID. */
export function cidBytes(cid: Cid): Uint8Array {
  const bytes = decodeBase32(cid);
  if (bytes === undefined) throw new WireError("CID is not base32");
  return bytes;
}

/** @param digest SHA-256, 32 bytes. */
export function cidFromDigest(codec: Codec, digest: Uint8Array): Cid {
  if (digest.length !== DIGEST_BYTES) throw new WireError("digest is not 32 bytes");
  const bytes = new Uint8Array(CID_BYTES);
  bytes.set([1, codec, SHA2_256, DIGEST_BYTES]);
  bytes.set(digest, 4);
  return brand(encodeBase32(bytes));
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
