import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PPM } from "../protocol/audit-policy.ts";
import type { Assign } from "../protocol/messages/assign.ts";
import { siteId } from "../protocol/site.ts";
import { microCredits } from "../protocol/units.ts";
import { HEAD, named, peerOf } from "./accounts-scene.contract.ts";
import { type Work } from "./assignment.ts";
import { Assignments } from "./assignments.ts";
import type { LedgerEvent } from "./ledger-event.ts";

const ANA = peerOf(1);
const BEA = peerOf(2);
const SITE = siteId(BEA, "https://news.example");
const DAY = 86_400_000;

function assignOf(
  ppm: number,
  changes: Partial<Assign> = {},
): { readonly id: ReturnType<typeof named>; readonly body: Assign } {
  const body: Assign = {
    ...HEAD,
    account: ANA,
    payee: BEA,
    ppm,
    sweep: false,
    site: SITE,
    at: 1,
    ...changes,
  };
  return { id: named(`assign ${ppm}`), body };
}

/** So much becomes Ana's own. */
function vested(released: bigint, bonded = 0n): { readonly event: LedgerEvent; readonly work: Work } {
  const body = {
    lease: named("lease"),
    provider: ANA,
    released: microCredits(released),
    bonded: microCredits(bonded),
  };
  const held = { kind: "held", peer: ANA } as const;
  const postings = [
    { account: held, amount: -released - bonded },
    { account: { kind: "available", peer: ANA }, amount: released },
    { account: { kind: "bond", peer: ANA }, amount: bonded },
  ] as const;
  return { event: { type: "vest", body }, work: { worker: ANA, postings } };
}

describe("An assignment", () => {
  test("passes on its part of all earnings together, rounded down once, in whatever pieces they come", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: PPM }),
        fc.array(fc.bigInt({ min: 0n, max: 10_000_000n }), { maxLength: 40 }),
        (ppm, pieces) => {
          const all = new Assignments();
          all.assign(assignOf(ppm), { index: 0, time: 0 }, 0n, undefined);
          let passed = 0n;
          for (const [index, piece] of pieces.entries()) {
            const { event, work } = vested(piece, 5n);
            const due = all.follow(event, work, { index: index + 1, time: 0 });
            if (due !== undefined) expect(due).toMatchObject({ from: ANA, to: BEA, cause: index + 1 });
            if (due !== undefined) expect(due.amount).toBeGreaterThan(0n);
            passed += due?.amount ?? 0n;
          }
          const earned = pieces.reduce((sum, piece) => sum + piece, 0n);
          expect(passed).toBe((earned * BigInt(ppm)) / BigInt(PPM));
          expect(all.assignment(ANA)).toMatchObject({ earned, passed });
          const [day] = all.changes().days;
          expect((day?.toOwner ?? 0n) + (day?.toVisitors ?? 0n)).toBe(earned);
          expect(day?.toOwner ?? 0n).toBe(passed);
        },
      ),
    );
  });

  test("begins anew with the next one: what was earned before is not divided again", () => {
    const all = new Assignments();
    all.assign(assignOf(500_000), { index: 0, time: 0 }, 0n, undefined);
    const first = vested(101n);
    expect(all.follow(first.event, first.work, { index: 1, time: 0 })?.amount).toBe(50n);
    all.assign(assignOf(PPM, { at: 2 }), { index: 3, time: 0 }, 0n, undefined);
    const second = vested(7n);
    expect(all.follow(second.event, second.work, { index: 4, time: 0 })?.amount).toBe(7n);
  });

  test("that sweeps takes what is there, and only then", () => {
    const all = new Assignments();
    expect(all.assign(assignOf(0), { index: 3, time: 0 }, 90n, undefined)).toBeUndefined();
    expect(all.assign(assignOf(0, { sweep: true }), { index: 3, time: 0 }, 0n, undefined)).toBeUndefined();
    expect(all.assign(assignOf(0, { sweep: true }), { index: 3, time: 0 }, 90n, undefined)).toEqual({
      from: ANA,
      to: BEA,
      amount: 90n,
      cause: 3,
    });
  });

  test("divides neither what an account is sent nor what it is given back", () => {
    const all = new Assignments();
    all.assign(assignOf(PPM), { index: 0, time: 0 }, 0n, undefined);
    const postings = [{ account: { kind: "available", peer: ANA }, amount: 50n }] as const;
    const work: Work = { worker: ANA, postings };
    const transfer = { from: BEA, to: ANA, amount: microCredits(50), cause: 1 };
    const release = { job: named("job"), payer: ANA, amount: microCredits(50) };
    for (const event of [
      { type: "transfer", body: transfer },
      { type: "release", body: release },
      { type: "income", account: ANA, amount: microCredits(50) },
    ] as const)
      expect(all.follow(event, work, { index: 1, time: 0 })).toBeUndefined();
    expect(all.assignment(ANA)?.earned).toBe(0n);
  });

  test("counts days by UTC, and each account once a day among a site's tabs", () => {
    const all = new Assignments();
    all.assign(assignOf(PPM), { index: 0, time: 0 }, 0n, undefined);
    for (const time of [DAY - 1, DAY, DAY + 5]) {
      const { event, work } = vested(10n);
      all.follow(event, work, { index: 1, time });
    }
    expect(all.changes().days.map(({ start, toOwner }) => [start, toOwner])).toEqual([
      [0, 10n],
      [DAY, 20n],
    ]);
  });

  test("on top of others changes nothing below until those take it over", () => {
    const below = new Assignments();
    below.assign(assignOf(PPM), { index: 0, time: 0 }, 0n, undefined);
    const above = new Assignments(below);
    const { event, work } = vested(10n);
    above.follow(event, work, { index: 1, time: 0 });
    expect(below.assignment(ANA)?.passed).toBe(0n);
    below.absorb(above.changes());
    expect(below.assignment(ANA)?.passed).toBe(10n);
    expect(below.siteDay(SITE, 0)?.toOwner).toBe(10n);
  });
});
