import { createHmac } from "node:crypto";
import { DEFAULT_AUDIT_POLICY, PPM } from "../audit-policy.ts";
import { toHex } from "../bytes.ts";
import { drawnLeaves, drawSeed } from "../draw.ts";
import { encodeUtf8 } from "../text.ts";
import { ORIGIN } from "./cast.contract.ts";
import { EPOCH_SECRET, type Story } from "./story.contract.ts";

/** What one draw follows from. The rates are those of the leaves in [first, end); the last one holds for all that follow. */
interface Basis {
  readonly why: string;
  readonly secret: Uint8Array;
  readonly origin: string;
  readonly entryIndex: number;
  readonly entryHash: Uint8Array;
  readonly first: number;
  readonly end: number;
  readonly ratesPpm: readonly number[];
}

/** A draw, or a list of leaves that somebody might take for one, as a row of draw.json. */
export interface DrawRow {
  readonly why: string;
  readonly secretHex: string;
  readonly origin: string;
  readonly entryIndex: number;
  readonly entryHashHex: string;
  readonly seedHex: string;
  readonly first: number;
  readonly end: number;
  readonly ratesPpm: readonly number[];
  readonly leaves: readonly number[];
}

export function rateOf(ratesPpm: readonly number[], offset: number): number {
  return ratesPpm[Math.min(offset, ratesPpm.length - 1)] ?? 0;
}

function leavesOf({ first, end, ratesPpm }: Basis, seed: Uint8Array): readonly number[] {
  return drawnLeaves(seed, first, end, (offset) => rateOf(ratesPpm, offset));
}

function rightSeed({ secret, origin, entryIndex, entryHash }: Basis): Uint8Array {
  return drawSeed(secret, origin, entryIndex, entryHash);
}

function row(basis: Basis, seed: Uint8Array, leaves: readonly number[]): DrawRow {
  const { why, origin, entryIndex, first, end, ratesPpm } = basis;
  return {
    why,
    secretHex: toHex(basis.secret),
    origin,
    entryIndex,
    entryHashHex: toHex(basis.entryHash),
    seedHex: toHex(seed),
    first,
    end,
    ratesPpm,
    leaves,
  };
}

/** Falls as experience grows leaf by leaf: all of the first tasks, then 2 / (1 + n), down to the floor. */
function growing(count: number): readonly number[] {
  const { firstTasks, rateNumerator, floorPpm } = DEFAULT_AUDIT_POLICY;
  return Array.from({ length: count }, (_, n) =>
    n < firstTasks ? PPM : Math.max(floorPpm, Math.floor((rateNumerator * PPM) / (1 + n))),
  );
}

function bases({ inclusion, drawSecret }: Story): readonly Basis[] {
  const story = {
    secret: EPOCH_SECRET,
    origin: ORIGIN,
    entryIndex: inclusion.index,
    entryHash: inclusion.leaf,
    first: 0,
  };
  const { floorPpm, failedPpm, requesterPpm } = DEFAULT_AUDIT_POLICY;
  return [
    { ...story, why: "all of the first tasks, as in audit.json", end: 3, ratesPpm: [PPM] },
    {
      ...story,
      why: "by the requester's secret, as in audit.json",
      secret: drawSecret,
      end: 3,
      ratesPpm: [requesterPpm],
    },
    { ...story, why: "at the floor", end: 400, ratesPpm: [floorPpm] },
    {
      ...story,
      why: "in a report with failures, not the first of its lease",
      first: 1_000,
      end: 1_064,
      ratesPpm: [failedPpm],
    },
    { ...story, why: "at rates that fall with each leaf", end: 80, ratesPpm: growing(80) },
    { ...story, why: "at a rate of nothing", end: 400, ratesPpm: [0] },
    { ...story, why: "at one in a million", end: 400, ratesPpm: [1] },
    { ...story, why: "at all but one in a million", end: 400, ratesPpm: [PPM - 1] },
    { ...story, why: "without new leaves", first: 7, end: 7, ratesPpm: [PPM] },
    {
      ...story,
      why: "where places take more than 32 bits, of an origin with letters of two bytes",
      origin: "büro.example/log",
      entryIndex: 2 ** 40 + 3,
      first: 2 ** 32 - 20,
      end: 2 ** 32 + 20,
      ratesPpm: [failedPpm],
    },
  ];
}

function plain(key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer {
  const mac = createHmac("sha256", key);
  for (const part of parts) mac.update(part);
  return mac.digest();
}

function places(bytes: number, order: "big" | "little", value: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  if (bytes === 4) buffer.writeUInt32BE(value);
  else if (order === "big") buffer.writeBigUInt64BE(BigInt(value));
  else buffer.writeBigUInt64LE(BigInt(value));
  return buffer;
}

function drawnBy({ first, end, ratesPpm }: Basis, lot: (leaf: number) => bigint): readonly number[] {
  return Array.from({ length: end - first }, (_, offset) => first + offset).filter(
    (leaf) => lot(leaf) * BigInt(PPM) < BigInt(rateOf(ratesPpm, leaf - first)) << 64n,
  );
}

/** Lists of leaves that do not follow, each as it comes about by a mistake or a lie. */
function mistakes(basis: Basis): readonly DrawRow[] {
  const seed = rightSeed(basis);
  const right = leavesOf(basis, seed);
  const { secret, origin, entryIndex, entryHash } = basis;
  const wrong = (why: string, leaves: readonly number[], of: Uint8Array = seed): DrawRow =>
    row({ ...basis, why }, of, leaves);
  const seeded = (why: string, of: Uint8Array): DrawRow => wrong(why, leavesOf(basis, of), of);
  const tag = encodeUtf8("tabmesh/draw/1");
  return [
    wrong("a drawn leaf is left out", right.slice(1)),
    wrong("at a higher rate", leavesOf({ ...basis, ratesPpm: [300_000] }, seed)),
    wrong("the order is another", right.toReversed()),
    seeded("of the entry after it", drawSeed(secret, origin, entryIndex + 1, entryHash)),
    seeded("of an entry with another hash", drawSeed(secret, origin, entryIndex, entryHash.toReversed())),
    seeded(
      "by another secret",
      drawSeed(
        secret.map((byte) => byte ^ 1),
        origin,
        entryIndex,
        entryHash,
      ),
    ),
    seeded("of another relay", drawSeed(secret, `${origin}s`, entryIndex, entryHash)),
    seeded(
      "tag and origin without their lengths",
      plain(secret, tag, encodeUtf8(origin), places(8, "big", entryIndex), entryHash),
    ),
    seeded(
      "the entry's place with its least byte first",
      plain(
        secret,
        Uint8Array.of(0, tag.length),
        tag,
        Uint8Array.of(0, encodeUtf8(origin).length),
        encodeUtf8(origin),
        places(8, "little", entryIndex),
        entryHash,
      ),
    ),
    wrong(
      "the leaf's place with its least byte first",
      drawnBy(basis, (leaf) => plain(seed, places(8, "little", leaf)).readBigUInt64BE()),
    ),
    wrong(
      "the leaf's place in four bytes",
      drawnBy(basis, (leaf) => plain(seed, places(4, "big", leaf)).readBigUInt64BE()),
    ),
    wrong(
      "the lot with its least byte first",
      drawnBy(basis, (leaf) => plain(seed, places(8, "big", leaf)).readBigUInt64LE()),
    ),
    wrong(
      "the last 64 bits for the first",
      drawnBy(basis, (leaf) => plain(seed, places(8, "big", leaf)).readBigUInt64BE(24)),
    ),
    wrong(
      "places counted from the first new leaf",
      drawnBy(basis, (leaf) => plain(seed, places(8, "big", leaf - basis.first)).readBigUInt64BE()),
    ),
  ];
}

/** Draws as they have to come out, and lists of leaves that do not follow from what they name. */
export function drawRows(story: Story): {
  readonly draws: readonly DrawRow[];
  readonly refused: readonly DrawRow[];
} {
  const all = bases(story);
  const failed = all.find(({ first, end }) => first > 0 && end > first);
  if (failed === undefined) throw new Error("no draw begins behind the first leaf");
  return {
    draws: all.map((basis) => row(basis, rightSeed(basis), leavesOf(basis, rightSeed(basis)))),
    refused: mistakes(failed),
  };
}
