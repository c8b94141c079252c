import type { MessageType } from "../envelope.ts";
import { type Header, headerFields } from "../header.ts";
import type { Cid } from "../cid.ts";
import { MAX_CHALLENGE_LANES } from "../limits.ts";
import { PROPERTIES, type Property } from "../property.ts";
import type { PeerId } from "../peer-id.ts";
import {
  cid,
  exactBytes,
  type Fields,
  list,
  oneOf,
  optional,
  peer,
  record,
  type Schema,
  uint,
  where,
} from "../schema.ts";

const property: Schema<Property> = oneOf(PROPERTIES);

/** What a provider says of itself, in fuel, bytes or bytes per second. */
export interface Claim {
  readonly property: Property;
  readonly value: number;
}

export const claims: Schema<readonly Claim[]> = list(
  record<Claim>({ property, value: uint() }),
  PROPERTIES.length,
);

/**
 * The relay asks a provider to compute something now. Each lane is computed by a thread of its own, all at once, from its
 * seed; the answer is due at once, and the relay's clock runs from the sending of this to the arrival of the answer.
 */
export interface Challenge extends Header {
  readonly instance: PeerId;
  /** Never used before; the answer's digest begins with it. */
  readonly nonce: Uint8Array;
  readonly property: Property;
  /** Iterations, MiB, forward passes or bytes: see docs/wire.md. */
  readonly amount: number;
  /** One for each lane, 32 bytes; more than one for `fuel-all` alone. */
  readonly seeds: readonly Uint8Array[];
}

export const NONCE_BYTES = 16;

export const challengeMessage: MessageType<Challenge> = {
  name: "challenge",
  schema: where(
    record<Challenge>({
      ...headerFields,
      instance: peer,
      nonce: exactBytes(NONCE_BYTES),
      property,
      amount: uint(0xffff_ffff),
      seeds: list(exactBytes(32), MAX_CHALLENGE_LANES),
    }),
    ({ amount, seeds, property: what }) =>
      amount > 0 && seeds.length > 0 && (what === "fuel-all" || seeds.length === 1),
    "asks for nothing, or for more lanes than its property has",
  ),
};

/**
 * Why a provider does not compute: it has work; it has no such device, or not now; it has no room; it would take too long
 * or did; the person does not want it. None of them is held against it.
 */
export const DECLINES = ["busy", "no-device", "no-memory", "too-long", "unwilling"] as const;
export type Decline = (typeof DECLINES)[number];

/** Either the digest of what was computed, or why nothing was. */
export interface ChallengeAnswer extends Header {
  readonly instance: PeerId;
  readonly challenge: Cid;
  readonly digest?: Uint8Array;
  /** Whether a graphics card computed, or the processor in its place. */
  readonly device?: "hardware" | "software";
  readonly declined?: Decline;
}

const answerFields: Fields<ChallengeAnswer> = {
  ...headerFields,
  instance: peer,
  challenge: cid,
  digest: optional(exactBytes(32)),
  device: optional(oneOf(["hardware", "software"])),
  declined: optional(oneOf(DECLINES)),
};

export const challengeAnswerMessage: MessageType<ChallengeAnswer> = {
  name: "challenge-answer",
  schema: where(
    record<ChallengeAnswer>(answerFields),
    ({ digest, device, declined }) =>
      (digest === undefined) !== (declined === undefined) && (device === undefined || digest !== undefined),
    "has either a digest or a reason, and a device with a digest alone",
  ),
};
