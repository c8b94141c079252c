import type { PayoutAddressState } from "../../ledger/payout-address.ts";
import type { Cid } from "../../protocol/cid.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { PayoutBatchRow, PayoutLineRow, PayoutRows, PayoutStanding } from "../store/payout-rows.ts";

/** What operations change about payouts, on top of how those stood; see Draft. */
export class PayoutDraft implements PayoutStanding {
  readonly #base: PayoutStanding;
  readonly #addresses = new Map<PeerId, PayoutAddressState>();
  readonly #batches = new Map<Cid, PayoutBatchRow>();
  readonly #lines = new Map<Cid, Map<PeerId, PayoutLineRow>>();
  readonly #credits = new Map<string, number>();

  constructor(base: PayoutStanding) {
    this.#base = base;
  }

  address(account: PeerId): PayoutAddressState | undefined {
    return this.#addresses.get(account) ?? this.#base.address(account);
  }

  setAddress(state: PayoutAddressState): void {
    this.#addresses.set(state.account, state);
  }

  batch(id: Cid): PayoutBatchRow | undefined {
    return this.#batches.get(id) ?? this.#base.batch(id);
  }

  newestBatch(): PayoutBatchRow | undefined {
    const before = this.#base.newestBatch();
    let newest = before === undefined ? undefined : this.batch(before.id);
    for (const row of this.#batches.values()) if (row.number > (newest?.number ?? 0)) newest = row;
    return newest;
  }

  setBatch(row: PayoutBatchRow): void {
    this.#batches.set(row.id, row);
  }

  lines(batch: Cid): readonly PayoutLineRow[] {
    const own = this.#lines.get(batch);
    const before = this.#base.lines(batch);
    if (own === undefined) return before;
    const isNew = before.length === 0;
    return isNew ? [...own.values()] : before.map((line) => own.get(line.account) ?? line);
  }

  setLine(line: PayoutLineRow): void {
    const lines = this.#lines.get(line.batch) ?? new Map<PeerId, PayoutLineRow>();
    this.#lines.set(line.batch, lines.set(line.account, line));
  }

  credit(reference: string): number | undefined {
    return this.#credits.get(reference) ?? this.#base.credit(reference);
  }

  setCredit(reference: string, index: number): void {
    this.#credits.set(reference, index);
  }

  /** Takes over what a draft on top of this one has changed. */
  absorb({ addresses, batches, lines, credits }: PayoutRows): void {
    for (const state of addresses) this.setAddress(state);
    for (const row of batches) this.setBatch(row);
    for (const line of lines) this.setLine(line);
    for (const { reference, index } of credits) this.setCredit(reference, index);
  }

  /** What it changes, to be written. */
  rows(): PayoutRows {
    return {
      addresses: [...this.#addresses.values()],
      batches: [...this.#batches.values()],
      lines: [...this.#lines.values()].flatMap((lines) => Array.from(lines.values())),
      credits: [...this.#credits].map(([reference, index]) => ({ reference, index })),
    };
  }
}
