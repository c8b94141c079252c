import { delegationMessage } from "./delegation.ts";
import { type Ed25519Runtime, signerFromSeed } from "./ed25519.ts";
import { seal } from "./envelope.ts";
import type { PeerId } from "./peer-id.ts";
import type { Signer } from "./signature.ts";

/** A session key lives as long as a tab may: after that its owner starts anew. */
export const SESSION_LIFETIME_MS: number = 7 * 24 * 60 * 60 * 1000;

/** The key of one start of a provider or requester: made anew, never stored, acting for the root (rule 12). */
export interface SessionIdentity {
  readonly root: PeerId;
  /** Seed of the session key, which is the mesh identity too. */
  readonly seed: Uint8Array;
  readonly signer: Signer;
}

export interface SessionSeeds {
  readonly root: Uint8Array;
  /** 32 fresh random bytes. */
  readonly session: Uint8Array;
}

/** @param nowMs milliseconds since 1970. */
export async function startSessionIdentity(
  runtime: Ed25519Runtime,
  seeds: SessionSeeds,
  nowMs: number,
): Promise<SessionIdentity> {
  const root = await signerFromSeed(runtime, seeds.root);
  const session = await signerFromSeed(runtime, seeds.session);
  const delegation = await seal(
    delegationMessage,
    { root: root.key, session: session.key, notBefore: nowMs, notAfter: nowMs + SESSION_LIFETIME_MS },
    [root],
  );
  return { root: root.key, seed: seeds.session, signer: { ...session, delegation } };
}
