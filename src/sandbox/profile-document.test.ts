import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { SANDBOX_PROFILE } from "../protocol/limits.ts";
import { PLAIN, SHAPE, VECTOR } from "./decode/opcodes.ts";
import * as limits from "./limits.ts";
import * as costs from "./meter/costs.ts";

const DOCUMENT = readFileSync(new URL("../../docs/sandbox-profile.md", import.meta.url), "utf8");

const hex = (code: number): string => code.toString(16).padStart(2, "0");

/** The rows of a cost table: cost, then the codes that have it. */
function rowsOf(costOf: Uint8Array, shapes: Uint8Array, end: number): string[] {
  const codes = new Map<number, string[]>();
  for (let code = 0; code < end; code += 1) {
    if (shapes[code] === SHAPE.refused) continue;
    const cost = costOf[code] ?? 0;
    let last = code;
    while (last + 1 < end && shapes[last + 1] !== SHAPE.refused && costOf[last + 1] === cost) last += 1;
    codes.set(cost, [...(codes.get(cost) ?? []), last === code ? hex(code) : `${hex(code)}–${hex(last)}`]);
    code = last;
  }
  return [...codes]
    .toSorted(([a], [b]) => a - b)
    .map(([cost, ranges]) => `| ${cost} | ${ranges.join(", ")} |`);
}

/** The rows of the table under a heading, as the formatter leaves them, in one form. */
function documented(heading: string): string[] {
  const section = DOCUMENT.split(`### ${heading}\n`)[1]?.split("\n#")[0] ?? "";
  const rows = section
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .slice(2);
  return rows.map((row) => row.replaceAll(/\s+/gu, " "));
}

describe("docs/sandbox-profile.md", () => {
  it("is of the profile that jobs name", () => {
    expect(DOCUMENT).toMatch(new RegExp(`^# Sandbox profile ${SANDBOX_PROFILE}\n`, "u"));
  });

  it("has the costs that are charged", () => {
    expect(documented("Cost by opcode")).toEqual(rowsOf(costs.PLAIN_COST, PLAIN.shape, 0xfc));
    expect(documented("Cost by vector opcode")).toEqual(rowsOf(costs.VECTOR_COST, VECTOR.shape, 256));
  });

  it("has the other numbers", () => {
    const numbers = [...DOCUMENT.matchAll(/`([A-Z_]+)` = ([\d,]+)/gu)].map(
      ([, name = "", value = ""]) => [name, Number(value.replaceAll(",", ""))] as const,
    );
    const known = new Map<string, unknown>(Object.entries({ ...limits, ...costs }));
    expect(numbers.length).toBeGreaterThan(20);
    for (const [name, value] of numbers) expect([name, value]).toEqual([name, Number(known.get(name))]);
  });
});
