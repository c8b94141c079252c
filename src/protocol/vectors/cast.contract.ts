import { webcrypto } from "node:crypto";
import { delegationMessage } from "../delegation.ts";
import { signerFromSeed } from "../ed25519.ts";
import { seal } from "../envelope.ts";
import type { Signer } from "../signature.ts";

/** Everybody who signs something in the vectors. The seed of the nth is 32 times the byte n. */
export const ROLES = [
  "log",
  "lease",
  "draw",
  "provider",
  "providerSession",
  "requester",
  "requesterSession",
  "auditor",
  "nextLog",
  "relay",
] as const;
export type Role = (typeof ROLES)[number];

export const ORIGIN = "relay.example/log";
export const ASSET = "test:relay.example/log";
/** 2026-01-01T00:00:00Z, in milliseconds. */
export const START = 1_767_225_600_000;
const HOUR = 3_600_000;

export function seedOf(role: Role): Uint8Array<ArrayBuffer> {
  return new Uint8Array(32).fill(ROLES.indexOf(role) + 1);
}

/** Signers of all roles. `providerSession` and `requesterSession` carry delegations of their roots. */
export type Cast = Readonly<Record<Role, Signer>>;

async function session(root: Signer, seed: Uint8Array): Promise<Signer> {
  const bare = await signerFromSeed(webcrypto.subtle, seed);
  const delegation = await seal(
    delegationMessage,
    { root: root.key, session: bare.key, notBefore: START - HOUR, notAfter: START + 12 * HOUR },
    [root],
  );
  return signerFromSeed(webcrypto.subtle, seed, delegation);
}

export async function makeCast(): Promise<Cast> {
  const plain = async (role: Role): Promise<Signer> => signerFromSeed(webcrypto.subtle, seedOf(role));
  const provider = await plain("provider");
  const requester = await plain("requester");
  return {
    log: await plain("log"),
    lease: await plain("lease"),
    draw: await plain("draw"),
    provider,
    providerSession: await session(provider, seedOf("providerSession")),
    requester,
    requesterSession: await session(requester, seedOf("requesterSession")),
    auditor: await plain("auditor"),
    nextLog: await plain("nextLog"),
    relay: await plain("relay"),
  };
}
