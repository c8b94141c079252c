import { createRelayClient } from "../mesh/relay-client.ts";
import { contactRelay } from "../ledger/relay-contact.ts";
import { PPM } from "../protocol/audit-policy.ts";
import { signerFromSeed, verifierOf } from "../protocol/ed25519.ts";
import { seal } from "../protocol/envelope.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import { header } from "../protocol/header.ts";
import { assignMessage } from "../protocol/messages/assign.ts";
import { retireMessage } from "../protocol/messages/audit.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { Identity } from "../storage/identity-file.ts";
import type { PinStore } from "../ledger/relay-contact.ts";

/** It has never worked, or it has asked for its bond before: either way there is nothing more to ask for. */
const NOTHING_KEPT: ReadonlySet<number> = new Set((["not-found", "replayed"] as const).map(failureCode));

/**
 * Gives all that another key has, and all that will be free of it, to an account: the key signs an assignment of everything
 * and asks for its bond. Signed with the key itself, which is needed for nothing afterwards. Safe to repeat.
 * @throws FailureError the relay's own; when it cannot be reached or contradicts its pinned keys.
 */
export async function claimEarnings(
  relayUrl: string,
  pins: PinStore,
  from: Identity,
  payee: PeerId,
): Promise<void> {
  const client = createRelayClient({ baseUrl: relayUrl, fetch: (input, init) => fetch(input, init) });
  const [{ info }, signer] = await Promise.all([
    contactRelay(client, pins, verifierOf(crypto.subtle), Date.now()),
    signerFromSeed(crypto.subtle, from.seed),
  ]);
  const head = header(info.origin, info.asset);
  const account = from.peer;
  const assign = { ...head, account, payee, ppm: PPM, sweep: true, at: Date.now() };
  await client.assign(await seal(assignMessage, assign, [signer]));
  try {
    await client.retire(account, await seal(retireMessage, { ...head, account }, [signer]));
  } catch (error) {
    if (!(error instanceof FailureError) || !NOTHING_KEPT.has(error.code)) throw error;
  }
}
