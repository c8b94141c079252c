import { FailureError } from "../../protocol/failure.ts";
import { microCredits } from "../../protocol/units.ts";
import type {
  PlanGround,
  PlanOrder,
  PlanRequester,
  StartedRun,
} from "../../relay/deployments/plan-requester.ts";
import type { PlanRun } from "../../sdk/index.ts";
import { Membership } from "../gateway/membership.ts";

/** Runs of deployments over the public interface of requesters. */
class MeshPlans implements PlanRequester {
  readonly #membership: Membership;

  constructor(ground: PlanGround) {
    this.#membership = new Membership(ground);
  }

  async start(order: PlanOrder, signal: AbortSignal): Promise<StartedRun> {
    const { mesh, done } = await this.#membership.enter();
    try {
      if (signal.aborted) throw new FailureError("cancelled", "nobody waits for it any more");
      const { payer, apiKey, available, budget, nonce, issuedAt, timeoutMs, providers } = order;
      const run = await mesh.startRun(order.plan, order.params, {
        payer: { account: payer, apiKey, available: microCredits(available) },
        budget,
        nonce,
        issuedAt,
        timeoutMs,
        noProviderTimeoutMs: order.noProviderTimeoutMs,
        ...(providers === undefined ? {} : { providers }),
        signal,
      });
      return started(run, done);
    } catch (error) {
      done();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#membership.close();
  }
}

/** The way into the mesh is needed until all is settled. */
function started(run: PlanRun, done: () => void): StartedRun {
  return {
    run: run.id,
    events: run.events,
    value: (cid, signal) => run.value(cid, signal),
    result: async () => (await run.result()).bytes,
    spent: run.summary.then(({ spent }) => spent).finally(done),
  };
}

/** Has plans of deployments carried out by tabs. It joins the mesh at the first of them. */
export function meshPlans(ground: PlanGround): PlanRequester {
  return new MeshPlans(ground);
}
