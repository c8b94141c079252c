import { seal } from "../protocol/envelope.ts";
import { header } from "../protocol/header.ts";
import { retireMessage } from "../protocol/messages/audit.ts";
import type { StandingView } from "../protocol/relay-api.ts";
import { type AccountOwner, openDesk } from "./account-desk.ts";

/** How this identity stands as a provider. @throws FailureError `not-found` when it never had a lease; the relay's own */
export async function standing(owner: AccountOwner): Promise<StandingView> {
  const { client, signer } = await openDesk(owner);
  return client.standing(signer.key);
}

/**
 * Asks for everything that is kept back, the bond included: it comes when all audits are over and nothing is under way. The
 * record begins anew, and until the bond is paid no work comes.
 * @returns the log's entry. @throws FailureError `replayed` when it was asked before; the relay's own
 */
export async function retire(owner: AccountOwner): Promise<number> {
  const { client, info, signer } = await openDesk(owner);
  const body = { ...header(info.origin, info.asset), account: signer.key };
  const { index } = await client.retire(signer.key, await seal(retireMessage, body, [signer]));
  return index;
}
