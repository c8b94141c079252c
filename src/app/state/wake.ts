/** A timer that comes so much too late has slept: the machine was asleep, or the page frozen or out of sight for long. */
const TICK_MS = 5_000;
const SLEPT_MS = 20_000;

/**
 * Calls back when connections that look alive may have died meanwhile: the machine slept, the page was frozen or out of
 * sight, the network came back. Not before somebody looks at the page again.
 * @returns how to end it.
 */
export function watchWake(onWake: () => void): () => void {
  let last = Date.now();
  let isDoubtful = false;
  const look = (): void => {
    const now = Date.now();
    if (now - last > SLEPT_MS) isDoubtful = true;
    last = now;
    if (!isDoubtful || document.visibilityState !== "visible") return;
    isDoubtful = false;
    onWake();
  };
  const doubt = (): void => {
    isDoubtful = true;
    look();
  };
  const timer = setInterval(look, TICK_MS);
  addEventListener("online", doubt);
  addEventListener("pageshow", look);
  document.addEventListener("resume", doubt);
  document.addEventListener("visibilitychange", look);
  return () => {
    clearInterval(timer);
    removeEventListener("online", doubt);
    removeEventListener("pageshow", look);
    document.removeEventListener("resume", doubt);
    document.removeEventListener("visibilitychange", look);
  };
}
