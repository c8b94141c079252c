import { idleHere } from "./browser-apis.ts";
import { IDLE_MS } from "./limits.ts";

/** What of a page says that somebody is at it. */
const TOUCHES = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"] as const;

export interface IdleWatch {
  /** Whether somebody was at the machine, or where only that is known, at this page, in the last minute. */
  readonly isInUse: boolean;
  /** Whether the whole machine is meant. */
  readonly isWholeMachine: boolean;
  stop(): void;
}

/**
 * Sees whether the person is at the machine: by the browser's IdleDetector where it was allowed, else by what happens on
 * this page, which knows nothing of other windows.
 */
export function watchIdle(onChange: () => void): IdleWatch {
  const ended = new AbortController();
  const { signal } = ended;
  let touchedAt = performance.now();
  let quiet: ReturnType<typeof setTimeout> | undefined;
  let ofMachine: boolean | undefined;
  const isPageInUse = (): boolean => !document.hidden && performance.now() - touchedAt < IDLE_MS;
  const lookLater = (): void => {
    clearTimeout(quiet);
    quiet = setTimeout(
      () => (isPageInUse() ? lookLater() : onChange()),
      touchedAt + IDLE_MS - performance.now(),
    );
  };
  const touched = (): void => {
    const wasInUse = isPageInUse();
    touchedAt = performance.now();
    if (wasInUse) return;
    lookLater();
    onChange();
  };
  for (const type of TOUCHES) addEventListener(type, touched, { signal, passive: true, capture: true });
  lookLater();
  void askMachine(signal, (isInUse) => {
    ofMachine = isInUse;
    onChange();
  });
  return {
    get isInUse() {
      return ofMachine ?? isPageInUse();
    },
    get isWholeMachine() {
      return ofMachine !== undefined;
    },
    stop() {
      ended.abort();
      clearTimeout(quiet);
    },
  };
}

async function askMachine(signal: AbortSignal, tell: (isInUse: boolean) => void): Promise<void> {
  const IdleDetector = idleHere();
  // A frame of another site may not ask, and its page would be told so as of an error.
  if (IdleDetector === undefined || globalThis.top !== globalThis.self) return;
  try {
    const detector = new IdleDetector();
    await detector.start({ threshold: IDLE_MS, signal });
    const look = (): void => tell(detector.userState !== "idle" && detector.screenState !== "locked");
    detector.addEventListener("change", look, { signal });
    look();
  } catch {
    // The person has not allowed it, or the page is in a frame that may not ask.
  }
}
