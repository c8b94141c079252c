import type { Builtin } from "./builtin.ts";
import { DATA_BUILTINS } from "./data-builtins.ts";
import { LIST_BUILTINS } from "./list-builtins.ts";
import { RECORD_BUILTINS } from "./record-builtins.ts";
import { VECTOR_BUILTINS } from "./vector-builtins.ts";
import { OPERATORS } from "./operators.ts";
import { TEXT_BUILTINS } from "./text-builtins.ts";

/** Every operator and function of expressions by name; docs/plan.md has the table. */
export const BUILTINS: ReadonlyMap<string, Builtin> = new Map(
  [
    ...OPERATORS,
    ...TEXT_BUILTINS,
    ...LIST_BUILTINS,
    ...RECORD_BUILTINS,
    ...VECTOR_BUILTINS,
    ...DATA_BUILTINS,
  ].map((builtin) => [builtin.name, builtin]),
);
