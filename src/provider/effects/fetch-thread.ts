import type { Exchange, HttpAnswer } from "../../effects/effect-ports.ts";
import type { FetchOrder, FetchReply } from "../../effects/fetch-thread.ts";
import { FailureError } from "../../protocol/failure.ts";

/** Without anything to fetch the thread ends: it costs some megabytes. */
const IDLE_MS = 30_000;

/**
 * Asks web servers from a thread of its own, which is started when it is needed. This file owns its life.
 * @param script URL of the script of workers/fetch.worker.ts, in one file; nothing is fetched where it is absent
 * @param count bytes that went over the line
 */
export function threadExchange(script: string | undefined, count: (bytes: number) => void): Exchange {
  let thread: FetchThread | undefined;
  return async ({ url, ...rest }, signal) => {
    if (script === undefined)
      throw new FailureError("effect-refused", "this page fetches nothing for others");
    signal.throwIfAborted();
    if (thread === undefined || thread.isOver) thread = new FetchThread(script);
    const answer = await thread.ask({ ...rest, url: url.href }, signal);
    count((rest.body?.length ?? 0) + answer.body.length);
    return answer;
  };
}

type Asked = Extract<FetchOrder, { readonly request: unknown }>["request"];

class FetchThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, PromiseWithResolvers<HttpAnswer>>();
  #next = 0;
  #idle: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;

  constructor(script: string) {
    this.#worker = new Worker(script);
    this.#worker.addEventListener("message", ({ data }: MessageEvent<FetchReply>) => this.#take(data));
    this.#worker.addEventListener("error", () => this.#end());
    this.#worker.addEventListener("messageerror", () => this.#end());
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  async ask(request: Asked, signal: AbortSignal): Promise<HttpAnswer> {
    clearTimeout(this.#idle);
    const id = this.#next;
    this.#next += 1;
    const waiting = Promise.withResolvers<HttpAnswer>();
    this.#waiting.set(id, waiting);
    const stop = (): void => {
      this.#post({ id, stop: true });
      waiting.reject(signal.reason);
    };
    signal.addEventListener("abort", stop, { once: true });
    this.#post({ id, request });
    try {
      return await waiting.promise;
    } finally {
      signal.removeEventListener("abort", stop);
      this.#waiting.delete(id);
      if (this.#waiting.size === 0) this.#idle = setTimeout(() => this.#end(), IDLE_MS);
    }
  }

  #post(order: FetchOrder): void {
    this.#worker.postMessage(order, []);
  }

  #take(reply: FetchReply): void {
    const waiting = this.#waiting.get(reply.id);
    if ("answer" in reply) waiting?.resolve(reply.answer);
    else waiting?.reject(new FailureError(reply.code, reply.detail));
  }

  #end(): void {
    this.#isOver = true;
    clearTimeout(this.#idle);
    this.#worker.terminate();
    for (const { reject } of this.#waiting.values())
      reject(new FailureError("effect-failed", "the thread that fetches has ended"));
  }
}
