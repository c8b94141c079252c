import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type PeerId, peerIdFromKey } from "../protocol/peer-id.ts";
import { OWNER_FACT_MS } from "./limits.ts";
import { type OwnerMark, OwnerGroups } from "./owner-groups.ts";

const NOW = 1_767_225_600_000;

function peer(number: number): PeerId {
  return peerIdFromKey(new Uint8Array(32).fill(number + 1));
}

describe("owners", () => {
  it("are the same for identities that share an account, an address block or a site, directly or through others", () => {
    const groups = new OwnerGroups();
    groups.note(peer(1), ["account a", "block 192.0.2.0/24"], NOW);
    groups.note(peer(2), ["account b", "block 192.0.2.0/24"], NOW);
    groups.note(peer(3), ["account b", "site https://news.example"], NOW);
    groups.note(peer(4), ["account c", "block 198.51.100.0/24"], NOW);
    expect(groups.sameOwner(peer(1), peer(3), NOW)).toBe(true);
    expect(groups.groupOf(peer(1), NOW)).toBe(groups.groupOf(peer(2), NOW));
    expect(groups.sameOwner(peer(1), peer(4), NOW)).toBe(false);
    expect(groups.sameOwner(peer(5), peer(4), NOW)).toBe(false);
    expect(groups.sameOwner(peer(5), peer(5), NOW)).toBe(true);
    groups.note(peer(5), ["site https://news.example", "block 198.51.100.0/24"], NOW);
    expect(groups.sameOwner(peer(1), peer(4), NOW)).toBe(true);
  });

  it("are apart again a day after what they shared was seen last", () => {
    const groups = new OwnerGroups();
    groups.note(peer(1), ["account a", "block x"], NOW);
    groups.note(peer(2), ["account b", "block x"], NOW);
    groups.note(peer(2), ["account b", "block y"], NOW + 1_000);
    expect(groups.sameOwner(peer(1), peer(2), NOW + OWNER_FACT_MS - 1)).toBe(true);
    expect(groups.sameOwner(peer(1), peer(2), NOW + OWNER_FACT_MS)).toBe(false);
  });

  it("are as a search through shared marks finds them", () => {
    const facts = fc.array(fc.tuple(fc.nat(11), fc.nat(7)), { maxLength: 40 });
    fc.assert(
      fc.property(facts, (all) => {
        const groups = new OwnerGroups();
        for (const [who, mark] of all) groups.note(peer(who), [`block ${mark}` satisfies OwnerMark], NOW);
        const reached = (from: number): ReadonlySet<number> => {
          const found = new Set([from]);
          for (let before = 0; before < found.size;) {
            before = found.size;
            for (const [who, mark] of all)
              if (found.has(who)) for (const [other, same] of all) if (same === mark) found.add(other);
          }
          return found;
        };
        for (let a = 0; a < 12; a += 1) {
          const found = reached(a);
          expect(groups.groupOf(peer(a), NOW)).toBe([...found].map(peer).toSorted()[0]);
          for (let b = 0; b < 12; b += 1) expect(groups.sameOwner(peer(a), peer(b), NOW)).toBe(found.has(b));
        }
      }),
    );
  });
});
