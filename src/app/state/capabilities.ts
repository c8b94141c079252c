import type { Capability } from "../words/trouble-words.ts";

const NEEDS: readonly (readonly [Capability, () => boolean])[] = [
  // Over plain HTTP from another machine there is no crypto.subtle, and much else is missing for the same reason.
  ["secure-context", () => isSecureContext],
  ["web-assembly", () => "WebAssembly" in globalThis],
  ["workers", () => "Worker" in globalThis],
  ["web-rtc", () => "RTCPeerConnection" in globalThis],
  ["locks", () => "locks" in navigator],
];

/** The first thing this browser lacks that a provider needs. */
export function missingCapability(): Capability | undefined {
  return NEEDS.find(([, isThere]) => !isThere())?.[0];
}

/** Threads that can be offered: as many as the machine has. */
export function mostWorkers(): number {
  return Math.max(navigator.hardwareConcurrency, 1);
}

/** Leaves one for the person and their page. */
export function suggestedWorkers(): number {
  return Math.max(mostWorkers() - 1, 1);
}
