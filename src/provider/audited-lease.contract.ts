/* An audited lease for tests: the real books of a relay, the real session, and all that a provider reports by. */
import { DEFAULT_AUDIT_POLICY, type AuditPolicy } from "../protocol/audit-policy.ts";
import { type Cid, cidOf, RAW } from "../protocol/cid.ts";
import { verifierOf } from "../protocol/ed25519.ts";
import { openEnvelope } from "../protocol/envelope.ts";
import { decodeEntry, decodeEntryOf } from "../protocol/messages/entry.ts";
import type { RelayClient } from "../mesh/relay-client.ts";
import { FailureError } from "../protocol/failure.ts";
import { type Draw, drawMessage, type Opening, openingMessage } from "../protocol/messages/audit.ts";
import type { ReportAnswer } from "../protocol/messages/receipt.ts";
import { startSessionIdentity } from "../protocol/session-identity.ts";
import { encodeUtf8 } from "../protocol/text.ts";
import { microCredits } from "../protocol/units.ts";
import { checkOpening, type Shown } from "../relay/audits/check-opening.ts";
import type { Books } from "../relay/books.ts";
import { openBooks } from "../relay/books/open-books.ts";
import {
  ASSET,
  type LeasePair,
  leasePair,
  type PairOptions,
  ORIGIN,
  seed,
  TARIFF,
} from "../sdk/lease-pair.contract.ts";
import type { HoldingShelf } from "../storage/holdings.ts";
import type { OpeningShelf } from "../storage/openings.ts";
import type { Outbox } from "../storage/outbox.ts";
import { HeldLeases } from "./held-leases.ts";
import { type Claim, LeaseEnds } from "./lease-ends.ts";
import { memoryHoldings, memoryOpenings, memoryOutbox } from "./memory-shelves.contract.ts";
import { OpeningQueue } from "./opening-queue.ts";
import type { CountersignedReceipt } from "./provider-channel.ts";
import { ReportQueue } from "./report-queue.ts";

export const GROUND = { origin: ORIGIN, asset: ASSET };
const verify = verifierOf(crypto.subtle);

/** A relay without its HTTP: its books, and what an opening is checked by. */
export class BooksRelay {
  readonly books: Books;
  readonly clock: { now: number };
  /** Openings that hold, by "entry leaf". */
  readonly opened = new Map<string, { readonly opening: Opening; readonly shown: Shown }>();
  readonly blobs = new Map<Cid, Uint8Array>();
  isAway = false;
  /** Changes what it answers. */
  answers: (answer: ReportAnswer) => ReportAnswer | Promise<ReportAnswer> = (answer) => answer;
  /** Before it looks at an opening. */
  onOpen: () => void = () => undefined;

  constructor(books: Books, clock: { now: number }) {
    this.books = books;
    this.clock = clock;
  }

  static async start(audit: Partial<AuditPolicy> = {}): Promise<BooksRelay> {
    const clock = { now: Date.now() };
    const books = await openBooks({
      path: ":memory:",
      ...GROUND,
      seeds: { log: seed(50), lease: seed(51), draw: seed(52) },
      clock: () => clock.now,
      tariff: TARIFF,
      policyDocument: encodeUtf8("audited"),
      audit: { ...DEFAULT_AUDIT_POLICY, ...audit },
    });
    const { root } = await startSessionIdentity(
      crypto.subtle,
      { root: seed(2), session: seed(3) },
      clock.now,
    );
    await books.grant(root, microCredits(10_000_000_000_000), "a test");
    return new BooksRelay(books, clock);
  }

  #requireHere(): void {
    if (this.isAway) throw new FailureError("disconnected", "the relay is away");
  }

  async report(envelope: Uint8Array): Promise<ReportAnswer> {
    this.#requireHere();
    return this.answers(await this.books.report(envelope));
  }

  async dispute(envelope: Uint8Array): Promise<ReportAnswer> {
    this.#requireHere();
    return this.books.audits.dispute(envelope);
  }

  async job(job: Cid): Promise<NonNullable<ReturnType<Books["job"]>>> {
    this.#requireHere();
    const view = this.books.job(job);
    if (view === undefined) throw new FailureError("not-found", "no such job");
    return view;
  }

  receipts: RelayClient["receipts"] = async (peer, { before, limit }) => {
    this.#requireHere();
    return this.books.receipts(peer, before, limit);
  };

  async entry(index: number): Promise<Uint8Array<ArrayBuffer>> {
    this.#requireHere();
    const entry = this.books.entry(index);
    if (entry === undefined) throw new FailureError("not-found", "no such entry");
    return entry.slice();
  }

  async open(envelope: Uint8Array): Promise<void> {
    this.#requireHere();
    this.onOpen();
    const { body, signedBy } = openEnvelope(openingMessage, envelope);
    const drawn = this.books.audits.drawn(body.entryIndex, body.index);
    if (drawn === undefined) throw new FailureError("not-found", "not drawn");
    const shown = checkOpening(body, drawn, signedBy);
    if (body.input === undefined && !this.blobs.has(shown.task.inputCid))
      throw new FailureError("not-found", "its input is not here");
    this.opened.set(`${body.entryIndex} ${body.index}`, { opening: body, shown });
  }

  async hasBlob(cid: Cid): Promise<boolean> {
    this.#requireHere();
    return this.blobs.has(cid);
  }

  async putBlob(cid: Cid, bytes: Uint8Array): Promise<void> {
    if (cidOf(RAW, bytes) !== cid) throw new FailureError("content-mismatch", "a blob");
    this.blobs.set(cid, bytes);
  }

  /** All draws of the log, oldest first. */
  draws(): readonly Draw[] {
    const draws: Draw[] = [];
    for (let index = 0; index < this.books.size(); index += 1) {
      const entry = this.books.entry(index);
      const draw = entry === undefined ? undefined : drawIn(entry);
      if (draw !== undefined) draws.push(draw);
    }
    return draws;
  }

  /** Leaves that were drawn and nobody has opened. */
  unopened(): readonly string[] {
    return this.draws()
      .flatMap(({ entryIndex, leaves }) => leaves.map((leaf) => `${entryIndex} ${leaf}`))
      .filter((place) => !this.opened.has(place));
  }
}

function drawIn(entry: Uint8Array): Draw | undefined {
  const { type } = decodeEntry(entry);
  return type === "draw"
    ? openEnvelope(drawMessage, decodeEntryOf("draw", entry).body.envelope).body
    : undefined;
}

/** What of a tab outlives it. */
export interface Kept {
  readonly outbox: Outbox;
  readonly holdings: HoldingShelf;
  readonly openings: OpeningShelf;
}

export function keptInMemory(): Kept {
  return { outbox: memoryOutbox(), holdings: memoryHoldings(), openings: memoryOpenings() };
}

/** One start of a provider, as far as it reports. */
export class Reporter {
  readonly leases: HeldLeases;
  readonly openings: OpeningQueue;
  readonly reports: ReportQueue;
  readonly ends: LeaseEnds;
  readonly wrong: FailureError[] = [];
  readonly claims: (Claim | undefined)[] = [];
  readonly now: { offset: number } = { offset: 0 };

  private constructor(
    relay: BooksRelay,
    kept: Kept,
    session: Awaited<ReturnType<typeof startSessionIdentity>>,
    memoryBytes?: number,
  ) {
    const now = (): number => Date.now() + this.now.offset;
    const { root, signer } = session;
    const common = { client: relay, ground: GROUND, signer, now };
    const onWrongAnswer = (failure: FailureError): void => void this.wrong.push(failure);
    this.openings = new OpeningQueue({
      shelf: kept.openings,
      client: relay,
      origin: ORIGIN,
      now,
      onChange: () => undefined,
    });
    this.leases = new HeldLeases({
      ...common,
      shelf: kept.holdings,
      ...(memoryBytes === undefined ? {} : { memoryBytes }),
      openings: this.openings,
      root,
      verify,
      drawKey: async () => relay.books.keys().draw,
    });
    this.reports = new ReportQueue({
      ...common,
      outbox: kept.outbox,
      held: this.leases,
      onWrongAnswer,
      onChange: () => undefined,
    });
    this.ends = new LeaseEnds({ ...common, leases: this.leases, onWrongAnswer });
  }

  /** @param session fill of the session key's seed: each start has its own @param memoryBytes see HeldLeasesOptions */
  static async start(
    relay: BooksRelay,
    kept: Kept,
    session: number = 5,
    memoryBytes?: number,
  ): Promise<Reporter> {
    const seeds = { root: seed(4), session: seed(session) };
    const identity = await startSessionIdentity(crypto.subtle, seeds, Date.now());
    return new Reporter(relay, kept, identity, memoryBytes);
  }

  /** The same lease with both its sides. */
  async pair(relay: BooksRelay, options: PairOptions): Promise<LeasePair> {
    const { books } = relay;
    return leasePair({
      ...options,
      lease: { policy: books.policy, policyVersion: 1, ...options.lease },
      relay: {
        signer: books.signer("lease"),
        openJob: async (job) => (await books.openJob(job)).index,
        addLease: async (lease) => void (await books.addLease(lease)),
      },
      provider: {
        hold: ({ lease }, onFreed) => this.leases.hold(lease.id, lease.body, onFreed),
        saveReceipt: (receipt: CountersignedReceipt) => this.reports.save(receipt),
        onEnded: (lease, claim) => void this.#ended(lease, claim),
        ...options.provider,
      },
    });
  }

  async #ended(lease: Cid, claim: Claim | undefined): Promise<void> {
    await this.reports.ended(lease).catch(() => undefined);
    const held = this.leases.get(lease);
    if (held !== undefined) await this.ends.ended(held, claim);
    this.claims.push(claim);
  }

  /** All is reported and sent, as far as the relay takes it. */
  async settle(): Promise<void> {
    await this.reports.flush();
    await this.openings.flush();
  }
}
