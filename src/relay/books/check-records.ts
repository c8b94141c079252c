import type { ExperienceShare, ProviderState } from "../../ledger/ledger-state.ts";
import type { Replay } from "../../ledger/replay.ts";
import type { Cid } from "../../protocol/cid.ts";
import type { BooksStore } from "../store/books-store.ts";

function sameRecord(row: ProviderState, record: ProviderState): boolean {
  const { peer: _peer, ...numbers } = record;
  return Object.entries(numbers).every(([name, value]) => Reflect.get(row, name) === value);
}

function* providerProblems(store: BooksStore, replay: Replay): Generator<string> {
  const { providers } = store.audits.records();
  if (providers.length !== replay.providers.size) yield "there are more or fewer records than the log has";
  for (const row of providers) {
    const { peer, held, bond, retiring } = row;
    const record = replay.provider(peer);
    if (record === undefined || !sameRecord(row, record) || record.retiring !== retiring)
      yield `${peer} has another record in the log`;
    if (held !== replay.balance(`held:${peer}`)) yield `${peer} has another balance held back`;
    if (bond !== replay.balance(`bond:${peer}`)) yield `${peer} has another bond`;
  }
}

function shareName({ provider, era, payer }: ExperienceShare): string {
  return `${provider} ${era} ${payer}`;
}

/** Shares of eras that are over stay, in the tables as in the log. */
function* experienceProblems(store: BooksStore, replay: Replay): Generator<string> {
  const listed = new Map(store.audits.records().experience.map((share) => [shareName(share), share.counted]));
  const shares = [...replay.shares];
  if (listed.size !== shares.length) yield "there are more or fewer shares of experience than the log has";
  for (const share of shares)
    if (listed.get(shareName(share)) !== share.counted)
      yield `${share.provider} has other experience from ${share.payer}`;
}

/** Drawn outcomes without a verdict, by lease. */
function* drawProblems(store: BooksStore, replay: Replay): Generator<string> {
  const open = new Map<Cid, number>();
  for (const { lease } of store.audits.unjudged(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER))
    open.set(lease, (open.get(lease) ?? 0) + 1);
  for (const { id, drawn, judged } of replay.leases.values())
    if ((open.get(id) ?? 0) !== drawn - judged) yield `lease ${id} waits for other verdicts`;
}

/** What the tables of records and draws say otherwise than the entries, in words. */
export function* recordProblems(store: BooksStore, replay: Replay): Generator<string> {
  yield* providerProblems(store, replay);
  yield* experienceProblems(store, replay);
  yield* drawProblems(store, replay);
}
