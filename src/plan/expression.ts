/**
 * A pure expression over JSON values and texts: no loops, no names but those given, work bounded by the size of what it is
 * given. Written as text in plans for people ("split(text, \"\\n\")[0]"), as this tree on the wire.
 */
export type Expression =
  | { readonly op: "constant"; readonly json: string }
  | { readonly op: "name"; readonly name: string }
  | { readonly op: "field"; readonly of: Expression; readonly name: string }
  | { readonly op: "item"; readonly of: Expression; readonly index: Expression }
  | { readonly op: "list"; readonly items: readonly Expression[] }
  | { readonly op: "record"; readonly fields: Readonly<Record<string, Expression>> }
  | {
      readonly op: "if";
      readonly condition: Expression;
      readonly then: Expression;
      readonly otherwise: Expression;
    }
  /** A built-in function or operator, as docs/plan.md lists them. */
  | { readonly op: "call"; readonly name: string; readonly args: readonly Expression[] };
