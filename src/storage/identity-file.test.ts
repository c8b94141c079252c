import { describe, expect, test } from "vitest";
import { peerIdFromSeed } from "../protocol/ed25519.ts";
import { identityFile, parseIdentityFile, type Identity } from "./identity-file.ts";

const seed = Uint8Array.from({ length: 32 }, (_, index) => index);
const identity: Identity = {
  seed,
  peer: await peerIdFromSeed(crypto.subtle, seed),
  createdAt: 1_700_000_000_000,
};
const parse = async (text: string): Promise<Identity> => parseIdentityFile(crypto.subtle, text);

function changed(change: (fields: Record<string, unknown>) => void): string {
  const fields: Record<string, unknown> = JSON.parse(identityFile(identity));
  change(fields);
  return JSON.stringify(fields);
}

describe("an identity file", () => {
  test("gives back the identity it was written from", async () => {
    expect(await parse(identityFile(identity))).toEqual(identity);
  });

  test("is refused when its peer id belongs to another seed", async () => {
    const other = await peerIdFromSeed(crypto.subtle, new Uint8Array(32).fill(9));
    const text = changed((fields) => {
      fields["peer"] = other;
    });
    await expect(parse(text)).rejects.toThrow("does not belong to the seed");
  });

  test.each([
    ["no JSON", "-----BEGIN KEY-----"],
    ["another JSON", '{"name":"x"}'],
    ["a list", "[]"],
    ["nothing", ""],
    ["a short seed", changed((fields) => (fields["seed"] = "AAAA"))],
    ["a seed in another alphabet", changed((fields) => (fields["seed"] = "*".repeat(44)))],
    ["no seed", changed((fields) => delete fields["seed"])],
    ["a huge text", `${identityFile(identity)}${" ".repeat(5_000)}`],
  ])("is refused as malformed when it is %s", async (_, text) => {
    await expect(parse(text)).rejects.toMatchObject({ name: "FailureError", code: 40006 });
  });

  test("of a newer version asks for a newer program", async () => {
    const text = changed((fields) => (fields["tabmeshIdentity"] = 2));
    await expect(parse(text)).rejects.toMatchObject({ code: 40014 });
  });

  test("that is refused does not leak its seed into the message", async () => {
    const text = changed((fields) => (fields["peer"] = "12D3KooWnobody"));
    const secret = String(JSON.parse(identityFile(identity)).seed);
    await expect(parse(text)).rejects.not.toThrow(secret);
  });
});
