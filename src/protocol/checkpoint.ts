import { sha256 } from "@noble/hashes/sha2.js";
import { fromBase64, toBase64 } from "./base64.ts";
import { concatBytes, equalBytes, toHex } from "./bytes.ts";
import { FailureError } from "./failure.ts";
import { HASH_BYTES } from "./merkle.ts";
import { isSoundSignature, type SignatureClaim } from "./signature.ts";
import { encodeUtf8 } from "./text.ts";

/**
 * The signed head of the relay's log, as a C2SP tlog-checkpoint inside a C2SP signed-note: three lines (origin, size,
 * root in base64), an empty line, then signature lines "— name base64(key id ‖ signature)".
 */
export interface Checkpoint {
  readonly origin: string;
  /** Number of entries. */
  readonly size: number;
  /** RFC 6962 root, 32 bytes. */
  readonly root: Uint8Array;
}

/** A checkpoint as it came, and what remains to be verified of it. */
export interface UnverifiedCheckpoint extends Checkpoint {
  readonly note: string;
  /** Present for the signature made under the expected key. */
  readonly claim: SignatureClaim;
}

const ED25519_NOTE = 0x01;
const KEY_ID_BYTES = 4;
/** Origin, size, root, blank, and at most 16 signatures of a log and its witnesses. */
const MAX_NOTE_LENGTH = 4_096;
const MAX_NOTE_SIGNATURES = 16;

/** A C2SP key name: not empty, no space, no plus, no control character. It is the log's origin here. */
function isKeyName(name: string): boolean {
  return /^[^\s+\p{Cc}]+$/u.test(name);
}

/** First four bytes of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ key): C2SP signed-note. */
function keyId(name: string, key: Uint8Array): Uint8Array {
  return sha256(concatBytes(encodeUtf8(name), Uint8Array.of(0x0a, ED25519_NOTE), key)).subarray(
    0,
    KEY_ID_BYTES,
  );
}

/** The signed text of a checkpoint, with its final newline. */
export function checkpointText(checkpoint: Checkpoint): string {
  return `${checkpoint.origin}\n${checkpoint.size}\n${toBase64(checkpoint.root)}\n`;
}

/**
 * @param sign signs the note's text with the log's key; 64 bytes. @param key the log's raw public key.
 * @throws RangeError when the origin cannot be a key name: it is empty or has a space or plus.
 */
export async function signCheckpoint(
  checkpoint: Checkpoint,
  key: Uint8Array,
  sign: (message: Uint8Array) => Promise<Uint8Array>,
): Promise<string> {
  return checkpointNote(checkpoint, key, await sign(checkpointMessage(checkpoint)));
}

/** What the log key signs. @throws RangeError for an origin that cannot name a key */
export function checkpointMessage(checkpoint: Checkpoint): Uint8Array {
  if (!isKeyName(checkpoint.origin))
    throw new RangeError("an origin has no space, plus or control character");
  return encodeUtf8(checkpointText(checkpoint));
}

/** The signed note. @param signature of checkpointMessage under the key */
export function checkpointNote(checkpoint: Checkpoint, key: Uint8Array, signature: Uint8Array): string {
  const { origin } = checkpoint;
  const signed = toBase64(concatBytes(keyId(origin, key), signature));
  return `${checkpointText(checkpoint)}\n\u2014 ${origin} ${signed}\n`;
}

function forged(detail: string): FailureError {
  return new FailureError("forged-checkpoint", `checkpoint: ${detail}`);
}

function parseText(text: string): Checkpoint {
  const [origin, sizeText, rootText, end, ...more] = text.split("\n");
  if (
    origin === undefined ||
    sizeText === undefined ||
    rootText === undefined ||
    end !== "" ||
    more.length > 0
  ) {
    throw forged("is not three lines");
  }
  const size = Number(sizeText);
  if (!/^(0|[1-9][0-9]*)$/u.test(sizeText) || !Number.isSafeInteger(size)) throw forged("has no size");
  const root = fromBase64(rootText);
  if (root?.length !== HASH_BYTES) throw forged("has no root");
  return { origin, size, root };
}

interface NoteSignature {
  readonly name: string;
  readonly id: Uint8Array;
  readonly signature: Uint8Array;
}

/** One signature line. Lines of other signers are skipped by their readers, but may not be something else altogether. */
function parseSignature(line: string): NoteSignature {
  const [dash, name, data, ...more] = line.split(" ");
  if (dash !== "\u2014" || name === undefined || !isKeyName(name) || data === undefined || more.length > 0)
    throw forged("has a line that is not a signature");
  const bytes = fromBase64(data);
  if (bytes === undefined || bytes.length <= KEY_ID_BYTES) throw forged("has a signature that is not base64");
  return { name, id: bytes.subarray(0, KEY_ID_BYTES), signature: bytes.subarray(KEY_ID_BYTES) };
}

interface SignedNote {
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

function splitNote(note: string): SignedNote {
  const split = note.lastIndexOf("\n\n");
  if (note.length > MAX_NOTE_LENGTH || split < 0 || !note.endsWith("\n"))
    throw forged("is not a signed note");
  const lines = note.slice(split + 2, -1).split("\n");
  if (lines.length > MAX_NOTE_SIGNATURES) throw forged(`has more than ${MAX_NOTE_SIGNATURES} signatures`);
  return { text: note.slice(0, split + 1), signatures: lines.map(parseSignature) };
}

/**
 * The log's key as C2SP signed-note writes it, for tools that take one: name+key id+base64(0x01 ‖ key).
 * @param key the log's raw public key.
 */
export function noteVerifierKey(origin: string, key: Uint8Array): string {
  return `${origin}+${toHex(keyId(origin, key))}+${toBase64(concatBytes(Uint8Array.of(ED25519_NOTE), key))}`;
}

/** Whose key such a text names; undefined when it is none. */
export function readVerifierKey(
  text: string,
): { readonly origin: string; readonly key: Uint8Array } | undefined {
  const parts = /^(?<origin>[^+]+)\+[\da-f]{8}\+(?<key>.+)$/u.exec(text)?.groups;
  const key = fromBase64(parts?.["key"] ?? "");
  const origin = parts?.["origin"] ?? "";
  if (key?.length !== 33 || key[0] !== ED25519_NOTE) return undefined;
  const raw = key.slice(1);
  return noteVerifierKey(origin, raw) === text ? { origin, key: raw } : undefined;
}

/** Whose log a note says to be of; it may be anything. */
export function originOf(note: string): string {
  return note.split("\n", 1)[0] ?? "";
}

function parseOf(origin: string, text: string): Checkpoint {
  const checkpoint = parseText(text);
  if (checkpoint.origin !== origin) throw forged("is of another log");
  return checkpoint;
}

/**
 * What a note of the log `origin` states, whoever signed it: for a note that was verified before and kept since.
 * @throws FailureError `forged-checkpoint` when it is not a note of that log.
 */
export function readCheckpoint(note: string, origin: string): Checkpoint {
  return parseOf(origin, splitNote(note).text);
}

/**
 * Reads a note of the log `origin` with public key `key`. The claim is still to be verified.
 * @throws FailureError `forged-checkpoint` when it is not a note of that log, or not signed under that key.
 */
export function parseCheckpoint(note: string, origin: string, key: Uint8Array): UnverifiedCheckpoint {
  const { text, signatures } = splitNote(note);
  const checkpoint = parseOf(origin, text);
  const id = keyId(origin, key);
  const own = signatures.find((line) => line.name === origin && equalBytes(line.id, id));
  if (own === undefined || !isSoundSignature(key, own.signature))
    throw forged("is not signed by the expected key");
  return { ...checkpoint, note, claim: { key, message: encodeUtf8(text), signature: own.signature } };
}
