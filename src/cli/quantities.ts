import { InvalidArgumentError } from "commander";

/** Readers for quantities on the command line, and writers for those on the screen. */

const FUEL_FACTORS: Readonly<Record<string, bigint>> = {
  "": 1n,
  k: 1_000n,
  m: 1_000_000n,
  g: 1_000_000_000n,
  t: 1_000_000_000_000n,
};
const BYTE_FACTORS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 1024,
  kib: 1024,
  m: 1024 ** 2,
  mib: 1024 ** 2,
  g: 1024 ** 3,
  gib: 1024 ** 3,
};
const TIME_FACTORS: Readonly<Record<string, number>> = { ms: 1, "": 1_000, s: 1_000, m: 60_000, min: 60_000 };
const MICROS_PER_CREDIT = 1_000_000n;
const MICRO_DIGITS = 6;

function parts(text: string): { readonly digits: string; readonly unit: string } | undefined {
  const [, digits, unit] = /^(\d+)\s*([a-z]*)$/u.exec(text.trim().toLowerCase()) ?? [];
  return digits === undefined || unit === undefined ? undefined : { digits, unit };
}

/** Fuel: a whole number with k, M, G or T. @throws InvalidArgumentError. */
export function parseFuel(text: string): bigint {
  const read = parts(text);
  const factor = read === undefined ? undefined : FUEL_FACTORS[read.unit];
  if (read === undefined || factor === undefined || BigInt(read.digits) === 0n)
    throw new InvalidArgumentError("It takes a number of instructions, such as 500M or 20G.");
  return BigInt(read.digits) * factor;
}

/** Bytes: a whole number with KiB, MiB or GiB (k, M, G for short). @throws InvalidArgumentError. */
export function parseBytes(text: string): number {
  const read = parts(text);
  const factor = read === undefined ? undefined : BYTE_FACTORS[read.unit];
  if (read === undefined || factor === undefined || Number(read.digits) === 0)
    throw new InvalidArgumentError("It takes a size, such as 64MiB or 1GiB.");
  return Number(read.digits) * factor;
}

/** Milliseconds, from 500ms, 30s or 2m. @throws InvalidArgumentError. */
export function parseDurationMs(text: string): number {
  const read = parts(text);
  const factor = read === undefined ? undefined : TIME_FACTORS[read.unit];
  if (read === undefined || factor === undefined || Number(read.digits) === 0)
    throw new InvalidArgumentError("It takes a time, such as 500ms, 30s or 2m.");
  return Number(read.digits) * factor;
}

/** Micro-credits, from credits with up to six decimals. @throws InvalidArgumentError. */
export function parseCredits(text: string): bigint {
  const [, whole, decimals = ""] = /^(\d+)(?:\.(\d{1,6}))?$/u.exec(text.trim()) ?? [];
  if (whole === undefined)
    throw new InvalidArgumentError("It takes credits with up to six decimals, such as 0.25.");
  return BigInt(whole) * MICROS_PER_CREDIT + BigInt(decimals.padEnd(MICRO_DIGITS, "0"));
}

/** A whole number from 1 on. @throws InvalidArgumentError. */
export function parseCount(text: string): number {
  const value = Number(text);
  if (!/^\d+$/u.test(text) || value < 1 || !Number.isSafeInteger(value))
    throw new InvalidArgumentError("It takes a whole number from 1 on.");
  return value;
}

/** Bytes in hexadecimal, two digits each. @throws InvalidArgumentError. */
export function parseHex(text: string): Uint8Array {
  if (!/^(?:[0-9a-f]{2})+$/iu.test(text))
    throw new InvalidArgumentError("It takes bytes as hexadecimal digits, such as 00ff17.");
  return new Uint8Array(Buffer.from(text, "hex"));
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Pixels, from 640x360. @throws InvalidArgumentError. */
export function parseSize(text: string): Size {
  const [, width, height] = /^(\d{1,5})[x×](\d{1,5})$/u.exec(text.trim()) ?? [];
  if (width === undefined || height === undefined || Number(width) === 0 || Number(height) === 0)
    throw new InvalidArgumentError("It takes width and height in pixels, such as 640x360.");
  return { width: Number(width), height: Number(height) };
}

/** "K=V", also with an empty V. @throws InvalidArgumentError. */
export function parsePair(text: string): readonly [key: string, value: string] {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("It takes NAME=VALUE.");
  return [text.slice(0, at), text.slice(at + 1)];
}

/** Exact, without trailing zeros below a hundredth, as in "0.0123" or "12.50". */
export function creditsText(micros: bigint): string {
  const sign = micros < 0n ? "-" : "";
  const absolute = micros < 0n ? -micros : micros;
  const decimals = (absolute % MICROS_PER_CREDIT).toString().padStart(MICRO_DIGITS, "0");
  const shown = decimals.replace(/0{1,4}$/u, "");
  return `${sign}${(absolute / MICROS_PER_CREDIT).toString()}.${shown}`;
}

/** Money without worth outside its relay never goes by the plain name. */
export function creditUnit(testMoney: boolean): string {
  return testMoney ? "test credits" : "credits";
}

/** As in "1.2 Gfuel". */
export function fuelText(fuel: bigint): string {
  const value = Number(fuel);
  if (value >= 1e9) return `${(value / 1e9).toPrecision(3)} Gfuel`;
  if (value >= 1e6) return `${(value / 1e6).toPrecision(3)} Mfuel`;
  return `${fuel} fuel`;
}

/** As in "12.4 MiB". */
export function bytesText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 ** 2) return `${(bytes / 1024).toFixed(1)} KiB`;
  if (bytes < 1024 ** 3) return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
  return `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}

export function durationText(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3_600).toFixed(1)} h`;
}

export function countText(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** All six decimals, thousands apart, as the app shows amounts: "1,234.500000". */
export function creditsFixed(micros: bigint): string {
  const whole = (micros / MICROS_PER_CREDIT).toString().replace(/\B(?=(?:\d{3})+$)/gu, ",");
  return `${whole}.${(micros % MICROS_PER_CREDIT).toString().padStart(MICRO_DIGITS, "0")}`;
}
