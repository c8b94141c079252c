import { createMemoryPins } from "../ledger/memory-pins.ts";
import { contactRelay, type PinStore } from "../ledger/relay-contact.ts";
import { createRelayClient, type RelayClient } from "../mesh/relay-client.ts";
import { signerFromSeed, verifierOf } from "../protocol/ed25519.ts";
import type { RelayInfo } from "../protocol/relay-api.ts";
import type { Signer } from "../protocol/signature.ts";

/** Who speaks to a relay over HTTP alone, and to which. */
export interface AccountOwner {
  /** Origin of the relay's HTTP server. */
  readonly relay: string;
  /** Seed of the identity, 32 bytes. */
  readonly seed: Uint8Array;
  /** Where the relay's keys are pinned. Default: for as long as the program runs. */
  readonly pins?: PinStore;
}

/** An account at a relay that is the one of its pinned keys. */
export interface AccountDesk {
  readonly client: RelayClient;
  readonly info: RelayInfo;
  /** The identity itself, not a session of it. */
  readonly signer: Signer;
}

/** @throws FailureError when the relay cannot be reached or contradicts its pinned keys */
export async function openDesk({ relay, seed, pins }: AccountOwner): Promise<AccountDesk> {
  const client = createRelayClient({ baseUrl: relay, fetch: (input, init) => fetch(input, init) });
  const [{ info }, signer] = await Promise.all([
    contactRelay(client, pins ?? createMemoryPins(), verifierOf(crypto.subtle), Date.now()),
    signerFromSeed(crypto.subtle, seed),
  ]);
  return { client, info, signer };
}
