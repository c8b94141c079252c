import { type ByteReader, refuseModule } from "./byte-reader.ts";

/** Value types as bytes. */
export const TYPE = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
  funcref: 0x70,
  externref: 0x6f,
  empty: 0x40,
  function: 0x60,
} as const;

function isReferenceType(byte: number): boolean {
  return byte === TYPE.funcref || byte === TYPE.externref;
}

export function isValueType(byte: number): boolean {
  return (byte >= TYPE.v128 && byte <= TYPE.i32) || isReferenceType(byte);
}

export function readValueType(reader: ByteReader, what: string): number {
  const at = reader.at;
  const byte = reader.u8(what);
  if (isValueType(byte)) return byte;
  return refuseModule(`${what} 0x${byte.toString(16)} is not part of profile 1`, at);
}

export function readReferenceType(reader: ByteReader, what: string): number {
  const at = reader.at;
  const byte = reader.u8(what);
  if (isReferenceType(byte)) return byte;
  return refuseModule(`${what} 0x${byte.toString(16)} is not a reference type of profile 1`, at);
}

/** Minimum and maximum of a memory or table; shared and 64-bit ones are refused. */
export function readLimits(
  reader: ByteReader,
  what: string,
): { minimum: number; maximum: number | undefined } {
  const at = reader.at;
  const flags = reader.u8(`limits of ${what}`);
  if (flags > 1) refuseModule(`${what} ${refusedFlag(flags)}`, at);
  const minimum = reader.u32(`minimum of ${what}`);
  const maximum = flags === 1 ? reader.u32(`maximum of ${what}`) : undefined;
  if (maximum !== undefined && maximum < minimum) refuseModule(`${what} has a maximum below its minimum`, at);
  return { minimum, maximum };
}

function refusedFlag(flags: number): string {
  if ((flags & 4) !== 0) return "uses 64-bit addresses, which are not part of profile 1";
  if ((flags & 2) !== 0) return "is shared between threads, which is refused: results would depend on timing";
  return "has unknown flags";
}
