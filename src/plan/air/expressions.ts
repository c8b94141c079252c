import type { Expression } from "../expression.ts";

/** How expressions are written shortly. */
export const NAME: (name: string) => Expression = (name: string): Expression => ({ op: "name", name });
export const CALL: (name: string, ...args: readonly Expression[]) => Expression = (
  name: string,
  ...args: readonly Expression[]
): Expression => ({ op: "call", name, args });
export const CONSTANT: (value: unknown) => Expression = (value: unknown): Expression => ({
  op: "constant",
  json: JSON.stringify(value),
});
