import type { Draw } from "../../../e2e/soak/chance.ts";

/** The instructions that a generated program is made of, with their types: read from the core specification, not from the decoder under test. */

export type ValueType = "i32" | "i64" | "f32" | "f64" | "v128" | "funcref" | "externref";

export const TYPE_BYTE: Readonly<Record<ValueType, number>> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
  funcref: 0x70,
  externref: 0x6f,
};

/** One instruction: its code (0xfc and 0xfd with the second number in the low byte) and all its bytes. */
export interface Instruction {
  readonly code: number;
  readonly bytes: readonly number[];
}

/** What follows the opcode. */
export type Immediate = "none" | "memory" | "lane" | "memory-lane" | "shuffle";

/** An instruction that takes operands and leaves one value, or none where it stores. */
export interface Operation {
  readonly code: number;
  readonly operands: readonly ValueType[];
  readonly result: ValueType | undefined;
  readonly immediate: Immediate;
  /** Lanes of a vector instruction with a lane, or bytes that a memory instruction touches. */
  readonly width: number;
}

const LETTERS: Readonly<Record<string, ValueType>> = { i: "i32", I: "i64", f: "f32", F: "f64", v: "v128" };

/** Rows `first-last operands:result [immediate width]`. Codes after a prefix in the table that has it. */
const SCALAR_ROWS = `
45 i:i; 46-4f ii:i; 50 I:i; 51-5a II:i; 5b-60 ff:i; 61-66 FF:i; 67-69 i:i; 6a-78 ii:i; 79-7b I:I; 7c-8a II:I;
8b-91 f:f; 92-98 ff:f; 99-9f F:F; a0-a6 FF:F; a7 I:i; a8-a9 f:i; aa-ab F:i; ac-ad i:I; ae-af f:I; b0-b1 F:I;
b2-b3 i:f; b4-b5 I:f; b6 F:f; b7-b8 i:F; b9-ba I:F; bb f:F; bc f:i; bd F:I; be i:f; bf I:F; c0-c1 i:i; c2-c4 I:I;
28 i:i memory 4; 29 i:I memory 8; 2a i:f memory 4; 2b i:F memory 8; 2c-2d i:i memory 1; 2e-2f i:i memory 2;
30-31 i:I memory 1; 32-33 i:I memory 2; 34-35 i:I memory 4; 36 ii: memory 4; 37 iI: memory 8; 38 if: memory 4;
39 iF: memory 8; 3a ii: memory 1; 3b ii: memory 2; 3c iI: memory 1; 3d iI: memory 2; 3e iI: memory 4`;

const TRUNCATION_ROWS = "00-01 f:i; 02-03 F:i; 04-05 f:I; 06-07 F:I";

const VECTOR_ROWS = `
00 i:v memory 16; 01-06 i:v memory 8; 07 i:v memory 1; 08 i:v memory 2; 09 i:v memory 4; 0a i:v memory 8; 0b iv: memory 16;
0d vv:v shuffle 32; 0e vv:v; 0f-11 i:v; 12 I:v; 13 f:v; 14 F:v; 15-16 v:i lane 16; 17 vi:v lane 16; 18-19 v:i lane 8;
1a vi:v lane 8; 1b v:i lane 4; 1c vi:v lane 4; 1d v:I lane 2; 1e vI:v lane 2; 1f v:f lane 4; 20 vf:v lane 4;
21 v:F lane 2; 22 vF:v lane 2; 23-4c vv:v; 4d v:v; 4e-51 vv:v; 52 vvv:v; 53 v:i; 54 iv:v memory-lane 1;
55 iv:v memory-lane 2; 56 iv:v memory-lane 4; 57 iv:v memory-lane 8; 58 iv: memory-lane 1; 59 iv: memory-lane 2;
5a iv: memory-lane 4; 5b iv: memory-lane 8; 5c i:v memory 4; 5d i:v memory 8; 5e-5f v:v; 60-62 v:v; 63-64 v:i;
65-66 vv:v; 67-6a v:v; 6b-6d vi:v; 6e-73 vv:v; 74-75 v:v; 76-79 vv:v; 7a v:v; 7b vv:v; 7c-81 v:v; 82 vv:v;
83-84 v:i; 85-86 vv:v; 87-8a v:v; 8b-8d vi:v; 8e-93 vv:v; 94 v:v; 95-99 vv:v; 9b-9f vv:v; a0-a1 v:v; a3-a4 v:i;
a7-aa v:v; ab-ad vi:v; ae vv:v; b1 vv:v; b5-ba vv:v; bc-bf vv:v; c0-c1 v:v; c3-c4 v:i; c7-ca v:v; cb-cd vi:v;
ce vv:v; d1 vv:v; d5-df vv:v; e0-e1 v:v; e3 v:v; e4-eb vv:v; ec-ed v:v; ef v:v; f0-f7 vv:v; f8-ff v:v`;

const IMMEDIATES: readonly Immediate[] = ["memory", "lane", "memory-lane", "shuffle"];

function typesOf(letters: string): ValueType[] {
  return letters.split("").map((letter) => {
    const type = LETTERS[letter];
    if (type === undefined) throw new Error(`no type has the letter ${letter}`);
    return type;
  });
}

function parseRows(prefix: number, rows: string): Operation[] {
  return rows.split(";").flatMap((row) => {
    const [codes = "", signature = "", word, width = "0"] = row.trim().split(/\s+/u);
    const [first = "", last = first] = codes.split("-");
    const [operands = "", results = ""] = signature.split(":");
    const base = Number.parseInt(first, 16);
    return Array.from({ length: Number.parseInt(last, 16) - base + 1 }, (_, index) => ({
      code: prefix * 256 + base + index,
      operands: typesOf(operands),
      result: typesOf(results)[0],
      immediate: IMMEDIATES.find((each) => each === word) ?? "none",
      width: Number(width),
    }));
  });
}

/** All of them: what takes numbers and leaves numbers, loads and stores among them. */
export const OPERATIONS: readonly Operation[] = [
  ...parseRows(0, SCALAR_ROWS),
  ...parseRows(0xfc, TRUNCATION_ROWS),
  ...parseRows(0xfd, VECTOR_ROWS),
];

/** Division, remainder and conversion, which trap for some operands. */
export function canTrap(code: number): boolean {
  return (
    (code >= 0x6d && code <= 0x70) ||
    (code >= 0x7f && code <= 0x82) ||
    (code >= 0xa8 && code <= 0xab) ||
    (code >= 0xae && code <= 0xb1)
  );
}

/** Whether, and in lanes of which type, the bits of a NaN result are the engine's choice. */
export function nanOf(code: number): "f32" | "f64" | "f32x4" | "f64x2" | undefined {
  const within = (first: number, last: number): boolean => code >= first && code <= last;
  if (within(0x8d, 0x97) || code === 0xb6) return "f32";
  if (within(0x9b, 0xa5) || code === 0xbb) return "f64";
  if (code === 0xfd5e || within(0xfd67, 0xfd6a) || within(0xfde3, 0xfde9)) return "f32x4";
  const double = code === 0xfd5f || code === 0xfd74 || code === 0xfd75 || code === 0xfd7a || code === 0xfd94;
  return double || within(0xfdef, 0xfdf5) ? "f64x2" : undefined;
}

export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return [...bytes, rest];
}

export function signed(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest < -64n || rest > 63n; rest >>= 7n) bytes.push(Number(rest & 127n) + 128);
  return [...bytes, Number(rest & 127n)];
}

/** An instruction of this code with immediate bytes that are already encoded. */
export function instruction(code: number, ...immediates: readonly number[]): Instruction {
  const opcode = code < 256 ? [code] : [code >> 8, ...unsigned(code & 255)];
  return { code, bytes: [...opcode, ...immediates] };
}

const SPECIAL_32 = [
  0, 0x80000000, 1, 0x80000001, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00000,
  0x7f800001, 0xffabcdef, 0x7fffffff, 0x4f000000, 0xcf000000, 0x4f800000, 0x5f000000, 0x00800000, 0x7f7fffff,
  0x42280000,
];
const SPECIAL_64 = [
  0n,
  0x8000000000000000n,
  1n,
  0x3ff0000000000000n,
  0xbff0000000000000n,
  0x7ff0000000000000n,
  0xfff0000000000000n,
  0x7ff8000000000000n,
  0xfff8000000000000n,
  0x7ff0000000000001n,
  0xfff00000deadbeefn,
  0x7fffffffffffffffn,
  0x41e0000000000000n,
  0xc1e0000000000000n,
  0x43e0000000000000n,
  0x36a0000000000000n,
  0x47efffffe0000000n,
];

export function bytes32(value: number): number[] {
  return [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24];
}

export function bytes64(value: bigint): number[] {
  return Array.from({ length: 8 }, (_, index) => Number((value >> BigInt(8 * index)) & 255n));
}

function chosen<T>(list: readonly T[], by: Draw): T {
  const value = list[by(list.length)];
  if (value === undefined) throw new Error("there is nothing to choose from");
  return value;
}

const word = (by: Draw): number => by(65_536) * 65_536 + by(65_536);
const pattern32 = (by: Draw): number => (by(4) === 0 ? word(by) : chosen(SPECIAL_32, by));
const pattern64 = (by: Draw): bigint =>
  by(4) === 0 ? (BigInt(word(by)) << 32n) | BigInt(word(by)) : chosen(SPECIAL_64, by);

/** A constant, often one at which something changes: zeros, limits of integers, infinities, NaNs with a payload. */
export function constant(type: ValueType, by: Draw): Instruction {
  switch (type) {
    case "i32":
      return instruction(
        0x41,
        ...signed(BigInt.asIntN(32, BigInt(by(2) === 0 ? by(300) : chosen(SPECIAL_32, by)))),
      );
    case "i64":
      return instruction(0x42, ...signed(BigInt.asIntN(64, by(2) === 0 ? BigInt(by(300)) : pattern64(by))));
    case "f32":
      return instruction(0x43, ...bytes32(pattern32(by)));
    case "f64":
      return instruction(0x44, ...bytes64(pattern64(by)));
    case "v128": {
      const lanes = by(2) === 0 ? [0, 1, 2, 3].flatMap(() => bytes32(pattern32(by))) : undefined;
      return instruction(0xfd0c, ...(lanes ?? [...bytes64(pattern64(by)), ...bytes64(pattern64(by))]));
    }
    case "funcref":
    case "externref":
      return instruction(0xd0, TYPE_BYTE[type]);
    default:
      return type satisfies never;
  }
}

export { chosen };
