import type { RelayClient } from "../../mesh/relay-client.ts";
import type { Cid } from "../../protocol/cid.ts";
import { failureCode } from "../../protocol/failure-code.ts";
import { FailureError } from "../../protocol/failure.ts";

/**
 * What a job has of its run's budget, as the relay has it, micro-credits: its cap less what came back; nothing where the relay
 * never took the job. @throws FailureError when the relay does not say.
 */
export async function chargedBy(client: Pick<RelayClient, "job">, job: Cid): Promise<bigint> {
  try {
    const { cap, refunded } = await client.job(job);
    return cap - refunded;
  } catch (error) {
    if (error instanceof FailureError && error.code === failureCode("not-found")) return 0n;
    throw error;
  }
}
