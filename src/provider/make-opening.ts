import { seal } from "../protocol/envelope.ts";
import type { Ground } from "../protocol/greeting.ts";
import { header } from "../protocol/header.ts";
import { type Draw, openingMessage } from "../protocol/messages/audit.ts";
import { taskSchema } from "../protocol/messages/task.ts";
import { decode } from "../protocol/schema.ts";
import type { Signer } from "../protocol/signature.ts";
import type { OpeningItem } from "../storage/openings.ts";
import type { HeldOpening } from "./held-lease.ts";
import { INLINE_INPUT_BYTES } from "./limits.ts";

/** One drawn outcome, signed and ready to be sent. A large input goes beside the message. @param keptAt milliseconds since 1970 */
export async function makeOpening(
  { origin, asset }: Ground,
  signer: Signer,
  draw: Draw,
  index: number,
  keptAt: number,
  { input, ...proven }: HeldOpening,
): Promise<OpeningItem> {
  const isInline = input.length <= INLINE_INPUT_BYTES;
  const { lease, entryIndex, openBy } = draw;
  const opening = {
    ...header(origin, asset),
    entryIndex,
    index,
    ...proven,
    ...(isInline ? { input } : {}),
  };
  return {
    lease,
    origin,
    entryIndex,
    index,
    envelope: await seal(openingMessage, opening, [signer]),
    ...(isInline ? {} : { blob: { cid: decode(taskSchema, proven.task).inputCid, bytes: input } }),
    openBy,
    keptAt,
  };
}
