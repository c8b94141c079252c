import { bodyId, seal } from "../protocol/envelope.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import { header } from "../protocol/header.ts";
import { type PayoutAddress, payoutAddressMessage } from "../protocol/messages/payout.ts";
import type { PayoutAddressView, PayoutView } from "../protocol/relay-api.ts";
import { type AccountDesk, type AccountOwner, openDesk } from "./account-desk.ts";

/** Where an account's money goes, and what it was paid. */

const NOT_FOUND = failureCode("not-found");

async function addressAt({ client, signer }: AccountDesk): Promise<PayoutAddressView | undefined> {
  try {
    return await client.payoutAddress(signer.key);
  } catch (error) {
    if (error instanceof FailureError && error.code === NOT_FOUND) return undefined;
    throw error;
  }
}

/** As far as the relay says. @returns nothing while there is none. */
export async function payoutAddress(owner: AccountOwner): Promise<PayoutAddressView | undefined> {
  return addressAt(await openDesk(owner));
}

/**
 * Signs where this account wants its money and logs that. The first address counts at once; a change waits 72 hours, and while
 * it waits nothing is paid out; going back to the address from before counts at once.
 * @param address at most 128 letters, digits and `._:@/+-`, a letter or digit first.
 * @throws FailureError `wrong-asset` where the money is test credits; the relay's own; when the relay cannot be reached or
 * contradicts its pinned keys. RangeError for what is no address.
 */
export async function setPayoutAddress(owner: AccountOwner, address: string): Promise<PayoutAddressView> {
  const desk = await openDesk(owner);
  const { client, info, signer } = desk;
  const before = await addressAt(desk);
  if (before?.address === address) return before;
  const body: PayoutAddress = {
    ...header(info.origin, info.asset),
    account: signer.key,
    address,
    ...(before === undefined ? {} : { prev: before.payoutAddress }),
  };
  await client.setPayoutAddress(signer.key, await seal(payoutAddressMessage, body, [signer]));
  const now = await client.payoutAddress(signer.key);
  if (now.payoutAddress !== bodyId(payoutAddressMessage, body))
    throw new FailureError("replayed", "another payout address was signed at the same time");
  return now;
}

/** Payouts of this account, newest first. @param before number of a batch to continue below. */
export async function listPayouts(
  owner: AccountOwner,
  page: { readonly before?: number; readonly limit: number } = { limit: 50 },
): Promise<readonly PayoutView[]> {
  const { client, signer } = await openDesk(owner);
  return client.payouts(signer.key, page);
}
