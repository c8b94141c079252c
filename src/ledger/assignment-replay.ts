import { openEnvelope } from "../protocol/envelope.ts";
import { assignMessage, type TransferBody } from "../protocol/messages/assign.ts";
import type { TypedEntry } from "../protocol/messages/entry.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import { mayRetireIdle, type Work, workerOf } from "./assignment.ts";
import { Assignments } from "./assignments.ts";
import type { Place } from "./change.ts";
import type { LedgerEvent } from "./ledger-event.ts";
import type { LeaseState, ProviderState } from "./ledger-state.ts";

/** What a replay knows of accounts. */
export interface ReplayedAccounts {
  /** Micro-credits available to an account. */
  available(account: PeerId): bigint;
  provider(account: PeerId): ProviderState | undefined;
  lease(id: LeaseState["id"]): LeaseState | undefined;
  hasPayoutAddress(account: PeerId): boolean;
}

/** What is said of a log whose last entry leaves something due: entries and what follows from them are written together. */
export const DUE_AT_THE_END = "the log ends before what an account assigned has gone to its payee";

function require(holds: boolean, otherwise: string): void {
  if (!holds) throw new RangeError(otherwise);
}

/**
 * Assignments as they follow from the entries of a log, in order, and whether the relay kept to the rules: what is due to a
 * payee goes to it at once, to the micro-credit, and nothing else ever goes from one account to another.
 */
export class AssignmentReplay {
  readonly #accounts: ReplayedAccounts;
  readonly all: Assignments = new Assignments();
  #due: TransferBody | undefined;

  constructor(accounts: ReplayedAccounts) {
    this.#accounts = accounts;
  }

  /** Whether a transfer has to follow. */
  get isDue(): boolean {
    return this.#due !== undefined;
  }

  /** Judges an entry before the ledger takes it. @throws RangeError when the relay broke a rule. */
  judge(entry: TypedEntry): void {
    if (entry.type === "transfer") {
      const due = this.#due;
      const { from, to, amount, cause } = entry.body;
      require(due !== undefined &&
        due.from === from &&
        due.to === to &&
        due.amount === amount &&
        due.cause === cause, "money goes from one account to another without an assignment");
      this.#due = undefined;
      return;
    }
    require(this.#due === undefined, "what an account assigned does not go to its payee at once");
    if (entry.type === "retire-idle") this.#judgeIdle(entry.body.account, entry.body.assignment, entry.time);
  }

  #judgeIdle(account: PeerId, id: string, time: number): void {
    const state = this.all.assignment(account);
    require(state?.id === id &&
      mayRetireIdle(
        state,
        this.#accounts.provider(account),
        time,
      ), "an account is retired that has not been idle for as long as it said");
  }

  /** Follows an entry after the ledger took it. @param before the lease it is about, as it stood. */
  take(
    entry: TypedEntry,
    event: LedgerEvent,
    place: Place,
    { before, postings }: Pick<Work, "before" | "postings">,
  ): void {
    if (entry.type === "transfer") this.all.transferred(entry.body, place);
    else if (entry.type === "assign") this.#assign(entry.body.envelope, place);
    else if (entry.type === "retire-idle") this.all.retireIdle(entry.body.account);
    else {
      const after = before === undefined ? undefined : this.#accounts.lease(before.id);
      const lease = event.type === "lease" ? this.#accounts.lease(event.lease) : after;
      const worker = workerOf(event, lease);
      if (worker === undefined) return;
      const provider = this.#accounts.provider(worker);
      this.#due = this.all.follow(event, { worker, before, after, provider, postings }, place);
    }
  }

  #assign(envelope: Uint8Array, place: Place): void {
    const message = openEnvelope(assignMessage, envelope);
    const { account, at } = message.body;
    require((this.all.assignment(account)?.at ?? -1) <
      at, "an assignment is not newer than the one of its account before");
    require(!this.#accounts.hasPayoutAddress(account), "an account with a payout address is assigned");
    const provider = this.#accounts.provider(account);
    this.#due = this.all.assign(message, place, this.#accounts.available(account), provider);
  }
}
