import { sha256 } from "@noble/hashes/sha2.js";
import { encodeUtf8 } from "../protocol/text.ts";

const NONCE_BYTES = 16;

/**
 * Nonce of the run that an event starts. It follows from the event alone, so that the run has the same id however often it is
 * begun: a crash between starting it and noting that it was started never makes two.
 * @param event names it among those of its trigger
 */
export function firingNonce(deployment: string, trigger: string, event: string): Uint8Array {
  const text = ["tabmesh/firing/1", deployment, trigger, event].map((part) => `${part}\0`).join("");
  return sha256(encodeUtf8(text)).slice(0, NONCE_BYTES);
}
