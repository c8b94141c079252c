import { describe, expect, it } from "vitest";
import { CHOICES } from "./choice.ts";
import { KERNEL_NAMES, PROGRAMS, type Programs } from "./kernels.ts";
import { sweep } from "./known-answer.ts";
import { openGpu } from "./open-gpu.ts";
import { readyGpu } from "./open-gpu.contract.ts";
import { sweepExpected } from "./sweep.contract.ts";

const [choice, tiles] = CHOICES;

/** The kernels with one mistake, wherever its place occurs. */
function mutated(right: string, wrong: string): Programs {
  const programs = { ...PROGRAMS };
  let places = 0;
  for (const name of KERNEL_NAMES) {
    programs[name] = PROGRAMS[name].replaceAll(right, wrong);
    if (programs[name] !== PROGRAMS[name]) places += 1;
  }
  if (places === 0) throw new Error(`no kernel has ${right}`);
  return programs;
}

/** Mistakes as compilers and drivers make them: a carry lost, a rounding, a sign, a place at the edge. */
const MISTAKES: readonly (readonly [string, string])[] = [
  ["(x >> u32(n)) + ((x >> u32(n - 1)) & 1)", "x >> u32(n)"],
  ["(p00 >> 16u) + (p01 & 0xffffu) + (p10 & 0xffffu)", "(p00 >> 16u) + (p01 & 0xffffu)"],
  ["if (rest >= trial)", "if (rest > trial)"],
  ["if (product >= 0x80000000u)", "if (i32(product) >= 0)"],
  ["if (right < -16) { return 0; }", ""],
  ["* row_quotient + 0x10000) >> 17u", "* row_quotient) >> 17u"],
  ["high + (low >> 7u), scale", "high + i32(u32(low) >> 7u), scale"],
  ["(16u - 16u * (i & 1u))) >> 16u", "(16u * (i & 1u))) >> 16u"],
  ["return select(value, 32768 - value, x < 0);", "return select(value, 32767 - value, x < 0);"],
  ["return select(a - b, a + b, is_second);", "return select(a + b, a - b, is_second);"],
  ["(value + (1u << whole)) >> (whole + 1u)", "value >> (whole + 1u)"],
  ["if (behind <= 15)", "if (behind <= 12)"],
  ["bits(atomicLoad(&shared_weight)) - 24", "bits(atomicLoad(&shared_weight)) - 25"],
  ["if (matrix_shape.biased == 1u)", "if (matrix_shape.biased == 2u)"],
  ["vec4u(0u, 64u, 128u, 192u)", "vec4u(0u, 64u, 128u, 191u)"],
  ["sums += multiplier.xxyy * of_group;", "sums += multiplier.xxxx * of_group;"],
];

describe("the known-answer test", () => {
  it.each(MISTAKES)("notices where %s became %s", async (right, wrong) => {
    if (choice === undefined) throw new Error("no variants");
    const opened = await openGpu({ choice, programs: mutated(right, wrong) });
    expect(opened).toMatchObject({ kind: "refused", reason: "wrong-answer" });
  });

  it("notices a mistake in the variant that a device has chosen, and in that one only", async () => {
    if (choice === undefined || tiles === undefined) throw new Error("no variants");
    const programs = mutated("tile_weights[k + n + i * 8u]", "tile_weights[k + n]");
    expect(await openGpu({ choice: tiles, programs })).toMatchObject({ reason: "wrong-answer" });
    expect(await openGpu({ choice, programs })).toMatchObject({ kind: "ready" });
  });

  it("tells a kernel that is not compiled from one that is wrong", async () => {
    const opened = await openGpu({ programs: mutated("fn bits(", "fn bitten(") });
    expect(opened).toMatchObject({ kind: "refused", reason: "not-compiled" });
  });

  it("knows the result of every operation on every pair of edge values", async () => {
    const gpu = await readyGpu();
    expect(await sweep(gpu.parts)).toEqual(sweepExpected());
    gpu.close();
  });
});
