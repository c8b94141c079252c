import { failureCode } from "../../protocol/failure-code.ts";
import { FailureError } from "../../protocol/failure.ts";
import { microCredits } from "../../protocol/units.ts";
import type {
  PlanGround,
  PlanOrder,
  PlanRequester,
  StartedRun,
} from "../../relay/deployments/plan-requester.ts";
import type { PlanRun, Tabmesh } from "../../sdk/index.ts";
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
      signal.throwIfAborted();
      const run = await begin(mesh, order);
      const end = (): void => void (isLeft(signal) ? run.leave() : run.cancel());
      signal.addEventListener("abort", end, { once: true });
      if (signal.aborted) end();
      return started(run, () => {
        signal.removeEventListener("abort", end);
        done();
      });
    } catch (error) {
      done();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#membership.close();
  }
}

/** Whether somebody else goes on with it. */
function isLeft({ reason }: AbortSignal): boolean {
  return reason instanceof FailureError && reason.code === failureCode("draining");
}

function begin(mesh: Tabmesh, order: PlanOrder): Promise<PlanRun> {
  const { payer, apiKey, available, budget, nonce, issuedAt, timeoutMs, providers, continues } = order;
  const { noProviderTimeoutMs } = order;
  const among = providers === undefined ? {} : { providers };
  if (continues !== undefined)
    return mesh.continueRun(continues, { atOnce: true, noProviderTimeoutMs, ...among });
  return mesh.startRun(order.plan, order.params, {
    payer: { account: payer, apiKey, available: microCredits(available) },
    budget,
    nonce,
    issuedAt,
    timeoutMs,
    noProviderTimeoutMs,
    ...among,
  });
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
