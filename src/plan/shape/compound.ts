import { type Fields, record, type Schema, text } from "../../protocol/schema.ts";
import { isLocatedMap, type Located, type LocatedMap } from "./located.ts";
import { whatIs } from "./parts.ts";
import { type Form, type OptionalShape, refuse, type Shape, type TextValue, within } from "./shape.ts";

type FieldShape<T, K extends keyof T> = undefined extends T[K]
  ? OptionalShape<Exclude<T[K], undefined>>
  : Shape<T[K]>;
/** The fields of a record: one shape for each key of `T`, `optionalShape(…)` exactly where the key may be missing. */
export type FieldShapes<T> = { readonly [K in keyof T]-?: FieldShape<T, K> };

interface Column {
  readonly name: string;
  readonly shape: Shape<unknown>;
  readonly required: boolean;
}

function isOptional(field: Shape<unknown> | OptionalShape<unknown>): field is OptionalShape<unknown> {
  return "optional" in field;
}

function columnsOf(
  fields: Readonly<Record<string, Shape<unknown> | OptionalShape<unknown>>>,
): readonly Column[] {
  return Object.entries(fields).map(([name, field]) =>
    isOptional(field)
      ? { name, shape: field.optional, required: false }
      : { name, shape: field, required: true },
  );
}

/** Each column has been turned by then; FieldShapes<T> ties the columns to T. */
function isFields<T extends object>(made: unknown, fields: FieldShapes<T>): made is Fields<T> {
  return typeof made === typeof fields;
}

function isComplete<T extends object>(made: unknown, fields: FieldShapes<T>): made is T {
  return typeof made === typeof fields;
}

/** The variant's own shape has read it by then. */
function isVariant<T, Tag extends keyof T>(made: unknown, variants: Variants<T, Tag>): made is T {
  return typeof made === typeof variants;
}

function isNamed(value: TextValue | undefined): value is { readonly [name: string]: TextValue } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A record with exactly these fields. In text a field that equals its fallback is left out, and one that is unknown is refused. */
export function recordShape<T extends object>(fields: FieldShapes<T>): Shape<T> {
  const columns = columnsOf(fields);
  const wires = Object.fromEntries(
    columns.map(({ name, shape, required }) => [name, required ? shape.wire : { optional: shape.wire }]),
  );
  if (!isFields<T>(wires, fields)) throw new TypeError("a record without fields");
  return { wire: record<T>(wires), text: recordForm<T>(columns, fields) };
}

function recordForm<T extends object>(columns: readonly Column[], fields: FieldShapes<T>): Form<T> {
  const known = new Set(columns.map(({ name }) => name));
  return {
    write(value) {
      const rows: [string, TextValue][] = [];
      for (const { name, shape } of columns) {
        const field: unknown = Reflect.get(value, name);
        if (field === undefined) continue;
        const written = shape.text.write(field);
        if (!isFallback(shape, written)) rows.push([name, written]);
      }
      return Object.fromEntries(rows);
    },
    read(from) {
      const { value } = from;
      if (!isLocatedMap(value)) return refuse(from, `is ${whatIs(value)}, but has to be a record`);
      for (const [name, field] of value)
        if (!known.has(name))
          refuse(field, `there is no field "${name.slice(0, 64)}" here; there are ${[...known].join(", ")}`);
      const rows: [string, unknown][] = [];
      for (const column of columns) {
        const field = readColumn(column, value, from);
        if (field !== undefined) rows.push([column.name, field]);
      }
      const made: unknown = Object.fromEntries(rows);
      return isComplete(made, fields) ? made : refuse(from, "is incomplete");
    },
  };
}

function readColumn({ name, shape, required }: Column, value: LocatedMap, from: Located): unknown {
  const field = value.get(name);
  if (field !== undefined) return within({ field: name }, () => shape.text.read(field.value));
  if (shape.fallback !== undefined) return shape.fallback.value;
  return required ? refuse(from, `the field "${name}" is missing`) : undefined;
}

function isFallback({ fallback, text: form }: Shape<unknown>, written: TextValue): boolean {
  return fallback !== undefined && JSON.stringify(form.write(fallback.value)) === JSON.stringify(written);
}

/** The shapes of a union by the word in their field `Tag`, without that field. */
export type Variants<T, Tag extends keyof T> = {
  readonly [W in T[Tag] & string]: Shape<Omit<Extract<T, Readonly<Record<Tag, W>>>, Tag>>;
};

/**
 * A union that one field tells apart. On the wire a map of one key, the word: map keys are sorted there, and so a reader
 * knows what it reads before it reads it. In text the field stands among the others.
 */
export function unionShape<T extends object, Tag extends keyof T & string>(
  tag: Tag,
  variants: Variants<T, Tag>,
): Shape<T> {
  const shapes = new Map(Object.entries<Shape<object>>(variants));
  return { wire: unionSchema(tag, shapes, variants), text: unionForm(tag, shapes, variants) };
}

function unionSchema<T extends object, Tag extends keyof T>(
  tag: string,
  shapes: ReadonlyMap<string, Shape<object>>,
  variants: Variants<T, Tag>,
): Schema<T> {
  const word = text(32);
  const wireOf = new Map([...shapes].map(([name, { wire }]) => [name, wire]));
  return {
    write(out, value) {
      const name = String(Reflect.get(value, tag));
      const wire = wireOf.get(name);
      if (wire === undefined) throw new RangeError(`there is no ${tag} "${name}"`);
      out.head(5, 1);
      word.write(out, name);
      wire.write(out, value);
    },
    read(from) {
      if (from.count(5, 1) !== 1) from.fail("has to be a map of one key");
      const name = word.read(from);
      const wire = wireOf.get(name);
      if (wire === undefined) return from.fail(`is none of ${[...shapes.keys()].join(", ")}`);
      from.enter(name);
      const made: unknown = { [tag]: name, ...wire.read(from) };
      from.leave();
      return isVariant(made, variants) ? made : from.fail("is incomplete");
    },
  };
}

function unionForm<T extends object, Tag extends keyof T>(
  tag: string,
  shapes: ReadonlyMap<string, Shape<object>>,
  variants: Variants<T, Tag>,
): Form<T> {
  const words = [...shapes.keys()].join(", ");
  return {
    write(value) {
      const name = String(Reflect.get(value, tag));
      const written = shapes.get(name)?.text.write(value);
      return isNamed(written) ? { [tag]: name, ...written } : name;
    },
    read(from) {
      const { value } = from;
      if (!isLocatedMap(value))
        return refuse(from, `is ${whatIs(value)}, but has to be a record with "${tag}"`);
      const word = value.get(tag)?.value;
      if (word === undefined) return refuse(from, `the field "${tag}" is missing; it is one of ${words}`);
      const shape = typeof word.value === "string" ? shapes.get(word.value) : undefined;
      if (shape === undefined) return refuse(word, `"${tag}" has to be one of ${words}`);
      const rest = new Map([...value].filter(([name]) => name !== tag));
      const made: unknown = { [tag]: word.value, ...shape.text.read({ at: from.at, value: rest }) };
      return isVariant(made, variants) ? made : refuse(from, "is incomplete");
    },
  };
}

/** A shape that contains itself. */
export function lazyShape<T>(make: () => Shape<T>): Shape<T> {
  let made: Shape<T> | undefined;
  const shape = (): Shape<T> => (made ??= make());
  return {
    wire: { write: (out, value) => shape().wire.write(out, value), read: (from) => shape().wire.read(from) },
    text: { write: (value) => shape().text.write(value), read: (from) => shape().text.read(from) },
  };
}
