import type { Escape } from "./escapes.contract.ts";
import { unsigned } from "./instructions.contract.ts";

type Bomb = Omit<Escape, "abi">;

const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const MOST = [0xff, 0xff, 0xff, 0xff, 0x0f];
const END = 0x0b;

function section(id: number, ...content: readonly (readonly number[])[]): number[] {
  const bytes = content.flat();
  return [id, ...unsigned(bytes.length), ...bytes];
}

function repeated(bytes: readonly number[], count: number): number[] {
  return Array.from({ length: count }, () => bytes).flat();
}

function name(text: string): number[] {
  return [text.length, ...new TextEncoder().encode(text)];
}

/** Types of `tabmesh_alloc`, `tabmesh_run` and of functions that take and return nothing. */
const TYPES = section(1, [3, 0x60, 1, 0x7f, 1, 0x7f, 0x60, 2, 0x7f, 0x7f, 1, 0x7e, 0x60, 0, 0]);
const MEMORY = section(5, [1, 0, 1]);
const EXPORTS = section(
  7,
  [3],
  name("memory"),
  [2, 0],
  name("tabmesh_alloc"),
  [0, 0],
  name("tabmesh_run"),
  [0, 1],
);
const ALLOC = [4, 0, 0x41, 0, END];
const RETURN = [0x42, 0, END];

function body(...content: readonly (readonly number[])[]): number[] {
  const bytes = content.flat();
  return [...unsigned(bytes.length), ...bytes];
}

/** A `bytes-1` function with this body, and `more` functions that do nothing. @param run locals and instructions. */
function moduleOf(run: readonly number[], more = 0): Uint8Array {
  const sections = [
    TYPES,
    section(3, unsigned(2 + more), [0, 1], repeated([2], more)),
    MEMORY,
    EXPORTS,
    section(10, unsigned(2 + more), ALLOC, run, repeated([2, 0, END], more)),
  ];
  return Uint8Array.from([HEADER, ...sections].flat());
}

function nested(opcode: readonly number[], depth: number): Uint8Array {
  return moduleOf(body([0], repeated(opcode, depth), repeated([END], depth), RETURN));
}

/** `br_table` in a loop, with so many targets which all leave it. */
function branching(targets: number): Uint8Array {
  const table = [0x41, 9, 0x0e, ...unsigned(targets), ...repeated([1], targets), 1];
  return moduleOf(body([0, 0x02, 0x40, 0x03, 0x40], table, [END, END], RETURN));
}

/** A function that calls itself, with so many locals. */
function calling(locals: number): Uint8Array {
  return moduleOf(body([1, ...unsigned(locals), 0x7e, 0x20, 0, 0x20, 1, 0x10, 1, END]));
}

function operands(count: number): Uint8Array {
  return moduleOf(body([0], repeated([0x42, 1], count), repeated([0x7c], count - 1), [0x42, 0, 0x7e, END]));
}

function only(...sections: readonly (readonly number[])[]): Uint8Array {
  return Uint8Array.from([HEADER, ...sections].flat());
}

const LIARS: readonly (readonly [string, Uint8Array])[] = [
  ...[1, 2, 3, 4, 5, 6, 7, 9, 10, 11].map(
    (id) => [`a section ${id} that says it has four billion items`, only(section(id, MOST))] as const,
  ),
  ["a section that says it has four gigabytes", only([10, ...MOST, 0])],
  ["a custom section whose name has four gigabytes", only(section(0, MOST))],
  ["a data count of four billion", only(section(12, MOST))],
  ["a type with four billion parameters", only(section(1, [1, 0x60], MOST))],
  [
    "a type with a thousand and one results",
    only(section(1, [1, 0x60, 0, ...unsigned(1001)], repeated([0x7f], 1001))),
  ],
  ["four billion locals in six bytes", moduleOf(body([1], MOST, [0x7f], RETURN))],
  [
    "locals that wrap around to none",
    moduleOf(body([2, 0x80, 0x80, 0x80, 0x80, 8, 0x7f, 0x80, 0x80, 0x80, 0x80, 8, 0x7f], RETURN)),
  ],
  ["four billion groups of locals", moduleOf(body(MOST, RETURN))],
  [
    "a body that says it has four gigabytes",
    only(TYPES, section(3, [1, 2]), section(10, [1], MOST, [0, END])),
  ],
  ["a br_table that says it has four billion targets", moduleOf(body([0, 0x41, 0, 0x0e], MOST, [0, END]))],
  ["a br_table with one target too many", branching(65_521)],
  ["an import whose name has four gigabytes", only(TYPES, section(2, [1], MOST))],
  [
    "an export whose name has a hundred thousand and one bytes",
    only(section(7, [1, ...unsigned(100_001)], repeated([97], 100_001), [0, 0])),
  ],
  ["a data segment that says it has four gigabytes", only(MEMORY, section(11, [1, 0, 0x41, 0, END], MOST))],
  [
    "an element segment that says it has four billion",
    only(section(4, [1, 0x70, 0, 1]), section(9, [1, 0, 0x41, 0, END], MOST)),
  ],
  ["two hundred thousand and one functions", moduleOf(body([0], RETURN), 200_001)],
  ["a hundred thousand nested blocks", nested([0x02, 0x40], 100_000)],
  ["a hundred thousand nested loops", nested([0x03, 0x40], 100_000)],
  ["a block's type after the last", moduleOf(body([0], [0x41, 1, 0x40, 0, 0x1a, 0x02, 3, END], RETURN))],
  ["a constant expression without an end", only(section(6, [1, 0x7f, 0], repeated([0x41, 0], 50_000)))],
];

/** Few bytes that stand for much, and much that stands for little: lies are refused, what is true runs. */
export function bombs(): readonly Bomb[] {
  return [
    ...LIARS.map(([says, module]) => ({ says, module, code: "invalid-module" as const })),
    { says: "a hundred thousand functions", module: moduleOf(body([0], RETURN), 100_000) },
    { says: "nine thousand nested blocks", module: nested([0x02, 0x40], 9_000) },
    {
      says: "nine thousand nested ifs",
      module: moduleOf(body([0], repeated([0x41, 1, 0x04, 0x40], 9_000), repeated([END], 9_000), RETURN)),
    },
    { says: "a br_table of 65,520 targets", module: branching(65_520) },
    {
      says: "forty thousand locals",
      module: calling(40_000),
      code: "invalid-module",
    },
    {
      says: "eleven thousand locals in a function that calls itself",
      module: calling(11_000),
      code: "stack-overflow",
    },
    {
      says: "six thousand vectors in a function that calls itself",
      module: moduleOf(body([1, ...unsigned(5_900), 0x7b, 0x20, 0, 0x20, 1, 0x10, 1, END])),
      code: "stack-overflow",
    },
    {
      says: "an operand stack of thirty thousand",
      module: operands(30_000),
      code: "invalid-module",
    },
    { says: "an operand stack of eleven thousand", module: operands(11_000) },
    {
      says: "a million bytes of nothing",
      module: moduleOf(body([0], repeated([0x01], 1_000_000), RETURN)),
    },
  ];
}
