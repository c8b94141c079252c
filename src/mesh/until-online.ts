import type { Mesh } from "./mesh.ts";

/** Resolves when others can reach this peer. @throws the signal's reason when it is aborted first. */
export async function untilOnline(mesh: Mesh, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (mesh.status().kind === "online") return;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const aborted = (): void => reject(signal.reason);
  signal.addEventListener("abort", aborted);
  const forget = mesh.onStatus(({ kind }) => {
    if (kind === "online") resolve();
  });
  try {
    await promise;
  } finally {
    signal.removeEventListener("abort", aborted);
    forget();
  }
}
