import type { ProviderState } from "../../ledger/ledger-state.ts";
import type { AuditPolicy } from "../../protocol/audit-policy.ts";
import type { Cid } from "../../protocol/cid.ts";
import type { Verified } from "../../protocol/envelope.ts";
import { FailureError } from "../../protocol/failure.ts";
import type { Referee, RefereeAnswer, Retire, Reveal, Verdict } from "../../protocol/messages/audit.ts";
import type { Inclusion, ReportAnswer } from "../../protocol/messages/receipt.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { AuditBooks, DrawnOutcome } from "../audit-books.ts";
import type { DrawRow } from "../store/audit-rows.ts";
import type { BooksStore } from "../store/books-store.ts";
import { logDispute, openDispute, type OpenedDispute, verifyDispute } from "./disputes.ts";
import type { Draft } from "./draft.ts";
import { drawEnvelope, drawIn } from "./drawing.ts";
import { drawnOutcome } from "./drawn-outcome.ts";
import type { LedgerBooksParts } from "./ledger-books.ts";
import { retire } from "./releasing.ts";
import { referee, refereed } from "./referees.ts";
import { reveal } from "./reveals.ts";
import { judge } from "./verdicts.ts";

function storedEntry(store: BooksStore, index: number): Uint8Array {
  const entry = store.entry(index);
  if (entry === undefined) throw new FailureError("not-found", `no entry ${index}`);
  return entry;
}

/** A receipt's entry with its proof, and what was drawn from it. */
export function reportAnswer(store: BooksStore, proof: Inclusion): ReportAnswer {
  const entry = storedEntry(store, proof.index);
  // What the relay drew was logged with the receipt; a requester may have had more drawn since, which no provider has to open.
  const draws = store.audits.drawsOf(proof.index).map(({ draw }) => draw);
  const first = draws.length === 0 ? undefined : storedEntry(store, Math.min(...draws));
  return first === undefined || drawIn(first).source !== "relay"
    ? { ...proof, entry }
    : { ...proof, entry, draw: drawEnvelope(first) };
}

/** The part of the books that is about audits. */
export class LedgerAudits implements AuditBooks {
  readonly #parts: LedgerBooksParts;
  readonly #prove: (index: number) => Inclusion;

  constructor(parts: LedgerBooksParts, prove: (index: number) => Inclusion) {
    this.#parts = parts;
    this.#prove = prove;
  }

  async #logged(run: (draft: Draft) => number): Promise<Inclusion> {
    return this.#parts.queue.submit((draft) => {
      const index = run(draft);
      return () => this.#prove(index);
    });
  }

  get policy(): AuditPolicy | undefined {
    return this.#parts.committed.policy?.audit;
  }

  async dispute(envelope: Uint8Array): Promise<ReportAnswer> {
    const { court, queue, store } = this.#parts;
    let opened: OpenedDispute | undefined;
    const open = (): OpenedDispute => (opened ??= openDispute(court, envelope));
    return queue.submit(
      (draft) => {
        const index = logDispute(court, draft, envelope, open());
        return () => reportAnswer(store, this.#prove(index));
      },
      [open, () => verifyDispute(open())],
    );
  }

  async reveal(message: Verified<Reveal>): Promise<Inclusion> {
    const leases = this.#parts.store.leasesOf(message.body.job).map(({ id }) => id);
    return this.#logged((draft) => reveal(this.#parts.court, draft, message, leases));
  }

  async referee(message: Verified<Referee>): Promise<RefereeAnswer> {
    const { court, queue, store } = this.#parts;
    return queue.submit((draft) => {
      referee(court, draft, message);
      return () => refereed(store.audits, message.body);
    });
  }

  drawn(entry: number, leaf: number): DrawnOutcome | undefined {
    const { store, committed } = this.#parts;
    return drawnOutcome(committed, store.audits.draw(entry, leaf), (index) => store.previousEntry(index));
  }

  unjudged(time: number, limit: number): readonly DrawRow[] {
    return this.#parts.store.audits.unjudged(time, limit);
  }

  unjudgedOf(lease: Cid): readonly DrawRow[] {
    return this.#parts.store.audits.unjudgedOf(lease);
  }

  async judge(verdict: Verified<Verdict>): Promise<Inclusion> {
    const { court, store } = this.#parts;
    return this.#logged((draft) => judge(court, draft, store.audits, verdict));
  }

  async retire(message: Verified<Retire>): Promise<Inclusion> {
    return this.#logged((draft) => retire(this.#parts.court, draft, message));
  }

  async reset(provider: PeerId, reason: string): Promise<void> {
    await this.#parts.queue.submit<void>((draft) => {
      if ((draft.provider(provider)?.audited ?? 0n) > 0n)
        draft.append("reset", { provider, reason }, { type: "reset", provider });
      return () => {};
    });
  }

  provider(peer: PeerId): ProviderState | undefined {
    return this.#parts.committed.provider(peer);
  }

  barred(identity: PeerId): string | undefined {
    return this.#parts.committed.barred(identity);
  }
}
