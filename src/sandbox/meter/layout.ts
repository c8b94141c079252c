import type { FunctionType, ModuleShape } from "../decode/module-shape.ts";
import { TYPE } from "../decode/value-types.ts";

/** Indices of the globals that the rewriter appends, and their exported names. A standalone module has the first only. */
export interface AddedGlobals {
  /** i64 "tabmesh:fuel": what is left. 0 or below means out of fuel. */
  readonly fuel: number;
  /** i32 "tabmesh:stack": words left for what is called next. Below 0 means that calls nested too deep. */
  readonly stack: number;
  /** i32 "tabmesh:pages": largest memory that `memory.grow` may make, in pages. Set by the host. */
  readonly pages: number;
  /** i32 "tabmesh:grow": 1 after a refused `memory.grow`, 2 when the engine itself could not grow. */
  readonly grow: number;
  /** i32 "tabmesh:hint": the failure code of the trap to come, where engines' messages are ambiguous. */
  readonly hint: number;
}

/**
 * `fast` keeps fuel in a local where a function has loops, and loses what it holds at a trap. `precise` keeps fuel in the
 * global always, and says which trap it was. Both take the same fuel for the same path.
 */
export type MeterForm = "fast" | "precise";

/**
 * What is appended to a module, so that no index of the original changes: globals, helper functions, types. Helpers
 * and types are added when first asked for.
 */
export class Layout {
  readonly globals: AddedGlobals;
  readonly form: MeterForm;
  readonly standalone: boolean;
  /** Types to append, in order. */
  readonly addedTypes: FunctionType[] = [];
  /** Ids of the helpers to append, in order. */
  readonly helpers: number[] = [];
  /** Empty functions to append after the helpers, and the index of their type. */
  fillers: { readonly count: number; readonly type: number } = { count: 0, type: 0 };
  readonly #shape: ModuleShape;
  readonly #resultTypes = new Map<string, number>();

  constructor(shape: ModuleShape, form: MeterForm, standalone: boolean) {
    const first = shape.globals;
    this.#shape = shape;
    this.form = form;
    this.standalone = standalone;
    this.globals = { fuel: first, stack: first + 1, pages: first + 2, grow: first + 3, hint: first + 4 };
  }

  /** Function index of a helper. */
  helper(id: number): number {
    const known = this.helpers.indexOf(id);
    const place = known >= 0 ? known : this.helpers.push(id) - 1;
    return this.#shape.functionTypes.length + place;
  }

  /** Index of the type that takes nothing and returns `results`. */
  returning(results: Uint8Array): number {
    const key = results.join();
    const known = this.#resultTypes.get(key);
    if (known !== undefined) return known;
    const index = this.#addType({ parameters: new Uint8Array(0), results });
    this.#resultTypes.set(key, index);
    return index;
  }

  /** Index of the type of all helpers, `(i32) -> (i32)`; known once all bodies are written. */
  helperType(): number {
    return this.#addType({ parameters: Uint8Array.of(TYPE.i32), results: Uint8Array.of(TYPE.i32) });
  }

  #addType(type: FunctionType): number {
    return this.#shape.types.length + this.addedTypes.push(type) - 1;
  }
}
