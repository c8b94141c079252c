import { expect, test } from "vitest";
import { toBase64 } from "../../protocol/base64.ts";
import { delegationMessage } from "../../protocol/delegation.ts";
import { signerFromSeed } from "../../protocol/ed25519.ts";
import { seal } from "../../protocol/envelope.ts";
import { type Grant, openGrant, parseGrant } from "./grant.ts";

const HOUR_MS = 3_600_000;
const NOW = 1_000 * HOUR_MS;

async function grantOf(changes: Partial<Grant> = {}, by = 1): Promise<Grant> {
  const seed = new Uint8Array(32).fill(2);
  const [root, signer, session] = await Promise.all(
    [new Uint8Array(32).fill(1), new Uint8Array(32).fill(by), seed].map((each) =>
      signerFromSeed(crypto.subtle, each),
    ),
  );
  const body = { root: root!.key, session: session!.key, notBefore: NOW, notAfter: NOW + 24 * HOUR_MS };
  const delegation = await seal(delegationMessage, body, [signer!]);
  return { seed, account: root!.key, delegation, until: NOW + 24 * HOUR_MS, ...changes };
}

test("a grant lets the frame's key act for the account, within its time", async () => {
  const grant = await grantOf();
  const session = await openGrant(grant, NOW + HOUR_MS);
  expect(session.root).toBe(grant.account);
  expect(session.signer.delegation).toBe(grant.delegation);
  await expect(openGrant(grant, NOW + 30 * HOUR_MS)).rejects.toThrow(/outside its time/u);
});

test("a grant for another key, by another account or with a broken signature is none", async () => {
  const other = await signerFromSeed(crypto.subtle, new Uint8Array(32).fill(9));
  await expect(openGrant(await grantOf({ seed: new Uint8Array(32).fill(8) }), NOW)).rejects.toThrow(
    /another session key/u,
  );
  await expect(openGrant(await grantOf({ account: other.key }), NOW)).rejects.toThrow(/another account/u);
  await expect(openGrant(await grantOf({}, 9), NOW)).rejects.toThrow(/not signed by its root/u);
  const { delegation } = await grantOf();
  const broken = delegation.with(delegation.length - 1, (delegation.at(-1) ?? 0) ^ 1);
  await expect(openGrant(await grantOf({ delegation: broken }), NOW)).rejects.toThrow(/bad-signature/u);
});

test("what was kept is read as it was, and anything else is nothing", async () => {
  const grant = await grantOf();
  const kept = { ...grant, seed: toBase64(grant.seed), delegation: toBase64(grant.delegation) };
  expect(parseGrant(JSON.stringify(kept))).toEqual({
    ...grant,
    delegation: new Uint8Array(grant.delegation),
  });
  for (const change of [
    { seed: "AA==" },
    { seed: 5 },
    { account: "me" },
    { until: "later" },
    { delegation: "%" },
  ])
    expect(parseGrant(JSON.stringify({ ...kept, ...change }))).toBeUndefined();
  for (const text of ["", "{", "null", "[]", '"text"', "{}"]) expect(parseGrant(text)).toBeUndefined();
});
