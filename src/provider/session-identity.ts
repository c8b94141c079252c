import { delegationMessage } from "../protocol/delegation.ts";
import { signerFromSeed, SEED_BYTES } from "../protocol/ed25519.ts";
import { seal } from "../protocol/envelope.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { Signer } from "../protocol/signature.ts";
import { SESSION_LIFETIME_MS } from "./limits.ts";

/** The key of one start of this provider: made anew, never stored, acting for the root (rule 12). */
export interface SessionIdentity {
  readonly root: PeerId;
  readonly seed: Uint8Array;
  readonly signer: Signer;
}

/** @param rootSeed 32 bytes. @param nowMs milliseconds since 1970. */
export async function startSessionIdentity(rootSeed: Uint8Array, nowMs: number): Promise<SessionIdentity> {
  const root = await signerFromSeed(crypto.subtle, rootSeed);
  const seed = crypto.getRandomValues(new Uint8Array(SEED_BYTES));
  const session = await signerFromSeed(crypto.subtle, seed);
  const delegation = await seal(
    delegationMessage,
    { root: root.key, session: session.key, notBefore: nowMs, notAfter: nowMs + SESSION_LIFETIME_MS },
    [root],
  );
  return { root: root.key, seed, signer: { ...session, delegation } };
}
