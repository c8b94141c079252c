import { FailureError } from "../protocol/failure.ts";
import { type Capability, capabilityCid, effectRecordSchema } from "../protocol/messages/effect.ts";
import { decode } from "../protocol/schema.ts";
import type { Receipt } from "./state/receipt.ts";

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
