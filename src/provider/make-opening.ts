import { cidOf, RAW } from "../protocol/cid.ts";
import { seal } from "../protocol/envelope.ts";
import type { Ground } from "../protocol/greeting.ts";
import { header } from "../protocol/header.ts";
import { type Draw, openingMessage } from "../protocol/messages/audit.ts";
import { type EffectEvidence, effectEvidenceSchema } from "../protocol/messages/effect.ts";
import { taskSchema } from "../protocol/messages/task.ts";
import { decode, encode } from "../protocol/schema.ts";
import type { Signer } from "../protocol/signature.ts";
import type { OpeningItem } from "../storage/openings.ts";
import type { HeldOpening } from "./held-lease.ts";
import { INLINE_INPUT_BYTES } from "./limits.ts";

function blobOf(bytes: Uint8Array): NonNullable<OpeningItem["blob"]> {
  return { cid: cidOf(RAW, bytes), bytes };
}

/**
 * One drawn outcome, signed and ready to be sent. A large input goes beside the message, and so does what an effect is followed from.
 * @param keptAt milliseconds since 1970
 */
export async function makeOpening(
  { origin, asset }: Ground,
  signer: Signer,
  draw: Draw,
  index: number,
  keptAt: number,
  { input, ...proven }: HeldOpening,
  effect?: EffectEvidence,
): Promise<OpeningItem> {
  const isInline = input.length <= INLINE_INPUT_BYTES;
  // One blob goes along: with a large input the effect cannot be followed, which is held against nobody.
  const evidence =
    isInline && effect !== undefined ? blobOf(encode(effectEvidenceSchema, effect)) : undefined;
  const blob = isInline ? evidence : { cid: decode(taskSchema, proven.task).inputCid, bytes: input };
  const { lease, entryIndex, openBy } = draw;
  const opening = {
    ...header(origin, asset),
    entryIndex,
    index,
    ...proven,
    ...(isInline ? { input } : {}),
    ...(evidence === undefined ? {} : { effects: evidence.cid }),
  };
  return {
    lease,
    origin,
    entryIndex,
    index,
    envelope: await seal(openingMessage, opening, [signer]),
    ...(blob === undefined ? {} : { blob }),
    openBy,
    keptAt,
  };
}
