import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { arbitraryType, arbitraryValue } from "./arbitrary-type.contract.ts";
import { answerOf, type Encoding } from "./build-component.contract.ts";
import { compileComponent } from "./compile-component.ts";
import { echoComponent, passesFlat } from "./echo-component.contract.ts";
import { fromJco, memberOf, toJco, withJco } from "./jco-oracle.contract.ts";
import { toJson } from "./json/to-json.ts";
import { primitiveType, recordType, type ValueType } from "./types/value-type.ts";
import type { Value } from "./values/value.ts";
import { tries } from "../../protocol/tries.contract.ts";

/** jco knows no latin1+utf16; component.test.ts has its tests. */
const ENCODINGS: readonly Encoding[] = ["utf8", "utf16"];
const MOST = 1_000_000;
const VALUES_PER_TYPE = 8;
const PAD = Array.from({ length: 16 }, (_, i) => i);

/** What the component returns: the value, and a byte. */
function withByte(type: ValueType): ValueType {
  return recordType("tuple", [
    { name: "0", type },
    { name: "1", type: primitiveType("u8") },
  ]);
}

interface Case {
  readonly type: ValueType;
  readonly encoding: Encoding;
  readonly values: readonly Value[];
}

const cases: fc.Arbitrary<Case> = fc
  .tuple(arbitraryType(3), fc.constantFrom(...ENCODINGS))
  .chain(([type, encoding]) =>
    fc
      .array(arbitraryValue(type), { minLength: VALUES_PER_TYPE, maxLength: VALUES_PER_TYPE })
      .map((values) => ({ type, encoding, values })),
  );

/** What ours returns for each value, and what jco returns for it, both as our JSON. */
async function bothOf({
  type,
  encoding,
  values,
}: Case): Promise<readonly (readonly [string, string, string])[]> {
  const bytes = await echoComponent(type, encoding);
  const compiled = await compileComponent(new Uint8Array(bytes));
  const returned = withByte(type);
  return withJco(bytes, (exports) => {
    const called = (name: string, args: readonly unknown[]): string => {
      const run = memberOf(exports["i"] ?? exports["t:t/i"], name);
      if (typeof run !== "function") throw new TypeError(`jco exports no ${name}`);
      return toJson(returned, fromJco(returned, Reflect.apply(run, undefined, args)), MOST);
    };
    return values.flatMap((value) => {
      const json = toJson(type, value, MOST);
      const inMemory = `[[${json},7],${JSON.stringify(PAD)}]`;
      const wanted: [string, string, string][] = [
        [
          `[${json},7]`,
          answerOf(compiled, "t:t/i#memory", inMemory),
          called("memory", [[toJco(type, value), 7], PAD]),
        ],
      ];
      if (passesFlat(type))
        wanted.push([
          `[${json},0]`,
          answerOf(compiled, "t:t/i#flat", `[${json}]`),
          called("flat", [toJco(type, value)]),
        ]);
      return wanted;
    });
  });
}

describe("values of any type", () => {
  test("come back as they went, here as in jco, flat and through memory", { timeout: 120_000 }, async () => {
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(cases, async (each) => {
        for (const [wanted, ours, theirs] of await bothOf(each)) {
          expect(ours).toBe(wanted);
          expect(theirs).toBe(wanted);
          compared += 1;
        }
      }),
      { numRuns: tries(60) },
    );
    expect(compared).toBeGreaterThan(tries(60) * VALUES_PER_TYPE);
  });
});
