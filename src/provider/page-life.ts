import type { SuddenEnd } from "./farewell.ts";

/** Who has to know when the page's code stops and goes on. */
export interface PageLife {
  /** The code stops when this returns, or soon after. Promises may be kept; timers, IndexedDB and WebCrypto may not answer. */
  onLeave(reason: SuddenEnd): void;
  /** The code goes on where it stopped. Told once for each leave that was no end. */
  onReturn(): void;
}

/** What is heard of a page: its document and its window. */
export interface PageEvents {
  readonly document: Pick<EventTarget, "addEventListener" | "removeEventListener">;
  readonly window: Pick<EventTarget, "addEventListener" | "removeEventListener">;
}

function isKept(event: Event): boolean {
  return "persisted" in event && event.persisted === true;
}

/**
 * Tells of `freeze` and `resume` (Page Lifecycle), `pagehide` and `pageshow` (HTML). A page that goes into the browser's
 * cache hears both `pagehide` and `freeze`, and is told of once.
 * @returns a function that ends this
 */
export function watchPageLife(life: PageLife, page: PageEvents = { document, window }): () => void {
  let left: SuddenEnd | undefined;
  const leave = (reason: SuddenEnd): void => {
    if (left !== undefined) return;
    left = reason;
    life.onLeave(reason);
  };
  const back = (): void => {
    if (left === undefined) return;
    left = undefined;
    life.onReturn();
  };
  const heard: readonly (readonly [keyof PageEvents, string, (event: Event) => void])[] = [
    ["document", "freeze", () => leave("frozen")],
    ["document", "resume", back],
    ["window", "pagehide", (event) => leave(isKept(event) ? "frozen" : "closed")],
    ["window", "pageshow", (event) => isKept(event) && back()],
  ];
  for (const [target, type, listener] of heard) page[target].addEventListener(type, listener);
  return () => {
    for (const [target, type, listener] of heard) page[target].removeEventListener(type, listener);
  };
}
