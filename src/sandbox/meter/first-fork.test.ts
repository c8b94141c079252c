import { expect, it } from "vitest";
import { meterModule, METER_EXPORTS, type MeterOptions } from "../meter.ts";
import { wat } from "../wat.contract.ts";

const CALL = "(call $leaf (local.get 0))";
const PLAIN = "(i32.mul (local.get 0) (i32.const 3))";
const NESTED = `(if (result i32) (local.get 0) (then ${CALL}) (else (i32.const 2)))`;
const LOOSE = `(if (i32.gt_u (local.get 0) (i32.const 5)) (then (drop ${CALL}))) (i32.const 4)`;
const ARMS = {
  call: CALL,
  plain: PLAIN,
  nothing: "(local.get 0)",
  nested: NESTED,
  loose: LOOSE,
  early: "(return (i32.const 9))",
};

function text(before: string, then: string, other: string, after: string): string {
  return `(module
    (func $leaf (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
    (func $f (export "run") (param i32) (result i32) ${before}
      (if (result i32) (i32.and (local.get 0) (i32.const 1)) (then ${then}) (else ${other})) ${after}))`;
}

async function fuelOf(bytes: Uint8Array, options: MeterOptions): Promise<readonly unknown[]> {
  const metered = Uint8Array.from(meterModule(bytes, options).bytes);
  const { instance } = await WebAssembly.instantiate(metered);
  const { run } = instance.exports;
  const fuel = instance.exports[METER_EXPORTS.fuel];
  if (typeof run !== "function" || !(fuel instanceof WebAssembly.Global))
    throw new TypeError("exports are missing");
  return Array.from({ length: 12 }, (_, input) => {
    fuel.value = 10_000n;
    return [input, Reflect.apply(run, undefined, [input]), fuel.value];
  });
}

const CASES = Object.entries(ARMS).flatMap(([then, first]) =>
  Object.entries(ARMS).flatMap(([other, second]) =>
    ["", CALL].flatMap((called) =>
      ["", "(i32.const 1) i32.add"].map((after) => ({
        says: `${then} or ${other}${called === "" ? "" : ", a call before"}${after === "" ? "" : ", more behind"}`,
        text: text(called === "" ? "" : `(drop ${called})`, first, second, after),
      })),
    ),
  ),
);

it.each(CASES)("a function that forks at once costs the same in all forms: $says", async (each) => {
  const bytes = await wat(each.text);
  const precise = await fuelOf(bytes, { form: "precise" });
  expect(await fuelOf(bytes, {})).toEqual(precise);
  expect(await fuelOf(bytes, { standalone: true })).toEqual(precise);
});
