import { expose, type ProxyMarked, type Remote, releaseProxy } from "comlink";
import { createModelHost } from "./create-model-host.ts";
import type {
  HostResult,
  HostTask,
  MeasureResult,
  MeasureTask,
  OnPart,
  OnProgress,
  OpenOptions,
  OpenOutcome,
} from "./model-host.ts";

/** What the window calls, by comlink: functions that it passes live at its side. */
export interface AnswersWindow {
  open(
    cid: string,
    file: Blob,
    options: OpenOptions,
    onProgress: Remote<OnProgress & ProxyMarked>,
  ): Promise<OpenOutcome>;
  run(task: HostTask, onPart: Remote<OnPart & ProxyMarked>): Promise<HostResult>;
  measure(task: MeasureTask): Promise<MeasureResult>;
  stop(): Promise<void>;
  close(): Promise<void>;
}

/** Makes this thread the window's host of models. */
export function answerWindow(): void {
  const host = createModelHost();
  const answers: AnswersWindow = {
    async open(cid, file, options, onProgress) {
      try {
        return await host.open(cid, file, options, (done, total) => void onProgress(done, total));
      } finally {
        onProgress[releaseProxy]();
      }
    },
    async run(task, onPart) {
      try {
        return await host.run(task, (part) => onPart(part));
      } finally {
        onPart[releaseProxy]();
      }
    },
    measure: (task) => host.measure(task),
    stop: () => host.stop(),
    close: () => host.close(),
  };
  expose(answers);
}
