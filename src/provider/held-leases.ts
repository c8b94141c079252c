import type { RelayClient } from "../mesh/relay-client.ts";
import type { Cid } from "../protocol/cid.ts";
import { bodyId, readBody, seal } from "../protocol/envelope.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import type { Ground } from "../protocol/greeting.ts";
import { header } from "../protocol/header.ts";
import { type Draw, drawMessage } from "../protocol/messages/audit.ts";
import { decodeEntry, decodeEntryOf } from "../protocol/messages/entry.ts";
import type { Lease } from "../protocol/messages/lease.ts";
import { type ReportAnswer, reportMessage } from "../protocol/messages/receipt.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { JobView } from "../protocol/relay-api.ts";
import type { Signer, Verify } from "../protocol/signature.ts";
import { type MicroCredits, microCredits } from "../protocol/units.ts";
import type { HoldingShelf } from "../storage/holdings.ts";
import { HeldLease } from "./held-lease.ts";
import { HeldMemory } from "./held-memory.ts";
import { HELD_GRACE_MS } from "./limits.ts";
import { evidenceOf } from "./effects/evidence-of.ts";
import { makeOpening } from "./make-opening.ts";
import type { OpeningQueue } from "./opening-queue.ts";
import { isAway } from "./relay-away.ts";
import { ForgedDrawError, type LoggedStatement, readDraw, statementIn } from "./read-draw.ts";

export interface HeldLeasesOptions {
  /** Without one, what is held is gone with the tab. */
  readonly shelf?: HoldingShelf;
  /** Default HELD_MEMORY_BYTES. */
  readonly memoryBytes?: number;
  readonly openings: Pick<OpeningQueue, "keep" | "sendSoon">;
  readonly client: Pick<RelayClient, "report" | "job" | "receipts" | "entry">;
  readonly ground: Ground;
  /** The account that earns, and the session key. */
  readonly root: PeerId;
  readonly signer: Signer;
  readonly verify: Verify;
  /** Values of steps by CID, records of effects among them. */
  readonly value?: (cid: Cid) => Uint8Array | undefined;
  /** The relay's key for draws; with `isFresh` after following its rotations once more. */
  readonly drawKey: (isFresh: boolean) => Promise<PeerId>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** An entry of the log with what was drawn from it. */
type DrawnEntry = Pick<ReportAnswer, "index" | "entry" | "draw">;

/** The part of a lease's view that says how far the log has come. */
export interface LoggedLease {
  readonly count: number;
  readonly amount: MicroCredits;
  readonly isSettled: boolean;
}

const NOT_FOUND = failureCode("not-found");

interface DrawOnce {
  readonly id: Cid;
  readonly bytes: Uint8Array;
}

/** A page of receipts that is searched for a lease of an earlier start. */
const RECEIPTS_SEARCHED = 100;

/** What is held of the leases that are audited, and what follows when the relay draws from it (rules 2 and 3). */
export class HeldLeases {
  readonly #options: HeldLeasesOptions;
  readonly #memory: HeldMemory;
  readonly #leases = new Map<Cid, HeldLease>();
  /** Draws of this start by entry and source, one of each. */
  readonly #draws = new WeakMap<HeldLease, Map<string, DrawOnce>>();

  constructor(options: HeldLeasesOptions) {
    this.#options = options;
    this.#memory = new HeldMemory(options.memoryBytes);
  }

  get(lease: Cid): HeldLease | undefined {
    return this.#leases.get(lease);
  }

  get all(): readonly HeldLease[] {
    return [...this.#leases.values()];
  }

  /** A lease begins. @returns nothing where its outcomes are not audited. @param onFreed bytes have been freed */
  hold(id: Cid, lease: Lease, onFreed: () => void): HeldLease | undefined {
    if (lease.policyVersion === undefined) return undefined;
    const { shelf, now } = this.#options;
    const { origin, job, holdBytes } = lease;
    const until = now() + lease.reportMs + HELD_GRACE_MS;
    const parts = { ...(shelf === undefined ? {} : { shelf }), memory: this.#memory, onFreed };
    const held = new HeldLease({ lease: id, origin, job, holdBytes, until }, parts);
    this.#leases.set(id, held);
    return held;
  }

  /** Takes up what an earlier start has left. What does not fit together is dropped. */
  async restore(): Promise<void> {
    const { shelf, ground } = this.#options;
    if (shelf === undefined) return;
    for (const stored of await shelf.load(ground.origin)) {
      const { lease } = stored.record;
      if (this.#leases.has(lease)) continue;
      try {
        this.#leases.set(lease, HeldLease.restored(stored, shelf, this.#memory));
      } catch {
        // oxlint-disable-next-line no-await-in-loop
        await shelf.forget(lease);
      }
    }
  }

  async forget(held: HeldLease): Promise<void> {
    this.#leases.delete(held.lease);
    await held.forget();
  }

  /**
   * The relay has logged a receipt of the lease. What it has drawn is kept for opening before anything is freed; what the
   * requester had logged before, with draws that nobody told this side of, is asked for.
   * @throws FailureError when the answer is wrong (see isWrongAnswer), or the relay is away.
   */
  async answered(lease: Cid, answer: DrawnEntry): Promise<void> {
    const held = this.#leases.get(lease);
    if (held === undefined) return;
    const statement = this.#statement(held, answer);
    await this.#fill(held, Math.min(statement.prevCount, statement.receipt.count));
    await this.#open(held, answer, statement);
    await cover(held, statement.receipt.count);
  }

  /** Asks how far the relay has logged a lease, and for every draw that this side has not heard of. @throws FailureError */
  async catchUp(held: HeldLease): Promise<LoggedLease> {
    const view = await this.#view(held);
    if (view === undefined) return { count: 0, amount: microCredits(0), isSettled: true };
    await this.#fill(held, view.count);
    return { count: view.count, amount: view.amount, isSettled: view.state === "settled" };
  }

  /** Nothing where the relay knows of no such lease: one that has lost its books draws from nothing. */
  async #view({ lease, terms }: HeldLease): Promise<JobView["leases"][number] | undefined> {
    try {
      const { leases } = await this.#options.client.job(terms.job);
      return leases.find((each) => each.lease === lease);
    } catch (error) {
      if (error instanceof FailureError && error.code === NOT_FOUND) return undefined;
      throw error;
    }
  }

  /**
   * Opens what was drawn from entries that the other side has brought, from the newest to the oldest, however many: nothing is
   * passed over before all of it was looked at, or a requester could hide a draw behind many reports.
   */
  async #fill(held: HeldLease, count: number): Promise<void> {
    let newest: number | undefined;
    for (let upTo = count; upTo > held.covered;) {
      // oxlint-disable-next-line no-await-in-loop -- each names the one before
      const entry = await this.#entryAt(held, upTo);
      if (entry === undefined) break;
      const statement = this.#statement(held, entry);
      if (statement.receipt.count !== upTo) break;
      // oxlint-disable-next-line no-await-in-loop
      await this.#open(held, entry, statement);
      newest ??= upTo;
      upTo = Math.min(statement.prevCount, upTo - 1);
    }
    if (newest !== undefined) await cover(held, newest);
  }

  /** The entry of the receipt over `count` outcomes: by bringing it again, or as the account's list has it. */
  async #entryAt(held: HeldLease, count: number): Promise<DrawnEntry | undefined> {
    const { client, root } = this.#options;
    const brought = await this.#bringAgain(held, count);
    if (brought !== undefined) return brought;
    const receipts = await client.receipts(root, { limit: RECEIPTS_SEARCHED });
    const index = receipts.find((each) => each.lease === held.lease && each.count === count)?.entryIndex;
    return index === undefined ? undefined : this.#entryWithDraw(index);
  }

  /** A report that is logged already is answered with its place and its draw, whoever brought it. */
  async #bringAgain(held: HeldLease, count: number): Promise<DrawnEntry | undefined> {
    const { client, ground, signer } = this.#options;
    const statement = held.statement(count);
    if (statement === undefined) return undefined;
    const head = header(ground.origin, ground.asset);
    const report = { ...head, ...statement, prevCount: 0, consistency: [], lost: [] };
    try {
      return await client.report(await seal(reportMessage, report, [signer]));
    } catch (error) {
      if (isAway(error)) throw error;
      // Not this very receipt: one over as many outcomes that calls itself final, or the other way round.
      return undefined;
    }
  }

  /** A draw is logged right behind the entry that it is made from. */
  async #entryWithDraw(index: number): Promise<DrawnEntry> {
    const { client } = this.#options;
    const entry = await client.entry(index);
    const next = await client.entry(index + 1).catch((error: unknown) => {
      if (isAway(error)) throw error;
    });
    if (next === undefined || decodeEntry(next).type !== "draw") return { index, entry };
    const draw = decodeEntryOf("draw", next).body.envelope;
    return readBody(drawMessage, draw).entryIndex === index ? { index, entry, draw } : { index, entry };
  }

  /** @throws ForgedDrawError for a receipt that this side has never signed. */
  #statement(held: HeldLease, { entry, draw }: DrawnEntry): LoggedStatement {
    const statement = statementIn(entry);
    const { receipt } = statement;
    const isOurs = receipt.lease === held.lease && held.isOwn(receipt.count, receipt.root) !== false;
    if (isOurs) return statement;
    const draws = draw === undefined ? [] : [draw];
    throw new ForgedDrawError("from a receipt that is not of this lease", { entry, draws });
  }

  /** Lays open what was drawn from an entry. */
  async #open(
    held: HeldLease,
    { index, entry, draw }: DrawnEntry,
    statement: LoggedStatement,
  ): Promise<void> {
    const { ground, verify, drawKey, openings, signer, now } = this.#options;
    const { count } = statement.receipt;
    if (draw !== undefined) {
      const drawn = await readDraw({
        ground,
        lease: held.lease,
        index,
        entry,
        count,
        draw,
        drawKey,
        verify,
      });
      this.#requireOnly(held, drawn, draw, entry);
      for (const leaf of drawn.leaves) {
        // oxlint-disable-next-line no-await-in-loop -- an input may have 32 MiB
        const found = await held.open(leaf, count, statement.advance);
        if (found === undefined) continue;
        // oxlint-disable-next-line no-await-in-loop
        const effect = evidenceOf(found.leaf, this.#options.value);
        // oxlint-disable-next-line no-await-in-loop
        await openings.keep(await makeOpening(ground, signer, drawn, leaf, now(), found, effect));
      }
      openings.sendSoon();
    }
  }

  /** One entry, one draw: who draws again from the same entry chooses what is opened. @throws ForgedDrawError */
  #requireOnly(held: HeldLease, draw: Draw, bytes: Uint8Array, entry: Uint8Array): void {
    const place = `${draw.entryIndex} ${draw.source}`;
    const id = bodyId(drawMessage, draw);
    const draws = this.#draws.get(held) ?? new Map<string, DrawOnce>();
    this.#draws.set(held, draws);
    const known = draws.get(place);
    if (known !== undefined && known.id !== id)
      throw new ForgedDrawError("another one than before from the same entry", {
        entry,
        draws: [known.bytes, bytes],
      });
    draws.set(place, { id, bytes });
  }
}

/** A full disk: what is freed in memory is freed there with the next write. */
async function cover(held: HeldLease, count: number): Promise<void> {
  await held.cover(count).catch(() => undefined);
}
