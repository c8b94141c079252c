import { FailureError } from "../protocol/failure.ts";
import type { Exchange, HttpAnswer, HttpRequest } from "./effect-ports.ts";

/** What the page asks of the thread that fetches: one request, or its end. */
export type FetchOrder =
  | { readonly id: number; readonly request: Omit<HttpRequest, "url"> & { readonly url: string } }
  | { readonly id: number; readonly stop: true };

/** What the thread answers: once for each request. */
export type FetchReply =
  | { readonly id: number; readonly answer: HttpAnswer }
  | { readonly id: number; readonly code: FailureError["code"]; readonly detail: string };

/** Carries out the orders of a page, in a thread whose policy lets it reach web servers: the page's own does not. */
export function answerOrders(
  exchange: Exchange,
  reply: (message: FetchReply) => void,
): (order: FetchOrder) => void {
  const underWay = new Map<number, AbortController>();
  const carryOut = async (id: number, request: HttpRequest): Promise<void> => {
    const ending = new AbortController();
    underWay.set(id, ending);
    try {
      reply({ id, answer: await exchange(request, ending.signal) });
    } catch (error) {
      const failure =
        error instanceof FailureError ? error : new FailureError("effect-failed", "it was broken off");
      reply({ id, code: failure.code, detail: failure.detail });
    } finally {
      underWay.delete(id);
    }
  };
  return (order) => {
    const { id } = order;
    if ("stop" in order) underWay.get(id)?.abort();
    else void carryOut(id, { ...order.request, url: new URL(order.request.url) });
  };
}
