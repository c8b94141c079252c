import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyPart } from "./arbitrary.contract.ts";
import { cidOf, RAW } from "./cid.ts";
import { type FailureName, failureCode } from "./failure-code.ts";
import { encodeOutcome, type OutcomeLeaf, outcomeSchema } from "./messages/task.ts";
import { OutcomeTally } from "./outcome-tally.ts";
import { decode, encode } from "./schema.ts";
import { fuel } from "./units.ts";

const OUTPUT = cidOf(RAW, Uint8Array.of(1));
const COMMON = {
  lease: cidOf(RAW, Uint8Array.of(2)),
  inputCid: cidOf(RAW, Uint8Array.of(3)),
  salt: new Uint8Array(16),
  from: 0,
  to: 0,
  end: true,
};

interface Place {
  readonly segment?: number;
  readonly end?: boolean;
}

function done(seq: number, used: number, place: Place = {}): OutcomeLeaf {
  return {
    ...COMMON,
    segment: 0,
    ...place,
    seq,
    status: "done",
    outputCid: OUTPUT,
    size: 10,
    fuel: fuel(used),
  };
}

function failed(seq: number, name: FailureName, used: number, place: Place = {}): OutcomeLeaf {
  const code = failureCode(name);
  return { ...COMMON, segment: 0, ...place, seq, status: "failed", code, size: 0, fuel: fuel(used) };
}

function tallyOf(outcomes: readonly OutcomeLeaf[]): OutcomeTally {
  const tally = new OutcomeTally();
  for (const outcome of outcomes) tally.append(encodeOutcome(outcome).hash, outcome, 100);
  return tally;
}

/** Failures that are the same wherever the function runs: they are paid, so that they count and weigh. */
const PAID_FAILURES: readonly FailureName[] = [
  "out-of-fuel",
  "out-of-memory",
  "trap-unreachable",
  "trap-memory-bounds",
  "trap-integer-overflow",
  "trap-divide-by-zero",
  "trap-invalid-conversion",
  "trap-indirect-call",
  "trap-table-bounds",
  "stack-overflow",
  "bad-output",
  "output-too-large",
  "exit-code",
];
const PAID_CODES = new Set<number>(PAID_FAILURES.map(failureCode));

describe("What a receipt says for those who audit", () => {
  test("is nothing where nothing was done", () => {
    expect(new OutcomeTally().auditFields()).toEqual({});
  });

  test("is the fuel of the dearest outcome, wherever it stands", () => {
    for (const fuels of [
      [900, 5, 5],
      [5, 900, 5],
      [5, 5, 900],
    ]) {
      const tally = tallyOf(fuels.map((used, seq) => done(seq, used)));
      expect(tally.auditFields()).toEqual({ peak: 900n });
      expect(tally.totals()).toMatchObject({ payable: 3, fuel: 910n });
    }
  });

  test.each(PAID_FAILURES)("counts %s, which is paid, and weighs its fuel", (name) => {
    expect(tallyOf([done(0, 3), failed(1, name, 40), failed(2, name, 2)]).auditFields()).toEqual({
      failed: 2,
      peak: 40n,
    });
  });

  test("counts a failure that is paid and took no fuel, and names no dearest outcome then", () => {
    expect(tallyOf([failed(0, "trap-unreachable", 0)]).auditFields()).toEqual({ failed: 1 });
  });

  test.each<FailureName>(["draining", "no-memory", "gpu-lost", "deadline", "not-started", "over-budget"])(
    "leaves out %s, which pays nothing, whatever fuel it names",
    (name) => {
      expect(tallyOf([done(0, 3), failed(1, name, 1_000_000)]).auditFields()).toEqual({ peak: 3n });
      expect(tallyOf([failed(0, name, 1_000_000)]).auditFields()).toEqual({});
    },
  );

  test("leaves out what was cancelled: a start fee is no outcome that anybody could farm", () => {
    const tally = tallyOf([done(0, 3), failed(1, "cancelled", 77)]);
    expect(tally.auditFields()).toEqual({ peak: 3n });
    expect(tally.totals()).toMatchObject({ payable: 1, cancelled: 1, fuel: 3n });
  });

  test("takes each segment of a stream for itself: a leaf is what is drawn", () => {
    const stream = [
      done(0, 60, { segment: 0, end: false }),
      done(0, 70, { segment: 1, end: false }),
      done(0, 50, { segment: 2 }),
    ];
    expect(tallyOf(stream).auditFields()).toEqual({ peak: 70n });
    expect(tallyOf(stream).totals()).toMatchObject({ payable: 1, fuel: 180n });
  });

  test("counts a stream that ends in a paid failure once, with the fuel of that part", () => {
    const stream = [done(0, 60, { segment: 0, end: false }), failed(0, "out-of-fuel", 90, { segment: 1 })];
    expect(tallyOf(stream).auditFields()).toEqual({ failed: 1, peak: 90n });
  });

  test("keeps what a cancelled stream had told, and nothing of the rest", () => {
    const stream = [done(0, 60, { segment: 0, end: false }), failed(0, "cancelled", 500, { segment: 1 })];
    expect(tallyOf(stream).auditFields()).toEqual({ peak: 60n });
    expect(tallyOf(stream).totals()).toMatchObject({ payable: 1, cancelled: 0, fuel: 60n });
  });

  test("at each count is that of the outcomes before it, also when earlier ones are forgotten", () => {
    const tally = tallyOf([done(0, 5), failed(1, "exit-code", 9), done(2, 7), failed(3, "exit-code", 20)]);
    const all = [
      {},
      { peak: 5n },
      { failed: 1, peak: 9n },
      { failed: 1, peak: 9n },
      { failed: 2, peak: 20n },
    ];
    for (const [count, fields] of all.entries()) expect(tally.auditFields(count)).toEqual(fields);
    tally.forgetBelow(2);
    expect(() => tally.auditFields(1)).toThrow(RangeError);
    for (const count of [2, 3, 4]) expect(tally.auditFields(count)).toEqual(all[count]);
    const last = done(4, 21);
    tally.append(encodeOutcome(last).hash, last, 100);
    expect(tally.auditFields()).toEqual({ failed: 2, peak: 21n });
  });

  test("is what a list of any outcomes comes to, and grows with them alone", () => {
    const small = anyPart["outcome"]!.map((value) => {
      const outcome = decode(outcomeSchema, encode(outcomeSchema, value as never));
      // Sums of fuel stay within 64 bits.
      return Object.assign(outcome, { fuel: fuel(outcome.fuel >> 16n) });
    });
    fc.assert(
      fc.property(fc.array(small, { maxLength: 30 }), (all) => {
        const tally = tallyOf(all);
        for (let count = 0; count <= all.length; count += 1) {
          const known = all.slice(0, count);
          const paid = known.filter(({ code }) => code === undefined || PAID_CODES.has(code));
          const failures = paid.filter(({ code }) => code !== undefined).length;
          const peak = paid.reduce((most, each) => (each.fuel > most ? each.fuel : most), 0n);
          const { failed: told = 0, peak: dearest = 0n } = tally.auditFields(count);
          expect([told, dearest]).toEqual([failures, peak]);
          expect(told).toBeLessThanOrEqual(count);
          const { fuel: sum } = tally.totals(count);
          expect(sum).toBeLessThanOrEqual(dearest * BigInt(count));
          expect(dearest).toBeLessThanOrEqual(sum);
        }
      }),
      { numRuns: 200 },
    );
  });
});
