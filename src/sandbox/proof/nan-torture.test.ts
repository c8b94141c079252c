import { describe, expect, it } from "vitest";
import { createSandbox } from "../sandbox.ts";
import { findDifference } from "./differential.contract.ts";
import { PROFILE_FUEL } from "./fuel-rules.contract.ts";
import { nanOf, OPERATIONS } from "./instructions.contract.ts";
import { tortures } from "./nan-torture.contract.ts";

describe("floats that are no numbers", () => {
  it("have the bits of the canonical NaN however they are looked at, and all others keep theirs", async () => {
    const sandbox = createSandbox();
    const differences: string[] = [];
    for (const { says, program } of tortures()) {
      // oxlint-disable-next-line no-await-in-loop -- one sandbox runs one after the other
      const difference = await findDifference(sandbox, program, PROFILE_FUEL, (end) =>
        expect(end).toBe("done"),
      );
      if (difference !== undefined) differences.push(`${says} ${difference}`);
    }
    expect(differences).toEqual([]);
  });

  it("are made by every instruction that can make them", () => {
    const makers = OPERATIONS.filter(({ code }) => nanOf(code) !== undefined);
    expect(makers).toHaveLength(24 + 24);
    const covered = tortures().map(({ says }) => says);
    for (const { code } of makers) expect(covered).toContain(`instruction 0x${code.toString(16)}`);
  });
});
