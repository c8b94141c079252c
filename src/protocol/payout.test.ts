import { expect, test } from "vitest";
import { WireError } from "./wire-error.ts";
import { encode, decode, record, text } from "./schema.ts";
import { payoutAddressText, type PayoutLine, payoutLineSchema, payoutSums } from "./messages/payout.ts";
import { EMPTY_ROOT, leafHash, nodeHash } from "./merkle.ts";
import { peerIdFromKey } from "./peer-id.ts";
import { microCredits } from "./units.ts";

function lineOf(n: number): PayoutLine {
  return {
    account: peerIdFromKey(new Uint8Array(32).fill(n)),
    amount: microCredits(n),
    address: `bank-${n}`,
  };
}

function hashOf(line: PayoutLine): Uint8Array {
  return leafHash(encode(payoutLineSchema, line));
}

test("a batch is its lines, their sum and the root over them in order", () => {
  const [a, b, c] = [lineOf(1), lineOf(2), lineOf(3)];
  expect(payoutSums([])).toEqual({ count: 0, total: 0n, root: EMPTY_ROOT });
  expect(payoutSums([a])).toEqual({ count: 1, total: 1n, root: hashOf(a) });
  const root = nodeHash(nodeHash(hashOf(a), hashOf(b)), hashOf(c));
  expect(payoutSums([a, b, c])).toEqual({ count: 3, total: 6n, root });
  expect(payoutSums([b, a, c]).root).not.toEqual(root);
});

test("no decoder lets an address through that would be a formula or a second cell", () => {
  const anyText = record<{ readonly address: string }>({ address: text(256) });
  const schema = record<{ readonly address: string }>({ address: payoutAddressText });
  const read = (address: string): unknown => decode(schema, encode(anyText, { address }));
  expect(read("DE02120300000000202051")).toEqual({ address: "DE02120300000000202051" });
  for (const bad of ["=1+1", "a,b", "a\nb", "", "a".repeat(129)])
    expect(() => read(bad), JSON.stringify(bad)).toThrow(WireError);
  expect(() => encode(schema, { address: "=1+1" })).toThrow(RangeError);
});
