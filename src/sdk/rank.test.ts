import fc from "fast-check";
import { expect, it } from "vitest";
import { rank } from "./rank.ts";

it("ranks by the angle between vectors, and leaves those that are alike in their order", () => {
  const row = fc.array(fc.integer({ min: -32_768, max: 32_767 }), { minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(row, fc.array(row, { maxLength: 20 }), (query, rows) => {
      const ranked = rank(
        Int16Array.from(query),
        rows.map((values) => Int16Array.from(values)),
      );
      const exact = rows.map((values) =>
        values.reduce((sum, value, i) => sum + BigInt(value * query[i]!), 0n),
      );
      for (const [place, { index, score }] of ranked.entries()) {
        expect(score).toBe(Number(exact[index]) / 2 ** 30);
        const next = ranked[place + 1];
        if (next === undefined) continue;
        expect(
          exact[index]! > exact[next.index]! || (exact[index] === exact[next.index] && index < next.index),
        ).toBe(true);
      }
      expect(ranked.map(({ index }) => index).toSorted((a, b) => a - b)).toEqual(rows.map((_, i) => i));
    }),
  );
});
