import { concatBytes } from "../../src/protocol/bytes.ts";
import type { Draw } from "./chance.ts";

/** CBOR heads that decoders stumble over: lengths of every width, indefinite ones, floats, tags, the reserved. */
const HEADS: readonly (readonly number[])[] = [
  [0x18, 0x17],
  [0x19, 0xff, 0xff],
  [0x1a, 0xff, 0xff, 0xff, 0xff],
  [0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0x1b, 0, 0, 0, 0, 0, 0, 0, 1],
  [0x20],
  [0x3b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0x5a, 0x7f, 0xff, 0xff, 0xff],
  [0x5b, 0, 0, 0, 1, 0, 0, 0, 0],
  [0x5f],
  [0x78, 0x00],
  [0x7f],
  [0x9a, 0xff, 0xff, 0xff, 0xff],
  [0x9f],
  [0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x80],
  [0xba, 0xff, 0xff, 0xff, 0xff],
  [0xbf],
  [0xc0],
  [0xd8, 0x2a],
  [0xf4],
  [0xf6],
  [0xf7],
  [0xf9, 0x3c, 0x00],
  [0xfb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0],
  [0xff],
];

/** Longest piece that is cut out, doubled or brought in, bytes. */
const MOST_PIECE = 64;

type Change = (data: Uint8Array, other: Uint8Array, by: Draw) => Uint8Array;

function piece(data: Uint8Array, by: Draw): Uint8Array {
  const at = by(data.length + 1);
  return data.subarray(at, at + 1 + by(MOST_PIECE));
}

/** Puts `bytes` in the place of `removed` bytes somewhere. */
function splice(data: Uint8Array, bytes: Uint8Array, removed: number, by: Draw): Uint8Array {
  const at = by(data.length + 1);
  return concatBytes(data.subarray(0, at), bytes, data.subarray(at + removed));
}

function altered(data: Uint8Array, by: Draw, change: (byte: number) => number): Uint8Array {
  const copy = data.slice();
  if (copy.length > 0) {
    const at = by(copy.length);
    copy[at] = change(copy[at] ?? 0);
  }
  return copy;
}

const CHANGES: readonly Change[] = [
  (data, _, by) => altered(data, by, (byte) => byte ^ (1 << by(8))),
  (data, _, by) => altered(data, by, () => by(256)),
  (data, _, by) => altered(data, by, (byte) => byte + (by(2) === 0 ? 1 : -1)),
  (data, _, by) => data.subarray(0, by(data.length + 1)),
  (data, _, by) => splice(data, new Uint8Array(0), 1 + by(MOST_PIECE), by),
  (data, _, by) => splice(data, piece(data, by), 0, by),
  (data, other, by) => splice(data, piece(other, by), by(MOST_PIECE), by),
  (data, _, by) =>
    splice(
      data,
      Uint8Array.from({ length: 1 + by(8) }, () => by(256)),
      0,
      by,
    ),
  (data, _, by) => {
    const head = Uint8Array.from(HEADS[by(HEADS.length)] ?? []);
    return splice(data, head, by(2) === 0 ? 1 : head.length, by);
  },
  (data, other, by) => {
    const same = piece(other, by);
    return splice(data, same, same.length, by);
  },
];

/** Bytes like `data`, but not quite: one to four changes, some with pieces of `other`. */
export function mutate(data: Uint8Array, other: Uint8Array, by: Draw): Uint8Array {
  let mutated = data;
  for (let left = 1 + by(4); left > 0; left -= 1)
    mutated = CHANGES[by(CHANGES.length)]?.(mutated, other, by) ?? mutated;
  return mutated;
}
