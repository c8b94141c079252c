import { describe, expect, test } from "vitest";
import { judge, tableText } from "./bench.ts";

const measured = { name: "no-op", value: 3, unit: "ms", reference: 2 };

describe("a measurement is judged by its goal", () => {
  test("a ratio is the value over its reference", () => {
    expect(judge(measured, { ratio: 1.7, better: "lower" })).toMatchObject({ ratio: 1.5, met: true });
    expect(judge(measured, { ratio: 1.4, better: "lower" })).toMatchObject({ met: false });
    expect(judge(measured, { ratio: 1.6, better: "higher" })).toMatchObject({ met: false });
  });

  test("a value stands for itself", () => {
    expect(judge(measured, { value: 3, better: "lower" })).toMatchObject({ met: true });
    expect(judge(measured, { value: 4, better: "higher" })).toMatchObject({ met: false });
  });

  test("both must be reached where both are asked for", () => {
    expect(judge(measured, { ratio: 1.7, value: 2, better: "lower" })).toMatchObject({ met: false });
  });

  test("a ratio without a reference is missed, not passed over", () => {
    const { reference: _, ...alone } = measured;
    expect(judge(alone, { ratio: 1, better: "lower" })).toMatchObject({ ratio: null, met: false });
    expect(judge({ ...measured, reference: 0 }, { ratio: 1, better: "higher" })).toMatchObject({
      met: false,
    });
  });

  test("what is not a number is missed", () => {
    expect(judge({ ...measured, value: Number.NaN }, { value: 3, better: "lower" })).toMatchObject({
      met: false,
    });
  });

  test("a number's own goal goes before the bench's, and may be none", () => {
    expect(judge({ ...measured, goal: null }, { ratio: 1, better: "lower" })).toMatchObject({
      goal: null,
      met: null,
    });
  });
});

test("the table says which goals were missed", () => {
  const rows = [
    judge(measured, { ratio: 1, better: "lower" }),
    judge({ name: "receipts", value: 5_400, unit: "1/s" }, { value: 5_000, better: "higher" }),
  ];
  expect(tableText(rows).split("\n")).toEqual([
    "          value  unit  reference  ratio     goal",
    "no-op         3  ms            2  1.50×     ≤ 1×  MISSED",
    "receipts  5,400  1/s                     ≥ 5,000  met",
  ]);
});
