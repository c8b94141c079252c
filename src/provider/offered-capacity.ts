import { EFFECT_ABI } from "../protocol/messages/effect.ts";
import { type Abi, FUNCTION_ABIS, MODEL_ABI } from "../protocol/messages/session.ts";
import type { ChallengeDesk } from "./challenge-desk.ts";
import type { EffectDesk } from "./effects/effect-desk.ts";
import type { ModelJobs } from "./model-jobs.ts";
import type { Capacity } from "./offer-line.ts";
import type { WorkerPool } from "./worker-pool.ts";

/** What a provider's offer is made of. */
export interface OfferedParts {
  readonly pool: Pick<WorkerPool, "size" | "free">;
  readonly models: Pick<ModelJobs, "busy" | "held"> | undefined;
  readonly effects: Pick<EffectDesk, "offered"> | undefined;
  readonly challenges: Pick<ChallengeDesk, "claims">;
  readonly memoryBytes: number;
  /** Whether orders are refused for now. */
  readonly isPaused: boolean;
}

/** What a provider can take on now. A model at work takes the processor of a thread. */
export function offeredCapacity(parts: OfferedParts): Capacity {
  const { pool, models, effects, challenges, memoryBytes, isPaused } = parts;
  const granted = effects?.offered() ?? [];
  const abis: Abi[] = [...FUNCTION_ABIS];
  if (models !== undefined) abis.push(MODEL_ABI);
  if (granted.length > 0) abis.push(EFFECT_ABI);
  return {
    // One that pauses has threads, but none that is free: it is not idle.
    workers: Math.max(1, pool.size),
    free: isPaused ? 0 : Math.max(0, pool.free - (models?.busy ?? 0)),
    memoryBytes,
    abis,
    ...(models === undefined ? {} : { models: models.held }),
    ...(granted.length === 0 ? {} : { effects: granted }),
    claims: challenges.claims,
  };
}
