import { describe, expect, it } from "vitest";
import { draw } from "../../../e2e/soak/chance.ts";
import { compileFunction } from "../compile-function.ts";
import { corrupt, judge } from "./corrupt.contract.ts";
import { corruptSubjects } from "./corrupt-subjects.contract.ts";
import { tries } from "../../protocol/tries.contract.ts";

/** A few seconds. `npm run soak sandbox-corrupt` makes many more. */
const MUTATIONS: number = tries(4_000);

describe("a damaged module", () => {
  it("is refused, or rewritten to what the engine accepts exactly when it accepts the original", async () => {
    const subjects = corruptSubjects();
    const counts = new Map<string, number>();
    const wrong: string[] = [];
    for (let round = 0; round < MUTATIONS; round += 1) {
      const by = draw("sandbox-corrupt", round);
      const subject = subjects[by(subjects.length)];
      const other = subjects[by(subjects.length)];
      if (subject === undefined || other === undefined) throw new RangeError("there are no modules");
      const bytes = corrupt(subject.bytes, other.bytes, by);
      const judgement = judge(bytes);
      // oxlint-disable-next-line no-await-in-loop -- rarely
      if (judgement === "made valid") await expect(compileFunction(bytes)).rejects.toThrow(/type check/u);
      if (typeof judgement === "object") wrong.push(`${subject.name}, mutation ${round}: ${judgement.wrong}`);
      else counts.set(judgement, (counts.get(judgement) ?? 0) + 1);
    }
    console.log(`${MUTATIONS} damaged modules:`, Object.fromEntries(counts));
    expect(wrong).toEqual([]);
    expect(counts.get("refused")).toBeGreaterThan(MUTATIONS / 4);
    expect(counts.get("rewritten")).toBeGreaterThan(MUTATIONS / 50);
  });
});
