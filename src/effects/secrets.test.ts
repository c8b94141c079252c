import { expect, test } from "vitest";
import { type Cid, cidOf, RAW } from "../protocol/cid.ts";
import { peerIdFromSeed } from "../protocol/ed25519.ts";
import { encodeUtf8 } from "../protocol/text.ts";
import { openSecret, sealSecret } from "./secrets.ts";

const seed = new Uint8Array(32).fill(1);
const lease = cidOf(RAW, encodeUtf8("a lease"));

async function sealed(value = "hunter2", context: Cid = lease): ReturnType<typeof sealSecret> {
  return sealSecret("token", value, await peerIdFromSeed(crypto.subtle, seed), context);
}

test("a secret opens with the session key that it was sealed to, and is never sealed alike twice", async () => {
  const [one, two] = [await sealed(), await sealed()];
  expect(await openSecret(one, seed, lease)).toBe("hunter2");
  expect(two.sealed).not.toEqual(one.sealed);
  expect(Buffer.from(one.sealed).toString("latin1")).not.toContain("hunter2");
});

test("it opens for nobody else, under no other lease or name, and not when it was changed", async () => {
  const secret = await sealed();
  const refused = /^bad-signature: the secret \w+ was not sealed to this peer for this work/;
  await expect(openSecret(secret, new Uint8Array(32).fill(2), lease)).rejects.toThrow(refused);
  await expect(openSecret(secret, seed, cidOf(RAW, encodeUtf8("another lease")))).rejects.toThrow(refused);
  await expect(openSecret({ ...secret, name: "other" }, seed, lease)).rejects.toThrow(refused);
  const bent = { ...secret, sealed: secret.sealed.with(0, (secret.sealed[0] ?? 0) ^ 1) };
  await expect(openSecret(bent, seed, lease)).rejects.toThrow(refused);
  await expect(openSecret({ ...secret, enc: new Uint8Array(32) }, seed, lease)).rejects.toThrow(refused);
});

test("what no header has is not sealed at all", async () => {
  await expect(sealed("line\nend")).rejects.toThrow(RangeError);
  await expect(sealed("x".repeat(5_000))).rejects.toThrow(RangeError);
});
