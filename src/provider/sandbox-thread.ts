// oxlint-disable-next-line no-restricted-imports -- the page's end of the line to a thread: it runs nothing itself
import { type CalledSandbox, callSandbox } from "../sandbox/call-sandbox.ts";
import type { Inspection } from "../sandbox/inspect/inspect-module.ts";
import type { LoadResult, TaskRequest, TaskResult } from "../sandbox/task.ts";
import { THREAD_START_MS } from "./limits.ts";
import type { ThreadHost } from "./thread-host.ts";

/**
 * One worker thread that runs functions. This file owns its life: a call under way when it ends never settles by
 * itself, so whoever ends it settles its calls.
 */
export interface SandboxThread {
  load(cid: string, bytes: Uint8Array): Promise<LoadResult>;
  /** Runs tasks one after the other, and answers when all have ended. */
  runAll(requests: readonly TaskRequest[]): Promise<readonly TaskResult[]>;
  /** Resolves when the thread has done nothing for so many milliseconds. A hidden page has no clock as good as that. */
  rest(ms: number): Promise<void>;
  /** Ends the thread at once, whatever it does. */
  terminate(): void;
  /** Called once when the thread dies by itself. */
  onDeath(listener: (reason: string) => void): void;
}

/** One that also looks at functions without running them. */
export interface InspectingThread extends SandboxThread {
  /** @param entry exported function that a job would call; "" for the interface's usual one */
  inspect(bytes: Uint8Array, entry: string): Promise<Inspection>;
}

/**
 * Starts a thread in a place that may still be opening; calls wait until it is there.
 * @param onStuck called when the place does not start threads any more
 */
export function startSandboxThread(place: Promise<ThreadHost>, onStuck: () => void): InspectingThread {
  return new HostedThread(place, onStuck);
}

class HostedThread implements InspectingThread {
  readonly #sandbox: CalledSandbox;
  readonly #line: MessagePort;
  readonly #died = Promise.withResolvers<string>();
  readonly #ended = new AbortController();

  constructor(place: Promise<ThreadHost>, onStuck: () => void) {
    const { port1, port2 } = new MessageChannel();
    this.#line = port1;
    this.#sandbox = callSandbox(port1);
    void this.#live(place, port2, onStuck);
  }

  load(cid: string, bytes: Uint8Array): Promise<LoadResult> {
    return this.#sandbox.load(cid, bytes);
  }

  runAll(requests: readonly TaskRequest[]): Promise<readonly TaskResult[]> {
    return this.#sandbox.runAll(requests);
  }

  rest(ms: number): Promise<void> {
    return this.#sandbox.rest(ms);
  }

  inspect(bytes: Uint8Array, entry: string): Promise<Inspection> {
    return this.#sandbox.inspect(bytes, entry);
  }

  terminate(): void {
    this.#ended.abort();
    this.#line.close();
  }

  onDeath(listener: (reason: string) => void): void {
    void this.#tell(listener);
  }

  async #tell(listener: (reason: string) => void): Promise<void> {
    const reason = await this.#died.promise;
    if (!this.#ended.signal.aborted) listener(reason);
  }

  async #live(place: Promise<ThreadHost>, line: MessagePort, onStuck: () => void): Promise<void> {
    const { signal } = this.#ended;
    const { resolve: die } = this.#died;
    let host: ThreadHost;
    try {
      host = await place;
    } catch (error) {
      die(error instanceof Error ? error.message : "there is no place for threads");
      return;
    }
    if (signal.aborted) return;
    const end = host.start(line, die);
    const timer = setTimeout(() => {
      die("the thread did not start");
      onStuck();
    }, THREAD_START_MS);
    const stop = (): void => {
      clearTimeout(timer);
      end();
    };
    signal.addEventListener("abort", stop, { once: true });
    await Promise.race([this.#sandbox.up, this.#died.promise]);
    clearTimeout(timer);
    die(await host.lost);
  }
}
