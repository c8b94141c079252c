import { describe, expect, it } from "vitest";
import { memorySource } from "../byte-source.ts";
import { FIRST_HEADER_BYTES } from "../limits.ts";
import { openGguf } from "./open-gguf.ts";
import { F32, Q8_0 } from "./tensor-type.ts";
import {
  f32s,
  text,
  texts,
  u32,
  type WrittenGguf,
  type WrittenValue,
  writeGguf,
} from "./write-gguf.contract.ts";

const values = Float32Array.from({ length: 64 }, (_, i) => i);
const SMALL: WrittenGguf = {
  metadata: { "general.architecture": text("llama"), "a.number": u32(7) },
  tensors: [
    { name: "a", dimensions: [3], type: F32, values: values.subarray(0, 3) },
    { name: "b", dimensions: [32, 2], type: Q8_0, values },
  ],
};

const open = (bytes: Uint8Array): ReturnType<typeof openGguf> => openGguf(memorySource(bytes));
/** A file with four bytes of its own in one place. */
function patched(file: Uint8Array, at: number, value: number): Uint8Array {
  const copy = file.slice();
  new DataView(copy.buffer).setUint32(at, value, true);
  return copy;
}

describe("the header of a GGUF", () => {
  it.each([2, 3])(
    "of version %s is read: metadata of all types, and tensors with their places",
    async (version) => {
      const all: Record<string, WrittenValue> = {
        u8: { type: "u8", value: 200 },
        i8: { type: "i8", value: -100 },
        u16: { type: "u16", value: 60_000 },
        i16: { type: "i16", value: -30_000 },
        u32: u32(4_000_000_000),
        i32: { type: "i32", value: -2_000_000_000 },
        u64: { type: "u64", value: 2n ** 64n - 1n },
        i64: { type: "i64", value: -(2n ** 63n) },
        f32: { type: "f32", value: 0.5 },
        f64: { type: "f64", value: Math.PI },
        yes: { type: "boolean", value: true },
        text: text("zwölf ▁"),
        texts: texts(["", "a", "\u{1f600}"]),
        floats: f32s([1, -2.5]),
        flags: { type: "array", of: "boolean", values: [{ type: "boolean", value: false }] },
        nested: { type: "array", of: "array", values: [texts(["x"]), texts([])] },
      };
      const file = await open(writeGguf({ ...SMALL, version, metadata: all }));
      const { nested, ...flat } = Object.fromEntries(file.metadata);
      expect(nested).toEqual([["x"], []]);
      expect(flat).toEqual({
        u8: 200,
        i8: -100,
        u16: 60_000,
        i16: -30_000,
        u32: 4_000_000_000,
        i32: -2_000_000_000,
        u64: 2n ** 64n - 1n,
        i64: -(2n ** 63n),
        f32: 0.5,
        f64: Math.PI,
        yes: true,
        text: "zwölf ▁",
        texts: ["", "a", "\u{1f600}"],
        floats: Float32Array.of(1, -2.5),
        flags: [false],
      });
      const [a, b] = [...file.tensors.values()];
      expect(a).toMatchObject({ name: "a", dimensions: [3], type: F32, bytes: 12 });
      expect(b).toMatchObject({
        name: "b",
        dimensions: [32, 2],
        type: Q8_0,
        bytes: 68,
        offset: a!.offset + 32,
      });
    },
  );

  it("may ask for another alignment", async () => {
    const file = await open(writeGguf({ ...SMALL, alignment: 256 }));
    expect([...file.tensors.values()].map(({ offset }) => offset % 256)).toEqual([0, 0]);
  });

  it("may be longer than what is read at first", async () => {
    const long = "x".repeat(FIRST_HEADER_BYTES);
    const file = await open(writeGguf({ ...SMALL, metadata: { long: text(long), after: u32(1) } }));
    expect(file.metadata.get("after")).toBe(1);
    expect(file.tensors.size).toBe(2);
  });
});

describe("a GGUF that is none is refused, and said why", () => {
  const small = writeGguf(SMALL);
  const refusals: readonly (readonly [string, Uint8Array, string])[] = [
    ["nothing", new Uint8Array(0), "the file ends within a number at byte 0"],
    ["another file", new TextEncoder().encode("PK\u0003\u0004 and more"), "does not begin with GGUF"],
    ["version 1", patched(small, 4, 1), "GGUF version 1 cannot be converted; these can: 2, 3"],
    ["big-endian", patched(small, 4, 0x0300_0000), "big-endian"],
    [
      "too many tensors",
      patched(small, 8, 0x7fff_ffff),
      "2147483647 tensors at byte 8, but the file has only",
    ],
    ["more than 2^53 pairs", patched(small, 20, 0xffff_ffff), "pairs of metadata at byte 16"],
    ["an endless key", patched(small, 24, 0xffff_fff0), "4294967280 bytes of a key at byte 24"],
    ["an unknown value", patched(small, 24 + 8 + 20, 99), "general.architecture has the unknown type 99"],
    ["a cut tensor", small.subarray(0, small.length - 1), "the file ends 1 bytes before the end of tensor b"],
    [
      "the same tensor twice",
      writeGguf({ ...SMALL, tensors: [SMALL.tensors[0]!, SMALL.tensors[0]!] }),
      "the file has tensor a twice",
    ],
    [
      "an odd alignment",
      writeGguf({ ...SMALL, metadata: { "general.alignment": u32(48) } }),
      "no power of two",
    ],
    [
      "rows of broken blocks",
      writeGguf({ ...SMALL, tensors: [{ name: "c", dimensions: [16, 4], type: Q8_0, values }] }),
      "tensor c has rows of 16 values, not whole blocks of Q8_0",
    ],
    [
      "arrays in arrays in arrays",
      writeGguf({ ...SMALL, metadata: { deep: nest(6) } }),
      "deep has arrays in arrays, more than 4 deep",
    ],
  ];

  it.each(refusals)("%s", async (_name, bytes, message) => {
    await expect(open(bytes)).rejects.toThrow(RangeError);
    await expect(open(bytes)).rejects.toThrow(message);
  });

  it("tensors on each other", async () => {
    // The second tensor's offset is the last u64 before the padding.
    const header = small.length - 100;
    const at = [...small.keys()].findLast((i) => i < header && small[i] === 32 && small[i - 4] === 8)!;
    await expect(open(patched(small, at, 0))).rejects.toThrow("tensors a and b lie on each other");
  });
});

function nest(depth: number): WrittenValue {
  return depth === 0 ? texts([]) : { type: "array", of: "array", values: [nest(depth - 1)] };
}
