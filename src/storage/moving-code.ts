import { base32upper } from "multiformats/bases/base32";
import { peerIdFromSeed, SEED_BYTES } from "../protocol/ed25519.ts";
import { FailureError } from "../protocol/failure.ts";
import { encodeUtf8 } from "../protocol/text.ts";
import type { Identity } from "./identity-file.ts";
import { readWords, wordsFrom } from "./recovery-phrase.ts";

/**
 * A key on its way to another device, as a text that fits a QR code: the prefix, then base32 of salt ‖ AES-256-GCM of
 * (seed ‖ time until which it holds, ms since 1970, u48 big-endian). The key of the cipher is PBKDF2 of four words that
 * stand beside the code on the old device, never in it; each code has its own salt, so the nonce may be zero.
 */
const PREFIX = "TABMESH1:";

/** Four of 2,048 words are 44 bits: with the derivation below, somebody who has the code alone guesses for centuries. */
export const MOVING_WORDS = 4;
const WORD_BYTES = 6;

/** How long a code holds. The device that takes it up says no afterwards; who has code and words needs no device of ours. */
export const MOVING_MS: number = 10 * 60 * 1_000;

/** PBKDF2-HMAC-SHA-512: about a second on a phone. OWASP's least is 210,000; the words are few, so five times that. */
const ROUNDS = 1_000_000;
const SALT_BYTES = 16;
const TIME_BYTES = 6;
const TAG_BYTES = 16;
const CODE_BYTES: number = SALT_BYTES + SEED_BYTES + TIME_BYTES + TAG_BYTES;
const NONCE = new Uint8Array(12);

export interface MovingCode {
  readonly code: string;
  readonly words: readonly string[];
  /** Milliseconds since 1970. */
  readonly until: number;
}

async function cipherKey(words: readonly string[], salt: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  const { subtle } = crypto;
  const secret = await subtle.importKey("raw", encodeUtf8(words.join(" ")), "PBKDF2", false, ["deriveKey"]);
  return subtle.deriveKey(
    { name: "PBKDF2", hash: "SHA-512", salt, iterations: ROUNDS },
    secret,
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt", "decrypt"],
  );
}

function cipherOf(): {
  readonly name: "AES-GCM";
  readonly iv: Uint8Array<ArrayBuffer>;
  readonly additionalData: Uint8Array<ArrayBuffer>;
} {
  return { name: "AES-GCM", iv: NONCE, additionalData: encodeUtf8(PREFIX) };
}

/** Makes a code and the words that open it, both new each time. */
export async function makeMovingCode({ seed }: Pick<Identity, "seed">, nowMs: number): Promise<MovingCode> {
  const until = nowMs + MOVING_MS;
  const words = wordsFrom(crypto.getRandomValues(new Uint8Array(WORD_BYTES)), MOVING_WORDS);
  const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES));
  const plain = new Uint8Array(SEED_BYTES + TIME_BYTES);
  plain.set(seed);
  const view = new DataView(plain.buffer);
  view.setUint16(SEED_BYTES, Math.floor(until / 2 ** 32));
  view.setUint32(SEED_BYTES + 2, until % 2 ** 32);
  const sealed = new Uint8Array(await crypto.subtle.encrypt(cipherOf(), await cipherKey(words, salt), plain));
  const bytes = new Uint8Array(CODE_BYTES);
  bytes.set(salt);
  bytes.set(sealed, SALT_BYTES);
  return { code: PREFIX + base32upper.baseEncode(bytes), words, until };
}

/** Whether a text is such a code, as far as that can be seen without its words. */
export function isMovingCode(text: string): boolean {
  return bytesOf(text) !== undefined;
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> | undefined {
  const plain = text.replaceAll(/\s/gu, "").toUpperCase();
  if (!plain.startsWith(PREFIX)) return undefined;
  try {
    const bytes = base32upper.baseDecode(plain.slice(PREFIX.length));
    return bytes.length === CODE_BYTES ? Uint8Array.from(bytes) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The identity in a code.
 * @throws FailureError `malformed` for what is no code, or words that do not open it; `expired`.
 */
export async function openMovingCode(code: string, words: string, nowMs: number): Promise<Identity> {
  const bytes = bytesOf(code);
  if (bytes === undefined) throw new FailureError("malformed", "this is no code of another device");
  const key = await cipherKey(readWords(words, MOVING_WORDS), bytes.slice(0, SALT_BYTES));
  let plain: Uint8Array;
  try {
    plain = new Uint8Array(await crypto.subtle.decrypt(cipherOf(), key, bytes.slice(SALT_BYTES)));
  } catch {
    throw new FailureError("malformed", "these words do not open this code");
  }
  const view = new DataView(plain.buffer);
  const until = view.getUint16(SEED_BYTES) * 2 ** 32 + view.getUint32(SEED_BYTES + 2);
  if (nowMs > until)
    throw new FailureError(
      "expired",
      "the code has run out, or a clock is wrong: make a new one on the other device",
    );
  const seed = plain.slice(0, SEED_BYTES);
  return { seed, peer: await peerIdFromSeed(crypto.subtle, seed), createdAt: nowMs };
}
