import { blockCharges, type CostOf } from "./block-rule.contract.ts";
import {
  bytes32,
  bytes64,
  type Instruction,
  instruction,
  nanOf,
  signed,
  unsigned,
} from "./instructions.contract.ts";
import { bodyOf, type Program, type ProgramFunction, writeModule } from "./program.contract.ts";

/** What a reference counts. All in fuel. */
export interface FuelRules {
  /** Of the instruction itself; `end` and `else` are asked for too. */
  readonly cost: CostOf;
  /** At the entry of a function, by its declared locals. */
  readonly entry: (locals: number) => number;
  readonly bytesPerFuel: number;
  readonly fuelPerEntry: number;
  readonly fuelPerPage: number;
}

/**
 * When fuel is counted: for each instruction before it runs, or for all of a block when it is entered. That is the same
 * where a program comes to its end; after a trap the profile's answer is the second.
 */
export type Paid = "instructions" | "blocks";

/** Name of the global in which a reference counts. */
export const COUNTED = "counted";

/**
 * The same module with every NaN made canonical where it arises and every instruction counted before it runs, in the
 * slowest and most obvious way: to be run as it is, and compared with what the rewriter made of the module.
 */
export function writeReference(program: Program, rules: FuelRules, paid: Paid): Uint8Array<ArrayBuffer> {
  const reference = new Reference(program, rules, paid);
  const bodies = program.functions.map((each) => reference.body(each)).concat(reference.counters());
  const type = program.types.length;
  const counter: ProgramFunction = { type, locals: [], body: [] };
  const counting: Program = {
    ...program,
    types: [...program.types, { parameters: ["i32"], results: ["i32"] }],
    functions: [...program.functions, counter, counter, counter],
    globals: [...program.globals, { type: "i64", initial: instruction(0x42, 0) }],
    exports: [...program.exports, { name: COUNTED, kind: 3, index: program.globals.length }],
  };
  return writeModule(counting, bodies);
}

const CANONICAL_32 = bytes32(0x7fc00000);
const CANONICAL_64 = bytes64(0x7ff8000000000000n);

/** Bulk instructions by what their topmost operand counts. */
const BYTE_CODES: ReadonlySet<number> = new Set([0xfc08, 0xfc0a, 0xfc0b]);
const ENTRY_CODES: ReadonlySet<number> = new Set([0xfc0c, 0xfc0e, 0xfc0f, 0xfc11]);
const MEMORY_GROW = 0x40;

class Reference {
  readonly #program: Program;
  readonly #rules: FuelRules;
  readonly #paid: Paid;
  readonly #counter: number;

  constructor(program: Program, rules: FuelRules, paid: Paid) {
    this.#paid = paid;
    this.#program = program;
    this.#rules = rules;
    this.#counter = program.globals.length;
  }

  body({ type, locals, body }: ProgramFunction): number[] {
    const parameters = this.#program.types[type]?.parameters.length ?? 0;
    const first = parameters + locals.length;
    const charges =
      this.#paid === "blocks"
        ? blockCharges(body, this.#rules.cost)
        : body.map(({ code }) => this.#rules.cost(code));
    const code: Instruction[] = [...this.#count(this.#rules.entry(locals.length))];
    body.forEach((each, index) => {
      code.push(...this.#count(charges[index] ?? 0), ...this.#dynamic(each.code), each);
      const nan = nanOf(each.code);
      if (nan !== undefined) code.push(...canonical(nan, first));
    });
    return bodyOf([...locals, "f32", "f64", "v128"], code);
  }

  #count(fuel: number): Instruction[] {
    if (fuel === 0) return [];
    const counter = unsigned(this.#counter);
    return [
      instruction(0x23, ...counter),
      instruction(0x42, ...signed(BigInt(fuel))),
      instruction(0x7c),
      instruction(0x24, ...counter),
    ];
  }

  /** A call of the counter that looks at the topmost operand. */
  #dynamic(code: number): Instruction[] {
    const which = BYTE_CODES.has(code) ? 0 : ENTRY_CODES.has(code) ? 1 : code === MEMORY_GROW ? 2 : undefined;
    return which === undefined
      ? []
      : [instruction(0x10, ...unsigned(this.#program.functions.length + which))];
  }

  /** Functions `(n) -> n` that count bytes, entries, and pages that will be granted. */
  counters(): number[][] {
    const { bytesPerFuel, fuelPerEntry, fuelPerPage } = this.#rules;
    const answer = instruction(0x20, 0);
    const granted = [
      instruction(0x20, 0),
      instruction(0xad),
      instruction(0x3f, 0),
      instruction(0xad),
      instruction(0x7c),
      instruction(0x42, ...signed(BigInt(this.#program.memory[1]))),
      instruction(0x58), // i64.le_u
      instruction(0x04, 0x40),
      ...this.#add(times(fuelPerPage)),
      instruction(0x0b),
      answer,
    ];
    return [
      bodyOf([], [...this.#add(begun(bytesPerFuel)), answer]),
      bodyOf([], [...this.#add(times(fuelPerEntry)), answer]),
      bodyOf([], granted),
    ];
  }

  /** Counts the only parameter, unsigned and scaled. */
  #add(scale: readonly Instruction[]): Instruction[] {
    const counter = unsigned(this.#counter);
    return [
      instruction(0x23, ...counter),
      instruction(0x20, 0),
      instruction(0xad),
      ...scale,
      instruction(0x7c),
      instruction(0x24, ...counter),
    ];
  }
}

/** Divides by `per`, rounding up. */
function begun(per: number): Instruction[] {
  return [
    instruction(0x42, ...signed(BigInt(per - 1))),
    instruction(0x7c),
    instruction(0x42, ...signed(BigInt(per))),
    instruction(0x80),
  ];
}

function times(fuel: number): Instruction[] {
  return [instruction(0x42, ...signed(BigInt(fuel))), instruction(0x7e)];
}

const F32_NAN = instruction(0x43, ...CANONICAL_32);
const F64_NAN = instruction(0x44, ...CANONICAL_64);
const F32X4_NAN = instruction(0xfd0c, ...[0, 1, 2, 3].flatMap(() => CANONICAL_32));
const F64X2_NAN = instruction(0xfd0c, ...CANONICAL_64, ...CANONICAL_64);

/** Replaces the value on the stack by the canonical NaN, whole or by lanes, where it differs from itself. */
function canonical(kind: "f32" | "f64" | "f32x4" | "f64x2", first: number): Instruction[] {
  switch (kind) {
    case "f32":
      return unequal(first, F32_NAN, 0x5b, 0x1b);
    case "f64":
      return unequal(first + 1, F64_NAN, 0x61, 0x1b);
    case "f32x4":
      return unequal(first + 2, F32X4_NAN, 0xfd41, 0xfd52);
    case "f64x2":
      return unequal(first + 2, F64X2_NAN, 0xfd47, 0xfd52);
    default:
      return kind satisfies never;
  }
}

/** @param local to hold the value. @param equal compares. @param select takes its first operand where that is true. */
function unequal(local: number, nan: Instruction, equal: number, select: number): Instruction[] {
  const get = instruction(0x20, ...unsigned(local));
  const tee = instruction(0x22, ...unsigned(local));
  return [tee, nan, get, get, instruction(equal), instruction(select)];
}
