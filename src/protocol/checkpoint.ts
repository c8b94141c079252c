import { sha256 } from "@noble/hashes/sha2.js";
import { base64 } from "multiformats/bases/base64";
import { concatBytes, equalBytes } from "./bytes.ts";
import { FailureError } from "./failure.ts";
import { HASH_BYTES } from "./merkle.ts";
import { isSoundSignature, SIGNATURE_BYTES, type SignatureClaim } from "./signature.ts";
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

/** First four bytes of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ key): C2SP signed-note. */
function keyId(name: string, key: Uint8Array): Uint8Array {
  return sha256(concatBytes(encodeUtf8(name), Uint8Array.of(0x0a, ED25519_NOTE), key)).subarray(
    0,
    KEY_ID_BYTES,
  );
}

function toBase64(bytes: Uint8Array): string {
  const text = base64.baseEncode(bytes);
  return text.padEnd(Math.ceil(text.length / 4) * 4, "=");
}

function fromBase64(text: string): Uint8Array | undefined {
  try {
    const bytes = base64.baseDecode(text.replace(/=+$/u, ""));
    return toBase64(bytes) === text ? bytes : undefined;
  } catch {
    return undefined;
  }
}

/** The signed text of a checkpoint, with its final newline. */
export function checkpointText(checkpoint: Checkpoint): string {
  return `${checkpoint.origin}\n${checkpoint.size}\n${toBase64(checkpoint.root)}\n`;
}

/** @param sign signs the note's text with the log's key; 64 bytes. @param key the log's raw public key. */
export async function signCheckpoint(
  checkpoint: Checkpoint,
  key: Uint8Array,
  sign: (message: Uint8Array) => Promise<Uint8Array>,
): Promise<string> {
  const text = checkpointText(checkpoint);
  const signature = await sign(encodeUtf8(text));
  return `${text}\n\u2014 ${checkpoint.origin} ${toBase64(concatBytes(keyId(checkpoint.origin, key), signature))}\n`;
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

function findSignature(lines: readonly string[], name: string, id: Uint8Array): Uint8Array | undefined {
  for (const line of lines) {
    const [dash, by, data, ...more] = line.split(" ");
    if (dash !== "\u2014" || by !== name || data === undefined || more.length > 0) continue;
    const bytes = fromBase64(data);
    if (bytes?.length === KEY_ID_BYTES + SIGNATURE_BYTES && equalBytes(bytes.subarray(0, KEY_ID_BYTES), id)) {
      return bytes.subarray(KEY_ID_BYTES);
    }
  }
  return undefined;
}

/**
 * Reads a note of the log `origin` with public key `key`. The claim is still to be verified.
 * @throws FailureError `forged-checkpoint` when it is not a note of that log, or not signed under that key.
 */
export function parseCheckpoint(note: string, origin: string, key: Uint8Array): UnverifiedCheckpoint {
  const split = note.indexOf("\n\n");
  if (note.length > MAX_NOTE_LENGTH || split < 0 || !note.endsWith("\n"))
    throw forged("is not a signed note");
  const text = note.slice(0, split + 1);
  const checkpoint = parseText(text);
  if (checkpoint.origin !== origin) throw forged(`is of ${checkpoint.origin}, not of ${origin}`);
  const lines = note.slice(split + 2, -1).split("\n");
  const signature = findSignature(lines, origin, keyId(origin, key));
  if (signature === undefined || !isSoundSignature(key, signature))
    throw forged("is not signed by the expected key");
  return { ...checkpoint, note, claim: { key, message: encodeUtf8(text), signature } };
}
