import type { Preference } from "../protocol/messages/job.ts";
import type { PeerId } from "../protocol/peer-id.ts";

/** What a preference orders a provider by. */
export interface Qualities {
  readonly instance: PeerId;
  /** What one task at the job's limits costs at least. */
  readonly price: bigint;
  /** Value of work that was checked and found right since its record began anew, micro-credits. */
  readonly experience: bigint;
  /** Time that the relay's ping takes there and back, ms; absent where it was not measured. */
  readonly distanceMs?: number;
}

/**
 * Orders by what a job prefers: below 0 where the first comes first, 0 where the preference says nothing.
 * @param seed of the lot; for "fair" something that nobody could choose when the job was made.
 */
export function compareBy(prefer: Preference, seed: Uint8Array): (a: Qualities, b: Qualities) => number {
  switch (prefer) {
    case "price":
      return (a, b) => ascending(a.price, b.price);
    case "reputation":
      return (a, b) => ascending(b.experience, a.experience);
    case "distance":
      return (a, b) => ascending(a.distanceMs ?? Infinity, b.distanceMs ?? Infinity);
    case "fair":
      return (a, b) => ascending(lot(seed, a.instance), lot(seed, b.instance));
    default:
      return prefer satisfies never;
  }
}

function ascending<T extends bigint | number>(a: T, b: T): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/**
 * A number for each instance, differently for each seed and alike wherever it is computed: FNV-1a, 32 bits, with a last mixing
 * (the finaliser of MurmurHash3), so that names which differ in their last character are far apart.
 */
export function lot(seed: Uint8Array, instance: PeerId): number {
  let mixed = 0x811c9dc5;
  for (const byte of seed) mixed = Math.imul(mixed ^ byte, 0x01000193) >>> 0;
  for (const character of instance)
    mixed = Math.imul(mixed ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
