import { equalBytes } from "../protocol/bytes.ts";
import type { Cid } from "../protocol/cid.ts";
import { openEnvelope } from "../protocol/envelope.ts";
import type { TypedEntry } from "../protocol/messages/entry.ts";
import {
  type PayoutBatch,
  payoutAddressMessage,
  payoutBatchMessage,
  type PayoutLine,
  payoutSums,
} from "../protocol/messages/payout.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import { changedPayoutAddress, payableAddress, type PayoutAddressState } from "./payout-address.ts";

/** A batch of payouts as the log has it. All its lines end together. */
export interface PayoutBatchState {
  /** CID of its payout-batch. */
  readonly id: Cid;
  readonly number: number;
  /** Its entry, and the log time of that, milliseconds since 1970. */
  readonly index: number;
  readonly prepared: number;
  readonly count: number;
  /** Micro-credits. */
  readonly total: bigint;
  readonly state: "prepared" | "paid" | "cancelled";
  /** Log time of its end. */
  readonly ended?: number;
  /** The payment's identity outside, once it is paid. */
  readonly reference?: string;
}

/** One line of a batch. */
export interface PayoutLineState extends PayoutLine {
  readonly batch: Cid;
  /** Entry that set its money aside. */
  readonly prepareIndex: number;
  /** Entry that says it was paid, or cancelled. */
  readonly endIndex?: number;
}

/** What the entries of a batch have to be next: all its lines follow each other, when it is prepared and when it ends. */
type Due =
  | { readonly type: "payout-prepare"; readonly order: PayoutBatch; readonly lines: PayoutLineState[] }
  | { readonly type: "payout" | "payout-cancel"; readonly reference?: string; left: number };

type EndEntry = Extract<TypedEntry, { readonly type: "payout" | "payout-cancel" }>;

export function payoutLineName(batch: Cid, account: PeerId): string {
  return `${batch}:${account}`;
}

function require(holds: boolean, otherwise: string): void {
  if (!holds) throw new RangeError(otherwise);
}

/**
 * Payouts as they follow from the entries of a log, in order, and whether the relay kept to the rules: money goes to an address
 * that its account had signed and that counted (rule 12), batches have the lines of their signed orders and end once, and one
 * payment from outside is one deposit. Balances are the ledger's to judge, signatures of whoever wants them.
 */
export class PayoutReplay {
  readonly #addresses = new Map<PeerId, PayoutAddressState>();
  readonly #batches = new Map<Cid, PayoutBatchState>();
  readonly #lines = new Map<string, PayoutLineState>();
  readonly #deposits = new Map<string, number>();
  #batch: Cid | undefined;
  #due: Due | undefined;

  get addresses(): ReadonlyMap<PeerId, PayoutAddressState> {
    return this.#addresses;
  }

  get batches(): ReadonlyMap<Cid, PayoutBatchState> {
    return this.#batches;
  }

  /** By payoutLineName. */
  get lines(): ReadonlyMap<string, PayoutLineState> {
    return this.#lines;
  }

  /** Entries of deposits by reference. */
  get deposits(): ReadonlyMap<string, number> {
    return this.#deposits;
  }

  /** @throws RangeError when the relay broke a rule. */
  take(entry: TypedEntry, index: number): void {
    require(this.#due === undefined || this.#due.type === entry.type, "a batch of payouts breaks off");
    const place = { index, time: entry.time };
    if (entry.type === "deposit") this.#deposit(entry.body.reference, index);
    else if (entry.type === "payout-address") this.#address(entry.body.envelope, place);
    else if (entry.type === "payout-batch") this.#begin(entry.body.batch, entry.body.envelope, place);
    else if (entry.type === "payout-prepare")
      this.#prepare({ ...entry.body, prepareIndex: index }, entry.time);
    else if (entry.type === "payout" || entry.type === "payout-cancel") this.#end(entry, index);
  }

  #deposit(reference: string, index: number): void {
    require(!this.#deposits.has(reference), "a payment from outside is credited twice");
    this.#deposits.set(reference, index);
  }

  #address(envelope: Uint8Array, place: { readonly index: number; readonly time: number }): void {
    const message = openEnvelope(payoutAddressMessage, envelope);
    const { account, prev } = message.body;
    const before = this.#addresses.get(account);
    require(prev === before?.id, "a payout address does not follow the newest one of its account");
    this.#addresses.set(account, changedPayoutAddress(before, message, place));
  }

  #begin(
    batch: Cid,
    envelope: Uint8Array,
    { index, time }: { readonly index: number; readonly time: number },
  ): void {
    const { id, body } = openEnvelope(payoutBatchMessage, envelope);
    const { number, count, total } = body;
    require(id === batch, "a batch of payouts is named by another CID than its order's");
    const newest = this.#batch === undefined ? undefined : this.#batches.get(this.#batch);
    require(newest?.state !== "prepared", "a batch of payouts begins before the last one has ended");
    require(number === (newest?.number ?? 0) + 1, "a batch of payouts has another number than the next");
    require(count > 0, "a batch of payouts is empty");
    this.#batches.set(id, { id, number, index, prepared: time, count, total, state: "prepared" });
    this.#batch = id;
    this.#due = { type: "payout-prepare", order: body, lines: [] };
  }

  #prepare(line: PayoutLineState, time: number): void {
    const due = this.#due;
    if (due?.type !== "payout-prepare" || line.batch !== this.#batch)
      throw new RangeError("a payout is prepared outside its batch");
    const { batch, account, address } = line;
    const state = this.#addresses.get(account);
    require(state !== undefined &&
      payableAddress(state, time) === address, "a payout goes to an address that does not count");
    const name = payoutLineName(batch, account);
    require(!this.#lines.has(name), "a batch pays an account twice");
    this.#lines.set(name, line);
    due.lines.push(line);
    if (due.lines.length < due.order.count) return;
    const { total, root } = payoutSums(due.lines);
    require(total === due.order.total &&
      equalBytes(root, due.order.root), "a batch of payouts has other lines than its order");
    this.#due = undefined;
  }

  #end(entry: EndEntry, index: number): void {
    const { type, time, body } = entry;
    const batch = this.#batches.get(body.batch);
    const name = payoutLineName(body.batch, body.account);
    const line = this.#lines.get(name);
    if (batch === undefined || line === undefined || batch.id !== this.#batch)
      throw new RangeError("a payout ends that was not prepared");
    const reference = type === "payout" ? { reference: entry.body.reference } : {};
    const due = (this.#due ??= this.#ending(batch, type, reference));
    if (due.type === "payout-prepare") throw new RangeError("a batch of payouts breaks off");
    require(line.endIndex === undefined &&
      line.amount === body.amount &&
      (type === "payout-cancel" || line.address === entry.body.address) &&
      due.reference === reference.reference, "a payout ends otherwise than it was prepared");
    this.#lines.set(name, { ...line, endIndex: index });
    const state = type === "payout" ? "paid" : "cancelled";
    this.#batches.set(batch.id, { ...batch, state, ended: time, ...reference });
    due.left -= 1;
    if (due.left === 0) this.#due = undefined;
  }

  #ending(
    { state, count }: PayoutBatchState,
    type: "payout" | "payout-cancel",
    reference: { readonly reference?: string },
  ): Due {
    require(state === "prepared", "a batch of payouts ends twice");
    return { type, left: count, ...reference };
  }
}
