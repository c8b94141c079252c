import {
  canTrap,
  constant,
  instruction,
  type Instruction,
  OPERATIONS,
  type Operation,
  signed,
  unsigned,
  type ValueType,
} from "./instructions.contract.ts";
import { draw } from "../../../e2e/soak/chance.ts";
import type { Program, ProgramFunction } from "./program.contract.ts";
import type { Torture } from "./nan-torture.contract.ts";

/** Bytes of memory that are output. */
const OUTPUT_BYTES = 131_072;
const PAIRS = 120;

const STORES: Readonly<Partial<Record<ValueType, number>>> = {
  i32: 0x36,
  i64: 0x37,
  f32: 0x38,
  f64: 0x39,
  v128: 0xfd0b,
};

/** Shift counts around a width, limits, and what constant() draws besides. */
const COUNTS = [0, 1, 7, 31, 32, 33, 63, 64, 65, 127, 255, -1, -8];

function operandOf(type: ValueType, round: number, place: number): Instruction {
  const by = draw(`constants ${type}`, round * 4 + place);
  if ((type === "i32" || type === "i64") && place > 0 && round % 2 === 0)
    return instruction(type === "i32" ? 0x41 : 0x42, ...signed(BigInt(COUNTS[by(COUNTS.length)] ?? 0)));
  return constant(type, by);
}

/** Computes with constants, with constants that come out of other instructions, and with locals; all must agree. */
function foldedOf({ code, operands, result, immediate }: Operation): Program {
  const immediates =
    immediate === "lane"
      ? [1]
      : immediate === "shuffle"
        ? Array.from({ length: 16 }, (_, at) => (at * 7) % 32)
        : [];
  const store = instruction(STORES[result ?? "i32"] ?? 0x36, 0, 0);
  const first = 2;
  const body: Instruction[] = [];
  let at = 1_024;
  for (let round = 0; round < PAIRS; round += 1)
    for (const how of [0, 1, 2, 3]) {
      const values = operands.map((type, place) => operandOf(type, round, place));
      const local = (place: number): boolean => ((how >> place) & 1) === 1;
      const places = values.flatMap((value, place) =>
        local(place) ? [value, instruction(0x21, ...unsigned(first + place))] : [],
      );
      body.push(...places, instruction(0x41, ...signed(BigInt(at))));
      values.forEach((value, place) =>
        body.push(local(place) ? instruction(0x20, ...unsigned(first + place)) : value),
      );
      body.push(instruction(code, ...immediates), store);
      at += 16;
    }
  const run: ProgramFunction = {
    type: 1,
    locals: [...operands, "v128"],
    body: [
      // A vector makes JavaScriptCore compile the function at once, instead of interpreting it.
      constant("v128", draw("constants", 0)),
      instruction(0x21, ...unsigned(first + operands.length)),
      ...body,
      instruction(0x42, ...signed(BigInt(OUTPUT_BYTES))),
    ],
  };
  return {
    types: [
      { parameters: ["i32"], results: ["i32"] },
      { parameters: ["i32", "i32"], results: ["i64"] },
    ],
    functions: [{ type: 0, locals: [], body: [instruction(0x41, 0)] }, run],
    globals: [],
    tables: [],
    memory: [2, 2],
    elements: [],
    data: [],
    exports: [
      { name: "memory", kind: 2, index: 0 },
      { name: "tabmesh_alloc", kind: 0, index: 0 },
      { name: "tabmesh_run", kind: 0, index: 1 },
    ],
    start: undefined,
  };
}

/** A program for every instruction that an engine may compute before it runs. */
export function foldings(): readonly Torture[] {
  return OPERATIONS.filter(
    ({ code, result, immediate }) =>
      result !== undefined && immediate !== "memory" && immediate !== "memory-lane" && !canTrap(code),
  ).map((operation) => ({
    says: `constants for instruction 0x${operation.code.toString(16)}`,
    program: foldedOf(operation),
  }));
}
