import type { Draw } from "../../../e2e/soak/chance.ts";
import { chosen, type ValueType } from "./instructions.contract.ts";
import type { Signature } from "./program.contract.ts";

/** Which instructions beyond the common ones a generated module may have. */
export interface GeneratedFeatures {
  readonly tailCalls: boolean;
  readonly vectors: boolean;
}

/** Global 0: an i32 that every loop's turn and every function's entry takes one from. At zero, loops and calls end. */
export const BUDGET_GLOBAL = 0;
export const BUDGET = 300;

/** Table 0 holds functions to be called, table 1 is there to be written. */
export const TABLES = [
  { minimum: 10, maximum: 20 },
  { minimum: 6, maximum: 12 },
] as const;

/** Pages at least and at most. */
export const MEMORY = [2, 4] as const;

export const SEGMENT_BYTES = 64;
export const DATA_SEGMENTS = 3;
export const ELEMENT_SEGMENTS = 2;

/** What is known of a module before its bodies are made. */
export class Outline {
  readonly types: Signature[] = [];
  /** Types of the functions, by index. */
  readonly functions: number[] = [];
  /** Types of the globals, all mutable, by index. */
  readonly globals: readonly ValueType[];
  readonly features: GeneratedFeatures;

  constructor(globals: readonly ValueType[], features: GeneratedFeatures) {
    this.globals = globals;
    this.features = features;
  }

  /** Index of a function type, which is added when it is new. */
  intern(parameters: readonly ValueType[], results: readonly ValueType[]): number {
    const known = this.types.findIndex(
      (type) => type.parameters.join() === parameters.join() && type.results.join() === results.join(),
    );
    return known >= 0 ? known : this.types.push({ parameters, results }) - 1;
  }

  signature(type: number): Signature {
    const found = this.types[type];
    if (found === undefined) throw new RangeError(`there is no type ${type}`);
    return found;
  }

  /** A type of values that the module may have. */
  valueType(by: Draw): ValueType {
    const all: readonly ValueType[] = [
      "i32",
      "i32",
      "i64",
      "i64",
      "f32",
      "f64",
      "f32",
      "f64",
      "v128",
      "funcref",
      "externref",
    ];
    const type = chosen(all, by);
    return type === "v128" && !this.features.vectors ? "f64" : type;
  }

  /** Indices of the globals of a type that a program may write. */
  globalsOf(type: ValueType): readonly number[] {
    return [...this.globals.keys()].filter(
      (index) => index !== BUDGET_GLOBAL && this.globals[index] === type,
    );
  }
}
