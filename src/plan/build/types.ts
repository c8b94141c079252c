import type { ValueType } from "../value-type.ts";

/** Any JSON, as programs have it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** A type of a plan that carries the type which programs have for its values. */
export interface Type<T> {
  readonly valueType: ValueType;
  /** Never there: it ties `T` to the type for the compiler. */
  readonly phantom?: T;
}

/** What programs have for values of a type. */
export type TypeOf<K> = K extends Type<infer T> ? T : never;

/** Fields by their types. */
export type FieldTypes = Readonly<Record<string, Type<unknown>>>;
/** What programs have for a record of such fields. */
export type RecordOf<F extends FieldTypes> = { readonly [K in keyof F]: TypeOf<F[K]> };

function type<T>(valueType: ValueType): Type<T> {
  return { valueType };
}

interface Types {
  readonly bytes: Type<Uint8Array>;
  readonly text: Type<string>;
  readonly boolean: Type<boolean>;
  readonly number: Type<number>;
  readonly nothing: Type<null>;
  readonly json: Type<Json>;
  list<T>(of: Type<T>): Type<readonly T[]>;
  record<const F extends FieldTypes>(fields: F): Type<RecordOf<F>>;
  optional<T>(of: Type<T>): Type<T | null>;
}

/** The types of a plan's values: `t.list(t.record({ title: t.text }))`. */
export const t: Types = {
  bytes: type({ type: "bytes" }),
  text: type({ type: "text" }),
  boolean: type({ type: "boolean" }),
  number: type({ type: "number" }),
  nothing: type({ type: "nothing" }),
  json: type({ type: "json" }),
  list: <T>(of: Type<T>): Type<readonly T[]> => type({ type: "list", of: of.valueType }),
  record: <const F extends FieldTypes>(fields: F): Type<RecordOf<F>> =>
    type({
      type: "record",
      fields: Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.valueType])),
    }),
  optional: <T>(of: Type<T>): Type<T | null> => type({ type: "optional", of: of.valueType }),
};
