import { decode } from "../../protocol/schema.ts";
import type { Cid } from "../../protocol/cid.ts";
import { type EffectEvidence, effectRecordSchema } from "../../protocol/messages/effect.ts";
import { outcomeSchema } from "../../protocol/messages/task.ts";

/**
 * What an effect's outcome can be followed from.
 * @param leaf encoded outcome @param find values by CID
 * @returns nothing for outcomes that are none of an effect, and where some of it is not here any more: that is held against nobody
 */
export function evidenceOf(
  leaf: Uint8Array,
  find: ((cid: Cid) => Uint8Array | undefined) | undefined,
): EffectEvidence | undefined {
  const { effectsCid } = decode(outcomeSchema, leaf);
  const record = effectsCid === undefined ? undefined : find?.(effectsCid);
  if (record === undefined) return undefined;
  const { capability: named, response } = decode(effectRecordSchema, record);
  const capability = find?.(named);
  const value = find?.(response);
  return capability === undefined || value === undefined ? undefined : { capability, record, value };
}
