/**
 * `node bench/kernels/measure-costs.ts` times single instructions, from which the table in src/sandbox/meter/costs.ts was
 * made: each as a chain, where one waits for the one before (its latency), and as eight chains side by side (its
 * throughput). Printed in parts of what one of many independent `i32.add` takes. It judges nothing.
 */
import wabt from "wabt";

type ValueType = "i32" | "i64" | "f32" | "f64" | "v128";

interface Row {
  readonly name: string;
  readonly type: ValueType;
  /** Makes the next value of a chain: instructions from one value on the stack to one; `$y` has the type's second operand. */
  readonly step: string;
  /** How many instructions worth measuring that is. */
  readonly count: number;
}

const CHAINS = 8;
const STEPS = 8;
const ROUNDS = 20_000;
const REPEATS = 5;
const Y = "local.get $y";

const START: Readonly<Record<ValueType, string>> = {
  i32: "i32.const 1431655765",
  i64: "i64.const 6148914691236517205",
  f32: "f32.const 1.0000001",
  f64: "f64.const 1.000000001",
  v128: "v128.const i32x4 0x3f800001 0x3f800001 0x3f800001 0x3f800001",
};

function binary(type: ValueType, names: readonly string[], prefix: string = type): Row[] {
  return names.map((name) => ({
    name: `${prefix}.${name}`,
    type,
    step: `${Y} ${prefix}.${name}`,
    count: 1,
  }));
}

function unary(type: ValueType, names: readonly string[], prefix: string = type): Row[] {
  return names.map((name) => ({ name: `${prefix}.${name}`, type, step: `${prefix}.${name}`, count: 1 }));
}

const INTEGER = ["add", "sub", "mul", "and", "xor", "shl", "rotl", "div_s", "div_u", "rem_s", "rem_u"];
const FLOAT = ["add", "sub", "mul", "div", "min", "max", "copysign"];

/** A small odd divisor keeps chains of divisions from ending at zero: the dividend gets high bits back. */
function divisions(type: "i32" | "i64"): Row[] {
  return ["div_u", "rem_u", "div_s", "rem_s"].map((name) => ({
    name: `${type}.${name} + or`,
    type,
    step: `${Y} ${type}.${name} ${START[type]} ${type}.or`,
    count: 1,
  }));
}

const ROWS: readonly Row[] = [
  ...binary(
    "i32",
    INTEGER.filter((name) => !/div|rem/u.test(name)),
  ),
  ...divisions("i32"),
  ...unary("i32", ["clz", "popcnt", "eqz", "extend8_s"]),
  ...binary("i32", ["lt_s"]),
  ...binary(
    "i64",
    INTEGER.filter((name) => !/div|rem/u.test(name)),
  ),
  ...divisions("i64"),
  ...unary("i64", ["clz", "popcnt"]),
  ...binary("f32", FLOAT),
  ...unary("f32", ["sqrt", "floor", "nearest", "abs"]),
  ...binary("f64", FLOAT),
  ...unary("f64", ["sqrt", "floor", "nearest", "abs"]),
  { name: "f64 < as select", type: "f64", step: `${Y} local.get $a0 ${Y} f64.lt select`, count: 1 },
  { name: "i32 select", type: "i32", step: `${Y} local.get $a0 select`, count: 1 },
  {
    name: "f64.convert_i32_s, i32.trunc_f64_s",
    type: "i32",
    step: "f64.convert_i32_s i32.trunc_f64_s",
    count: 2,
  },
  {
    name: "f64.convert_i64_u, i64.trunc_sat_f64_u",
    type: "i64",
    step: "f64.convert_i64_u i64.trunc_sat_f64_u",
    count: 2,
  },
  {
    name: "f32.convert_i32_s, i32.trunc_sat_f32_s",
    type: "i32",
    step: "f32.convert_i32_s i32.trunc_sat_f32_s",
    count: 2,
  },
  { name: "f64.promote, f32.demote", type: "f32", step: "f64.promote_f32 f32.demote_f64", count: 2 },
  {
    name: "i32.reinterpret, f32.reinterpret",
    type: "f32",
    step: "i32.reinterpret_f32 f32.reinterpret_i32",
    count: 2,
  },
  {
    name: "i64.extend, i32.wrap",
    type: "i32",
    step: "i64.extend_i32_u i64.const 1 i64.rotl i32.wrap_i64",
    count: 3,
  },
  { name: "i32.load", type: "i32", step: "i32.const 1020 i32.and i32.load", count: 1 },
  { name: "i32.load8_s", type: "i32", step: "i32.const 1020 i32.and i32.load8_s", count: 1 },
  {
    name: "f64.load",
    type: "f64",
    step: "i64.reinterpret_f64 i32.wrap_i64 i32.const 1016 i32.and f64.load",
    count: 1,
  },
  {
    name: "i32.store, i32.load",
    type: "i32",
    step: "local.set $t local.get $p local.get $t i32.store local.get $p i32.load",
    count: 2,
  },
  { name: "memory.size + add", type: "i32", step: "memory.size i32.add", count: 1 },
  {
    name: "global.get, global.set",
    type: "i32",
    step: "global.get $g i32.add global.set $g global.get $g",
    count: 3,
  },
  { name: "call", type: "i32", step: "call $step", count: 1 },
  {
    name: "call of 8 parameters",
    type: "i32",
    step: `${Y} ${Y} ${Y} ${Y} ${Y} ${Y} ${Y} call $wide`,
    count: 1,
  },
  { name: "call_indirect", type: "i32", step: `local.get $two call_indirect (type $unary)`, count: 1 },
  {
    name: "br_if, foreseen",
    type: "i32",
    step: `local.set $t block local.get $two br_if 0 ${Y} local.set $t end local.get $t ${Y} i32.add`,
    count: 1,
  },
  {
    name: "br_if, not foreseen (xorshift)",
    type: "i32",
    step: `local.tee $t local.get $t i32.const 13 i32.shl i32.xor local.tee $t local.get $t i32.const 17 i32.shr_u i32.xor local.tee $t local.get $t i32.const 5 i32.shl i32.xor local.set $t block local.get $t i32.const 1 i32.and br_if 0 local.get $p local.get $t i32.store end local.get $t`,
    count: 1,
  },
  {
    name: "the xorshift alone",
    type: "i32",
    step: `local.tee $t local.get $t i32.const 13 i32.shl i32.xor local.tee $t local.get $t i32.const 17 i32.shr_u i32.xor local.tee $t local.get $t i32.const 5 i32.shl i32.xor`,
    count: 1,
  },
  {
    name: "br_table of 4 (with and, add)",
    type: "i32",
    step: `local.set $t block block block block local.get $t i32.const 3 i32.and br_table 0 1 2 3 end local.get $t i32.const 7 i32.add local.set $t br 2 end local.get $t i32.const 9 i32.add local.set $t br 1 end local.get $t i32.const 11 i32.add local.set $t end local.get $t`,
    count: 1,
  },
  ...binary("v128", ["and", "xor", "andnot"]),
  ...binary("v128", ["add", "add_sat_s", "min_u", "avgr_u", "swizzle", "eq"], "i8x16"),
  ...unary("v128", ["popcnt", "abs"], "i8x16"),
  ...binary("v128", ["add", "mul", "q15mulr_sat_s", "extmul_low_i8x16_s"], "i16x8"),
  ...unary("v128", ["extend_low_i8x16_s", "extadd_pairwise_i8x16_s"], "i16x8"),
  ...binary("v128", ["add", "mul", "dot_i16x8_s", "lt_s"], "i32x4"),
  ...binary("v128", ["add", "mul"], "i64x2"),
  ...binary("v128", ["add", "mul", "div", "min", "pmin"], "f32x4"),
  ...unary("v128", ["sqrt", "floor"], "f32x4"),
  ...binary("v128", ["add", "mul", "div", "max"], "f64x2"),
  ...unary("v128", ["sqrt"], "f64x2"),
  ...unary("v128", ["trunc_sat_f32x4_s", "trunc_sat_f32x4_u"], "i32x4"),
  ...unary("v128", ["convert_i32x4_s", "convert_i32x4_u"], "f32x4"),
  { name: "i8x16.shl", type: "v128", step: "local.get $two i8x16.shl", count: 1 },
  {
    name: "i8x16.shuffle",
    type: "v128",
    step: `${Y} i8x16.shuffle 0 17 2 19 4 21 6 23 8 25 10 27 12 29 14 31`,
    count: 1,
  },
  { name: "i32x4.shr_u", type: "v128", step: "local.get $two i32x4.shr_u", count: 1 },
  { name: "i32x4.extract_lane, splat", type: "v128", step: "i32x4.extract_lane 1 i32x4.splat", count: 2 },
  { name: "i8x16.bitmask, splat", type: "v128", step: "i8x16.bitmask i8x16.splat", count: 2 },
  { name: "v128.any_true, splat", type: "v128", step: "v128.any_true i8x16.splat", count: 2 },
  { name: "v128.bitselect", type: "v128", step: `${Y} ${Y} v128.not v128.bitselect`, count: 1 },
  {
    name: "v128.load",
    type: "v128",
    step: "i32x4.extract_lane 0 i32.const 1008 i32.and v128.load",
    count: 1,
  },
];

/** A loop over `chains` chains of STEPS steps each, in turn, so that neighbours do not depend on each other. */
function moduleText({ type, step }: Row, chains: number): string {
  const names = Array.from({ length: chains }, (_, index) => `$a${index}`);
  const steps = Array.from({ length: (CHAINS * STEPS) / chains }, () =>
    names.map((name) => `local.get ${name} ${step} local.set ${name}`).join("\n"),
  ).join("\n");
  const sink = type === "v128" ? "v128.store" : `${type}.store`;
  return `(module
    (type $unary (func (param i32) (result i32)))
    (memory 1) (global $g (mut i32) (i32.const 0)) (table funcref (elem $step $step $step))
    (func $step (param $x i32) (result i32)
      (local.set $x (i32.mul (local.get $x) (i32.const 40503)))
      (if (i32.eq (local.get $x) (i32.const 12345)) (then ${"(local.set $x (call $step (local.get $x)))".repeat(40)}))
      local.get $x)
    (func $wide (param $x i32) (param i32 i32 i32 i32 i32 i32 i32) (result i32)
      (if (i32.eq (local.get $x) (i32.const 12345)) (then ${"(local.set $x (call $step (local.get $x)))".repeat(40)}))
      local.get $x local.get 7 i32.add)
    (func (export "run") (param $n i32) (param $two i32) (param $p i32) (param $start i32)
      (local $t i32) (local $y ${type}) ${names.map((name) => `(local ${name} ${type})`).join(" ")}
      (${type}.store (i32.const 2048) (${START[type]}))
      (local.set $y (${type}.load (local.get $start)))
      ${names.map((name, index) => `(local.set ${name} (${type}.load offset=${index % 2} (local.get $start)))`).join(" ")}
      (loop $more
        ${steps}
        (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
      ${names.map((name) => `i32.const 4096 local.get ${name} ${sink}`).join(" ")}))`;
}

const toolkit = await wabt();

async function nanoseconds(row: Row, chains: number): Promise<number> {
  const parsed = toolkit.parseWat("row.wat", moduleText(row, chains), { simd: true });
  const bytes = new Uint8Array(parsed.toBinary({}).buffer);
  parsed.destroy();
  const { instance } = await WebAssembly.instantiate(bytes);
  const run = instance.exports["run"] as (n: number, two: number, p: number, start: number) => void;
  for (let index = 0; index < 300; index += 1) run(300, 2, 64, 2048);
  await new Promise((resolve) => {
    setTimeout(resolve, 30);
  });
  let best = Infinity;
  for (let repeat = 0; repeat < REPEATS; repeat += 1) {
    const begun = performance.now();
    run(ROUNDS, 2, 64, 2048);
    best = Math.min(best, performance.now() - begun);
  }
  return (best * 1e6) / ROUNDS / (CHAINS * STEPS) / row.count;
}

const [add] = ROWS;
if (add === undefined) throw new Error("there is nothing to measure");
const unit = await nanoseconds(add, CHAINS);
console.log(`1 = ${unit.toFixed(3)} ns, one of many independent i32.add`);
console.log(`${"".padEnd(44)} throughput  latency`);
for (const row of ROWS) {
  const throughput = (await nanoseconds(row, CHAINS)) / unit;
  const latency = (await nanoseconds(row, 1)) / unit;
  console.log(
    `${row.name.padEnd(44)} ${throughput.toFixed(1).padStart(10)} ${latency.toFixed(1).padStart(8)}`,
  );
}
