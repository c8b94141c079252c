import { sha256 } from "@noble/hashes/sha2.js";
import type { HostPart } from "./model-host.ts";

/** A part with the hash of its output. */
export function hostPart(part: Omit<HostPart, "outputSha256">): HostPart {
  return { ...part, outputSha256: sha256(part.output) };
}
