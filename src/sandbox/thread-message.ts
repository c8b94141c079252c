import type { TaskRequest } from "./task.ts";

/**
 * What goes over the line between a thread that runs functions and its owner. Plain messages instead of a general way to
 * call objects: a task of a microsecond is mostly the way there and back, and neither end gives the other more than these.
 */

/** From the owner. `call` comes back with the answer. */
export type ThreadCall =
  | { readonly kind: "load"; readonly call: number; readonly cid: string; readonly bytes: Uint8Array }
  | { readonly kind: "run"; readonly call: number; readonly requests: readonly TaskRequest[] }
  | { readonly kind: "forget"; readonly call: number; readonly cid: string }
  /** Looks at a function without running it; `entry` as for inspectModule. */
  | { readonly kind: "inspect"; readonly call: number; readonly bytes: Uint8Array; readonly entry: string }
  /** Does nothing for so long, and then answers: clocks of threads go on where those of a hidden page are slowed down. */
  | { readonly kind: "rest"; readonly call: number; readonly ms: number };

/** From the thread. What it says is `unknown` to its owner until read-answer.ts has spoken. */
export type ThreadAnswer =
  /** The first word: it takes calls. */
  | { readonly kind: "up" }
  | { readonly kind: "answer"; readonly call: number; readonly value: unknown }
  /** A bug of the sandbox, never an end of a task. */
  | { readonly kind: "broken"; readonly call: number; readonly reason: string };

/** What both ends need of their line: a MessagePort, a Worker, or a thread of Node through `portEndpoint`. */
export interface ThreadLine {
  postMessage(message: unknown, transfer?: Transferable[]): void;
  addEventListener(type: "message", listener: (event: MessageEvent<unknown>) => void): void;
  /** Only ports have it, and are silent until it is called. */
  start?: () => void;
}
