import type { SharedKernels } from "./kernels.ts";
import { THREAD_READY, type ThreadOrder, type ThreadPort } from "./kernel-thread.ts";
import type { PlacedModel } from "./place-model.ts";

/** A thread that runs serveKernels. */
export interface KernelThread extends ThreadPort {
  /** Called when the thread could not start or has ended by itself. */
  onFailure(listen: (error: unknown) => void): void;
  terminate(): void;
}

/** The threads that work on a model beside the one that calls, which waits for them: never a window. */
export interface KernelCrew {
  order(order: ThreadOrder): void;
  close(): void;
}

/** Whether memory can be shared here: in a browser only in pages that are isolated from other origins. */
export function canShareMemory(): boolean {
  const isIsolated: unknown = Reflect.get(globalThis, "crossOriginIsolated");
  return typeof SharedArrayBuffer === "function" && isIsolated !== false;
}

/** Starts one thread for each session but the first. @throws what a thread that does not start fails with */
export async function startCrew(
  start: () => KernelThread,
  { module, memory, meeting }: SharedKernels,
  { sessions, stacks, layers }: PlacedModel,
): Promise<KernelCrew> {
  const parts = sessions.length;
  const threads: KernelThread[] = [];
  const ready = sessions.slice(1).map(async (session, i) => {
    const thread = start();
    threads.push(thread);
    const answered = Promise.withResolvers<void>();
    thread.onMessage((message) => {
      if (message === THREAD_READY) answered.resolve();
    });
    const stack = stacks[i] ?? 0;
    thread.onFailure((error) => answered.reject(error));
    thread.post({
      kind: "open",
      module,
      memory,
      meeting,
      parts,
      session,
      stack,
      layers,
    } satisfies ThreadOrder);
    await answered.promise;
  });
  const close = (): void => {
    for (const thread of threads) thread.terminate();
  };
  try {
    await Promise.all(ready);
  } catch (error) {
    close();
    throw error;
  }
  return {
    order: (order) => {
      for (const thread of threads) thread.post(order);
    },
    close,
  };
}
