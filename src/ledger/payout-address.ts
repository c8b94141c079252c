import type { Cid } from "../protocol/cid.ts";
import { PAYOUT_ADDRESS_WAIT_MS } from "../protocol/limits.ts";
import type { PayoutAddress } from "../protocol/messages/payout.ts";
import type { PeerId } from "../protocol/peer-id.ts";

/** Where an account's money goes, as the log has it. */
export interface PayoutAddressState {
  readonly account: PeerId;
  /** CID of the newest payout-address; the next one names it. */
  readonly id: Cid;
  /** Its entry, and the log time of that, milliseconds since 1970. */
  readonly index: number;
  readonly since: number;
  readonly address: string;
  /** Log time from which batches use it. */
  readonly usableFrom: number;
  /** The address that counted before, and counts again at once when the account goes back to it. Absent in the first. */
  readonly trusted?: string;
}

/** Where money may be sent at a log time; nowhere while a change waits. */
export function payableAddress(state: PayoutAddressState, time: number): string | undefined {
  return time >= state.usableFrom ? state.address : undefined;
}

/** The address that last counted: a change that nobody objected to in time, or the one before it. */
function trustedAt(state: PayoutAddressState, time: number): string {
  return payableAddress(state, time) ?? state.trusted ?? state.address;
}

/**
 * How things stand after a payout-address was logged (rule 12). The first one counts at once. A change waits, so that the
 * owner of a stolen key can go back to the address from before, which needs no waiting: it is where the money would have
 * gone anyway. To sign the waiting address again neither hastens nor delays it.
 * @param place its entry, and the log time of that.
 */
export function changedPayoutAddress(
  before: PayoutAddressState | undefined,
  { id, body }: { readonly id: Cid; readonly body: PayoutAddress },
  place: { readonly index: number; readonly time: number },
): PayoutAddressState {
  const { account, address } = body;
  const state = { account, id, index: place.index, since: place.time, address };
  if (before === undefined) return { ...state, usableFrom: place.time };
  const trusted = trustedAt(before, place.time);
  if (address === trusted) return { ...state, usableFrom: place.time, trusted };
  const usableFrom = address === before.address ? before.usableFrom : place.time + PAYOUT_ADDRESS_WAIT_MS;
  return { ...state, usableFrom, trusted };
}
