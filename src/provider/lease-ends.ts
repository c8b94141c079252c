import type { RelayClient } from "../mesh/relay-client.ts";
import { seal } from "../protocol/envelope.ts";
import type { FailureError } from "../protocol/failure.ts";
import type { Ground } from "../protocol/greeting.ts";
import { header } from "../protocol/header.ts";
import { disputeMessage } from "../protocol/messages/audit.ts";
import type { Signer } from "../protocol/signature.ts";
import type { MicroCredits } from "../protocol/units.ts";
import { atMost } from "./at-most.ts";
import type { HeldLease } from "./held-lease.ts";
import type { HeldLeases, LoggedLease } from "./held-leases.ts";
import { DISPUTE_AFTER_MS, DISPUTE_LEAST, HELD_WATCH_MS, OPENING_STOP_MS } from "./limits.ts";
import { isWrongAnswer } from "./read-draw.ts";
import { isAway } from "./relay-away.ts";

/** What a provider has signed at the end of a lease and its requester has not. */
export interface Claim {
  readonly count: number;
  readonly amount: MicroCredits;
  /** Milliseconds for which nothing had been countersigned when the lease ended. */
  readonly waitedMs: number;
  /** Proof that its outcomes begin with the first `from`. */
  readonly prove: (from: number) => readonly Uint8Array[];
}

export interface LeaseEndsOptions {
  readonly leases: HeldLeases;
  readonly client: Pick<RelayClient, "dispute">;
  readonly ground: Ground;
  readonly signer: Signer;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** The relay has answered what cannot be true. */
  readonly onWrongAnswer: (failure: FailureError) => void;
}

interface Ending {
  readonly held: HeldLease;
  claim: Claim | undefined;
  readonly endedAt: number;
}

/**
 * Leases that are over, until the relay cannot draw from them any more. The requester may report, late or in secret, what it
 * countersigned without saying so here: that is found and opened. What it does not sign at all is disputed (rule 6).
 */
export class LeaseEnds {
  readonly #options: LeaseEndsOptions;
  readonly #endings = new Set<Ending>();
  #interval: ReturnType<typeof setInterval> | undefined;

  constructor(options: LeaseEndsOptions) {
    this.#options = options;
  }

  /** Looks after what earlier starts have left, and what ends from here on. */
  start(): void {
    const { leases, now } = this.#options;
    for (const held of leases.all) this.#endings.add({ held, claim: undefined, endedAt: now() });
    this.#interval = setInterval(() => void this.look(), HELD_WATCH_MS);
    void this.look();
  }

  /** Once more, and what is unsigned by now is disputed at once. What is not settled waits for the next start. */
  async stop(): Promise<void> {
    clearInterval(this.#interval);
    await atMost(OPENING_STOP_MS, this.look(true));
  }

  /** A lease is over and its newest countersigned receipt has been reported. */
  async ended(held: HeldLease, claim: Claim | undefined): Promise<void> {
    const ending = { held, claim, endedAt: this.#options.now() };
    this.#endings.add(ending);
    await this.#look(ending, false);
  }

  /** Looks at all of them. @param isLast nothing will be looked at later */
  async look(isLast: boolean = false): Promise<void> {
    for (const ending of this.#endings)
      // oxlint-disable-next-line no-await-in-loop -- a relay that is back is not stormed
      await this.#look(ending, isLast);
  }

  async #look(ending: Ending, isLast: boolean): Promise<void> {
    const { held } = ending;
    try {
      if (held.covered < held.signed && !(await this.#isOver(ending, isLast))) return;
      this.#endings.delete(ending);
      await this.#options.leases.forget(held);
    } catch (error) {
      if (isWrongAnswer(error)) this.#options.onWrongAnswer(error);
      // Else the relay or the disk is away: the next look will do.
    }
  }

  async #isOver(ending: Ending, isLast: boolean): Promise<boolean> {
    const { leases, now } = this.#options;
    const { held } = ending;
    if (now() > held.terms.until) return true;
    const logged = await leases.catchUp(held);
    if (held.covered >= held.signed || logged.isSettled) return true;
    if (!this.#isDue(ending, logged, isLast)) return false;
    await this.#dispute(ending, logged);
    return held.covered >= held.signed;
  }

  #isDue({ claim, endedAt }: Ending, logged: LoggedLease, isLast: boolean): boolean {
    if (claim === undefined || claim.count <= logged.count) return false;
    if (claim.amount - logged.amount < DISPUTE_LEAST) return false;
    return isLast || claim.waitedMs + this.#options.now() - endedAt >= DISPUTE_AFTER_MS;
  }

  async #dispute(ending: Ending, logged: LoggedLease): Promise<void> {
    const { client, ground, signer, leases } = this.#options;
    const { held, claim } = ending;
    const statement = claim === undefined ? undefined : held.statement(claim.count);
    if (claim === undefined || statement === undefined) return;
    const dispute = {
      ...header(ground.origin, ground.asset),
      lease: held.lease,
      ...statement,
      prevCount: logged.count,
      consistency: logged.count === 0 ? [] : claim.prove(logged.count),
    };
    const envelope = await seal(disputeMessage, dispute, [signer]);
    try {
      const answer = await client.dispute(envelope);
      await leases.answered(held.lease, answer);
    } catch (error) {
      // Refused for good: it stays held until the lease is settled.
      if (!isAway(error)) ending.claim = undefined;
      throw error;
    }
  }
}
