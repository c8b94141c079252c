import * as dagCbor from "@ipld/dag-cbor";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { anyBytes, anyEntryBody, anyMessage, anyPart, anyText, anyU64 } from "./arbitrary.contract.ts";
import { equalBytes, toHex } from "./bytes.ts";
import { failureKind } from "./failure-code.ts";
import { FailureError } from "./failure.ts";
import { MAX_BODY_BYTES, MAX_ITEMS } from "./limits.ts";
import { decodeEntry, ENTRY_TYPES, type EntryType } from "./messages/entry.ts";
import {
  bytes,
  decode,
  encode,
  list,
  oneOf,
  optional,
  record,
  type Schema,
  text,
  u64,
  uint,
} from "./schema.ts";
import { messageSamples, partSamples, schemaOfEntry } from "./vectors/catalogue.contract.ts";
import { makeCast } from "./vectors/cast.contract.ts";
import { dagCborForm, toJsonForm } from "./vectors/json-form.contract.ts";
import { tellStory } from "./vectors/story.contract.ts";
import { tries } from "./tries.contract.ts";

interface Kind {
  readonly schema: Schema<unknown>;
  readonly golden: Uint8Array;
}

/** Every message, part and entry body of the format, by name. */
const kinds = new Map<string, Kind>();
const entryHex: Uint8Array[] = [];

beforeAll(async () => {
  const cast = await makeCast();
  const story = await tellStory(cast);
  for (const { type, body } of messageSamples(cast, story)) {
    kinds.set(type.name, { schema: type.schema, golden: encode(type.schema, body) });
  }
  for (const { name, schema, body } of partSamples(story)) {
    kinds.set(name.split(",")[0]!.split(" ")[0]!, { schema, golden: encode(schema, body) });
  }
  for (const { bytes: entry } of story.entries) entryHex.push(entry);
});

function kindOf(name: string): Kind {
  const kind = kinds.get(name);
  if (kind === undefined) throw new Error(`no ${name} in the vectors`);
  return kind;
}

/** Either the one value these bytes are the encoding of, or a FailureError. */
function expectCanonicalOrRefused(schema: Schema<unknown>, data: Uint8Array): boolean {
  let value: unknown;
  try {
    value = decode(schema, data);
  } catch (error) {
    if (error instanceof FailureError) return false;
    throw error;
  }
  if (!equalBytes(encode(schema, value), data)) throw new Error(`${toHex(data)} has another spelling`);
  return true;
}

function failureName(step: () => unknown): string {
  try {
    step();
  } catch (error) {
    if (error instanceof FailureError) return failureKind(error.code).name;
    throw error;
  }
  return "accepted";
}

describe.each([...Object.entries(anyMessage), ...Object.entries(anyPart)])("Any %s", (name, arbitrary) => {
  test("has the bytes of dag-cbor and comes back as it was", () => {
    const { schema } = kindOf(name);
    fc.assert(
      fc.property(arbitrary, (value) => {
        const encoded = encode(schema, value);
        expect(toHex(encoded)).toBe(toHex(dagCbor.encode(dagCborForm(toJsonForm(value)))));
        expect(decode(schema, encoded)).toEqual(value);
      }),
      { numRuns: tries(60) },
    );
  });

  test("with a bit flipped, a byte cut off, doubled or left out is refused or another canonical one", () => {
    const { schema, golden } = kindOf(name);
    expect(expectCanonicalOrRefused(schema, golden)).toBe(true);
    for (let at = 0; at < golden.length; at += 1) {
      for (let bit = 0; bit < 8; bit += 1) {
        const flipped = golden.slice();
        flipped[at]! ^= 1 << bit;
        expectCanonicalOrRefused(schema, flipped);
      }
      expect(expectCanonicalOrRefused(schema, golden.subarray(0, at))).toBe(false);
      const [before, after] = [golden.subarray(0, at), golden.subarray(at)];
      expectCanonicalOrRefused(schema, Uint8Array.from([...before, golden[at]!, ...after]));
      expectCanonicalOrRefused(schema, Uint8Array.from([...before, ...after.subarray(1)]));
    }
    expect(expectCanonicalOrRefused(schema, Uint8Array.from([...golden, 0]))).toBe(false);
  });
});

describe("Entry bodies", () => {
  test.each(ENTRY_TYPES)("of %s have the bytes of dag-cbor and come back as they were", (type: EntryType) => {
    const schema = schemaOfEntry(type);
    fc.assert(
      fc.property<[unknown]>(anyEntryBody[type], (value) => {
        const encoded = encode(schema, value);
        expect(toHex(encoded)).toBe(toHex(dagCbor.encode(dagCborForm(toJsonForm(value)))));
        expect(decode(schema, encoded)).toEqual(value);
      }),
      { numRuns: tries(40) },
    );
  });

  test("of entries with a bit flipped are refused or canonical", () => {
    for (const entry of entryHex) {
      for (let at = 0; at < entry.length * 8; at += 1) {
        const flipped = entry.slice();
        flipped[at >> 3]! ^= 1 << (at & 7);
        expect(failureName(() => decodeEntry(flipped))).toMatch(/accepted|malformed|unsupported|too-large/u);
      }
    }
  });
});

describe("Decoding", () => {
  test("of every byte in every place of one message is canonical or refused", () => {
    const { schema, golden } = kindOf("accept");
    for (let at = 0; at < golden.length; at += 1) {
      for (let byte = 0; byte < 256; byte += 1) {
        const changed = golden.slice();
        changed[at] = byte;
        expectCanonicalOrRefused(schema, changed);
      }
    }
  });

  test("of noise is refused", () => {
    const schemas = [...kinds.values()].map(({ schema }) => schema);
    fc.assert(
      fc.property(fc.constantFrom(...schemas), anyBytes(200), (schema, noise) => {
        expectCanonicalOrRefused(schema, noise);
      }),
      { numRuns: tries(3_000) },
    );
  });

  test("of other dag-cbor is refused without another kind of error", () => {
    const value = fc.letrec<{ any: unknown }>((tie) => ({
      any: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(null, true, false, 1.5, -1),
        anyU64,
        fc.string(),
        fc.uint8Array({ maxLength: 40 }),
        fc.array(tie("any"), { maxLength: 4 }),
        fc.dictionary(
          fc.constantFrom("v", "ext", "crit", "lease", "origin", "asset", "code", "detail"),
          tie("any"),
          {
            noNullPrototype: true,
          },
        ),
      ),
    })).any;
    const schemas = [...kinds.values()].map(({ schema }) => schema);
    fc.assert(
      fc.property(fc.constantFrom(...schemas), value, (schema, data) => {
        expectCanonicalOrRefused(schema, dagCbor.encode(data));
      }),
      { numRuns: tries(2_000) },
    );
  });

  test("copies what it returns, also out of a Buffer", () => {
    const schema = bytes(10);
    const source = Buffer.from(encode(schema, Uint8Array.of(1, 2, 3)));
    const value = decode(schema, source);
    source.fill(0);
    expect(value).toEqual(Uint8Array.of(1, 2, 3));
    expect(value.constructor).toBe(Uint8Array);
  });

  test("reads from the middle of a larger buffer", () => {
    const encoded = encode(text(), "hello");
    const larger = Uint8Array.from([9, 9, ...encoded, 9]);
    expect(decode(text(), larger.subarray(2, 2 + encoded.length))).toBe("hello");
  });

  test("refuses a body above the limit before it looks inside", () => {
    const large = new Uint8Array(MAX_BODY_BYTES + 1);
    expect(failureName(() => decode(bytes(1), large))).toBe("too-large");
  });

  test("believes no length: neither of a list nor of bytes that are not there", () => {
    expect(failureName(() => decode(list(uint()), Uint8Array.of(0x9b, 0, 0, 0, 1, 0, 0, 0, 0)))).toBe(
      "too-large",
    );
    expect(failureName(() => decode(list(uint()), Uint8Array.of(0x99, 0x0f, 0xff)))).toBe("malformed");
    expect(failureName(() => decode(bytes(40_000), Uint8Array.of(0x59, 0x7f, 0xff)))).toBe("malformed");
    expect(failureName(() => decode(bytes(10), Uint8Array.of(0x5b, 0, 0, 0, 1, 0, 0, 0, 0)))).toBe(
      "too-large",
    );
  });

  test("counts up to the bound of a list and no further", () => {
    const full = Array.from({ length: MAX_ITEMS }, () => 0);
    expect(decode(list(uint()), encode(list(uint()), full))).toEqual(full);
    const over = dagCbor.encode([...full, 0]);
    expect(failureName(() => decode(list(uint()), over))).toBe("too-large");
    expect(() => encode(list(uint()), [...full, 0])).toThrow(RangeError);
  });

  test("nests no deeper than the bound, however the list is made", () => {
    let nested: Schema<unknown> = uint();
    for (let level = 0; level < 12; level += 1) nested = list(nested);
    const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)]);
    expect(decode(nested, dagCbor.encode(deep(12)))).toEqual(deep(12));
    const one = list(nested) as Schema<unknown>;
    expect(failureName(() => decode(one, dagCbor.encode(deep(13))))).toBe("malformed");
  });

  test("names the field by its path, and repeats none of its content", () => {
    const schema = record<{ a: readonly { b: string }[] }>({
      a: list(record<{ b: string }>({ b: text(4) })),
    });
    const secret = dagCbor.encode({ a: [{ b: "ok" }, { b: "secret" }] });
    expect(() => decode(schema, secret)).toThrow(/a\.1\.b: is longer than 4 bytes/u);
    expect(() => decode(schema, Uint8Array.of(0xa1, 0x61, 0x61, 0x81, 0xa1, 0x61, 0x62, 0x61, 0xff))).toThrow(
      /a\.0\.b: text is not UTF-8/u,
    );
  });
});

describe("Encoding", () => {
  test("refuses values outside their schema instead of writing something else", () => {
    expect(() => encode(uint(5), 6)).toThrow(RangeError);
    expect(() => encode(uint(), -1)).toThrow(RangeError);
    expect(() => encode(uint(), 1.5)).toThrow(RangeError);
    expect(() => encode(uint(), Number.MAX_SAFE_INTEGER + 1)).toThrow(RangeError);
    expect(() => encode(u64, -1n)).toThrow(RangeError);
    expect(() => encode(u64, 1n << 64n)).toThrow(RangeError);
    expect(() => encode(text(3), "four")).toThrow(RangeError);
    expect(() => encode(text(), "\ud800")).toThrow(FailureError);
    expect(() => encode(bytes(1), Uint8Array.of(1, 2))).toThrow(RangeError);
    const schema = record<{ a: number; b?: number }>({ a: uint(), b: optional(uint()) });
    expect(() => encode(schema, {} as { a: number })).toThrow(RangeError);
    expect(toHex(encode(schema, { a: 1, b: undefined } as never))).toBe("a1616101");
  });

  test("orders keys by length and then by bytes, as dag-cbor does", () => {
    fc.assert(
      fc.property(fc.uniqueArray(anyText(40), { minLength: 1, maxLength: 12 }), (names) => {
        const schema = record<Record<string, number>>(
          Object.fromEntries(names.map((name) => [name, uint()])),
        );
        const value = Object.fromEntries(names.map((name, at) => [name, at]));
        expect(toHex(encode(schema, value))).toBe(toHex(dagCbor.encode(value)));
        expect(decode(schema, encode(schema, value))).toEqual(value);
      }),
    );
  });

  test("of numbers is dag-cbor's at every size", () => {
    fc.assert(
      fc.property(anyU64, (value) => {
        expect(toHex(encode(u64, value))).toBe(toHex(dagCbor.encode(value)));
        expect(decode(u64, encode(u64, value))).toBe(value);
      }),
    );
    for (let power = 0; power < 53; power += 1) {
      for (const value of [2 ** power - 1, 2 ** power, 2 ** power + 1]) {
        expect(toHex(encode(uint(), value))).toBe(toHex(dagCbor.encode(value)));
        expect(decode(uint(), encode(uint(), value))).toBe(value);
      }
    }
  });

  test("of a word outside its set cannot be read back", () => {
    expect(failureName(() => decode(oneOf(["a", "b"]), dagCbor.encode("c")))).toBe("malformed");
    expect(failureName(() => decode(oneOf(["a"]), dagCbor.encode("toString")))).toBe("malformed");
  });
});
