import { changedPayoutAddress, payableAddress } from "../../ledger/payout-address.ts";
import type { Cid } from "../../protocol/cid.ts";
import { bodyId, sealSync, type Verified } from "../../protocol/envelope.ts";
import { FailureError } from "../../protocol/failure.ts";
import { header, isTestAsset, requireOrigin } from "../../protocol/header.ts";
import { decodeEntry, decodeEntryOf } from "../../protocol/messages/entry.ts";
import {
  type PayoutAddress,
  type PayoutBatch,
  payoutBatchMessage,
  type PayoutLine,
  payoutSums,
} from "../../protocol/messages/payout.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { MicroCredits } from "../../protocol/units.ts";
import type { PayoutBatchRow } from "../store/payout-rows.ts";
import type { Draft } from "./draft.ts";
import { type Court, soleSigner } from "./judging.ts";
import { MAX_ISSUED } from "./limits.ts";
import type { RelayKey } from "./native-keys.ts";

/** As long as an entry's `reference` may be. */
const MAX_REFERENCE_BYTES = 256;

function requireReference(reference: string): void {
  if (Buffer.byteLength(reference) > MAX_REFERENCE_BYTES)
    throw new FailureError("malformed", `a reference takes at most ${MAX_REFERENCE_BYTES} bytes`);
}

/** The payment that a credit's entry tells of. */
function paymentAt(draft: Draft, index: number): { readonly account: PeerId; readonly amount: bigint } {
  const entry = draft.entry(index);
  if (entry === undefined) throw new RangeError(`the log keeps no entry ${index}`);
  return decodeEntryOf(decodeEntry(entry).type === "grant" ? "grant" : "deposit", entry).body;
}

/** See Payouts.credit. @returns the entry's index */
export function credit(
  court: Court,
  draft: Draft,
  account: PeerId,
  amount: MicroCredits,
  reference: string,
): number {
  requireReference(reference);
  if (reference.trim() === "") throw new FailureError("malformed", "a payment needs a reference");
  if (amount === 0n) throw new FailureError("malformed", "a payment of nothing");
  const known = draft.payouts.credit(reference);
  if (known !== undefined) {
    const before = paymentAt(draft, known);
    if (before.account === account && before.amount === amount) return known;
    throw new FailureError(
      "replayed",
      `the reference stands for ${before.amount} micro-credits to ${before.account}, entry ${known}`,
    );
  }
  if (draft.issued + amount > MAX_ISSUED) throw new FailureError("too-large", "more money than there can be");
  const type = isTestAsset(court.asset) ? "grant" : "deposit";
  const index = draft.append(type, { account, amount, reference }, { type: "income", account, amount });
  draft.payouts.setCredit(reference, index);
  return index;
}

/** Rule 18. @throws FailureError `wrong-asset`. */
export function requirePayable({ asset }: Pick<Court, "asset">): void {
  if (isTestAsset(asset))
    throw new FailureError(
      "wrong-asset",
      "test credits are never paid out: a relay that pays is started with --asset",
    );
}

/** See Payouts.setAddress. @returns the entry's index */
export function setPayoutAddress(court: Court, draft: Draft, message: Verified<PayoutAddress>): number {
  const { body, id } = message;
  requireOrigin(body, court.origin, court.asset);
  requirePayable(court);
  const signer = soleSigner(court, draft, message);
  if (signer.root !== body.account || signer.session !== body.account)
    throw new FailureError("bad-signature", "payout-address: not signed by the account itself");
  if (draft.denied("peer", body.account) !== undefined)
    throw new FailureError("denied", `${body.account} is not admitted here`);
  const before = draft.payouts.address(body.account);
  if (before?.id === id) return before.index;
  if (body.prev !== before?.id)
    throw new FailureError("replayed", "payout-address: it does not follow the newest one of its account");
  const index = draft.append("payout-address", { envelope: message.bytes });
  draft.payouts.setAddress(changedPayoutAddress(before, message, { index, time: draft.time }));
  return index;
}

/** What one account gets as things stand; nothing where it has too little, or its address does not count. */
function lineOf(draft: Draft, account: PeerId, minimum: MicroCredits): PayoutLine | undefined {
  const state = draft.payouts.address(account);
  const address = state === undefined ? undefined : payableAddress(state, draft.time);
  const { available: amount } = draft.account(account);
  return address === undefined || amount < minimum || amount === 0n
    ? undefined
    : { account, amount, address };
}

/**
 * See Payouts.prepare.
 * @param key the relay's lease key. @param candidates in order; judged once more here.
 * @returns the batch that is prepared now, or nothing when nobody is to be paid.
 */
export function preparePayout(
  court: Court,
  draft: Draft,
  key: RelayKey,
  candidates: readonly PeerId[],
  minimum: MicroCredits,
): Cid | undefined {
  requirePayable(court);
  const newest = draft.payouts.newestBatch();
  if (newest?.state === "prepared") return newest.id;
  const lines = candidates
    .map((account) => lineOf(draft, account, minimum))
    .filter((line) => line !== undefined);
  if (lines.length === 0) return undefined;
  const number = (newest?.number ?? 0) + 1;
  return begin(draft, { ...header(court.origin, court.asset), number, ...payoutSums(lines) }, lines, key);
}

function begin(draft: Draft, order: PayoutBatch, lines: readonly PayoutLine[], key: RelayKey): Cid {
  const id = bodyId(payoutBatchMessage, order);
  const index = draft.append("payout-batch", {
    batch: id,
    envelope: sealSync(payoutBatchMessage, order, key.peer, (message) => key.sign(message)),
  });
  const { number, count, total } = order;
  draft.payouts.setBatch({ id, number, index, prepared: draft.time, count, total, state: "prepared" });
  for (const line of lines) {
    const body = { batch: id, ...line };
    const prepareIndex = draft.append("payout-prepare", body, { type: "payout-prepare", body });
    draft.payouts.setLine({ ...body, prepareIndex });
  }
  return id;
}

function batchIn(draft: Draft, id: Cid): PayoutBatchRow {
  const batch = draft.payouts.batch(id);
  if (batch === undefined) throw new FailureError("not-found", `no batch ${id}`);
  return batch;
}

/** See Payouts.confirm. */
export function confirmPayout(draft: Draft, id: Cid, reference: string): void {
  requireReference(reference);
  const batch = batchIn(draft, id);
  if (batch.state === "cancelled")
    throw new FailureError("replayed", "the batch was cancelled: its money is available again");
  if (batch.state === "paid") {
    if (batch.reference === reference) return;
    throw new FailureError("replayed", `the batch was paid already, as ${JSON.stringify(batch.reference)}`);
  }
  for (const line of draft.payouts.lines(id)) {
    const { account, amount, address } = line;
    const body = { batch: id, account, amount, address, reference };
    draft.payouts.setLine({ ...line, endIndex: draft.append("payout", body, { type: "payout", body }) });
  }
  draft.payouts.setBatch({ ...batch, state: "paid", ended: draft.time, reference });
}

/** See Payouts.cancel. */
export function cancelPayout(draft: Draft, id: Cid): void {
  const batch = batchIn(draft, id);
  if (batch.state === "cancelled") return;
  if (batch.state === "paid")
    throw new FailureError("replayed", `the batch was paid, as ${JSON.stringify(batch.reference)}`);
  for (const line of draft.payouts.lines(id)) {
    const body = { batch: id, account: line.account, amount: line.amount };
    const endIndex = draft.append("payout-cancel", body, { type: "payout-cancel", body });
    draft.payouts.setLine({ ...line, endIndex });
  }
  draft.payouts.setBatch({ ...batch, state: "cancelled", ended: draft.time });
}
