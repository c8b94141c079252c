import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { failureKind, type FailureName } from "../protocol/failure-code.ts";
import { BULK_COST, GROWN_PAGE_COST, PLAIN_COST, TABLE_ENTRY_COST } from "./meter/costs.ts";
import type { Sandbox, TaskArgs, TaskLimits, TaskResult } from "./task.ts";
import { bytesModule, bytesOf, NO_ARGS, requestFor, text, wasiModule, wat } from "./wat.contract.ts";

export interface SandboxUnderTest {
  readonly sandbox: Sandbox;
  stop(): void | Promise<void>;
}

interface Case {
  readonly says: string;
  readonly wat: string;
  readonly abi?: "wasi-p1";
  readonly input?: Uint8Array;
  readonly args?: Partial<TaskArgs>;
  readonly limits?: Partial<TaskLimits>;
  readonly code?: FailureName;
  readonly detail?: RegExp;
  /** Counted by hand from the definition at meterModule. */
  readonly fuel?: bigint;
  readonly output?: Uint8Array | string;
  readonly stderr?: string;
}

/** Returns the i64 on the stack as eight bytes at 0. */
const RETURN_I64 = `local.set $r i32.const 0 local.get $r i64.store i64.const 8`;

const CODES: Readonly<Record<string, number>> = {
  unreachable: 0x00,
  nop: 0x01,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  br: 0x0c,
  br_if: 0x0d,
  br_table: 0x0e,
  return: 0x0f,
  call: 0x10,
  drop: 0x1a,
  get: 0x20,
  set: 0x21,
  tee: 0x22,
  "i32.load": 0x28,
  "i32.store": 0x36,
  "i64.store": 0x37,
  grow: 0x40,
  i32: 0x41,
  i64: 0x42,
  "i32.lt_s": 0x48,
  "i32.add": 0x6a,
  "i64.add": 0x7c,
  "i64.or": 0x84,
  "i64.shl": 0x86,
  extend: 0xad,
  null: 0xd0,
};

/** Fuel of instructions, by their names above. */
function cost(instructions: string): bigint {
  return instructions.split(" ").reduce((sum, name) => {
    const code = CODES[name];
    if (code === undefined) throw new TypeError(`no code for ${name}`);
    return sum + BigInt(PLAIN_COST[code] ?? 0);
  }, 0n);
}

const BULK = BigInt(BULK_COST);

/** `tabmesh_alloc` of bytesModule. */
const ALLOC = cost("i32");
const STORE = cost("set i32 get i64.store i64");

const THREE = ALLOC + cost("i32 i32.load i32 i32.load i32.store i64");

// What each count consists of: the allocation, then instructions. Fewer locals than LOCALS_PER_FUEL cost nothing.
const COUNTED: readonly Case[] = [
  {
    says: "echoes its input",
    wat: bytesModule(
      "local.get $in i64.extend_i32_u i64.const 32 i64.shl local.get $len i64.extend_i32_u i64.or",
    ),
    input: bytesOf("hello"),
    output: "hello",
    fuel: ALLOC + cost("get extend i64 i64.shl get extend i64.or"),
  },
  {
    says: "counts a loop by its iterations",
    wat: bytesModule(`(local $i i32)
      (loop $again
        local.get $i i32.const 1 i32.add local.tee $i i32.const 10 i32.lt_s br_if $again)
      i64.const 0`),
    fuel: ALLOC + cost("loop") + 10n * cost("get i32 i32.add tee i32 i32.lt_s br_if") + cost("i64"),
  },
  {
    says: "counts only the arm taken",
    wat: bytesModule("local.get $len if nop nop nop else nop nop end i64.const 0"),
    input: bytesOf("x"),
    fuel: ALLOC + cost("get if nop nop nop i64"),
  },
  {
    says: "does not count what a branch skips",
    wat: bytesModule("block local.get $len br_if 0 nop nop nop nop end nop i64.const 0"),
    input: bytesOf("x"),
    fuel: ALLOC + cost("block get br_if nop i64"),
  },
  {
    says: "does not count what a branch out of two blocks skips",
    wat: bytesModule("block block local.get $len br_if 1 nop nop end nop nop nop nop end nop i64.const 0"),
    input: bytesOf("x"),
    fuel: ALLOC + cost("block block get br_if nop i64"),
  },
  {
    says: "does not count what continuing an outer loop skips",
    wat: bytesModule(`(local $i i32)
      (loop $outer
        (block $rest
          local.get $i i32.const 1 i32.add local.tee $i i32.const 3 i32.lt_s br_if $outer)
        nop nop)
      i64.const 0`),
    fuel: ALLOC + cost("loop nop nop i64") + 3n * cost("block get i32 i32.add tee i32 i32.lt_s br_if"),
  },
  {
    says: "counts what an early return leaves out",
    wat: bytesModule("local.get $len if i64.const 0 return end nop nop nop nop i64.const 0"),
    input: bytesOf("x"),
    fuel: ALLOC + cost("get if i64 return"),
  },
  {
    says: "follows br_table",
    wat: bytesModule(`
      block $b block $a local.get $len br_table $a $b end nop nop nop end i64.const 0`),
    input: bytesOf("xy"),
    fuel: ALLOC + cost("block block get br_table i64"),
  },
  {
    says: "counts nested loops",
    wat: bytesModule(`(local $i i32) (local $j i32)
      (loop $outer
        i32.const 0 local.set $j
        (loop $inner local.get $j i32.const 1 i32.add local.tee $j i32.const 4 i32.lt_s br_if $inner)
        local.get $i i32.const 1 i32.add local.tee $i i32.const 3 i32.lt_s br_if $outer)
      i64.const 0`),
    fuel:
      ALLOC +
      cost("loop i64") +
      3n * cost("i32 set loop get i32 i32.add tee i32 i32.lt_s br_if") +
      12n * cost("get i32 i32.add tee i32 i32.lt_s br_if"),
  },
  {
    says: "runs blocks of several values",
    wat: bytesModule(`(local $r i64)
      i64.const 20 i64.const 22
      block (param i64 i64) (result i64 i64) local.get $len br_if 0 end
      i64.add ${RETURN_I64}`),
    input: bytesOf("x"),
    output: Uint8Array.of(42, 0, 0, 0, 0, 0, 0, 0),
    fuel: ALLOC + cost("i64 i64 block get br_if i64.add") + STORE,
  },
  {
    says: "calls functions that return several values, early too",
    wat: bytesModule(
      `(local $r i64) local.get $len call $two i64.add ${RETURN_I64}`,
      `(func $two (param i32) (result i64 i64)
         local.get 0 if i64.const 40 i64.const 2 call $nothing return end i64.const 1 i64.const 1)
       (func $nothing)`,
    ),
    input: bytesOf("x"),
    output: Uint8Array.of(42, 0, 0, 0, 0, 0, 0, 0),
    fuel: ALLOC + cost("get call i64.add get if i64 i64 call return") + STORE,
  },
  {
    says: "counts bytes of bulk memory and pages of growth",
    wat: bytesModule(`
      i32.const 0 i32.const 7 i32.const 100 memory.fill
      i32.const 200 i32.const 0 i32.const 8 memory.copy
      i32.const 2 memory.grow drop i64.const 0xC800000008`),
    output: new Uint8Array(8).fill(7),
    fuel:
      ALLOC +
      cost("i32 i32 i32 i32 i32 i32 i32 grow drop i64") +
      2n * BULK +
      13n +
      1n +
      2n * BigInt(GROWN_PAGE_COST),
  },
  {
    says: "counts entries of tables",
    wat: bytesModule(
      `i32.const 0 ref.null func i32.const 5 table.fill 0 ref.null func i32.const 3 table.grow 0 drop i64.const 0`,
      `(table 10 20 funcref)`,
    ),
    fuel: ALLOC + cost("i32 null i32 null i32 drop i64") + 2n * BULK + 8n * BigInt(TABLE_ENTRY_COST),
  },
  {
    says: "meters the start function",
    wat: bytesModule(
      "i64.const 0x0000000500000003",
      `(func $prepare nop nop i32.const 5 i32.const 0x00636261 i32.store) (start $prepare)`,
    ),
    output: "abc",
    fuel: ALLOC + cost("nop nop i32 i32 i32.store i64"),
  },
  {
    says: "is done with exactly its limit",
    wat: bytesModule("i32.const 0 i32.load i32.const 0 i32.load i32.store i64.const 0"),
    limits: { fuel: THREE },
    fuel: THREE,
  },
  {
    says: "is out of fuel with one less",
    wat: bytesModule("i32.const 0 i32.load i32.const 0 i32.load i32.store i64.const 0"),
    limits: { fuel: THREE - 1n },
    code: "out-of-fuel",
    fuel: THREE - 1n,
  },
];

const CONST_OVERFLOW = "i32.const 0x80000000 local.get $len i32.div_s drop i64.const 0";

const TRAPS: readonly Case[] = [
  {
    says: "unreachable",
    wat: bytesModule("unreachable"),
    code: "trap-unreachable",
    fuel: ALLOC + cost("unreachable"),
  },
  {
    says: "memory out of bounds, with the block it stood in",
    wat: bytesModule("i32.const -1 i32.load drop nop nop i64.const 0"),
    code: "trap-memory-bounds",
    fuel: ALLOC + cost("i32 i32.load drop nop nop i64"),
  },
  {
    says: "division by zero",
    wat: bytesModule("i32.const 1 local.get $len i32.div_s drop i64.const 0"),
    code: "trap-divide-by-zero",
  },
  {
    says: "remainder by zero",
    wat: bytesModule("i64.const 1 local.get $len i64.extend_i32_u i64.rem_u drop i64.const 0"),
    code: "trap-divide-by-zero",
  },
  {
    says: "overflow of a division",
    wat: bytesModule(CONST_OVERFLOW.replace("local.get $len", "i32.const -1")),
    code: "trap-integer-overflow",
  },
  {
    says: "overflow of a 64-bit division by a variable",
    wat: bytesModule(
      "(local $m i64) i64.const -1 local.set $m i64.const 0x8000000000000000 local.get $m i64.div_s drop i64.const 0",
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
    says: "copying tables out of bounds",
    wat: bytesModule("i32.const 0 i32.const 1 i32.const 2 table.copy i64.const 0", "(table 2 funcref)"),
    code: "trap-table-bounds",
  },
  {
    says: "copying memory out of bounds",
    wat: bytesModule("i32.const 0 i32.const 65530 i32.const 20 memory.copy i64.const 0"),
    code: "trap-memory-bounds",
  },
  {
    says: "a trap in the start function",
    wat: bytesModule("i64.const 0", "(func $s nop unreachable) (start $s)"),
    code: "trap-unreachable",
    fuel: cost("nop unreachable"),
  },
  {
    says: "a data segment that does not fit",
    wat: bytesModule("i64.const 0", `(data (i32.const 65535) "ab")`),
    code: "trap-memory-bounds",
    fuel: 0n,
  },
];

/** 60 locals of one type and a deep operand stack around the call: a frame of the largest kind compilers make. */
function wideFrame(type: string, constant: string): string {
  const locals = Array.from({ length: 60 }, () => type).join(" ");
  const gather = `${`${constant} `.repeat(200)} local.get $n call $wide ${"drop ".repeat(200)}`;
  return bytesModule(
    "i32.const 0 call $wide i64.const 0",
    `(func $wide (param $n i32) (local ${locals}) ${gather})`,
  );
}

const MANY = Array.from({ length: 300 }, () => "i64").join(" ");

const BOUNDS: readonly Case[] = [
  {
    says: "an endless loop",
    wat: bytesModule("(loop $l br $l) i64.const 0"),
    code: "out-of-fuel",
    fuel: 100_000_000n,
  },
  {
    says: "a loop without a body that does anything else",
    wat: bytesModule("(loop $l (br_if $l (i32.const 1))) i64.const 0"),
    limits: { fuel: 12_345n },
    code: "out-of-fuel",
    fuel: 12_345n,
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
    says: "a recursion with wide float frames",
    wat: wideFrame("f64", "f64.const 1"),
    code: "stack-overflow",
  },
  {
    says: "a recursion with wide vector frames",
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
    says: "memory.grow beyond the task's limit answers -1",
    wat: bytesModule(`(local $r i64) i32.const 3 memory.grow i64.extend_i32_s ${RETURN_I64}`),
    limits: { memoryBytes: 3 * 65_536 },
    output: new Uint8Array(8).fill(255),
  },
  {
    says: "memory.grow beyond the module's own maximum answers -1",
    wat: bytesModule(`(local $r i64) i32.const 4 memory.grow i64.extend_i32_s ${RETURN_I64}`),
    output: new Uint8Array(8).fill(255),
  },
  {
    says: "more memory from the start than the limit",
    wat: bytesModule("i64.const 0").replace("1 4", "100"),
    limits: { memoryBytes: 99 * 65_536 },
    code: "out-of-memory",
    fuel: 0n,
  },
  {
    says: "allocating everything, then aborting",
    wat: bytesModule(
      "(loop $more (br_if $more (i32.ge_s (memory.grow (i32.const 1)) (i32.const 0)))) unreachable",
    ).replace("1 4", "1"),
    code: "out-of-memory",
  },
  {
    says: "more output than the limit",
    wat: bytesModule("i64.const 101"),
    limits: { outputBytes: 100 },
    code: "output-too-large",
  },
  {
    says: "an output outside its memory",
    wat: bytesModule("i64.const 0x0000FFFF00000002"),
    code: "bad-output",
  },
  {
    says: "an input that it has no room for",
    wat: bytesModule("i64.const 0").replace("i32.const 1024", "i32.const 0"),
    input: bytesOf("x"),
    code: "out-of-memory",
  },
  { says: "a missing entry", wat: `(module (memory (export "memory") 1))`, code: "export-missing" },
  {
    says: "an entry of another type",
    wat: bytesModule("i64.const 0").replace("(param $in i32) (param $len i32)", "(param f32)"),
    code: "export-missing",
    detail: /tabmesh_run has the type f:I/,
  },
];

/** NaNs made in ways whose bits differ between processors, told by their bits. */
const NANS: readonly (readonly [string, string, string])[] = [
  ["f64 division", "f64.const 0 f64.const 0 f64.div i64.reinterpret_f64", "7ff8000000000000"],
  ["f64 square root", "f64.const -1 f64.sqrt i64.reinterpret_f64", "7ff8000000000000"],
  [
    "f64 with a payload",
    "f64.const nan:0xdeadbeef f64.const 1 f64.add i64.reinterpret_f64",
    "7ff8000000000000",
  ],
  [
    "f32 infinity",
    "f32.const inf f32.const inf f32.sub i32.reinterpret_f32 i64.extend_i32_u",
    "000000007fc00000",
  ],
  [
    "f32 maximum",
    "f32.const -nan f32.const 1 f32.max i32.reinterpret_f32 i64.extend_i32_u",
    "000000007fc00000",
  ],
  ["promotion", "f32.const nan:0x1234 f64.promote_f32 i64.reinterpret_f64", "7ff8000000000000"],
  [
    "negation, which is exact",
    "f64.const 0 f64.const 0 f64.div f64.neg i64.reinterpret_f64",
    "fff8000000000000",
  ],
  ["a constant, which is exact", "f64.const -nan:0xbeef i64.reinterpret_f64", "fff000000000beef"],
  [
    "f32x4 division",
    "v128.const f32x4 0 0 1 0 v128.const f32x4 0 0 1 0 f32x4.div i64x2.extract_lane 1",
    "7fc000003f800000",
  ],
  [
    "f64x2 minimum",
    "v128.const f64x2 -nan:0x7 1 v128.const f64x2 1 1 f64x2.min i64x2.extract_lane 0",
    "7ff8000000000000",
  ],
];

function littleEndian(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g)!.toReversed(), (pair) => Number.parseInt(pair, 16));
}

const WRITE = `(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))`;
const CLOCK = `(import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))`;
const RANDOM = `(import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))`;
const EXIT = `(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))`;
const POLL = `(import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))`;
const ARGS = `(import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))`;
const READ = `(import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))`;
const OPEN = `(import "wasi_snapshot_preview1" "path_open"
  (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))`;

/** Writes `length` bytes from `from` to a descriptor. */
const write = (fd: number, from: number, length: number): string => `
  i32.const 0 i32.const ${from} i32.store i32.const 4 i32.const ${length} i32.store
  i32.const ${fd} i32.const 0 i32.const 1 i32.const 8 call $write drop`;

const WRITING = cost("i32 i32 i32.store i32 i32 i32.store i32 i32 i32 i32 call drop");

const PROGRAMS: readonly Case[] = [
  {
    says: "writes to standard output and error",
    abi: "wasi-p1",
    wat: wasiModule(WRITE, write(1, 100, 5) + write(2, 105, 4), `(data (i32.const 100) "hello oops")`),
    output: "hello",
    stderr: " oop",
    // a host call takes 64, and 1 for up to 8 bytes
    fuel: 2n * (WRITING + 64n + 1n),
  },
  {
    says: "stops endless output at once",
    abi: "wasi-p1",
    wat: wasiModule(WRITE, `(loop $l ${write(1, 0, 1000)} br $l)`),
    limits: { outputBytes: 10_000 },
    code: "output-too-large",
    fuel: cost("loop") + 11n * (WRITING + cost("br") + 64n + 125n),
  },
  {
    says: "goes on when standard error is flooded",
    abi: "wasi-p1",
    wat: wasiModule(WRITE, `(loop $l ${write(2, 0, 60_000)} br $l)`),
    limits: { fuel: 1_000_000n },
    code: "out-of-fuel",
  },
  {
    says: "ends with its exit code",
    abi: "wasi-p1",
    wat: wasiModule(EXIT, "i32.const 33 call $exit"),
    code: "exit-code",
    detail: /33/,
    fuel: cost("i32 call"),
  },
  {
    says: "is done when it exits with 0",
    abi: "wasi-p1",
    wat: wasiModule(
      WRITE + EXIT,
      `${write(1, 100, 2)} i32.const 0 call $exit unreachable`,
      `(data (i32.const 100) "ok")`,
    ),
    output: "ok",
  },
  {
    says: "reads a clock that begins in 2025 and moves 1 ms at each look",
    abi: "wasi-p1",
    wat: wasiModule(
      WRITE + CLOCK,
      `i32.const 0 i64.const 0 i32.const 100 call $clock drop i32.const 1 i64.const 0 i32.const 108 call $clock drop ${write(1, 100, 16)}`,
    ),
    output: new Uint8Array(new BigUint64Array([1_735_689_600_001_000_000n, 2_000_000n]).buffer),
  },
  {
    says: "sleeps without waiting",
    abi: "wasi-p1",
    wat: wasiModule(
      WRITE + CLOCK + POLL,
      // a relative monotonic timeout of an hour at 200; the event at 300
      `i32.const 216 i32.const 1 i32.store i32.const 224 i64.const 3600000000000 i64.store
       i32.const 200 i32.const 300 i32.const 1 i32.const 400 call $poll drop
       i32.const 1 i64.const 0 i32.const 100 call $clock drop ${write(1, 100, 8)}`,
    ),
    output: new Uint8Array(new BigUint64Array([3_600_001_000_000n]).buffer),
  },
  {
    says: "draws randomness from the seed",
    abi: "wasi-p1",
    wat: wasiModule(
      WRITE + RANDOM,
      `i32.const 100 i32.const 3 call $random drop i32.const 103 i32.const 5 call $random drop ${write(1, 100, 8)}`,
    ),
    // SHA-256("tabmesh/random/0" ‖ 32 zeros ‖ 8 zeros), computed with sha256sum
    output: littleEndian("c71a82e2d7dbf2b8").toReversed(),
  },
  {
    says: "puts the input into an argument",
    abi: "wasi-p1",
    wat: wasiModule(WRITE + ARGS, `i32.const 100 i32.const 200 call $args drop ${write(1, 209, 9)}`),
    args: { args: ["<{input}>"] },
    input: bytesOf("héllo"),
    output: "<héllo>\0",
  },
  {
    says: "refuses input that is no text as an argument",
    abi: "wasi-p1",
    wat: wasiModule("", ""),
    args: { args: ["{input}"] },
    input: Uint8Array.of(0xff),
    code: "malformed",
    fuel: 0n,
  },
  {
    says: "copies standard input to a file that is the output",
    abi: "wasi-p1",
    wat: wasiModule(
      WRITE + READ + OPEN,
      `i32.const 0 i32.const 500 i32.store i32.const 4 i32.const 100 i32.store
       i32.const 0 i32.const 0 i32.const 1 i32.const 8 call $read drop
       i32.const 3 i32.const 0 i32.const 100 i32.const 3 i32.const 1 i64.const -1 i64.const -1 i32.const 0 i32.const 16
       call $open drop
       i32.const 4 i32.const 8 i32.load i32.store
       i32.const 16 i32.load i32.const 0 i32.const 1 i32.const 8 call $write drop`,
      `(data (i32.const 100) "out")`,
    ),
    args: { outputFile: "/out" },
    input: bytesOf("from stdin"),
    output: "from stdin",
  },
  {
    says: "finds directories that were given by themselves",
    abi: "wasi-p1",
    wat: wasiModule(
      OPEN + WRITE,
      `i32.const 3 i32.const 0 i32.const 100 i32.const 3 i32.const 2 i64.const 0 i64.const 0 i32.const 0 i32.const 16
       call $open i32.const 32 call $store ${write(1, 32, 1)}`,
      `(data (i32.const 100) "a/b") (func $store (param i32 i32) local.get 1 local.get 0 i32.store8)`,
    ),
    args: { files: [{ path: "/a/b/", bytes: new Uint8Array(0) }] },
    output: Uint8Array.of(0),
  },
  {
    says: "says when the output file is missing",
    abi: "wasi-p1",
    wat: wasiModule("", ""),
    args: { outputFile: "nowhere/out" },
    code: "bad-output",
    detail: /nowhere/,
  },
  {
    says: "gets fault for a buffer outside its memory",
    abi: "wasi-p1",
    wat: wasiModule(
      WRITE + RANDOM,
      `i32.const 100 i32.const 0xfffffff0 i32.const 100 call $random i32.store8 ${write(1, 100, 1)}`,
    ),
    output: Uint8Array.of(21),
  },
];

/** What every sandbox must do alike: in this thread, in a Node worker thread, in a browser's worker. */
export function sandboxContract(where: string, open: () => Promise<SandboxUnderTest>): void {
  describe(`a sandbox in ${where}`, () => {
    let under: SandboxUnderTest;
    beforeAll(async () => {
      under = await open();
    });
    afterAll(() => under.stop());

    async function run(each: Case): Promise<TaskResult> {
      const { sandbox } = under;
      await sandbox.forget("f");
      expect(await sandbox.load("f", await wat(each.wat))).toMatchObject({ kind: "loaded" });
      const base = requestFor(each.abi ?? "bytes-1", { args: { ...NO_ARGS, ...each.args } });
      return sandbox.run({
        ...base,
        input: each.input ?? base.input,
        limits: { ...base.limits, ...each.limits },
      });
    }

    async function check(each: Case): Promise<void> {
      const result = await run(each);
      const shown = result.kind === "failed" ? `${failureKind(result.code).name}: ${result.detail}` : "done";
      expect(shown).toMatch(each.code === undefined ? /^done$/ : new RegExp(`^${each.code}: `));
      if (each.detail !== undefined) expect(shown).toMatch(each.detail);
      if (each.fuel !== undefined) expect(result.fuel).toBe(each.fuel);
      if (each.stderr !== undefined) expect(text(result.stderr)).toBe(each.stderr);
      if (each.output === undefined || result.kind === "failed") return;
      expect([...result.output]).toEqual([
        ...(typeof each.output === "string" ? bytesOf(each.output) : each.output),
      ]);
    }

    describe("fuel", () => {
      it.each(COUNTED)("$says", check);
    });
    describe("traps", () => {
      it.each(TRAPS)("$says", check);
    });
    describe("bounds", () => {
      it.each(BOUNDS)("$says", check);
    });
    describe("a WASI program", () => {
      it.each(PROGRAMS)("$says", check);
    });
    it.each(NANS)("the bits of a NaN are the same everywhere: %s", async (_says, body, hex) => {
      await check({
        says: "",
        wat: bytesModule(`(local $r i64) ${body} ${RETURN_I64}`),
        output: littleEndian(hex),
      });
    });

    it("hashes input and output", async () => {
      const input = new Uint8Array(100_000).fill(7);
      const result = await run({ says: "", wat: COUNTED[0]!.wat.replace("1 4", "4"), input });
      const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", input));
      expect(result).toMatchObject({ kind: "done", inputSha256: hash, outputSha256: hash });
    });

    it("keeps nothing from one task to the next", async () => {
      const counter = bytesModule(
        `(local $r i64) global.get $g i64.const 1 i64.add global.set $g global.get $g ${RETURN_I64}`,
        "(global $g (mut i64) (i64.const 0))",
      );
      await run({ says: "", wat: counter });
      const second = await under.sandbox.run(requestFor("bytes-1"));
      expect(second).toMatchObject({ kind: "done", output: Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0) });
    });

    it("says when a function is not loaded", async () => {
      await under.sandbox.forget("f");
      const result = await under.sandbox.run(requestFor("bytes-1"));
      expect(result.kind === "failed" && failureKind(result.code).name).toBe("function-unavailable");
    });

    it("refuses an import by name before anything runs", async () => {
      const secret = await wat(`(module (import "env" "fetch" (func)) (start 0))`);
      const loaded = await under.sandbox.load("g", secret);
      expect(loaded.kind === "failed" && [failureKind(loaded.code).name, loaded.detail]).toEqual([
        "import-refused",
        "env.fetch",
      ]);
    });
  });
}
