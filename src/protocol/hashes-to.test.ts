import { expect, it } from "vitest";
import { cidOf, DAG_CBOR, RAW } from "./cid.ts";
import { hashesTo } from "./hashes-to.ts";

it("tells content from other bytes, whatever the content is", async () => {
  const bytes = Uint8Array.of(1, 2, 3);
  expect(await hashesTo(crypto.subtle, cidOf(RAW, bytes), bytes)).toBe(true);
  expect(await hashesTo(crypto.subtle, cidOf(DAG_CBOR, bytes), bytes)).toBe(true);
  expect(await hashesTo(crypto.subtle, cidOf(RAW, bytes), Uint8Array.of(1, 2, 4))).toBe(false);
  expect(await hashesTo(crypto.subtle, cidOf(RAW, bytes), new Uint8Array())).toBe(false);
});
