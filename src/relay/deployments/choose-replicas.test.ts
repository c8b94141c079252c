import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyPeer } from "../../protocol/arbitrary.contract.ts";
import { tries } from "../../protocol/tries.contract.ts";
import { chooseReplicas } from "./choose-replicas.ts";

describe("providers that stand ready", () => {
  test("are of distinct owners, as many as are wanted where there are so many, and those there are stay", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(anyPeer, { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 6 }),
        fc.nat(3),
        (peers, owners, wanted, already) => {
          const ownerOf = new Map(peers.map((peer, place) => [peer, place % owners]));
          const sameOwner = (a: (typeof peers)[number], b: (typeof peers)[number]): boolean =>
            ownerOf.get(a) === ownerOf.get(b);
          const kept = peers.slice(0, Math.min(already, owners, wanted));
          const joining = chooseReplicas(kept, peers, wanted, sameOwner);
          const all = [...kept, ...joining];
          expect(new Set(all.map((peer) => ownerOf.get(peer))).size).toBe(all.length);
          expect(all).toHaveLength(Math.min(wanted, new Set(ownerOf.values()).size));
        },
      ),
      { numRuns: tries(200) },
    );
  });
});
