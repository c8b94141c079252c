import type { Plan } from "../plan.ts";

/** A plan that remembers what it takes and gives, for whoever runs it from a program. */
export interface TypedPlan<P, R> extends Plan {
  readonly phantom?: { readonly params: P; readonly result: R };
}
