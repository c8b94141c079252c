import type { Cid } from "../../protocol/cid.ts";
import type { Verified } from "../../protocol/envelope.ts";
import { FailureError } from "../../protocol/failure.ts";
import type { PayoutAddress, PayoutLine } from "../../protocol/messages/payout.ts";
import type { Inclusion } from "../../protocol/messages/receipt.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { PayoutAddressView, PayoutView } from "../../protocol/relay-api.ts";
import type { MicroCredits } from "../../protocol/units.ts";
import type { Payouts, PreparedPayout } from "../payouts.ts";
import type { PayoutBatchRow, PayoutLineRow, PayoutStore } from "../store/payout-rows.ts";
import type { Draft } from "./draft.ts";
import type { LedgerBooksParts } from "./ledger-books.ts";
import { MAX_PAYOUT_LINES } from "./limits.ts";
import {
  cancelPayout,
  confirmPayout,
  credit,
  preparePayout,
  requirePayable,
  setPayoutAddress,
} from "./payouts.ts";

/** Payouts in the books; see LedgerBooks. */
export class LedgerPayouts implements Payouts {
  readonly #parts: LedgerBooksParts;
  readonly #store: PayoutStore;
  readonly #prove: (index: number) => Inclusion;

  /** @param prove that the log holds an entry. */
  constructor(parts: LedgerBooksParts, prove: (index: number) => Inclusion) {
    this.#parts = parts;
    this.#store = parts.store.payouts;
    this.#prove = prove;
  }

  async #logged(run: (draft: Draft) => number): Promise<Inclusion> {
    return this.#parts.queue.submit((draft) => {
      const index = run(draft);
      return () => this.#prove(index);
    });
  }

  async credit(account: PeerId, amount: MicroCredits, reference: string): Promise<Inclusion> {
    return this.#logged((draft) => credit(this.#parts.court, draft, account, amount, reference));
  }

  async setAddress(message: Verified<PayoutAddress>): Promise<Inclusion> {
    return this.#logged((draft) => setPayoutAddress(this.#parts.court, draft, message));
  }

  address(account: PeerId): PayoutAddressView | undefined {
    const state = this.#store.address(account);
    if (state === undefined) return undefined;
    const { id, address, since, usableFrom, index } = state;
    return { account, payoutAddress: id, address, since, usableFrom, entryIndex: index };
  }

  async prepare(minimum: MicroCredits): Promise<PreparedPayout> {
    const { court, clock, committed, keys, queue } = this.#parts;
    requirePayable(court);
    if (minimum < 1n) throw new FailureError("malformed", "the minimum is 1 micro-credit or more");
    const time = Math.max(clock(), committed.time);
    const gaps = this.#store.gaps(minimum, time);
    const candidates = this.#store.payable(minimum, time, MAX_PAYOUT_LINES);
    return queue.submit((draft) => {
      const before = draft.payouts.newestBatch();
      const id = preparePayout(court, draft, keys.lease, candidates, minimum);
      return () =>
        id === undefined ? { isNew: false, gaps } : { batch: this.#row(id), isNew: id !== before?.id, gaps };
    });
  }

  async confirm(batch: Cid, reference: string): Promise<PayoutBatchRow> {
    return this.#ended(batch, (draft) => confirmPayout(draft, batch, reference));
  }

  async cancel(batch: Cid): Promise<PayoutBatchRow> {
    return this.#ended(batch, (draft) => cancelPayout(draft, batch));
  }

  async #ended(batch: Cid, run: (draft: Draft) => void): Promise<PayoutBatchRow> {
    return this.#parts.queue.submit((draft) => {
      run(draft);
      return () => this.#row(batch);
    });
  }

  #row(id: Cid): PayoutBatchRow {
    const row = this.#store.batch(id);
    if (row === undefined) throw new FailureError("not-found", `no batch ${id}`);
    return row;
  }

  batches(limit: number): readonly PayoutBatchRow[] {
    return this.#store.batches(limit);
  }

  lines(batch: Cid): readonly PayoutLine[] {
    return this.#store.lines(batch).map(({ account, amount, address }) => ({ account, amount, address }));
  }

  of(account: PeerId, before: number | undefined, limit: number): readonly PayoutView[] {
    const lines = this.#store.linesOf(account, before ?? Number.MAX_SAFE_INTEGER, limit);
    return lines.map((line) => this.#view(line));
  }

  #view({ batch, amount, address, prepareIndex, endIndex }: PayoutLineRow): PayoutView {
    const { number, state, prepared, ended, reference } = this.#row(batch);
    return {
      batch,
      number,
      state,
      amount,
      address,
      time: ended ?? prepared,
      entryIndex: endIndex ?? prepareIndex,
      ...(reference === undefined ? {} : { reference }),
    };
  }
}
