/* Threads of models for tests in Node: the real host, in the test's own thread. */
import { createModelHost } from "../inference/host/create-model-host.ts";
import { failureCode } from "../protocol/failure-code.ts";
import type { ModelThread } from "./model-thread.ts";

export interface ThreadHere extends ModelThread {
  /** Models opened so far, in their order. */
  readonly opened: readonly string[];
}

export function modelThreadHere(opened: string[] = []): ThreadHere {
  const host = createModelHost();
  const { promise: ended, resolve: end } = Promise.withResolvers<string>();
  const lost = { kind: "failed", code: failureCode("worker-lost"), detail: "ended", fuel: 0n } as const;
  return {
    opened,
    ended,
    open: (cid, file, options, onProgress) => {
      opened.push(cid);
      return Promise.race([host.open(cid, file, options, onProgress), ended.then(() => lost)]);
    },
    run: (task, onPart) => Promise.race([host.run(task, onPart), ended.then(() => lost)]),
    measure: (task) => Promise.race([host.measure(task), ended.then(() => lost)]),
    stop: () => host.stop(),
    terminate: () => {
      void host.close();
      end("ended");
    },
  };
}
