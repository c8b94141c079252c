/**
 * What a value is. Values travel as bytes under a raw CID: `bytes` as they are, `text` as UTF-8, all others as canonical JSON
 * (keys sorted by code unit, no spaces, numbers as ECMAScript writes them).
 */
export type ValueType =
  | { readonly type: "bytes" }
  | { readonly type: "text" }
  | { readonly type: "boolean" }
  | { readonly type: "number" }
  | { readonly type: "nothing" }
  /** Any JSON. */
  | { readonly type: "json" }
  | { readonly type: "list"; readonly of: ValueType }
  | { readonly type: "record"; readonly fields: Readonly<Record<string, ValueType>> }
  | { readonly type: "optional"; readonly of: ValueType };
