import type { Cid } from "../../protocol/cid.ts";
import { GatewayError } from "./gateway-error.ts";
import { MAX_REQUESTS, MAX_REQUESTS_PER_KEY } from "./limits.ts";

/** One request's place among those under way. */
export interface Place {
  /** Aborted when the client has gone, or the key was revoked. */
  readonly signal: AbortSignal;
  /** Ends its work too, if any is left. Idempotent. */
  leave(): void;
}

/** Who is being answered, by key: so that one key cannot take all room, and a revoked one loses what it has at once. */
export class RequestsUnderWay {
  readonly #byKey = new Map<Cid, Set<AbortController>>();
  #count = 0;

  /**
   * @param apiKey CID of the api-key. @param gone aborted when the client has gone.
   * @throws GatewayError 429 when the key has too many under way, 503 when the relay has.
   */
  enter(apiKey: Cid, gone: AbortSignal): Place {
    const others = this.#byKey.get(apiKey) ?? new Set<AbortController>();
    if (others.size >= MAX_REQUESTS_PER_KEY)
      throw new GatewayError(
        429,
        "rate_limit_error",
        `This key has ${MAX_REQUESTS_PER_KEY} requests under way, and may have no more.`,
        { code: "rate_limit_exceeded", retryAfterS: 1 },
      );
    if (this.#count >= MAX_REQUESTS)
      throw new GatewayError(503, "server_error", "The gateway is busy.", { code: "busy", retryAfterS: 1 });
    const controller = new AbortController();
    this.#byKey.set(apiKey, others.add(controller));
    this.#count += 1;
    const leave = (): void => this.#leave(apiKey, controller);
    // Whatever becomes of the answer, a client that has gone takes no room.
    if (gone.aborted) leave();
    else gone.addEventListener("abort", leave, { once: true });
    return { signal: AbortSignal.any([controller.signal, gone]), leave };
  }

  #leave(apiKey: Cid, controller: AbortController): void {
    const others = this.#byKey.get(apiKey);
    if (others?.delete(controller) !== true) return;
    if (others.size === 0) this.#byKey.delete(apiKey);
    this.#count -= 1;
    controller.abort();
  }

  /** Cancels what is under way under a key. */
  stop(apiKey: Cid): void {
    for (const controller of this.#byKey.get(apiKey) ?? []) controller.abort();
  }
}
