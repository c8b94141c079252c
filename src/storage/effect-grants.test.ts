import { expect, test } from "vitest";
import { parseStoredGrants } from "./effect-grants.ts";

test("what a person has allowed is read as it was kept", () => {
  const kept = {
    timeAndRandom: true,
    fetch: ["https://example.org"],
    chains: { "eip155:1": "https://node.example" },
  };
  expect(parseStoredGrants(kept)).toEqual(kept);
  expect(parseStoredGrants({ ...kept, fetch: "public" })).toEqual({ ...kept, fetch: "public" });
});

test("what cannot be read grants nothing", () => {
  const nothing = { timeAndRandom: false, fetch: "none", chains: {} };
  for (const odd of [
    {},
    { timeAndRandom: 1, fetch: "all", chains: [] },
    { fetch: [1], chains: { a: 1 } },
    [],
  ])
    expect(parseStoredGrants(odd)).toEqual(nothing);
  expect(parseStoredGrants(undefined)).toBeUndefined();
  expect(parseStoredGrants("public")).toBeUndefined();
});
