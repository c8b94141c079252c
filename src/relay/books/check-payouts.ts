import { equalBytes } from "../../protocol/bytes.ts";
import {
  changedPayoutAddress,
  payableAddress,
  type PayoutAddressState,
} from "../../ledger/payout-address.ts";
import { type Replay, typedEntry } from "../../ledger/replay.ts";
import type { Cid } from "../../protocol/cid.ts";
import { openEnvelope } from "../../protocol/envelope.ts";
import { decodeEntryOf, type PayoutCancelBody } from "../../protocol/messages/entry.ts";
import {
  type PayoutBatch,
  payoutAddressMessage,
  payoutBatchMessage,
  payoutSums,
} from "../../protocol/messages/payout.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { BooksStore } from "../store/books-store.ts";
import type { PayoutBatchRow, PayoutLineRow, PayoutRows } from "../store/payout-rows.ts";

/** Entries that payouts follow from. */
const TYPES = [
  "deposit",
  "payout-address",
  "payout-batch",
  "payout-prepare",
  "payout",
  "payout-cancel",
] as const;
type PayoutEntryType = (typeof TYPES)[number];

interface Place {
  readonly index: number;
  /** Log time, milliseconds since 1970. */
  readonly time: number;
}

function entryAt(store: BooksStore, index: number): Uint8Array {
  const bytes = store.entry(index);
  if (bytes === undefined) throw new RangeError(`entry ${index} is missing`);
  return bytes;
}

/** Payouts as they follow from the log alone, and what is wrong with them. */
class Recomputed {
  readonly problems: string[] = [];
  readonly addresses = new Map<PeerId, PayoutAddressState>();
  readonly batches = new Map<Cid, PayoutBatchRow>();
  readonly lines = new Map<string, PayoutLineRow>();
  readonly deposits = new Map<string, number>();
  readonly #orders = new Map<Cid, PayoutBatch>();

  /** Takes the next of the entries of these types. */
  take(type: PayoutEntryType, bytes: Uint8Array, index: number): void {
    switch (type) {
      case "deposit":
        this.#deposit(decodeEntryOf(type, bytes).body.reference, index);
        return;
      case "payout-address": {
        const { time, body } = decodeEntryOf(type, bytes);
        this.#address(body.envelope, { index, time });
        return;
      }
      case "payout-batch": {
        const { time, body } = decodeEntryOf(type, bytes);
        this.#begin(body.batch, body.envelope, { index, time });
        return;
      }
      case "payout-prepare": {
        const { time, body } = decodeEntryOf(type, bytes);
        this.#prepare({ ...body, prepareIndex: index }, time);
        return;
      }
      case "payout": {
        const { time, body } = decodeEntryOf(type, bytes);
        const { reference, ...line } = body;
        this.#end(line, { state: "paid", reference }, { index, time });
        return;
      }
      case "payout-cancel": {
        const { time, body } = decodeEntryOf(type, bytes);
        this.#end(body, { state: "cancelled" }, { index, time });
        return;
      }
      default:
        return type satisfies never;
    }
  }

  #deposit(reference: string, index: number): void {
    if (this.deposits.has(reference)) this.problems.push(`deposit ${reference} was credited twice`);
    this.deposits.set(reference, index);
  }

  #address(envelope: Uint8Array, place: Place): void {
    const message = openEnvelope(payoutAddressMessage, envelope);
    const { account, prev } = message.body;
    const before = this.addresses.get(account);
    if (prev !== before?.id) this.problems.push(`entry ${place.index} replaces another payout address`);
    this.addresses.set(account, changedPayoutAddress(before, message, place));
  }

  #begin(batch: Cid, envelope: Uint8Array, { index, time }: Place): void {
    const { id, body } = openEnvelope(payoutBatchMessage, envelope);
    const { number, count, total } = body;
    if (id !== batch) this.problems.push(`entry ${index} names another batch than it holds`);
    this.#orders.set(batch, body);
    this.batches.set(batch, { id, number, index, prepared: time, count, total, state: "prepared" });
  }

  #prepare(line: PayoutLineRow, time: number): void {
    const { batch, account, address, prepareIndex } = line;
    const state = this.addresses.get(account);
    if (state === undefined || payableAddress(state, time) !== address)
      this.problems.push(`entry ${prepareIndex} pays ${account} to an address that did not count`);
    this.lines.set(lineName(batch, account), line);
  }

  #end(
    { batch, account, amount, address }: PayoutCancelBody & { readonly address?: string },
    end: Pick<PayoutBatchRow, "state" | "reference">,
    { index, time }: Place,
  ): void {
    const name = lineName(batch, account);
    const line = this.lines.get(name);
    const row = this.batches.get(batch);
    if (line === undefined || row === undefined) {
      this.problems.push(`entry ${index} ends a payout that was not prepared`);
      return;
    }
    if (line.amount !== amount || (address ?? line.address) !== line.address || line.endIndex !== undefined)
      this.problems.push(`entry ${index} ends another payout than was prepared`);
    this.lines.set(name, { ...line, endIndex: index });
    this.batches.set(batch, { ...row, ...end, ended: time });
  }

  linesOf(batch: Cid): readonly PayoutLineRow[] {
    return [...this.lines.values()].filter((line) => line.batch === batch);
  }

  /** Whether each batch has the lines that its signed order says, ended together or not at all. */
  *orderProblems(): Generator<string> {
    for (const [batch, order] of this.#orders) {
      const lines = this.linesOf(batch);
      const { count, total, root } = payoutSums(lines);
      if (count !== order.count || total !== order.total || !equalBytes(root, order.root))
        yield `batch ${batch} has other lines than its order`;
      const ended = lines.filter(({ endIndex }) => endIndex !== undefined).length;
      if (ended !== 0 && ended !== lines.length) yield `batch ${batch} has ended in part`;
    }
  }
}

function lineName(batch: Cid, account: PeerId): string {
  return `${batch}:${account}`;
}

function nameOfLine({ batch, account }: PayoutLineRow): string {
  return lineName(batch, account);
}

/** Rows by name, as text that can be compared. */
function byName<T extends object>(
  rows: Iterable<T>,
  nameOf: (row: T) => string,
): ReadonlyMap<string, string> {
  const plain = (row: T): string =>
    Object.entries(row)
      .filter(([, value]: [string, unknown]) => value !== undefined)
      .map(([key, value]: [string, unknown]) => `${key} ${String(value)}`)
      .toSorted()
      .join("\n");
  return new Map([...rows].map((row) => [nameOf(row), plain(row)]));
}

function* differences(
  kind: string,
  stored: ReadonlyMap<string, string>,
  recomputed: ReadonlyMap<string, string>,
): Generator<string> {
  for (const name of new Set([...stored.keys(), ...recomputed.keys()]))
    if (stored.get(name) !== recomputed.get(name)) yield `${kind} ${name} stands otherwise in the log`;
}

/** A credit stands for an entry that says so; every deposit is one. Grants are credits only where an operator made them. */
function* creditProblems(
  store: BooksStore,
  { credits }: PayoutRows,
  { deposits }: Recomputed,
): Generator<string> {
  const listed = new Map(credits.map(({ reference, index }) => [reference, index]));
  for (const [reference, index] of deposits)
    if (listed.get(reference) !== index) yield `deposit ${reference} is not listed`;
  for (const [reference, index] of listed) {
    const bytes = store.entry(index);
    const entry = bytes === undefined ? undefined : typedEntry(bytes);
    const isCredit = entry?.type === "deposit" || entry?.type === "grant";
    if (!isCredit || entry.body.reference !== reference) yield `credit ${reference} has no entry`;
  }
}

/** Recomputes addresses, batches and credits from the entries alone, and compares. @returns what differs, in words */
export function* payoutProblems(store: BooksStore, replay: Replay): Generator<string> {
  const recomputed = new Recomputed();
  const entries = TYPES.flatMap((type) => store.entriesOf(type).map((index) => ({ type, index })));
  for (const { type, index } of entries.toSorted((a, b) => a.index - b.index))
    recomputed.take(type, entryAt(store, index), index);
  yield* recomputed.problems;
  yield* recomputed.orderProblems();
  const rows = store.payouts.everything();
  yield* differences(
    "payout address of",
    byName(rows.addresses, ({ account }) => account),
    byName(recomputed.addresses.values(), ({ account }) => account),
  );
  yield* differences(
    "batch",
    byName(rows.batches, ({ id }) => id),
    byName(recomputed.batches.values(), ({ id }) => id),
  );
  yield* differences("payout", byName(rows.lines, nameOfLine), byName(recomputed.lines.values(), nameOfLine));
  yield* creditProblems(store, rows, recomputed);
  for (const { batch, account, amount, endIndex } of rows.lines) {
    const name = `payout:${lineName(batch, account)}`;
    if (replay.balance(name) !== (endIndex === undefined ? amount : 0n)) yield `${name} has another balance`;
  }
}

/** Micro-credits in batches that have not ended. */
export function setAside(store: BooksStore): bigint {
  const { batches } = store.payouts.everything();
  return batches.reduce((sum, { state, total }) => (state === "prepared" ? sum + total : sum), 0n);
}
