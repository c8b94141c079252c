import { effect, type ReadonlySignal } from "@preact/signals";

/** Kept for this tab by the browser, also through a discard: whether it was contributing. */
const KEY = "tabmesh-contributing";

/** What a page needs of its tab: whether the browser has discarded it for lack of memory, and a place that outlives that. */
export interface TabPast {
  readonly wasDiscarded: boolean;
  readonly store: Pick<Storage, "getItem" | "removeItem" | "setItem">;
}

/** Of the page itself; nothing where its browser keeps nothing for it. */
export function pastOfPage(): TabPast | undefined {
  try {
    const wasDiscarded = "wasDiscarded" in document && document.wasDiscarded === true;
    return { wasDiscarded, store: sessionStorage };
  } catch {
    return undefined;
  }
}

/**
 * Whether this tab was contributing when the browser discarded it, and the person has come back to it: it goes on as if
 * nothing had happened. After a reload by hand it does not. From here on it is noted whether it contributes.
 */
export function comesBack(past: TabPast | undefined, isOn: ReadonlySignal<boolean>): boolean {
  if (past === undefined) return false;
  const { wasDiscarded, store } = past;
  const wasOn = store.getItem(KEY) !== null;
  store.removeItem(KEY);
  effect(() => {
    if (isOn.value) store.setItem(KEY, "yes");
    else store.removeItem(KEY);
  });
  return wasDiscarded && wasOn;
}
