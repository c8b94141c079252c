import type { PeerId } from "../protocol/peer-id.ts";
import type { MicroCredits } from "../protocol/units.ts";
import {
  type BatchLines,
  batchesJson,
  batchJson,
  batchLinesJson,
  type BatchView,
  type Credited,
  creditedJson,
  preparedJson,
  type PreparedView,
} from "./control-payouts.ts";
import { ask } from "./operate.ts";

/** What an operator does about money, whether the relay runs or not. `folder` is its --data-dir; see Payouts for what is refused. */

/** Money came in for an account. The same again is the same entry. @param reference what the operator calls the payment. */
export async function creditAt(
  folder: string,
  account: PeerId,
  amount: MicroCredits,
  reference: string,
): Promise<Credited> {
  return creditedJson.read(await ask(folder, { kind: "credit", account, amount, reference }));
}

/** Sets money aside for all who have at least `minimum` micro-credits and an address, or answers with the batch that waits. */
export async function preparePayoutAt(folder: string, minimum: MicroCredits): Promise<PreparedView> {
  return preparedJson.read(await ask(folder, { kind: "payout-prepare", amount: minimum }));
}

/** The batch was paid. @param batch its CID, or its number. */
export async function confirmPayoutAt(folder: string, batch: string, reference: string): Promise<BatchView> {
  return batchJson.read(await ask(folder, { kind: "payout-confirm", batch, reference }));
}

/** The batch will not be paid; its money goes back. */
export async function cancelPayoutAt(folder: string, batch: string): Promise<BatchView> {
  return batchJson.read(await ask(folder, { kind: "payout-cancel", batch }));
}

export async function showPayoutAt(folder: string, batch: string): Promise<BatchLines> {
  return batchLinesJson.read(await ask(folder, { kind: "payout-show", batch }));
}

/** Newest first. */
export async function listPayoutsAt(folder: string): Promise<readonly BatchView[]> {
  return batchesJson.read(await ask(folder, { kind: "payout-list" }));
}
