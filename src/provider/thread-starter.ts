import { SPARE_DELAY_MS } from "./limits.ts";
import { type SandboxThread, startSandboxThread } from "./sandbox-thread.ts";
import { type Isolation, openThreadHost, type SandboxFiles, type ThreadHost } from "./thread-host.ts";

/** A thread that nobody has asked for yet. */
interface Spare {
  readonly place: Promise<ThreadHost>;
  readonly thread: SandboxThread;
}

/**
 * Starts threads. The place where they live is opened before the first one, and again when it was lost. One thread is
 * started ahead of its need: it has run nothing of anybody, but its script has, which takes longer than most functions.
 */
export class ThreadStarter {
  readonly #files: SandboxFiles;
  #place: Promise<ThreadHost> | undefined;
  #isolation: Isolation | undefined;
  #spare: Spare | undefined;
  #sparing: ReturnType<typeof setTimeout> | undefined;

  constructor(files: SandboxFiles) {
    this.#files = files;
  }

  /** What stands around the threads; undefined until the place has been opened. */
  get isolation(): Isolation | undefined {
    return this.#isolation;
  }

  /** Opens the place ahead of the first thread. Should that fail, the first thread tries again. @returns whether it is open */
  async open(): Promise<boolean> {
    try {
      const place = this.#open();
      await place;
      this.#prepare(place);
      return true;
    } catch {
      return false;
    }
  }

  start(): SandboxThread {
    const place = this.#open();
    const spare = this.#spare;
    this.#spare = undefined;
    clearTimeout(this.#sparing);
    this.#sparing = setTimeout(() => this.#prepare(place), SPARE_DELAY_MS);
    if (spare?.place === place) return spare.thread;
    spare?.thread.terminate();
    return this.#startIn(place);
  }

  /** Ends the place and all threads in it. */
  close(): void {
    if (this.#place !== undefined) this.#drop(this.#place);
  }

  #startIn(place: Promise<ThreadHost>): SandboxThread {
    return startSandboxThread(place, () => this.#drop(place));
  }

  #prepare(place: Promise<ThreadHost>): void {
    if (this.#place !== place || this.#spare !== undefined) return;
    const spare = { place, thread: this.#startIn(place) };
    this.#spare = spare;
    spare.thread.onDeath(() => {
      if (this.#spare === spare) this.#spare = undefined;
    });
  }

  #open(): Promise<ThreadHost> {
    if (this.#place === undefined) {
      const place = openThreadHost(this.#files);
      this.#place = place;
      void this.#watch(place);
    }
    return this.#place;
  }

  async #watch(place: Promise<ThreadHost>): Promise<void> {
    try {
      const host = await place;
      this.#isolation = host.isolation;
      await host.lost;
    } catch {
      // There is no place: whoever waits for it has the reason.
    }
    this.#drop(place);
  }

  /** The next thread gets another place. */
  #drop(place: Promise<ThreadHost>): void {
    if (this.#place === place) {
      this.#place = undefined;
      clearTimeout(this.#sparing);
    }
    if (this.#spare?.place === place) {
      this.#spare.thread.terminate();
      this.#spare = undefined;
    }
    void close(place);
  }
}

async function close(place: Promise<ThreadHost>): Promise<void> {
  const host = await place.catch(() => undefined);
  host?.close();
}
