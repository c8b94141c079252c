import { type ReadonlySignal, signal } from "@preact/signals";

/** Shell updates: the new one waits until the person reloads, because a reload ends running tasks. */
export interface AppUpdate {
  readonly isReady: ReadonlySignal<boolean>;
  /** Lets the new version take over; the page reloads when it has. */
  reload(): void;
}

function watchInstalling(registration: ServiceWorkerRegistration, found: () => void): void {
  const { installing } = registration;
  installing?.addEventListener("statechange", () => {
    // Without a controller this is the first visit: there is nothing to update.
    if (installing.state === "installed" && navigator.serviceWorker.controller !== null) found();
  });
}

export function watchAppUpdate(): AppUpdate {
  const isReady = signal(false);
  let registration: ServiceWorkerRegistration | undefined;
  const found = (): void => {
    isReady.value = true;
  };
  const register = async (): Promise<void> => {
    registration = await navigator.serviceWorker.register("/service-worker.js");
    if (registration.waiting !== null && navigator.serviceWorker.controller !== null) found();
    registration.addEventListener("updatefound", () => {
      if (registration !== undefined) watchInstalling(registration, found);
    });
  };
  // Absent over plain HTTP from another machine. Without it the page works, but not offline.
  if ("serviceWorker" in navigator) {
    register().catch(() => {});
  }
  return {
    isReady,
    reload() {
      navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
      registration?.waiting?.postMessage({ kind: "take-over" });
    },
  };
}
