import { isCid, type Cid } from "../../protocol/cid.ts";
import { isPeerId, type PeerId } from "../../protocol/peer-id.ts";
import {
  amount,
  cid,
  compareKeys,
  fuelAmount,
  list,
  oneOf,
  peer,
  type Schema,
  text,
  uint,
} from "../../protocol/schema.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import { fuel, type Fuel, microCredits, type MicroCredits, U64_MAX } from "../../protocol/units.ts";
import { byKey, type NameRule } from "../names.ts";
import { isLocatedList, isLocatedMap, type Located } from "./located.ts";
import { readAt, refuse, type Shape, type TextValue, within } from "./shape.ts";

/** Shapes of single fields, as the tables of plan-shape.ts are made of them. */

export function textShape(maxBytes: number): Shape<string> {
  return {
    wire: text(maxBytes),
    text: {
      write: (value) => value,
      read(from) {
        const { value } = from;
        if (typeof value !== "string")
          return refuse(from, `is ${whatIs(value)}, but has to be text; put it in quotes`);
        return readAt(from, () => encodeUtf8(value)).length > maxBytes
          ? refuse(from, `is longer than ${maxBytes} bytes`)
          : value;
      },
    },
  };
}

/** What a value of a text is, for a complaint. */
export function whatIs(value: Located["value"]): string {
  if (value === null) return "nothing";
  if (isLocatedList(value)) return "a list";
  if (isLocatedMap(value)) return "a record";
  return typeof value === "boolean" ? "true or false" : `a ${typeof value === "string" ? "text" : "number"}`;
}

/** A whole number from 0 to `max`. */
export function uintShape(max: number = Number.MAX_SAFE_INTEGER): Shape<number> {
  return {
    wire: uint(max),
    text: {
      write: (value) => value,
      read(from) {
        const { value } = from;
        return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= max
          ? value
          : refuse(from, `has to be a whole number from 0 to ${max}`);
      },
    },
  };
}

/** 64 bits: a number, or from 2^53 on a text of its digits, because numbers of texts lose digits there. */
function u64Shape<T extends bigint>(wire: Schema<T>, brand: (value: bigint | number) => T): Shape<T> {
  return {
    wire,
    text: {
      write: (value) => (value <= Number.MAX_SAFE_INTEGER ? Number(value) : value.toString()),
      read(from) {
        const { value } = from;
        if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return brand(value);
        if (typeof value === "string" && /^[0-9]{1,20}$/u.test(value) && BigInt(value) <= U64_MAX)
          return brand(BigInt(value));
        return refuse(from, "has to be a whole number from 0 on, above 9007199254740991 in quotes");
      },
    },
  };
}

export const fuelShape: Shape<Fuel> = u64Shape(fuelAmount, fuel);
export const amountShape: Shape<MicroCredits> = u64Shape(amount, microCredits);

function branded<T extends string>(
  wire: Schema<T>,
  is: (value: unknown) => value is T,
  what: string,
): Shape<T> {
  return {
    wire,
    text: {
      write: (value) => value,
      read: (from) => (is(from.value) ? from.value : refuse(from, `has to be ${what}`)),
    },
  };
}

export const cidShape: Shape<Cid> = branded(cid, isCid, "a CID (version 1, SHA-256, base32)");
export const peerShape: Shape<PeerId> = branded(peer, isPeerId, "a peer id");

/** One of a closed set of words. */
export function wordShape<const W extends string>(words: readonly W[]): Shape<W> {
  return {
    wire: oneOf(words),
    text: {
      write: (value) => value,
      read: (from) =>
        words.find((word) => word === from.value) ??
        refuse(from, `is ${shown(from)}, but has to be one of ${words.join(", ")}`),
    },
  };
}

function shown({ value }: Located): string {
  return typeof value === "string" ? JSON.stringify(value.slice(0, 64)) : whatIs(value);
}

export function listShape<T>(item: Shape<T>, maxItems: number): Shape<readonly T[]> {
  return {
    wire: list(item.wire, maxItems),
    text: {
      write: (values) => values.map((each) => item.text.write(each)),
      read(from) {
        const { value } = from;
        if (!isLocatedList(value)) return refuse(from, `is ${whatIs(value)}, but has to be a list`);
        if (value.length > maxItems) refuse(from, `has more than ${maxItems} items`);
        return value.map((each, place) => within({ field: String(place) }, () => item.text.read(each)));
      },
    },
  };
}

/** @param order of the names where the map is printed. */
export function mapShape<T>(
  item: Shape<T>,
  names: NameRule,
  max: number,
  order: (value: Readonly<Record<string, T>>) => readonly string[] = (value) =>
    Object.keys(value).toSorted(byKey),
  said: "node" | "field" = "field",
): Shape<Readonly<Record<string, T>>> {
  return {
    wire: mapSchema(item.wire, names, max),
    text: {
      write(value) {
        const rows: [string, TextValue][] = [];
        for (const name of order(value)) {
          const each = value[name];
          if (each !== undefined) rows.push([name, item.text.write(each)]);
        }
        return Object.fromEntries(rows);
      },
      read(from) {
        if (!isLocatedMap(from.value))
          return refuse(from, `is ${whatIs(from.value)}, but has to be a record of names`);
        if (from.value.size > max) refuse(from, `has more than ${max} names`);
        const rows: [string, T][] = [];
        for (const [name, field] of from.value) {
          if (!names.pattern.test(name))
            refuse(field, `the name "${name.slice(0, 80)}" has to be ${names.what}`);
          rows.push([name, within({ [said]: name }, () => item.text.read(field.value))]);
        }
        return Object.fromEntries(rows);
      },
    },
  };
}

function mapSchema<T>(item: Schema<T>, names: NameRule, max: number): Schema<Readonly<Record<string, T>>> {
  const name = text(256);
  return {
    write(out, value) {
      const keys = Object.keys(value).toSorted(byKey);
      if (keys.length > max) throw new RangeError(`more than ${max} names`);
      out.head(5, keys.length);
      for (const key of keys) {
        const each = value[key];
        if (each === undefined || !names.pattern.test(key))
          throw new RangeError(`the name "${key}" has to be ${names.what}`);
        name.write(out, key);
        item.write(out, each);
      }
    },
    read(from) {
      const count = from.count(5, max);
      const rows: [string, T][] = [];
      let before: Uint8Array | undefined;
      for (let i = 0; i < count; i += 1) {
        const key = name.read(from);
        const utf8 = encodeUtf8(key);
        if (before !== undefined && compareKeys(before, utf8) >= 0)
          from.fail("has a name that is repeated or out of order");
        before = utf8;
        from.enter(key);
        if (!names.pattern.test(key)) from.fail(`the name has to be ${names.what}`);
        rows.push([key, item.read(from)]);
        from.leave();
      }
      return Object.fromEntries(rows);
    },
  };
}
