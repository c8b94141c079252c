import { describe, expect, it } from "vitest";
import { draw } from "../../../e2e/soak/chance.ts";
import { createSandbox } from "../sandbox.ts";
import { findDifference } from "./differential.contract.ts";
import { PROFILE_FUEL } from "./fuel-rules.contract.ts";
import { generateProgram } from "./generate-program.contract.ts";
import { OPERATIONS } from "./instructions.contract.ts";
import { writeProgram } from "./program.contract.ts";
import { tries } from "../../protocol/tries.contract.ts";

/** A few seconds. `npm run soak sandbox-fuzz` runs many more. */
const PROGRAMS: number = tries(250);

/** To hold every instruction between them. */
const CENSUS = 250;

const FEATURES = { tailCalls: true, vectors: true };

describe("programs made at random", () => {
  it("do what they do without metering, for the fuel that a slow reference counts, with just enough of it and not with less", async () => {
    const sandbox = createSandbox();
    const ends = new Map<string, number>();
    const differences: string[] = [];
    for (let round = 0; round < PROGRAMS; round += 1) {
      const program = generateProgram(draw("differential", round), FEATURES);
      // oxlint-disable-next-line no-await-in-loop -- one sandbox runs one after the other
      const difference = await findDifference(sandbox, program, PROFILE_FUEL, (end) =>
        ends.set(end, (ends.get(end) ?? 0) + 1),
      );
      if (difference !== undefined) differences.push(`program ${round} ${difference}`);
    }
    console.log(`${PROGRAMS} programs ended:`, Object.fromEntries(ends));
    expect(differences).toEqual([]);
    expect(ends.get("done")).toBeGreaterThan(PROGRAMS / 2);
    expect(ends.size).toBeGreaterThan(3);
  });

  it("have every instruction between them, and the engine accepts them all", () => {
    const seen = new Set<number>();
    for (let round = 0; round < CENSUS; round += 1) {
      const program = generateProgram(draw("differential", round), FEATURES);
      expect(WebAssembly.validate(writeProgram(program)), `program ${round}`).toBe(true);
      for (const { body } of program.functions) for (const { code } of body) seen.add(code);
    }
    expect(OPERATIONS.filter(({ code }) => !seen.has(code)).map(({ code }) => code.toString(16))).toEqual([]);
    const others = [
      0x0e, 0x11, 0x12, 0x13, 0x1c, 0x40, 0xfc08, 0xfc09, 0xfc0a, 0xfc0b, 0xfc0c, 0xfc0d, 0xfc0e, 0xfc0f,
      0xfc11,
    ];
    expect(others.filter((code) => !seen.has(code))).toEqual([]);
  });
});
