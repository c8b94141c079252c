import { FailureError } from "../../protocol/failure.ts";
import { openEnvelope } from "../../protocol/envelope.ts";
import type { Cid } from "../../protocol/cid.ts";
import { receiptMessage } from "../../protocol/messages/receipt.ts";
import { microCredits } from "../../protocol/units.ts";
import type {
  GatewayGround,
  GatewayOrder,
  GatewayRequester,
  GatewayText,
  GatewayVectors,
  TextRequest,
} from "../../relay/gateway/gateway-requester.ts";
import { type Generation, type JobSummary, type ModelJobOptions, type Tabmesh } from "../../sdk/index.ts";
import { Membership } from "./membership.ts";

/** CIDs of the leases' last receipts: what the log has of this answer. */
function receiptsOf({ leases }: JobSummary): readonly Cid[] {
  return leases
    .map(({ receipt }) => receipt)
    .filter((receipt) => receipt !== undefined)
    .map((receipt) => openEnvelope(receiptMessage, receipt).id);
}

/** The gateway's requester over the public interface of requesters. */
class MeshGateway implements GatewayRequester {
  readonly #membership: Membership;
  readonly #noProviderTimeoutMs: number;

  constructor(ground: GatewayGround) {
    this.#membership = new Membership(ground);
    this.#noProviderTimeoutMs = ground.noProviderTimeoutMs;
  }

  #options({ payer, apiKey, available }: GatewayOrder, signal: AbortSignal): ModelJobOptions {
    return {
      payer: { account: payer, apiKey, available: microCredits(available) },
      noProviderTimeoutMs: this.#noProviderTimeoutMs,
      signal,
    };
  }

  async generate(order: GatewayOrder, request: TextRequest, signal: AbortSignal): Promise<GatewayText> {
    const { mesh, done } = await this.#enter(signal);
    const text = mesh.generate(order.model.cid, request, this.#options(order, signal));
    void afterwards(text, done);
    const job = await text.job;
    return { job, result: resultOf(text), [Symbol.asyncIterator]: () => textsOf(text) };
  }

  async embed(order: GatewayOrder, texts: readonly string[], signal: AbortSignal): Promise<GatewayVectors> {
    const { mesh, done } = await this.#enter(signal);
    try {
      const { vectors, tokens, summary } = await mesh.embed(
        order.model.cid,
        texts,
        this.#options(order, signal),
      );
      return { job: summary.job, vectors, tokens, receipts: receiptsOf(summary) };
    } finally {
      done();
    }
  }

  async #enter(signal: AbortSignal): Promise<{ readonly mesh: Tabmesh; readonly done: () => void }> {
    const place = await this.#membership.enter();
    if (!signal.aborted) return place;
    place.done();
    throw new FailureError("cancelled", "the client has gone");
  }

  close(): Promise<void> {
    return this.#membership.close();
  }
}

/** The way into the mesh is needed until the last receipt is logged. */
async function afterwards(text: Generation, done: () => void): Promise<void> {
  await Promise.allSettled([text.summary]);
  done();
}

async function* textsOf(text: Generation): AsyncGenerator<string> {
  for await (const piece of text) yield piece.text;
}

/** Rejections are for who awaits it: a stream whose client has gone does not. */
function resultOf(text: Generation): GatewayText["result"] {
  const result = text.result.then(({ end, promptTokens, completionTokens, summary }) => ({
    end,
    promptTokens,
    completionTokens,
    receipts: receiptsOf(summary),
  }));
  result.catch(() => undefined);
  return result;
}

/** Has jobs of API keys done by tabs. It joins the mesh at the first of them. */
export function meshGateway(ground: GatewayGround): GatewayRequester {
  return new MeshGateway(ground);
}
