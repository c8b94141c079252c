import { describe, expect, test } from "vitest";
import { peerIdFromSeed } from "../protocol/ed25519.ts";
import { isMovingCode, makeMovingCode, MOVING_MS, openMovingCode } from "./moving-code.ts";

const seed = Uint8Array.from({ length: 32 }, (_, index) => 255 - index);
const NOW = 1_700_000_000_000;
const made = await makeMovingCode({ seed }, NOW);

describe("a key on its way to another device", () => {
  test("comes out of its code with the words beside it, until its time is over", async () => {
    const peer = await peerIdFromSeed(crypto.subtle, seed);
    const identity = { seed, peer, createdAt: NOW + MOVING_MS };
    expect(await openMovingCode(made.code, made.words.join(" "), NOW + MOVING_MS)).toEqual(identity);
    await expect(openMovingCode(made.code, made.words.join(" "), NOW + MOVING_MS + 1)).rejects.toMatchObject({
      code: 40002,
    });
  });

  test("is a text that a QR code holds in its densest form, and that may be pasted with breaks in it", async () => {
    expect(made.code).toMatch(/^[A-Z0-9:]+$/u);
    expect(made.code.length).toBeLessThan(130);
    const pasted = `  ${made.code.toLowerCase().replaceAll(/(.{20})/gu, "$1\n")} `;
    expect(isMovingCode(pasted)).toBe(true);
    expect((await openMovingCode(pasted, made.words.join("  ").toUpperCase(), NOW)).seed).toEqual(seed);
  });

  test("does not come out with other words: a picture of the code alone opens nothing", async () => {
    const [first, ...rest] = made.words;
    const other = [first === "zoo" ? "able" : "zoo", ...rest].join(" ");
    await expect(openMovingCode(made.code, other, NOW)).rejects.toThrow("do not open this code");
    await expect(openMovingCode(made.code, rest.join(" "), NOW)).rejects.toThrow("these are 3 words, not 4");
  });

  test("does not come out of a code that was changed", async () => {
    const at = made.code.length - 5;
    const letter = made.code[at] === "A" ? "B" : "A";
    const changed = made.code.slice(0, at) + letter + made.code.slice(at + 1);
    await expect(openMovingCode(changed, made.words.join(" "), NOW)).rejects.toThrow("do not open this code");
  });

  test.each([
    "",
    "TABMESH1:",
    "TABMESH1:AAAA",
    "https://example.com",
    made.code.slice(0, -1),
    `${made.code}A`,
  ])("is not in %s", async (text) => {
    expect(isMovingCode(text)).toBe(false);
    await expect(openMovingCode(text, made.words.join(" "), NOW)).rejects.toThrow(
      "no code of another device",
    );
  });

  test("goes under other words and another salt each time", async () => {
    const again = await makeMovingCode({ seed }, NOW);
    expect(again.code.slice(0, 30)).not.toBe(made.code.slice(0, 30));
    expect(again.words).not.toEqual(made.words);
  });
});
