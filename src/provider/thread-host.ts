import { openPlainWorkers } from "./plain-workers.ts";
import { openSandboxFrame } from "./sandbox-frame.ts";

/**
 * What stands around the threads that run functions. `frame`: an origin of its own that has no storage and no channels;
 * whether it has a process of its own is the browser's decision. `worker`: the page's origin, for an engine that cannot do that; only the policy of
 * the script and the removed globals stand there.
 */
export type Isolation = "frame" | "worker";

/** The place in which threads live. */
export interface ThreadHost {
  readonly isolation: Isolation;
  /**
   * Starts a thread at the other end of `line`, which is given away.
   * @param onDeath called when the thread dies by itself, possibly more than once
   * @returns ends it at once, whatever it does
   */
  start(line: MessagePort, onDeath: (reason: string) => void): () => void;
  /** Resolves with the reason when the place was closed, or lost with everything in it. */
  readonly lost: Promise<string>;
  /** Ends every thread. */
  close(): void;
}

/** Where the two files are from which threads are made. */
export interface SandboxFiles {
  /** URL of the document of public/sandbox.html. */
  readonly frame: string;
  /** URL of the script of workers/sandbox.worker.ts, in one file. */
  readonly script: string;
}

/**
 * Opens the best place that this browser has.
 * @throws Error when the script cannot be loaded
 */
export async function openThreadHost(files: SandboxFiles): Promise<ThreadHost> {
  const answer = await fetch(files.script);
  if (!answer.ok) throw new Error(`the sandbox's script could not be loaded: ${answer.status}`);
  const script = await answer.text();
  return (
    (await openSandboxFrame(files.frame, script, "attribute")) ??
    (await openSandboxFrame(files.frame, script, "header")) ??
    openPlainWorkers(files.script)
  );
}
