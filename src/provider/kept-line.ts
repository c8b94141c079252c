import type { Mesh } from "../mesh/mesh.ts";
import { untilOnline } from "../mesh/until-online.ts";
import { FailureError } from "../protocol/failure.ts";
import type { OfferLine } from "./offer-line.ts";

export interface KeptLineOptions {
  readonly mesh: Mesh;
  open(signal: AbortSignal): Promise<OfferLine>;
  /** The line stands, at the first time and after every reconnect. */
  onReady(): void;
  /** It is lost; the next attempt starts at `retryAt` (milliseconds since 1970). */
  onLost(failure: FailureError, retryAt: number): void;
}

const RECONNECT_MIN_MS = 1_000;
const RECONNECT_MAX_MS = 30_000;
/** First contact: page, keys, log, reservation. */
const JOIN_TIMEOUT_MS = 30_000;

/** The line to the relay, opened again whenever it is lost. */
export class KeptLine {
  readonly #options: KeptLineOptions;
  readonly #stopping: AbortSignal;
  #line: OfferLine | undefined;
  /** Resolves when the page's code goes on. */
  #away: PromiseWithResolvers<void> | undefined;
  /** Ends the pause before the line is opened again. */
  #hurry: (() => void) | undefined;

  /** @param stopping ends it for good */
  constructor(options: KeptLineOptions, stopping: AbortSignal) {
    this.#options = options;
    this.#stopping = stopping;
  }

  /** Capacity has changed. */
  renew(): void {
    this.#line?.renew();
  }

  async close(): Promise<void> {
    await this.#line?.close();
  }

  /** The page's code stops now. */
  depart(): void {
    this.#away ??= Promise.withResolvers();
    void this.#line?.close();
  }

  /** The page's code goes on: the line is opened again at once. */
  comeBack(): void {
    this.#away?.resolve();
    this.#away = undefined;
    this.#hurry?.();
  }

  /** Opens it once. @throws FailureError */
  async join(): Promise<void> {
    const signal = AbortSignal.any([this.#stopping, AbortSignal.timeout(JOIN_TIMEOUT_MS)]);
    await untilOnline(this.#options.mesh, signal);
    this.#line = await this.#options.open(signal);
    this.#options.onReady();
  }

  /** Opens it again whenever it is lost, with growing pauses. Resolves at the end. */
  async keep(): Promise<void> {
    let pauseMs = RECONNECT_MIN_MS;
    let failure = await this.#lost();
    while (!this.#stopping.aborted) {
      // Jitter keeps the tabs of one relay from coming back in the same moment.
      const waitMs = pauseMs * (0.75 + Math.random() / 2);
      this.#options.onLost(failure, Date.now() + waitMs);
      // oxlint-disable-next-line no-await-in-loop -- one attempt after the other
      await this.#pause(waitMs);
      // oxlint-disable-next-line no-await-in-loop
      await this.#away?.promise;
      try {
        // oxlint-disable-next-line no-await-in-loop
        await this.join();
        pauseMs = RECONNECT_MIN_MS;
        // oxlint-disable-next-line no-await-in-loop
        failure = await this.#lost();
      } catch (error) {
        failure =
          error instanceof FailureError
            ? error
            : new FailureError("disconnected", "the relay does not answer", { cause: error });
        pauseMs = Math.min(pauseMs * 2, RECONNECT_MAX_MS);
      }
    }
  }

  async #lost(): Promise<FailureError> {
    const failure = await this.#line?.ended;
    this.#line = undefined;
    return failure ?? new FailureError("disconnected", "the line to the relay is closed");
  }

  async #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    this.#hurry = resolve;
    this.#stopping.addEventListener("abort", () => resolve(), { once: true });
    await promise;
    this.#hurry = undefined;
    clearTimeout(timer);
  }
}
