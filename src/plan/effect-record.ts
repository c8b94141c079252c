import { FailureError } from "../protocol/failure.ts";
import {
  type Capability,
  capabilityCid,
  type EffectPlace,
  effectRecordSchema,
} from "../protocol/messages/effect.ts";
import { decode } from "../protocol/schema.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { Receipt } from "./state/receipt.ts";

/** An effect as its receipt, its record and its values show it. */
export interface EffectShown {
  readonly capability: Capability;
  readonly request: Uint8Array;
  readonly record: Uint8Array;
  readonly response: Uint8Array;
  readonly place: EffectPlace;
  readonly signer: PeerId;
}

/** What following an effect again came to: nothing where all of it holds. */
export interface EffectFollowed {
  /** Why it cannot have come to its value. */
  readonly wrong?: string;
  /** What could not be looked at. */
  readonly unchecked?: string;
}

/** Follows an effect again from its record; this room reads plans alone, so it is given by whoever knows effects. */
export type FollowEffect = (effect: EffectShown) => EffectFollowed;

/** Whether a value can be computed again from the record: a time or random bytes that somebody chose are found out by that alone. */
export function isComputed({ kind }: Capability): boolean {
  return kind === "time" || kind === "random";
}

/** Why the record of an effect is not that of its receipt; `undefined` when it is. */
export function whyNotRecord(
  { step, key }: Receipt,
  capability: Capability,
  bytes: Uint8Array,
): string | undefined {
  try {
    const record = decode(effectRecordSchema, bytes);
    if (record.kind !== capability.kind || record.capability !== capabilityCid(capability))
      return "its record is of another capability";
    if (record.request !== step.args) return "its record is of another request";
    if (record.response !== step.result || record.size !== step.size) return "its record has another value";
    if (record.signer !== key) return "its record is another peer's";
    const { place } = record;
    const isHere =
      place === undefined ||
      (place.run === step.run && place.node === step.node && place.iteration === step.iteration);
    return isHere ? undefined : "its record is of another step";
  } catch (error) {
    if (error instanceof FailureError) return `its record cannot be read (${error.detail})`;
    throw error;
  }
}
