import { useEffect } from "preact/hooks";
import { type ReadonlySignal, useSignal } from "@preact/signals";

const TICK_MS = 1_000;

/** The clock for a component that shows time passing; ticks once a second while `isNeeded`. Milliseconds since 1970. */
export function useNow(isNeeded: boolean): ReadonlySignal<number> {
  const now = useSignal(Date.now());
  useEffect(() => {
    now.value = Date.now();
    if (!isNeeded) return undefined;
    const timer = setInterval(() => {
      now.value = Date.now();
    }, TICK_MS);
    return () => clearInterval(timer);
  }, [isNeeded, now]);
  return now;
}
