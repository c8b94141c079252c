import { type ReadonlySignal, signal } from "@preact/signals";
import { ARM_MS } from "../limits.ts";

/**
 * Whether a click here is meant for here: the window has been in view, in front and as it is for a while. A page that opens
 * it under the pointer in the middle of a double click, or moves it there, gets nothing.
 */
export function watchArmed(): ReadonlySignal<boolean> {
  const armed = signal(false);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const look = (): void => {
    clearTimeout(timer);
    armed.value = false;
    if (document.visibilityState !== "visible" || !document.hasFocus()) return;
    timer = setTimeout(() => {
      armed.value = true;
    }, ARM_MS);
  };
  for (const type of ["focus", "blur", "resize", "pageshow"]) addEventListener(type, look);
  document.addEventListener("visibilitychange", look);
  look();
  return armed;
}
