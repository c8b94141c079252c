import type { Cid } from "../protocol/cid.ts";
import { FailureError } from "../protocol/failure.ts";
import type { WorkOrder } from "./check-open.ts";

/** What the provider has on its hands. */
export interface Load {
  /** Memory one function or model may have, bytes. */
  readonly memoryBytes: number;
  /** Whether models run here. */
  readonly hasModels: boolean;
  /** Whether effects are carried out here, and such a one: throws with the reason where not. Absent: none are. */
  readonly admitEffect?: (order: WorkOrder) => void;
  /** Leases at work. */
  readonly atWork: number;
  /** Every lease this session has ever accepted. A second beginning would sign a second history: equivocation (rule 12). */
  readonly accepted: ReadonlySet<Cid>;
}

/** Leases at work at a time: one requester may split a job, and tasks queue for threads anyway. */
const MAX_LEASES = 16;

/** Whether to take an order whose signatures hold. @throws FailureError with the reason to decline. */
export function decideAdmission(order: WorkOrder, load: Load): void {
  const { limits, work } = order.job.body;
  const { memory } = limits;
  if (load.accepted.has(order.lease.id))
    throw new FailureError("declined", "this lease was begun already; it cannot be begun again");
  if (load.atWork >= MAX_LEASES) throw new FailureError("declined", `already ${MAX_LEASES} leases at work`);
  if (memory > load.memoryBytes) {
    throw new FailureError(
      "no-memory",
      `the job asks for ${memory} bytes of memory, this provider gives ${load.memoryBytes}`,
    );
  }
  if (work.kind === "model" && !load.hasModels)
    throw new FailureError("declined", "this provider runs no models");
  if (work.kind !== "effect") {
    if (work.effects.length > 0)
      throw new FailureError("declined", `no effects are granted to ${work.kind}s`);
    return;
  }
  if (load.admitEffect === undefined)
    throw new FailureError("declined", "this provider carries out no effects");
  load.admitEffect(order);
}
