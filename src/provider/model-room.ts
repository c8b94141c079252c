import type { Cid } from "../protocol/cid.ts";
import { FailureError } from "../protocol/failure.ts";
import type { StoredModel } from "../storage/model-store.ts";

/** A model that is to come. */
export interface WantedModel {
  readonly cid: Cid;
  /** Of the whole file. */
  readonly bytes: number;
}

/**
 * Which models have to go so that one more is within what models may take: those used longest ago first. Whoever has a job done
 * chooses its model, so without a bound strangers would fill the disk. What has begun counts as whole.
 * @param busy models that are being fetched, which stay @param capBytes of all models together
 * @throws FailureError `no-memory` where those alone take the room
 */
export function modelsToRemove(
  stored: readonly StoredModel[],
  wanted: WantedModel,
  busy: ReadonlySet<Cid>,
  capBytes: number,
): readonly Cid[] {
  const others = stored.filter(({ cid }) => cid !== wanted.cid);
  let total = others.reduce((sum, { manifest }) => sum + manifest.size, wanted.bytes);
  const going: Cid[] = [];
  for (const { cid, manifest } of others.toSorted((a, b) => a.usedAt - b.usedAt)) {
    if (total <= capBytes) break;
    if (busy.has(cid)) continue;
    going.push(cid);
    total -= manifest.size;
  }
  if (total > capBytes)
    throw new FailureError("no-memory", `models may take ${capBytes} bytes here, others are being fetched`);
  return going;
}
