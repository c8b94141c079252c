import { cidFromDigest, RAW } from "../protocol/cid.ts";
import { fuel } from "../protocol/units.ts";
import type { TaskEnd } from "./provider-channel.ts";
import type { ModelPart } from "./session-ports.ts";
import type { PoolResult } from "./worker-pool.ts";

/** What a thread's result means for the lease. */
export function endOf(result: PoolResult): TaskEnd {
  if (result.kind === "failed") return { kind: "failed", code: result.code, fuel: fuel(result.fuel) };
  return {
    kind: "done",
    outputCid: cidFromDigest(RAW, result.outputSha256),
    size: result.output.byteLength,
    fuel: fuel(result.fuel),
  };
}

/** What a part of a model's answer means for the lease. */
export function endOfPart({ output, outputSha256, fuel: used }: ModelPart): TaskEnd {
  return {
    kind: "done",
    outputCid: cidFromDigest(RAW, outputSha256),
    size: output.byteLength,
    fuel: fuel(used),
  };
}
