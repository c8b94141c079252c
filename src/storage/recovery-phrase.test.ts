import { describe, expect, test } from "vitest";
import { peerIdFromSeed } from "../protocol/ed25519.ts";
import { identityOfPhrase, phraseOf, wordsFrom } from "./recovery-phrase.ts";

const seed = Uint8Array.from({ length: 32 }, (_, index) => index * 7);
const words = phraseOf({ seed });
const NOW = 1_700_000_000_000;
const read = (text: string): ReturnType<typeof identityOfPhrase> =>
  identityOfPhrase(crypto.subtle, text, NOW);

describe("a recovery phrase", () => {
  test("of a known seed is that of BIP-39's own vectors", () => {
    expect(phraseOf({ seed: new Uint8Array(32) }).join(" ")).toBe(`${"abandon ".repeat(23)}art`);
    expect(phraseOf({ seed: new Uint8Array(32).fill(0x7f) }).join(" ")).toBe(
      "legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth useful " +
        "legal winner thank year wave sausage worth title",
    );
  });

  test("gives back the key it was made from", async () => {
    expect(words).toHaveLength(24);
    const peer = await peerIdFromSeed(crypto.subtle, seed);
    expect(await read(words.join(" "))).toEqual({ seed, peer, createdAt: NOW });
  });

  test("is read however it was written down: numbered, in lines, in capitals, by first four letters", async () => {
    const { peer } = await read(words.join(" "));
    const numbered = words.map((word, at) => `${at + 1}. ${word.toUpperCase()}`).join("\n");
    expect((await read(numbered)).peer).toBe(peer);
    expect((await read(words.map((word) => word.slice(0, 4)).join(", "))).peer).toBe(peer);
  });

  test("with two words exchanged is refused", async () => {
    const [first = "", second = "", ...rest] = words;
    await expect(read([second, first, ...rest].join(" "))).rejects.toMatchObject({ code: 40006 });
  });

  test("says which word is not on the list, without repeating it", async () => {
    const wrong = words.with(6, "zzyzx").join(" ");
    await expect(read(wrong)).rejects.toThrow("word 7 is not on the list");
    await expect(read(wrong)).rejects.not.toThrow("zzyzx");
  });

  test.each([
    ["is short of a word", words.slice(1).join(" "), "these are 23 words, not 24"],
    ["has a word too many", `${words.join(" ")} art`, "these are 25 words, not 24"],
    ["is empty", "", "these are 0 words, not 24"],
  ])("that %s is refused", async (_, text, problem) => {
    await expect(read(text)).rejects.toThrow(problem);
  });
});

test("eleven bits choose a word", () => {
  expect(wordsFrom(Uint8Array.of(0, 0, 0, 0, 0, 0), 4)).toEqual(["abandon", "abandon", "abandon", "abandon"]);
  expect(wordsFrom(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff), 4)).toEqual([
    "zoo",
    "zoo",
    "zoo",
    "zoo",
  ]);
  expect(wordsFrom(Uint8Array.of(0, 0b00100000, 0), 2)).toEqual(["ability", "abandon"]);
});
