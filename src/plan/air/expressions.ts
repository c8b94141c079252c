import type { Expression } from "../expression.ts";
import type { FailNode, NodeId } from "../plan.ts";

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

/** A value whose type is told only when it is there, as all of AIR's are. */
export const ANY: (of: Expression) => Expression = (of) => CALL("any", of);

export function failNode(detail: string, after: readonly NodeId[]): FailNode {
  return {
    kind: "fail",
    detail: { from: "constant", json: JSON.stringify(detail) },
    ...(after.length === 0 ? {} : { after }),
  };
}
