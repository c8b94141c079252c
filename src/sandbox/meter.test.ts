import { describe, expect, it } from "vitest";
import { failureKind } from "../protocol/failure-code.ts";
import { FULL_TANK, STACK_WORDS } from "./limits.ts";
import { METER_EXPORTS, meterModule, type MeterOptions } from "./meter.ts";
import { PLAIN_COST } from "./meter/costs.ts";
import { failureOfTrap, gaugesOf } from "./trap.ts";
import { wat } from "./wat.contract.ts";

interface Run {
  /** What `f` returned, as text; or the name of its failure. */
  readonly ended: string;
  readonly fuel: bigint;
}

/** Calls `f` of a module metered so, with all of the stack. */
async function run(
  text: string,
  form: "fast" | "precise",
  ...args: readonly (number | bigint)[]
): Promise<Run> {
  const { instance } = await WebAssembly.instantiate(meterModule(await wat(text), { form }).bytes);
  const gauges = gaugesOf(instance.exports);
  const { f } = instance.exports;
  if (typeof f !== "function") throw new TypeError("no f");
  try {
    const result: unknown = Reflect.apply(f, undefined, args);
    return { ended: String(result), fuel: FULL_TANK - gauges.fuel.value };
  } catch (error) {
    const { code } = failureOfTrap(error, gauges);
    return { ended: failureKind(code).name, fuel: FULL_TANK - gauges.fuel.value };
  }
}

const BOTH = ["fast", "precise"] as const;

const LOOP = `(module (func (export "f") (param i32) (result i32) (local $sum i32)
  block (loop $l
    local.get 0 i32.eqz br_if 1
    local.get $sum local.get 0 call $add local.set $sum
    local.get 0 i32.const 1 i32.sub local.set 0 br $l) end
  local.get $sum)
  (func $add (param i32 i32) (result i32)
    local.get 1 i32.const 3 i32.and if local.get 0 local.get 1 i32.add return end local.get 0 i32.const 7 i32.xor))`;

const CASES: readonly (readonly [string, string, readonly (number | bigint)[]])[] = [
  ["a loop that calls", LOOP, [1000]],
  [
    "a recursion that leaves early",
    `(module (func $f (export "f") (param i32) (result i32)
      block local.get 0 i32.const 2 i32.lt_u br_if 0
        local.get 0 i32.const 1 i32.sub call $f local.get 0 i32.const 2 i32.sub call $f i32.add local.set 0 end
      local.get 0))`,
    [15],
  ],
  [
    "branches to the function's own label",
    `(module (func $f (export "f") (param i32) (result i32)
      (loop $l i32.const 5 local.get 0 i32.const 40 i32.gt_u br_if 1 drop
        local.get 0 call $g i32.const 3 i32.add local.set 0 br $l) unreachable)
      (func $g (param i32) (result i32) local.get 0 local.get 0 i32.eqz br_if 0 i32.const 1 i32.or))`,
    [0],
  ],
  [
    "a switch",
    `(module (func $f (export "f") (param i32) (result i32) (local i32)
      (loop $again
        block $c block $b block $a local.get 0 i32.const 3 i32.rem_u br_table $a $b $c end
          local.get 1 call $g local.set 1 end
          local.get 1 i32.const 2 i32.mul local.set 1 end
        local.get 0 i32.const 1 i32.sub local.tee 0 br_if $again)
      local.get 1)
      (func $g (param i32) (result i32) local.get 0 i32.const 1 i32.add))`,
    [30],
  ],
  [
    "several results, growth and bulk memory within a loop",
    `(module (memory 1 8) (func $two (result i32 i64) i32.const 2 i64.const 3)
      (func (export "f") (param i32) (result i64) (local i64)
      (loop $l
        call $two local.get 1 i64.add local.set 1 drop
        i32.const 0 i32.const 1 local.get 0 memory.fill
        i32.const 1 memory.grow drop
        local.get 0 i32.const 1 i32.sub local.tee 0 br_if $l)
      local.get 1))`,
    [9],
  ],
];

describe("both forms", () => {
  it.each(CASES)("cost the same fuel for %s", async (_says, text, args) => {
    const fast = await run(text, "fast", ...args);
    expect(fast).toEqual(await run(text, "precise", ...args));
    expect(fast.fuel).toBeGreaterThan(0n);
    const { instance } = await WebAssembly.instantiate(new Uint8Array(await wat(text)));
    const { f } = instance.exports;
    expect(fast.ended).toBe(String(typeof f === "function" && Reflect.apply(f, undefined, args)));
  });

  it("end in the same trap, whose fuel only the precise one has", async () => {
    const text = `(module (memory 1) (func (export "f") (param i32) (result i32)
      (loop $l (result i32)
        local.get 0 i32.load drop
        local.get 0 i32.const 4 i32.add local.set 0 br $l)))`;
    const fast = await run(text, "fast", 0);
    const precise = await run(text, "precise", 0);
    expect([fast.ended, precise.ended]).toEqual(["trap-memory-bounds", "trap-memory-bounds"]);
    const turn = ["i32.load", "i32.add", "br"].map((_, i) => PLAIN_COST[[0x28, 0x6a, 0x0c][i]!]!);
    const entry = BigInt(PLAIN_COST[0x03]!);
    expect(precise.fuel).toBe(entry + 16_385n * BigInt(turn.reduce((sum, cost) => sum + cost)));
    expect(fast.fuel).toBeLessThan(precise.fuel);
  });
});

describe("tail calls", () => {
  const EVEN = `(module (table 2 funcref) (elem (i32.const 0) $even $odd)
    (type $t (func (param i32) (result i32)))
    (func $even (type $t) local.get 0 i32.eqz if i32.const 1 return end
      call $nothing local.get 0 i32.const 1 i32.sub return_call $odd)
    (func $odd (type $t) local.get 0 i32.eqz if i32.const 0 return end
      local.get 0 i32.const 1 i32.sub i32.const 0 return_call_indirect (type $t))
    (func $nothing)
    (func (export "f") (type $t) local.get 0 call $even))`;

  it.each(BOTH)("need no more stack the longer they go on: %s", async (form) => {
    const long = await run(EVEN, form, 100_001);
    expect(long.ended).toBe("0");
    expect(long.fuel).toBeGreaterThan(100_001n * BigInt(PLAIN_COST[0x12]!));
  });

  it("cost the same in both forms", async () => {
    expect(await run(EVEN, "fast", 1000)).toEqual(await run(EVEN, "precise", 1000));
  });

  it.each(BOTH)("without end run out of fuel: %s", async (form) => {
    const text = `(module (func $f (export "f") return_call $f))`;
    const metered = meterModule(await wat(text), { form, fuel: 100_000n });
    const { instance } = await WebAssembly.instantiate(metered.bytes);
    const { f } = instance.exports;
    expect(() => typeof f === "function" && f()).toThrow(WebAssembly.RuntimeError);
    expect(gaugesOf(instance.exports).fuel.value).toBeLessThanOrEqual(0n);
  });
});

describe("the stack", () => {
  const DOWN = `(module (func $f (export "f") (param i32) (result i32)
    local.get 0 i32.eqz if i32.const 1 return end
    local.get 0 i32.const 1 i32.sub call $f))`;

  it("ends at the same depth in both forms", async () => {
    const deepest = async (form: "fast" | "precise"): Promise<number> => {
      let low = 0;
      let high = STACK_WORDS;
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if ((await run(DOWN, form, middle)).ended === "1") low = middle;
        else high = middle;
      }
      return low;
    };
    const depth = await deepest("precise");
    expect(await deepest("fast")).toBe(depth);
    expect((await run(DOWN, "precise", depth + 1)).ended).toBe("stack-overflow");
    expect(depth).toBeGreaterThan(1_000);
  });
});

/** Bits of NaNs: name, body that leaves an i64, what must come out. */
const BITS: readonly (readonly [string, string, bigint])[] = [
  [
    "a loaded one that only moves through a local that arithmetic uses as well",
    `(local $x f64) f64.const 0 f64.const 0 f64.div local.set $x
     (loop $l local.get $x f64.const 1 f64.add local.set $x local.get 0 if i32.const 0 local.set 0 br $l end)
     i32.const 8 f64.load local.set $x
     local.get 0 if f64.const 1 local.set $x end
     local.get $x i64.reinterpret_f64`,
    0x7ff4_0000_0000_1234n,
  ],
  [
    "an arithmetic one kept in a local and read after a loop",
    `(local $x f64) (loop $l
       local.get $x f64.const inf f64.const inf f64.sub f64.add local.set $x
       local.get 0 if i32.const 0 local.set 0 br $l end)
     local.get $x i64.reinterpret_f64`,
    0x7ff8_0000_0000_0000n,
  ],
  [
    "an arithmetic one whose sign changes before it is kept",
    `(local $x f64) f64.const 0 f64.const 0 f64.div f64.neg local.set $x
     block local.get 0 br_if 0 end local.get $x i64.reinterpret_f64`,
    -0x0008_0000_0000_0000n,
  ],
  [
    "one of two by select",
    `f64.const 0 f64.const 0 f64.div f64.const 1 local.get 0 select i64.reinterpret_f64`,
    0x7ff8_0000_0000_0000n,
  ],
  [
    "an arithmetic one returned by a block",
    `block (result f64) f64.const -1 f64.sqrt local.get 0 br_if 0 end i64.reinterpret_f64`,
    0x7ff8_0000_0000_0000n,
  ],
  [
    "a parameter that comes through a call",
    `i32.const 8 f64.load call $same i64.reinterpret_f64`,
    0x7ff4_0000_0000_1234n,
  ],
  [
    "lanes of 32 bits read as lanes of 64",
    `(local $v v128) v128.const f32x4 0 0 0 0 v128.const f32x4 0 0 0 0 f32x4.div local.set $v
     block local.get 0 br_if 0 end
     local.get $v v128.const f64x2 0 0 f64x2.max i64x2.extract_lane 0`,
    0x7fc0_0000_7fc0_0000n,
  ],
];

describe("bits of a NaN", () => {
  it.each(BITS)("%s", async (_says, body, bits) => {
    const text = `(module (memory 1) (data (i32.const 8) "\\34\\12\\00\\00\\00\\00\\f4\\7f")
      (func $same (param f64) (result f64) local.get 0)
      (func (export "f") (param i32) (result i64) ${body}))`;
    for (const form of BOTH) expect((await run(text, form, 1)).ended).toBe(String(bits));
  });
});

async function alone(text: string, options: MeterOptions = {}): Promise<WebAssembly.Exports> {
  const { bytes } = meterModule(await wat(text), { standalone: true, ...options });
  return (await WebAssembly.instantiate(bytes)).instance.exports;
}

describe("a standalone module", () => {
  it("exports fuel besides its own, which starts as asked for and costs the same", async () => {
    const exports = await alone(LOOP, { fuel: 1_000_000n });
    expect(Object.keys(exports)).toEqual(["f", METER_EXPORTS.fuel]);
    const { f } = exports;
    expect(typeof f === "function" && f(1000)).toBe(Number((await run(LOOP, "fast", 1000)).ended));
    const left = exports[METER_EXPORTS.fuel];
    const used = (await run(LOOP, "precise", 1000)).fuel;
    expect(left instanceof WebAssembly.Global && left.value).toBe(1_000_000n - used);
  });

  it("runs its start function, grows as it would, and recurses as deep as the engine lets it", async () => {
    const { f, g, h } = await alone(`(module (memory 1) (global $g (mut i32) (i32.const 0))
      (func $s i32.const 7 global.set $g) (start $s)
      (func (export "f") (result i32) global.get $g)
      (func (export "g") (result i32) i32.const 20000 memory.grow)
      (func $h (export "h") (param i32) (result i32)
        local.get 0 i32.eqz if i32.const 1 return end local.get 0 i32.const 1 i32.sub call $h))`);
    expect(typeof f === "function" && f()).toBe(7);
    expect(typeof g === "function" && g()).toBe(1);
    // More calls one after the other than a stack that is not given back would allow.
    for (let i = 0; i < STACK_WORDS; i += 1) if (typeof h === "function") h(1);
    expect(typeof h === "function" && h(3_500)).toBe(1);
  });
});
