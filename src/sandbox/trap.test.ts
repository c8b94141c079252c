import { describe, expect, it } from "vitest";
import { failureCode, failureKind, type FailureName } from "../protocol/failure-code.ts";
import { meterModule } from "./meter.ts";
import { failureOfTrap, type Gauges, gaugesOf } from "./trap.ts";
import { wat } from "./wat.contract.ts";

async function freshGauges(): Promise<Gauges> {
  const { instance } = await WebAssembly.instantiate(meterModule(await wat("(module)")).bytes);
  return gaugesOf(instance.exports);
}

const SAME: readonly (readonly [FailureName, number, readonly string[]])[] = [
  [
    "trap-unreachable",
    0,
    ["unreachable", "unreachable executed", "Unreachable code should not be executed (evaluating 'table')"],
  ],
  [
    "trap-memory-bounds",
    0,
    ["memory access out of bounds", "index out of bounds", "Out of bounds memory access"],
  ],
  [
    "trap-divide-by-zero",
    0,
    ["divide by zero", "remainder by zero", "integer divide by zero", "Division by zero"],
  ],
  ["trap-divide-by-zero", 30005, ["divide by zero", "integer divide by zero", "Division by zero"]],
  ["trap-integer-overflow", 30005, ["divide result unrepresentable", "integer overflow", "Integer overflow"]],
  [
    "trap-invalid-conversion",
    0,
    [
      "float unrepresentable in integer range",
      "integer overflow",
      "invalid conversion to integer",
      "Out of bounds Trunc operation",
    ],
  ],
  [
    "trap-indirect-call",
    0,
    [
      "null function or function signature mismatch",
      "indirect call to null",
      "indirect call signature mismatch",
      "call_indirect to a null table entry",
      "call_indirect to a signature that does not match",
    ],
  ],
  [
    "trap-indirect-call",
    30008,
    ["unreachable", "unreachable executed", "Unreachable code should not be executed"],
  ],
  [
    "trap-table-bounds",
    0,
    ["table index is out of bounds", "table index out of bounds", "Out of bounds table access"],
  ],
  [
    "trap-table-bounds",
    30009,
    ["table access out of bounds", "index out of bounds", "Out of bounds table access"],
  ],
];

describe("a trap has the same code on V8, SpiderMonkey and JavaScriptCore", () => {
  it.each(SAME)("%s with hint %d", async (name, hint, messages) => {
    const gauges = await freshGauges();
    gauges.hint.value = hint;
    const codes = messages.map(
      (message) => failureOfTrap(new WebAssembly.RuntimeError(message), gauges).code,
    );
    expect(codes.map((code) => failureKind(code).name)).toEqual(messages.map(() => name));
  });

  it.each([
    ["Maximum call stack size exceeded", RangeError],
    ["too much recursion", Error],
    ["a trap that nobody knows", WebAssembly.RuntimeError],
  ])("%s is nobody's fault", async (message, Kind) => {
    const failure = failureOfTrap(new Kind(message), await freshGauges());
    expect(failure.code).toBe(failureCode("worker-lost"));
  });

  it("what is neither trap nor limit is a bug, and stays an exception", async () => {
    const gauges = await freshGauges();
    expect(() => failureOfTrap(new TypeError("oops"), gauges)).toThrow("oops");
  });
});
