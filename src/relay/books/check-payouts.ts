import { payoutLineName } from "../../ledger/payout-replay.ts";
import { type Replay, typedEntry } from "../../ledger/replay.ts";
import type { BooksStore } from "../store/books-store.ts";
import type { PayoutRows } from "../store/payout-rows.ts";
import { differences } from "./differences.ts";

/** A credit stands for an entry that says so; every deposit is one. Grants are credits only where an operator made them. */
function* creditProblems(
  store: BooksStore,
  { credits }: PayoutRows,
  deposits: ReadonlyMap<string, number>,
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

/** What the rows about payouts say otherwise than the log, in words. */
export function* payoutProblems(store: BooksStore, replay: Replay): Generator<string> {
  const { addresses, batches, lines, deposits } = replay.payouts;
  const rows = store.payouts.everything();
  yield* differences("payout address of", rows.addresses, addresses.values(), ({ account }) => account);
  yield* differences("batch", rows.batches, batches.values(), ({ id }) => id);
  yield* differences("payout", rows.lines, lines.values(), ({ batch, account }) =>
    payoutLineName(batch, account),
  );
  yield* creditProblems(store, rows, deposits);
  for (const [name, { amount, endIndex }] of lines)
    if (replay.balance(`payout:${name}`) !== (endIndex === undefined ? amount : 0n))
      yield `payout:${name} has another balance`;
}

/** Micro-credits in batches that have not ended. */
export function setAside(store: BooksStore): bigint {
  const { batches } = store.payouts.everything();
  return batches.reduce((sum, { state, total }) => (state === "prepared" ? sum + total : sum), 0n);
}
