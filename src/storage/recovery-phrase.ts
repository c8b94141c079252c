import { entropyToMnemonic, mnemonicToEntropy } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { type Ed25519Runtime, peerIdFromSeed, SEED_BYTES } from "../protocol/ed25519.ts";
import { FailureError } from "../protocol/failure.ts";
import type { Identity } from "./identity-file.ts";

/**
 * A seed as 24 English words: BIP-39's list and checksum over the 32 bytes of the seed itself. It is not a BIP-39 wallet:
 * no key is derived from the words, they are the key.
 */
export const PHRASE_WORDS = 24;

/** All words of the list differ in their first four letters. */
const TELLING_LETTERS = 4;

const WORDS_BY_START: ReadonlyMap<string, string> = new Map(
  wordlist.map((word) => [word.slice(0, TELLING_LETTERS), word]),
);

/** @param bytes whose every eleven bits, from the first on, choose a word. */
export function wordsFrom(bytes: Uint8Array, count: number): readonly string[] {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return Array.from(
    { length: count },
    (_, at) => wordlist[Number.parseInt(bits.slice(at * 11, at * 11 + 11), 2)] ?? "",
  );
}

/** The word that was meant: in full, or by its first four letters. */
function meant(word: string): string | undefined {
  if (word.length < TELLING_LETTERS) return wordlist.includes(word) ? word : undefined;
  const known = WORDS_BY_START.get(word.slice(0, TELLING_LETTERS));
  return known?.startsWith(word) === true ? known : undefined;
}

/**
 * The words of a text, as the list spells them; numbers, commas and line breaks between them are passed over.
 * @throws FailureError `malformed` naming the place of a word that is not on the list, never the word itself.
 */
export function readWords(text: string, count: number): readonly string[] {
  const words = text.toLowerCase().match(/[a-z]+/gu) ?? [];
  const read = words.slice(0, count + 1).map((word, at) => {
    const known = meant(word);
    if (known === undefined)
      throw new FailureError("malformed", `word ${at + 1} is not on the list of words`);
    return known;
  });
  if (read.length !== count || words.length !== count)
    throw new FailureError("malformed", `these are ${words.length} words, not ${count}`);
  return read;
}

/** 24 words, from which anybody can make the key again: a secret. */
export function phraseOf({ seed }: Pick<Identity, "seed">): readonly string[] {
  return entropyToMnemonic(seed, wordlist).split(" ");
}

/**
 * The identity of a phrase. When it was made is not in the words, so it is new now.
 * @throws FailureError `malformed`; the detail holds no word of it.
 */
export async function identityOfPhrase(
  runtime: Ed25519Runtime,
  text: string,
  nowMs: number,
): Promise<Identity> {
  const words = readWords(text, PHRASE_WORDS);
  let seed: Uint8Array;
  try {
    seed = mnemonicToEntropy(words.join(" "), wordlist);
  } catch {
    // What went wrong may repeat the words.
    throw new FailureError("malformed", "one of the words is wrong, or they are in another order");
  }
  if (seed.length !== SEED_BYTES) throw new FailureError("malformed", "these words are no key");
  return { seed, peer: await peerIdFromSeed(runtime, seed), createdAt: nowMs };
}
