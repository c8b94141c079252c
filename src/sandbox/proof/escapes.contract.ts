import type { FailureName } from "../../protocol/failure-code.ts";
import type { TaskLimits } from "../task.ts";
import { bytesModule, wasiModule, wat } from "../wat.contract.ts";
import { bombs } from "./bombs.contract.ts";

/** A module that tries to get out, to get more than its share, or to bring down who runs it. */
export interface Escape {
  readonly says: string;
  readonly module: Uint8Array;
  readonly abi?: "wasi-p1";
  readonly entry?: string;
  readonly limits?: Partial<TaskLimits>;
  readonly input?: Uint8Array;
  /** How loading or running it ends; absent when it is done. */
  readonly code?: FailureName;
  /** First bytes of the output. */
  readonly output?: readonly number[];
}

type TextEscape = Omit<Escape, "module"> & { readonly wat: string };

const EMPTY = "i64.const 0";

/** Names that mean something to JavaScript, or look like names that are allowed. */
const ODD_NAMES: readonly (readonly [string, string])[] = [
  ["__proto__", "__proto__"],
  ["constructor", "constructor"],
  ["constructor", "prototype"],
  ["", ""],
  ["toString", ""],
  ["wasi_snapshot_preview1", "__proto__"],
  ["wasi_snapshot_preview1", "constructor"],
  ["wasi_snapshot_preview1", "hasOwnProperty"],
  ["wasi_snapshot_preview1", ""],
  ["wasi_snapshot_preview1", "fd_write "],
  ["wasi_snapshot_preview1", "fd_writе"], // the last letter is Cyrillic
  ["wasi_snapshot_preview1\u200b", "fd_write"],
  ["wasi_snapshot_preview1.fd_write", ""],
  ["", "wasi_snapshot_preview1.fd_write"],
  ["env", "abort\0"],
  ["\u{1f4a9}", "\ufeff"],
  ["tabmesh", "fuel"],
];

function literal(name: string): string {
  const bytes = [...new TextEncoder().encode(name)];
  return `"${bytes.map((byte) => `\\${byte.toString(16).padStart(2, "0")}`).join("")}"`;
}

const IMPORTS: readonly TextEscape[] = [
  ...ODD_NAMES.map(([module, name]) => ({
    says: `imports ${JSON.stringify(name)} of ${JSON.stringify(module)}`,
    wat: `(module (import ${literal(module)} ${literal(name)} (func (param i32 i32 i32 i32) (result i32))))`,
    code: "import-refused" as const,
  })),
  ...["(memory 1)", "(table 1 funcref)", "(global i32)", "(global (mut i64))", "(func)"].map((what) => ({
    says: `imports an allowed name as ${what}`,
    wat: `(module (import "wasi_snapshot_preview1" "fd_write" ${what}))`,
    code: "import-refused" as const,
  })),
];

const JS_NAMES = [
  "__proto__",
  "then",
  "toString",
  "constructor",
  "valueOf",
  "default",
  "",
  "\u{1f4a9}",
  "caller",
];

const EXPORTS: readonly TextEscape[] = [
  {
    says: "exports names that mean something to JavaScript",
    wat: bytesModule(
      EMPTY,
      JS_NAMES.map((name) => `(func (export ${literal(name)}) unreachable)`).join("\n"),
    ),
  },
  ...["__proto__", "toString", "constructor", "memory", "tabmesh:start", "tabmesh:fuel", " "].map(
    (entry) => ({
      says: `is asked for the entry ${JSON.stringify(entry)}, which it does not have`,
      wat: bytesModule(EMPTY, "(func $s) (start $s)"),
      entry,
      code: "export-missing" as const,
    }),
  ),
  ...["tabmesh:fuel", "tabmesh:stack", "tabmesh:", "tabmesh:start"].map((name) => ({
    says: `exports a global of its own as ${name}`,
    wat: bytesModule(EMPTY, `(global (export "${name}") (mut i64) (i64.const 1))`),
    code: "invalid-module" as const,
  })),
  {
    says: "exports a table under the name of its memory",
    wat: bytesModule(EMPTY, `(table (export "memory") 1 funcref)`).replace(`(export "memory") 1 4`, "1"),
    code: "export-missing",
  },
];

/** Indices that only exist once the rewriter has added its own. */
const INDICES: readonly TextEscape[] = [
  ["exports the global after its last", EMPTY, `(export "mine" (global 0))`],
  ["sets the global after its last", `i64.const 1 global.set 0 ${EMPTY}`, ""],
  ["reads the fifth global after its last", `global.get 4 drop ${EMPTY}`, ""],
  ["calls the function after its last", `i32.const 1 memory.grow drop i32.const 0 call 2 drop ${EMPTY}`, ""],
  [
    "exports the function after its last",
    `i32.const 1 memory.grow drop ${EMPTY}`,
    `(export "mine" (func 2))`,
  ],
  [
    "puts the function after its last into a table",
    `i32.const 1 memory.grow drop ${EMPTY}`,
    "(table 1 funcref) (elem (i32.const 0) 2)",
  ],
  [
    "takes a reference to the function after its last",
    `i32.const 1 memory.grow drop ref.func 2 drop ${EMPTY}`,
    "",
  ],
  [
    "calls by the type after its last",
    `i32.const 1 memory.grow drop i32.const 0 i32.const 0 call_indirect (type 2) drop ${EMPTY}`,
    "(table 1 funcref)",
  ],
  [
    "writes a local after its last, where the rewriter keeps its own",
    `f64.const 1 f64.sqrt drop i64.const 1 local.set 2 ${EMPTY}`,
    "",
  ],
].map(([says = "", body = "", more = ""]) => ({
  says,
  wat: bytesModule(body, more),
  code: "invalid-module" as const,
}));

const ENDLESS: readonly TextEscape[] = [
  {
    says: "two functions that call each other without end",
    wat: bytesModule(`call $a ${EMPTY}`, "(func $a call $b) (func $b call $a)"),
    code: "stack-overflow",
  },
  {
    says: "two functions that call each other through a table without end",
    wat: bytesModule(
      `call $a ${EMPTY}`,
      `(table 2 funcref) (elem (i32.const 0) $a $b)
       (func $a i32.const 1 call_indirect) (func $b i32.const 0 call_indirect)`,
    ),
    code: "stack-overflow",
  },
  {
    says: "a tail call of itself without end",
    wat: bytesModule(`call $a ${EMPTY}`, "(func $a return_call $a)"),
    code: "out-of-fuel",
  },
  {
    says: "tail calls through a table without end",
    wat: bytesModule(
      `call $a ${EMPTY}`,
      `(type $n (func)) (table 2 funcref) (elem (i32.const 0) $a $b)
       (func $a i32.const 1 return_call_indirect (type $n)) (func $b i32.const 0 return_call_indirect (type $n))`,
    ),
    code: "out-of-fuel",
  },
  {
    says: "tail calls of ever more parameters without end",
    wat: bytesModule(
      `i64.const 1 call $a ${EMPTY}`,
      `(func $a (param i64) local.get 0 local.get 0 local.get 0 i32.const 0 f64.const 1 return_call $b)
       (func $b (param i64 i64 i64 i32 f64) local.get 2 return_call $a)`,
    ),
    code: "out-of-fuel",
  },
  {
    says: "calls between tail calls without end",
    wat: bytesModule(
      `call $a ${EMPTY}`,
      "(func $a call $b return_call $a) (func $b return_call $c) (func $c call $a)",
    ),
    code: "stack-overflow",
  },
  {
    says: "a start function that loops",
    wat: bytesModule(EMPTY, "(func $s (loop br 0)) (start $s)"),
    code: "out-of-fuel",
  },
  {
    says: "a start function that recurs",
    wat: bytesModule(EMPTY, "(func $s call $s) (start $s)"),
    code: "stack-overflow",
  },
  {
    says: "an allocator that loops",
    wat: bytesModule(EMPTY).replace("i32.const 1024", "(loop br 0) unreachable"),
    code: "out-of-fuel",
  },
  {
    says: "a loop around br_table",
    wat: bytesModule(`(loop $l (br_table $l $l $l (i32.const 7))) ${EMPTY}`),
    code: "out-of-fuel",
  },
  {
    says: "a loop that goes round by br_if with values",
    wat: bytesModule(
      "i64.const 5 (loop $l (param i64) (result i64) i64.const 1 i64.add i32.const 1 br_if $l)",
    ),
    code: "out-of-fuel",
  },
  {
    says: "a fill of everything, again and again",
    wat: bytesModule(`(loop i32.const 0 i32.const 1 i32.const 65536 memory.fill br 0) ${EMPTY}`),
    code: "out-of-fuel",
  },
  {
    says: "memory that grows without end",
    wat: bytesModule(`(loop i32.const 1 memory.grow drop br 0) ${EMPTY}`).replace("1 4", "1"),
    code: "out-of-fuel",
  },
  {
    says: "memory that grows by nothing without end",
    wat: bytesModule(`(loop i32.const 0 memory.grow drop br 0) ${EMPTY}`),
    code: "out-of-fuel",
  },
  {
    says: "a table that grows without end",
    wat: bytesModule(`(loop ref.null func i32.const 1 table.grow 0 drop br 0) ${EMPTY}`, "(table 1 funcref)"),
    code: "out-of-fuel",
  },
  {
    says: "a table that grows by four billion without end",
    wat: bytesModule(
      `(loop ref.null func i32.const -1 table.grow 0 drop br 0) ${EMPTY}`,
      "(table 1 funcref)",
    ),
    code: "out-of-fuel",
  },
];

const ZERO: Readonly<Record<string, string>> = {
  i32: "i32.const 0",
  i64: "i64.const 0",
  f32: "f32.const 0",
  f64: "f64.const 0",
  v128: "v128.const i64x2 0 0",
};

/** A function with so many locals and operands that calls itself from an arm of an `if` without end, in one way or another. */
function recursion(type: string, locals: number, operands: number, call: string): string {
  const zero = ZERO[type] ?? "";
  return bytesModule(
    `i32.const 1 call $down drop ${EMPTY}`,
    `(type $t (func (param i32) (result i32)))
     (table 1 funcref) (elem (i32.const 0) $down)
     (func $down (type $t) (local ${`${type} `.repeat(locals)})
       local.get 0 if (result i32)
         ${`${zero} `.repeat(operands)} local.get 0 ${call} local.set 0 ${"drop ".repeat(operands)} local.get 0
       else i32.const 0 end)`,
  );
}

/** Frames of all shapes: the profile's stack ends each, on every engine at the same call, never the engine's own. */
const FRAMES: readonly TextEscape[] = Object.keys(ZERO).flatMap((type) =>
  [1, 30, 480, 2_500].flatMap((locals) =>
    [0, 7, 250].flatMap((operands) =>
      ["call $down", "i32.const 0 call_indirect (type $t)"].map((call) => ({
        says: `recurs by ${call} with ${locals} ${type} and ${operands} operands`,
        wat: recursion(type, locals, operands, call),
        code: "stack-overflow" as const,
      })),
    ),
  ),
);

const OUTSIDE: readonly TextEscape[] = [
  ...[
    "i32.const 65533 i32.load drop",
    "i32.const 65529 i64.load drop",
    "i32.const 65521 v128.load drop",
    "i32.const 65534 i32.const 0 i32.store",
    "i32.const 0 i32.load offset=4294967295 drop",
    "i32.const -1 i32.load8_u offset=4294967295 drop",
    "i32.const -1 i64.const 0 i64.store offset=4294967288",
    "i32.const -4 i32.const 1 i32.store offset=4",
    "i32.const 65536 i32.const 0 i32.const 1 memory.fill",
    "i32.const -1 i32.const 0 i32.const 2 memory.fill",
    "i32.const 0 i32.const -8 i32.const 16 memory.copy",
    "i32.const 65537 i32.const 0 i32.const 0 memory.copy",
  ].map((body) => ({
    says: `touches what is not its own: ${body}`,
    wat: bytesModule(`${body} ${EMPTY}`).replace("1 4", "1"),
    code: "trap-memory-bounds" as const,
  })),
  ...['(i32.const -1) ""', '(i32.const -1) "a"', '(i32.const 65536) "a"', '(i32.const 0x80000000) "abc"'].map(
    (data) => ({
      says: `has data at ${data}`,
      wat: bytesModule(EMPTY, `(data ${data})`),
      code: "trap-memory-bounds" as const,
    }),
  ),
  {
    says: "returns a range that wraps around",
    wat: bytesModule("i64.const 0xFFFFFFFF00000002"),
    code: "bad-output",
  },
  {
    says: "asks for its input at the end of the address space",
    wat: bytesModule(EMPTY).replace("i32.const 1024", "i32.const -1"),
    input: Uint8Array.of(1, 2, 3),
    code: "bad-output",
  },
  {
    says: "claims four gigabytes of output",
    wat: bytesModule("i64.const 0xFFFFFFFF"),
    code: "output-too-large",
  },
];

const LARGE: readonly TextEscape[] = [
  {
    says: "a memory of four gigabytes",
    wat: bytesModule(EMPTY).replace("1 4", "65536"),
    code: "invalid-module",
  },
  {
    says: "a table of four billion",
    wat: bytesModule(EMPTY, "(table 0xffffffff funcref)"),
    code: "invalid-module",
  },
  {
    says: "sixteen tables of a hundred thousand",
    wat: bytesModule(EMPTY, "(table 100000 funcref)".repeat(16)),
    code: "invalid-module",
  },
  {
    says: "shared memory",
    wat: bytesModule(EMPTY).replace("1 4", "1 4 shared"),
    code: "invalid-module",
  },
  {
    says: "the answer of a table that may not grow further",
    wat: bytesModule(
      "(local $r i64) ref.null func i32.const -1 table.grow 0 i64.extend_i32_s local.set $r i32.const 0 local.get $r i64.store i64.const 8",
      "(table 1 funcref)",
    ),
    output: [255, 255, 255, 255, 255, 255, 255, 255],
    code: "out-of-fuel",
  },
];

const WRITE = `(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))`;
const READ = `(import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))`;
const RANDOM = `(import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))`;
const EXIT = `(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))`;

/** Stores the errno of the call before, and writes it to standard output. */
const TELL = `local.set $e i32.const 64 local.get $e i32.store8
  i32.const 0 i32.const 64 i32.store i32.const 4 i32.const 1 i32.store
  i32.const 1 i32.const 0 i32.const 1 i32.const 8 call $write drop`;

const PROGRAMS: readonly TextEscape[] = (
  [
    {
      says: "writes the same page a thousand times over in one call, without end",
      wat: wasiModule(
        WRITE,
        `(local $i i32)
         (loop $fill
           (i32.store (i32.add (i32.const 1024) (i32.mul (local.get $i) (i32.const 8))) (i32.const 0))
           (i32.store (i32.add (i32.const 1028) (i32.mul (local.get $i) (i32.const 8))) (i32.const 65536))
           (br_if $fill (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000))))
         (loop $flood (drop (call $write (i32.const 2) (i32.const 1024) (i32.const 1000) (i32.const 8))) (br $flood))`,
      ),
      code: "out-of-fuel",
    },
    {
      says: "writes from four billion buffers",
      wat: wasiModule(
        WRITE,
        `(local $e i32) i32.const 1 i32.const 0 i32.const -1 i32.const 8 call $write ${TELL}`,
      ),
      output: [28],
    },
    {
      says: "writes a buffer of four gigabytes",
      wat: wasiModule(
        WRITE,
        `(local $e i32) i32.const 0 i32.const 8 i32.store i32.const 4 i32.const -1 i32.store
         i32.const 1 i32.const 0 i32.const 1 i32.const 8 call $write ${TELL}`,
      ),
      output: [21],
    },
    {
      says: "reads into what is not its own",
      wat: wasiModule(
        WRITE + READ,
        `(local $e i32) i32.const 0 i32.const 65535 i32.store i32.const 4 i32.const 9 i32.store
         i32.const 0 i32.const 0 i32.const 1 i32.const 8 call $read ${TELL}`,
      ),
      input: Uint8Array.of(1, 2, 3),
      output: [21],
    },
    {
      says: "draws random numbers without end",
      wat: wasiModule(RANDOM, "(loop i32.const 0 i32.const 65536 call $random drop br 0)"),
      code: "out-of-fuel",
    },
    {
      says: "has the result of a call put behind its memory",
      wat: wasiModule(
        WRITE,
        `(local $e i32) i32.const 1 i32.const 0 i32.const 0 i32.const -2 call $write ${TELL}`,
      ),
      output: [21],
    },
    {
      says: "leaves from within a start function",
      wat: wasiModule(EXIT, "unreachable", "(func $s i32.const 3 call $exit) (start $s)"),
      code: "exit-code",
    },
    {
      says: "recurs into the host's functions",
      wat: wasiModule(
        WRITE,
        "call $down",
        "(func $down (drop (call $write (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 8))) call $down)",
      ),
      code: "stack-overflow",
    },
  ] satisfies readonly TextEscape[]
).map((each) => Object.assign(each, { abi: "wasi-p1" as const }));

/** Fuel of those that have no limit of their own: enough for what ends, little enough for what does not. */
const FUEL = 3_000_000n;

/** All of them, compiled. */
export async function escapes(): Promise<readonly Escape[]> {
  const texts = [IMPORTS, EXPORTS, INDICES, ENDLESS, FRAMES, OUTSIDE, LARGE, PROGRAMS].flat();
  const compiled = await Promise.all(
    texts.map(async (each) => Object.assign({ module: await wat(each.wat) }, each)),
  );
  return [...compiled, ...bombs()].map((each) =>
    Object.assign({}, each, { limits: { fuel: FUEL, ...each.limits } }),
  );
}
