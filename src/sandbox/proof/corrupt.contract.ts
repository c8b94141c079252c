import type { Draw } from "../../../e2e/soak/chance.ts";
import { mutate } from "../../../e2e/soak/mutate.ts";
import { failureCode } from "../../protocol/failure-code.ts";
import { FailureError } from "../../protocol/failure.ts";
import { concatBytes } from "../../protocol/bytes.ts";
import { meterModule } from "../meter.ts";
import { unsigned } from "./instructions.contract.ts";

const INVALID = failureCode("invalid-module");

type Change = (data: Uint8Array, other: Uint8Array, by: Draw) => Uint8Array;

interface SectionRange {
  readonly id: number;
  /** Of its id, its content and its end. */
  readonly from: number;
  readonly content: number;
  readonly to: number;
}

/** Sections of a module that may be damaged already: as far as they can be told. */
function sectionsOf(data: Uint8Array): readonly SectionRange[] {
  const sections: SectionRange[] = [];
  for (let at = 8; at < data.length;) {
    const from = at;
    const id = data[at] ?? 0;
    let size = 0;
    let scale = 1;
    for (at += 1; at < data.length; scale *= 128) {
      const byte = data[at] ?? 0;
      at += 1;
      size += (byte & 127) * scale;
      if (byte < 128) break;
    }
    const to = at + size;
    if (to > data.length) break;
    sections.push({ id, from, content: at, to });
    at = to;
  }
  return sections;
}

/** An unsigned number in more bytes than it needs. */
function overlong(value: number, bytes: number): number[] {
  const digits = Array.from({ length: bytes }, (_, index) => Math.floor(value / 128 ** index) % 128);
  return digits.map((digit, index) => (index < bytes - 1 ? digit + 128 : digit));
}

function anySection(data: Uint8Array, by: Draw): SectionRange {
  const sections = sectionsOf(data);
  return sections[by(Math.max(1, sections.length))] ?? { id: 0, from: 8, content: 8, to: data.length };
}

/** A section with other content, and a size that fits. */
function rewritten(data: Uint8Array, { id, from, to }: SectionRange, content: Uint8Array): Uint8Array {
  const head = Uint8Array.from([id, ...unsigned(content.length)]);
  return concatBytes(data.subarray(0, from), head, content, data.subarray(to));
}

const HUGE: readonly (readonly number[])[] = [
  [0xff, 0xff, 0xff, 0xff, 0x0f],
  [0x80, 0x80, 0x80, 0x80, 0x08],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
  [0x80, 0x80, 0x80, 0x80, 0x80, 0x80],
  [0xff, 0xff, 0x03],
  [0x00],
];

/** One byte within a section is another. */
function flipped(data: Uint8Array, _: Uint8Array, by: Draw): Uint8Array {
  const section = anySection(data, by);
  const copy = data.slice();
  const at = section.content + by(Math.max(1, section.to - section.content));
  if (at < copy.length) copy[at] = by(2) === 0 ? (copy[at] ?? 0) ^ (1 << by(8)) : by(256);
  return copy;
}

/** What a decoder of modules stumbles over: sizes that lie, sections in another order, numbers in too many bytes. */
const CHANGES: readonly Change[] = [
  mutate,
  flipped,
  flipped,
  flipped,
  // Any change within a section, whose size is corrected, so that what follows is still found.
  (data, other, by) => {
    const section = anySection(data, by);
    return rewritten(data, section, mutate(data.subarray(section.content, section.to), other, by));
  },
  // The count at the beginning of a section is another.
  (data, _, by) => {
    const section = anySection(data, by);
    const rest = data.subarray(Math.min(section.content + 1, section.to), section.to);
    return rewritten(data, section, concatBytes(Uint8Array.from(HUGE[by(HUGE.length)] ?? []), rest));
  },
  // The size of a section is another, or the same in more bytes.
  (data, _, by) => {
    const { id, from, content, to } = anySection(data, by);
    const size = by(2) === 0 ? to - content : Math.max(0, to - content + by(5) - 2);
    const head = Uint8Array.from([id, ...overlong(size, 1 + by(6))]);
    return concatBytes(data.subarray(0, from), head, data.subarray(content));
  },
  // Two sections change places, or one is there twice, or one is taken from elsewhere.
  (data, other, by) => {
    const section = anySection(data, by);
    const second = by(3) === 0 ? anySection(other, by) : anySection(data, by);
    const source = by(3) === 0 ? other : data;
    return concatBytes(
      data.subarray(0, section.from),
      source.subarray(second.from, second.to),
      by(2) === 0 ? data.subarray(section.to) : data.subarray(section.from),
    );
  },
  // A small number within is written in more bytes.
  (data, _, by) => {
    const section = anySection(data, by);
    const at = section.content + by(Math.max(1, section.to - section.content));
    const value = data[at] ?? 0;
    if (value >= 128) return data;
    const content = concatBytes(
      data.subarray(section.content, at),
      Uint8Array.from(overlong(value, 2 + by(5))),
      data.subarray(at + 1, section.to),
    );
    return rewritten(data, section, content);
  },
];

/** Bytes like a module's, but not quite. @param other to take pieces from. */
export function corrupt(data: Uint8Array, other: Uint8Array, by: Draw): Uint8Array<ArrayBuffer> {
  let bytes = data;
  for (let left = 1 + by(2); left > 0; left -= 1)
    bytes = CHANGES[by(CHANGES.length)]?.(bytes, other, by) ?? bytes;
  return new Uint8Array(bytes);
}

/**
 * What became of damaged bytes. `made valid`: what the rewriter adds can hide that a body leaves too much on its stack or
 * refers to an undeclared function, so whoever compiles asks the engine about the original too; see compileFunction.
 */
export type Judgement =
  | "refused"
  | "refused by the profile"
  | "rewritten"
  | "left to the engine"
  | "made valid"
  | { readonly wrong: string };

/** Why a module may be refused that the engine accepts. */
const BY_PROFILE =
  /of profile \d|is refused|are refused|more than|deeper than|above 65,536|reserved prefix|^exceptions:/u;

function judgeRefusal(bytes: Uint8Array<ArrayBuffer>, { detail }: FailureError): Judgement {
  if (!WebAssembly.validate(bytes)) return "refused";
  return BY_PROFILE.test(detail) ? "refused by the profile" : { wrong: `is valid, but refused: ${detail}` };
}

/** Meters bytes and asks the engine about both sides. */
export function judge(bytes: Uint8Array<ArrayBuffer>): Judgement {
  let metered: Uint8Array<ArrayBuffer>;
  try {
    metered = meterModule(bytes).bytes;
  } catch (error) {
    if (error instanceof FailureError && error.toFailure().code === INVALID)
      return judgeRefusal(bytes, error);
    return { wrong: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
  }
  const valid = WebAssembly.validate(bytes);
  if (WebAssembly.validate(metered) === valid) return valid ? "rewritten" : "left to the engine";
  return valid ? { wrong: "the engine accepts the original, not what was made of it" } : "made valid";
}
