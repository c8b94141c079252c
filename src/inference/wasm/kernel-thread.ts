import { instantiateKernels, type Kernels } from "./kernels.ts";
import { createMeeting } from "./meeting.ts";

/** What a thread that helps with a model is told. Addresses are those of the shared memory. */
export type ThreadOrder =
  | {
      readonly kind: "open";
      readonly module: WebAssembly.Module;
      readonly memory: WebAssembly.Memory;
      /** i32[MEETING_WORDS] of shared memory. */
      readonly meeting: Int32Array;
      readonly parts: number;
      readonly session: number;
      /** End of the thread's stack. */
      readonly stack: number;
      readonly layers: readonly number[];
    }
  | { readonly kind: "layers"; readonly position: number; readonly count: number }
  | {
      readonly kind: "logits";
      readonly norm: number;
      readonly head: number;
      readonly x: number;
      readonly count: number;
      readonly out: number;
    };

/** Says that a thread is ready for orders. */
export const THREAD_READY = "ready";

/** The port of a thread, seen from either end: a Worker, a MessagePort, or Node's. */
export interface ThreadPort {
  post(message: unknown): void;
  onMessage(listen: (message: unknown) => void): void;
}

function isOrder(message: unknown): message is ThreadOrder {
  return typeof message === "object" && message !== null && "kind" in message;
}

interface OpenedThread {
  readonly kernels: Kernels;
  readonly session: number;
  readonly layers: readonly number[];
}

/** Runs in a thread of its own: does its share of a model's work until it is terminated. */
export function serveKernels(port: ThreadPort): void {
  let opened: OpenedThread | undefined;
  const open = async (order: ThreadOrder & { readonly kind: "open" }): Promise<void> => {
    const meet = createMeeting(order.meeting, order.parts);
    const kernels = await instantiateKernels(order.module, order.memory, { meet, stack: order.stack });
    opened = { kernels, session: order.session, layers: order.layers };
    port.post(THREAD_READY);
  };
  port.onMessage((message) => {
    if (!isOrder(message)) return;
    if (message.kind === "open") void open(message);
    else if (opened !== undefined) obey(opened, message);
  });
}

function obey(
  { kernels, session, layers }: OpenedThread,
  order: Exclude<ThreadOrder, { readonly kind: "open" }>,
): void {
  switch (order.kind) {
    case "layers":
      for (const layer of layers) kernels.layer(session, layer, order.position, order.count);
      return;
    case "logits":
      kernels.logits(session, order.norm, order.head, order.x, order.count, order.out);
      return;
    default:
      order satisfies never;
  }
}
