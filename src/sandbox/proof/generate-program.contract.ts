import type { Draw } from "../../../e2e/soak/chance.ts";
import { makeFunction } from "./body-maker.contract.ts";
import {
  chosen,
  constant,
  type Instruction,
  instruction,
  signed,
  unsigned,
  type ValueType,
} from "./instructions.contract.ts";
import {
  BUDGET,
  DATA_SEGMENTS,
  type GeneratedFeatures,
  MEMORY,
  Outline,
  SEGMENT_BYTES,
  TABLES,
} from "./outline.contract.ts";
import type { Program, ProgramFunction } from "./program.contract.ts";

/** Where a generated program leaves the results of its functions, its globals and its tables, bytes. */
const RESULTS_AT = 126_000;
/** All of the memory that it starts with is its output. */
export const OUTPUT_BYTES = 131_072;

const STORE: Readonly<Partial<Record<ValueType, readonly [number, number, number]>>> = {
  i32: [0x36, 2, 4],
  i64: [0x37, 3, 8],
  f32: [0x38, 2, 4],
  f64: [0x39, 3, 8],
  v128: [0xfd0b, 4, 16],
};

/** Collects in memory, at ascending addresses, what a program has come to. */
class Collector {
  readonly code: Instruction[] = [];
  #at = RESULTS_AT;

  /** Stores one value. @param load what leaves it. */
  keep(type: ValueType, load: readonly Instruction[]): void {
    const reference = type === "funcref" || type === "externref";
    const [store, alignment, size] = STORE[reference ? "i32" : type] ?? [0x36, 2, 4];
    this.code.push(instruction(0x41, ...signed(BigInt(this.#at))), ...load);
    if (reference) this.code.push(instruction(0xd1));
    this.code.push(instruction(store, alignment, 0));
    this.#at += size;
  }
}

/**
 * A `bytes-1` function made at random. It calls each of its functions once, and its output is its whole memory, with the
 * results, the globals and the tables in it, so that nothing it does goes unseen.
 */
export function generateProgram(by: Draw, features: GeneratedFeatures): Program {
  const globals: ValueType[] = ["i32"];
  const outline = new Outline(globals, features);
  for (let count = 3 + by(6); count > 0; count -= 1) globals.push(outline.valueType(by));
  const some = (most: number): ValueType[] =>
    Array.from({ length: by(most + 1) }, () => outline.valueType(by));
  const nothing = outline.intern([], []);
  for (let count = 2 + by(5); count > 0; count -= 1)
    outline.functions.push(by(5) === 0 ? nothing : outline.intern(some(4), some(3)));
  const functions = outline.functions.map((type) => makeFunction(outline, type, by));
  const run = runFunction(outline, by);
  const alloc: ProgramFunction = {
    type: outline.intern(["i32"], ["i32"]),
    locals: [],
    body: [instruction(0x41, ...signed(1024n))],
  };
  const starts = [...outline.functions.keys()].filter((index) => outline.functions[index] === nothing);
  const list = [...outline.functions.keys()];
  return {
    types: outline.types,
    functions: [...functions, alloc, run],
    globals: globals.map((type, index) => ({
      type,
      initial: index === 0 ? instruction(0x41, ...signed(BigInt(BUDGET))) : constant(type, by),
    })),
    tables: TABLES,
    memory: MEMORY,
    elements: [
      { passive: false, functions: list },
      { passive: true, functions: [0, list.length - 1] },
    ],
    data: Array.from({ length: DATA_SEGMENTS }, (_, index) => ({
      passive: index > 0,
      offset: by(60_000),
      bytes: Array.from({ length: SEGMENT_BYTES }, () => by(256)),
    })),
    exports: [
      { name: "memory", kind: 2, index: 0 },
      { name: "tabmesh_alloc", kind: 0, index: functions.length },
      { name: "tabmesh_run", kind: 0, index: functions.length + 1 },
    ],
    start: starts.length > 0 && by(2) === 0 ? chosen(starts, by) : undefined,
  };
}

function runFunction(outline: Outline, by: Draw): ProgramFunction {
  const locals: ValueType[] = [];
  const collector = new Collector();
  outline.functions.forEach((type, index) => {
    const { parameters, results } = outline.signature(type);
    const places = results.map((result) => 2 + locals.push(result) - 1);
    collector.code.push(
      ...parameters.map((each) => constant(each, by)),
      instruction(0x10, ...unsigned(index)),
    );
    collector.code.push(...places.toReversed().map((place) => instruction(0x21, ...unsigned(place))));
    results.forEach((result, at) =>
      collector.keep(result, [instruction(0x20, ...unsigned(places[at] ?? 0))]),
    );
  });
  outline.globals.forEach((type, index) => collector.keep(type, [instruction(0x23, ...unsigned(index))]));
  collector.keep("i32", [instruction(0x3f, 0)]);
  TABLES.forEach(({ minimum }, table) => {
    collector.keep("i32", [instruction(0xfc10, table)]);
    for (let entry = 0; entry < minimum; entry += 1)
      collector.keep("funcref", [instruction(0x41, ...signed(BigInt(entry))), instruction(0x25, table)]);
  });
  return {
    type: outline.intern(["i32", "i32"], ["i64"]),
    locals,
    body: [...collector.code, instruction(0x42, ...signed(BigInt(OUTPUT_BYTES)))],
  };
}
