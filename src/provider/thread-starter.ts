import { type SandboxThread, startSandboxThread } from "./sandbox-thread.ts";
import { type Isolation, openThreadHost, type SandboxFiles, type ThreadHost } from "./thread-host.ts";

/** Starts threads. The place where they live is opened before the first one, and again when it was lost. */
export class ThreadStarter {
  readonly #files: SandboxFiles;
  #place: Promise<ThreadHost> | undefined;
  #isolation: Isolation | undefined;

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
      await this.#open();
      return true;
    } catch {
      return false;
    }
  }

  start(): SandboxThread {
    const place = this.#open();
    return startSandboxThread(place, () => this.#drop(place));
  }

  /** Ends the place and all threads in it. */
  close(): void {
    if (this.#place !== undefined) this.#drop(this.#place);
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
    if (this.#place === place) this.#place = undefined;
    void close(place);
  }
}

async function close(place: Promise<ThreadHost>): Promise<void> {
  const host = await place.catch(() => undefined);
  host?.close();
}
