import type { FailureName } from "../../src/protocol/failure-code.ts";
import { bytesModule, wasiModule } from "../../src/sandbox/wat.contract.ts";

/** A small function whose end an engine must tell like every other: same code, same fuel, same bytes. */
export interface EngineCase {
  readonly says: string;
  readonly wat: string;
  /** How it ends; absent when it is done. */
  readonly code?: FailureName;
  readonly fuel?: bigint;
  readonly memoryBytes?: number;
  readonly outputBytes?: number;
}

const SAVE = "local.set $r i32.const 0 local.get $r i64.store";

/** 60 locals of one type and a deep stack of operands around the call: the largest kind of frame compilers make. */
function wideFrame(type: string, constant: string): string {
  const locals = Array.from({ length: 60 }, () => type).join(" ");
  const gather = `${`${constant} `.repeat(200)} local.get $n call $wide ${"drop ".repeat(200)}`;
  return bytesModule(
    "i32.const 0 call $wide i64.const 0",
    `(func $wide (param $n i32) (local ${locals}) ${gather})`,
  );
}

const MANY = Array.from({ length: 300 }, () => "i64").join(" ");

/** NaNs made in ways whose bits differ between engines and processors; each stored in eight bytes. */
const NANS = [
  "f64.const 0 f64.const 0 f64.div i64.reinterpret_f64",
  "f64.const -1 f64.sqrt i64.reinterpret_f64",
  "f64.const nan:0xdeadbeef f64.const 1 f64.add i64.reinterpret_f64",
  "f32.const inf f32.const inf f32.sub i32.reinterpret_f32 i64.extend_i32_u",
  "f32.const -nan f32.const 1 f32.max i32.reinterpret_f32 i64.extend_i32_u",
  "f32.const nan:0x1234 f64.promote_f32 i64.reinterpret_f64",
  "v128.const f32x4 0 0 1 0 v128.const f32x4 0 0 1 0 f32x4.div i64x2.extract_lane 1",
  "v128.const f64x2 -nan:0x7 1 v128.const f64x2 1 1 f64x2.min i64x2.extract_lane 0",
];

export const ENGINE_CASES: readonly EngineCase[] = [
  {
    says: "floats that are no numbers",
    wat: bytesModule(
      `(local $r i64) ${NANS.map((nan, index) => `${nan} local.set $r i32.const ${index * 8} local.get $r i64.store`).join(" ")}
      i64.const ${NANS.length * 8}`,
    ),
  },
  { says: "unreachable", wat: bytesModule("unreachable"), code: "trap-unreachable" },
  {
    says: "division by zero",
    wat: bytesModule("i32.const 1 local.get $in i32.const 1024 i32.sub i32.div_s drop i64.const 0"),
    code: "trap-divide-by-zero",
  },
  {
    says: "remainder by zero",
    wat: bytesModule("i64.const 1 i64.const 0 i64.rem_u drop i64.const 0"),
    code: "trap-divide-by-zero",
  },
  {
    says: "overflow of a division",
    wat: bytesModule(
      "(local $m i32) i32.const -1 local.set $m i32.const 0x80000000 local.get $m i32.div_s drop i64.const 0",
    ),
    code: "trap-integer-overflow",
  },
  {
    says: "conversion of a NaN",
    wat: bytesModule("f64.const nan i32.trunc_f64_s drop i64.const 0"),
    code: "trap-invalid-conversion",
  },
  {
    says: "conversion of a number too large",
    wat: bytesModule("f32.const 1e20 i64.trunc_f32_u drop i64.const 0"),
    code: "trap-invalid-conversion",
  },
  {
    says: "a load out of bounds",
    wat: bytesModule("i32.const -1 i32.load drop nop nop i64.const 0"),
    code: "trap-memory-bounds",
  },
  {
    says: "a copy out of bounds",
    wat: bytesModule("i32.const 0 i32.const 65530 i32.const 20 memory.copy i64.const 0"),
    code: "trap-memory-bounds",
  },
  {
    says: "a data segment that does not fit",
    wat: bytesModule("i64.const 0", `(data (i32.const 65535) "ab")`),
    code: "trap-memory-bounds",
  },
  {
    says: "an indirect call beyond the table",
    wat: bytesModule("i32.const 9 call_indirect i64.const 0", "(table 2 funcref)"),
    code: "trap-indirect-call",
  },
  {
    says: "an indirect call of a null entry",
    wat: bytesModule("i32.const 1 call_indirect i64.const 0", "(table 2 funcref)"),
    code: "trap-indirect-call",
  },
  {
    says: "an indirect call of another type",
    wat: bytesModule("i32.const 0 call_indirect i64.const 0", "(table 2 funcref) (elem (i32.const 0) $run)"),
    code: "trap-indirect-call",
  },
  {
    says: "a table entry out of bounds",
    wat: bytesModule("i32.const 9 table.get 0 drop i64.const 0", "(table 2 funcref)"),
    code: "trap-table-bounds",
  },
  {
    says: "tables copied out of bounds",
    wat: bytesModule("i32.const 0 i32.const 1 i32.const 2 table.copy i64.const 0", "(table 2 funcref)"),
    code: "trap-table-bounds",
  },
  {
    says: "a trap in the start function",
    wat: bytesModule("i64.const 0", "(func $s nop unreachable) (start $s)"),
    code: "trap-unreachable",
  },
  {
    says: "an endless loop",
    wat: bytesModule("(loop $l br $l) i64.const 0"),
    fuel: 1_234_567n,
    code: "out-of-fuel",
  },
  {
    says: "an endless recursion",
    wat: bytesModule("i32.const 0 call $down i64.const 0", "(func $down (param i32) local.get 0 call $down)"),
    code: "stack-overflow",
  },
  {
    says: "an endless recursion through a table",
    wat: bytesModule(
      "i32.const 0 call_indirect i64.const 0",
      "(table 1 funcref) (elem (i32.const 0) $down) (func $down i32.const 0 call_indirect)",
    ),
    code: "stack-overflow",
  },
  { says: "a recursion with wide frames", wat: wideFrame("i64", "local.get $n"), code: "stack-overflow" },
  {
    says: "a recursion with wide frames of floats",
    wat: wideFrame("f64", "f64.const 1"),
    code: "stack-overflow",
  },
  {
    says: "a recursion with wide frames of vectors",
    wat: wideFrame("v128", "v128.const i64x2 1 2"),
    code: "stack-overflow",
  },
  {
    says: "a recursion with many parameters",
    wat: bytesModule(
      `${"i64.const 1 ".repeat(300)} call $many i64.const 0`,
      `(func $many (param ${MANY}) ${Array.from({ length: 300 }, (_, i) => `local.get ${i}`).join(" ")} call $many)`,
    ),
    code: "stack-overflow",
  },
  {
    says: "a recursion with many results",
    wat: bytesModule(
      `call $many ${"drop ".repeat(300)} i64.const 0`,
      `(func $many (result ${MANY}) call $many)`,
    ),
    code: "stack-overflow",
  },
  {
    says: "a refused page of memory",
    wat: bytesModule(`(local $r i64) i32.const 3 memory.grow i64.extend_i32_s ${SAVE} i64.const 8`),
    memoryBytes: 3 * 65_536,
  },
  {
    says: "everything allocated, then aborted",
    wat: bytesModule(
      "(loop $more (br_if $more (i32.ge_s (memory.grow (i32.const 1)) (i32.const 0)))) unreachable",
    ).replace("1 4", "1"),
    memoryBytes: 8 * 65_536,
    code: "out-of-memory",
  },
  {
    says: "more output than the limit",
    wat: bytesModule("i64.const 101"),
    outputBytes: 100,
    code: "output-too-large",
  },
  {
    says: "an output outside its memory",
    wat: bytesModule("i64.const 0x0000FFFF00000002"),
    code: "bad-output",
  },
  {
    says: "a program that ends with a code",
    wat: wasiModule(
      `(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))`,
      "i32.const 7 call $exit",
    ),
    code: "exit-code",
  },
];
