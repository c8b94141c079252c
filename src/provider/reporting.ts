import { contactRelay, type RelayContact } from "../ledger/relay-contact.ts";
import type { RelayClient } from "../mesh/relay-client.ts";
import type { Cid } from "../protocol/cid.ts";
import type { FailureError } from "../protocol/failure.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { SessionIdentity } from "../protocol/session-identity.ts";
import type { Verify } from "../protocol/signature.ts";
import { atMost } from "./at-most.ts";
import type { HeldLease } from "./held-lease.ts";
import { HeldLeases } from "./held-leases.ts";
import type { WorkOrder } from "./check-open.ts";
import { type Claim, LeaseEnds } from "./lease-ends.ts";
import { OPENING_STOP_MS, STANDING_INTERVAL_MS } from "./limits.ts";
import { OpeningQueue } from "./opening-queue.ts";
import type { CountersignedReceipt } from "./provider-channel.ts";
import type { ProviderSurroundings } from "./provider-run.ts";
import type { OpeningsState } from "./provider-state.ts";
import { ReportQueue } from "./report-queue.ts";

/** What a page is told of receipts and audits. */
export interface ReportingEvents {
  /** Receipts that have not reached the relay. */
  onOutbox(waiting: number): void;
  /** Drawn outcomes that wait to be opened, and those opened since this start. */
  onOpenings(openings: OpeningsState): void;
  /** The relay has sent what cannot be true. */
  onWrongAnswer(failure: FailureError): void;
  /** Why the relay gives no work any more; absent where nothing stands against this provider. */
  onBarred(reason: string | undefined): void;
}

export interface ReportingOptions {
  readonly surroundings: Pick<ProviderSurroundings, "outbox" | "holdings" | "openings" | "pins">;
  readonly client: RelayClient;
  readonly contact: RelayContact;
  readonly identity: SessionIdentity;
  readonly verify: Verify;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly events: ReportingEvents;
  /** Values of steps that were carried out here. */
  readonly value: (cid: Cid) => Uint8Array | undefined;
}

/** What a provider has to tell its relay: receipts, what is drawn from them, and what their requesters do not sign. */
export class Reporting {
  readonly #options: ReportingOptions;
  readonly #openings: OpeningQueue;
  readonly #leases: HeldLeases;
  readonly #reports: ReportQueue;
  readonly #ends: LeaseEnds;
  /** Leases that have ended and are being reported. */
  readonly #ending = new Set<Promise<void>>();
  #standing: ReturnType<typeof setInterval> | undefined;

  constructor(options: ReportingOptions) {
    const { surroundings, client, contact, identity, verify, now, events } = options;
    const ground = { origin: contact.info.origin, asset: contact.info.asset };
    const { root, signer } = identity;
    const onWrongAnswer = (failure: FailureError): void => events.onWrongAnswer(failure);
    this.#options = options;
    this.#openings = new OpeningQueue({
      shelf: surroundings.openings,
      client,
      origin: ground.origin,
      now,
      onChange: (openings) => events.onOpenings(openings),
    });
    this.#leases = new HeldLeases({
      shelf: surroundings.holdings,
      openings: this.#openings,
      client,
      ground,
      root,
      signer,
      verify,
      now,
      value: options.value,
      drawKey: (isFresh) => this.#drawKey(isFresh),
    });
    this.#reports = new ReportQueue({
      outbox: surroundings.outbox,
      client,
      ground,
      signer,
      now,
      held: this.#leases,
      onWrongAnswer,
      onChange: (waiting) => events.onOutbox(waiting),
    });
    this.#ends = new LeaseEnds({ leases: this.#leases, client, ground, signer, now, onWrongAnswer });
  }

  /** Takes up what an earlier start has left. */
  async start(): Promise<void> {
    // A disk that cannot be read has nothing to take up.
    await this.#leases.restore().catch(() => undefined);
    this.#reports.start();
    this.#ends.start();
    this.#openings.start();
    this.#standing = setInterval(() => void this.look(), STANDING_INTERVAL_MS);
    void this.look();
  }

  /** Reports everything once more, then stops trying. What is left waits for the next start. */
  async stop(): Promise<void> {
    clearInterval(this.#standing);
    await atMost(OPENING_STOP_MS, Promise.all(this.#ending));
    await this.#reports.stop().catch(() => undefined);
    await this.#ends.stop();
    await this.#openings.stop();
  }

  /** A lease begins. See SessionPorts. */
  hold({ lease }: WorkOrder, onFreed: () => void): HeldLease | undefined {
    return this.#leases.hold(lease.id, lease.body, onFreed);
  }

  save(receipt: CountersignedReceipt): void {
    this.#reports.save(receipt);
  }

  /** A lease is over: its newest receipt is reported now, and then what its requester has not signed is claimed. */
  ended(lease: Cid, claim: Claim | undefined): void {
    const ending = this.#end(lease, claim).finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }

  async #end(lease: Cid, claim: Claim | undefined): Promise<void> {
    await this.#reports.ended(lease).catch(() => undefined);
    const held = this.#leases.get(lease);
    if (held !== undefined) await this.#ends.ended(held, claim);
  }

  async #drawKey(isFresh: boolean): Promise<PeerId> {
    const { client, surroundings, contact, verify, now } = this.#options;
    if (!isFresh) return contact.keys.draw;
    return (await contactRelay(client, surroundings.pins, verify, now())).keys.draw;
  }

  /** Asks what the relay holds against this provider. */
  async look(): Promise<void> {
    const { client, identity, events } = this.#options;
    try {
      events.onBarred((await client.standing(identity.root)).barred);
    } catch {
      // The relay is away, or keeps no records: nothing is known either way.
    }
  }
}
