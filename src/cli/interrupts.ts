import { EXIT } from "./plain-error.ts";

/** One press may arrive twice: from the terminal to the whole group, and passed on by npm or the launcher. */
const SAME_PRESS_MS = 250;
const SIGNALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];

export interface Interrupts {
  /** Aborted at the first signal. */
  readonly signal: AbortSignal;
  /** Stops listening. */
  release(): void;
}

/**
 * The first Ctrl-C (or SIGTERM, SIGHUP) asks for an orderly end, the second quits at once.
 * @param onFirst told at the first. @param beforeQuit the last thing done at the second; it must not wait.
 */
export function listenForInterrupts(onFirst: () => void, beforeQuit: () => void = () => {}): Interrupts {
  const abort = new AbortController();
  let firstMs: number | undefined;
  const heard = (): void => {
    const nowMs = performance.now();
    if (firstMs === undefined) {
      firstMs = nowMs;
      onFirst();
      abort.abort();
    } else if (nowMs - firstMs > SAME_PRESS_MS) {
      beforeQuit();
      process.exit(EXIT.interrupted);
    }
  };
  for (const signal of SIGNALS) process.on(signal, heard);
  return {
    signal: abort.signal,
    release: () => {
      for (const signal of SIGNALS) process.off(signal, heard);
    },
  };
}
