import { toHex } from "../../protocol/bytes.ts";
import { type Cid, cidOf, RAW } from "../../protocol/cid.ts";
import { FailureError } from "../../protocol/failure.ts";
import type { DrawnOutcome } from "../audit-books.ts";
import type { BlobFolder } from "../blob-folder.ts";
import type { Books } from "../books.ts";
import { sha256 } from "../books/native-hash.ts";
import type { RelayMetrics } from "../metrics.ts";
import type { DisputedOutcome } from "./dispute-totals.ts";
import {
  type Attempt,
  Examiner,
  type ExaminerParts,
  type Opened,
  openedFrom,
  type Lane,
} from "./examiner.ts";
import { type Finding, giveVerdict } from "./give-verdict.ts";
import { keepBlob } from "./keep-blob.ts";
import { LOOK_AGAIN_MS, MAX_WAITING, OVERDUE_AT_ONCE, TICK_MS, VERDICT_ROOM_MS } from "./limits.ts";
import { type DrawnPlace, type OpeningFolder, placeName } from "./opening-folder.ts";

export interface AuditRoundsParts extends ExaminerParts {
  readonly books: Books;
  readonly blobs: BlobFolder;
  readonly folder: OpeningFolder;
  /** Openings at a time; MAX_WAITING when absent. */
  readonly mostWaiting?: number;
  /** Takes the offers of an identity back that was proven to have lied. */
  readonly drop: (provider: string) => void;
  readonly metrics: Pick<RelayMetrics, "auditFailed" | "auditsWaiting" | "judged">;
}

/** An opening that is here and has no verdict. */
interface Waiting extends Attempt {
  /** Blobs that stay until then. */
  readonly kept: readonly Cid[];
  state: "held" | "queued" | "running";
}

const NONE: ReadonlySet<Waiting> = new Set();

/**
 * Recomputes what was drawn and opened, a few at a time, and gives verdicts: also on what nobody opens, and on what this
 * relay cannot recompute. What it has taken on survives a restart.
 */
export class AuditRounds {
  readonly #parts: AuditRoundsParts;
  readonly #waiting = new Map<string, Waiting>();
  /** What a dispute is about, by its entry. */
  readonly #byEntry = new Map<number, Set<Waiting>>();
  readonly #queues: Readonly<Record<Lane, Waiting[]>> = { function: [], model: [], effect: [], peer: [] };
  readonly #running: Record<Lane, number> = { function: 0, model: 0, effect: 0, peer: 0 };
  readonly #disputes = new Map<number, Promise<readonly DisputedOutcome[]>>();
  readonly #work = new Set<Promise<void>>();
  readonly #later = new Set<ReturnType<typeof setTimeout>>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #startedMs: number;
  /** When an opening was turned away last by a fault of this relay's, milliseconds since 1970. */
  #troubleMs = Number.NEGATIVE_INFINITY;
  #stopped = false;
  readonly #examiner: Examiner;

  constructor(parts: AuditRoundsParts) {
    this.#parts = parts;
    this.#examiner = new Examiner(parts);
    this.#startedMs = parts.nowMs();
  }

  has(place: DrawnPlace): boolean {
    return this.#waiting.has(placeName(place));
  }

  /** Goes on with what was here before, and keeps what has convicted somebody. */
  async start(): Promise<void> {
    const { folder, nowMs } = this.#parts;
    this.#startedMs = nowMs();
    for (const place of folder.convicting()) {
      // oxlint-disable-next-line no-await-in-loop -- few, and each may be a write
      await this.#pin(await folder.readEvidence(place));
    }
    for (const place of folder.waiting())
      // oxlint-disable-next-line no-await-in-loop -- in order
      await this.#resume(place);
    this.#tickSoon();
  }

  /** What cannot be read any more is this relay's fault: it may be opened again, and nothing of then is called missing. */
  async #resume(place: DrawnPlace): Promise<void> {
    const { folder, log } = this.#parts;
    const drawn = this.#drawn(place);
    try {
      if (drawn !== undefined) return this.#add(place, drawn, openedFrom(await folder.read(place), drawn));
    } catch (error) {
      log.error({ err: error, ...place }, "an opening of before the start cannot be read");
      // Whoever brought it was told that it is here, and will not bring it again.
      this.#troubleMs = this.#startedMs;
    }
    await folder.drop(place);
  }

  /** Until when an outcome may be opened: what was due while this relay was away has the full time from its start on. */
  opensUntil({ row, lease }: DrawnOutcome): number {
    return Math.max(row.openBy, Math.min(this.#startedMs + lease.terms.openMs, row.verdictBy));
  }

  /**
   * Takes an opening on; it is on the disk when this resolves.
   * @throws FailureError `rate-limited` when too many wait, `not-found` where the input is neither in it nor here; as checkOpening
   */
  async take(place: DrawnPlace, drawn: DrawnOutcome, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const { content, folder, mostWaiting = MAX_WAITING } = this.#parts;
    if (this.#waiting.size >= mostWaiting) {
      this.#troubleMs = this.#parts.nowMs();
      throw new FailureError("rate-limited", `${mostWaiting} outcomes wait to be recomputed; come again`);
    }
    const opened = openedFrom(bytes, drawn);
    const { task, isComputed } = opened.shown;
    if (isComputed && opened.opening.input === undefined && !content.has(task.inputCid))
      throw new FailureError("not-found", `opening: put the input ${task.inputCid} first`);
    const { effects } = opened.opening;
    if (effects !== undefined && !content.has(effects))
      throw new FailureError("not-found", `opening: put what the effect is followed from, ${effects}, first`);
    try {
      await folder.put(place, bytes);
    } catch (error) {
      this.#troubleMs = this.#parts.nowMs();
      throw error;
    }
    if (!this.has(place)) this.#add(place, drawn, opened);
  }

  /** Resolves when nothing runs any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    for (const timer of this.#later) clearTimeout(timer);
    const { recomputers, peers } = this.#parts;
    await Promise.all([...Object.values(recomputers).map((each) => each.stop()), peers?.stop()]);
    await Promise.all(this.#work);
  }

  #drawn(place: DrawnPlace): DrawnOutcome | undefined {
    const drawn = this.#parts.books.audits.drawn(place.entry, place.leaf);
    return drawn === undefined || drawn.row.verdict !== undefined ? undefined : drawn;
  }

  /** All of a dispute that was here when the first of it was looked at. */
  #dispute(entry: number): Promise<readonly DisputedOutcome[]> {
    let dispute = this.#disputes.get(entry);
    if (dispute === undefined) this.#disputes.set(entry, (dispute = this.#disputed(entry)));
    return dispute;
  }

  async #disputed(entry: number): Promise<readonly DisputedOutcome[]> {
    const outcomes: DisputedOutcome[] = [];
    for (const { place } of this.#ofEntry(entry)) {
      const drawn = this.#drawn(place);
      if (drawn === undefined) continue;
      // oxlint-disable-next-line no-await-in-loop -- one after the other, or thousands of files would be open
      const { claimed, task } = openedFrom(await this.#parts.folder.read(place), drawn).shown;
      outcomes.push({ claimed, inputBytes: task.size });
    }
    return outcomes;
  }

  #add(place: DrawnPlace, drawn: DrawnOutcome, { opening, shown }: Opened): void {
    const kept = opening.input === undefined ? [shown.task.inputCid] : [];
    if (opening.effects !== undefined) kept.push(opening.effects);
    this.#parts.blobs.keep(kept);
    const { kind } = drawn.job.terms.work;
    const lane = this.#examiner.wantsPeer(drawn, shown) ? "peer" : kind;
    const waiting: Waiting = { place, kind, lane, kept, state: "held", tries: 0 };
    this.#waiting.set(placeName(place), waiting);
    if (drawn.dispute === undefined) return this.#enqueue(waiting);
    const ofEntry = this.#byEntry.get(place.entry) ?? new Set();
    this.#byEntry.set(place.entry, ofEntry.add(waiting));
    this.#enqueueDispute(drawn);
  }

  /** A dispute is looked at as a whole: its sums can be checked only when all of it is open. */
  #enqueueDispute({ row, receipt, dispute }: DrawnOutcome): void {
    const all = this.#ofEntry(row.entry);
    const count = receipt.count - (dispute?.before?.count ?? 0);
    if (all.size >= count) for (const each of all) this.#enqueue(each);
  }

  #ofEntry(entry: number): ReadonlySet<Waiting> {
    return this.#byEntry.get(entry) ?? NONE;
  }

  #enqueue(waiting: Waiting): void {
    if (waiting.state !== "held") return;
    waiting.state = "queued";
    this.#queues[waiting.lane].push(waiting);
    this.#assign(waiting.lane);
  }

  #assign(lane: Lane): void {
    while (!this.#stopped && this.#running[lane] < this.#examiner.lanesOf(lane)) {
      const waiting = this.#queues[lane].shift();
      if (waiting === undefined) return;
      waiting.state = "running";
      this.#running[lane] += 1;
      const work = this.#serve(waiting).finally(() => {
        this.#running[lane] -= 1;
        this.#work.delete(work);
        this.#assign(lane);
      });
      this.#work.add(work);
    }
  }

  async #serve(waiting: Waiting): Promise<void> {
    const { place } = waiting;
    const { folder, log } = this.#parts;
    try {
      const drawn = this.#drawn(place);
      if (drawn === undefined) return await this.#forget(waiting);
      const opened = openedFrom(await folder.read(place), drawn);
      const finding = await this.#examiner.find(waiting, drawn, opened, () => this.#dispute(place.entry));
      if (finding === "ours") this.#toOurs(waiting);
      else if (finding === undefined) this.#again(waiting);
      else if (!this.#stopped) await this.#conclude(waiting, drawn, opened, finding);
    } catch (error) {
      log.error({ err: error, ...place }, "an audit failed");
      waiting.tries += 1;
      this.#again(waiting);
    }
  }

  /** Another provider could not say, or says otherwise: the relay decides (rule 7). */
  #toOurs(waiting: Waiting): void {
    waiting.lane = waiting.kind;
    waiting.state = "held";
    this.#enqueue(waiting);
  }

  #again(waiting: Waiting): void {
    waiting.state = "held";
    if (this.#stopped) return;
    const timer = setTimeout(() => {
      this.#later.delete(timer);
      this.#enqueue(waiting);
    }, LOOK_AGAIN_MS);
    this.#later.add(timer);
  }

  async #conclude(waiting: Waiting, drawn: DrawnOutcome, opened: Opened, finding: Finding): Promise<void> {
    const { blobs, folder } = this.#parts;
    // One proof is enough against one identity: thousands of its lies are not to fill the disk.
    const isProof =
      finding.result === "mismatch" &&
      this.#parts.books.audits.barred(drawn.lease.terms.provider) === undefined;
    if (isProof) {
      const evidence = cidOf(RAW, opened.bytes, sha256);
      await keepBlob(blobs, evidence, opened.bytes);
      // Before the verdict, or a relay that is killed right after it has convicted somebody without evidence.
      await folder.convict(waiting.place);
      await this.#judge(drawn, { ...finding, evidence });
      await this.#pin(opened.bytes);
    } else {
      // What was right convicts nobody, and its input is nobody's business (rule 14).
      await this.#judge(drawn, finding);
    }
    await this.#forget(waiting);
  }

  async #pin(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const { blobs } = this.#parts;
    const evidence = cidOf(RAW, bytes, sha256);
    blobs.keep([evidence]);
    if (!blobs.has(evidence)) await keepBlob(blobs, evidence, bytes);
  }

  async #forget(waiting: Waiting): Promise<void> {
    const { entry } = waiting.place;
    this.#waiting.delete(placeName(waiting.place));
    const rest = this.#byEntry.get(entry);
    rest?.delete(waiting);
    if (rest?.size === 0) {
      this.#byEntry.delete(entry);
      this.#disputes.delete(entry);
    }
    this.#parts.blobs.release(waiting.kept);
    await this.#parts.folder.drop(waiting.place);
  }

  async #judge(drawn: DrawnOutcome, finding: Finding): Promise<void> {
    const { books, drop, log, metrics } = this.#parts;
    await giveVerdict(books, drawn, finding);
    const { row, lease } = drawn;
    const { provider, instance, job } = lease.terms;
    const { result, expected, found, evidence } = finding;
    metrics.judged(
      result,
      finding.isOurs === true ? "relay" : finding.auditors === undefined ? "none" : "peer",
    );
    const ids = { result, provider, instance, job, lease: lease.id, entry: row.entry, leaf: row.leaf };
    if (result !== "mismatch") {
      log.debug(ids, "verdict");
      return;
    }
    const hashes = { expected: expected && toHex(expected), found: found && toHex(found), evidence };
    log.warn(
      { ...ids, ...hashes },
      "a result is false: the provider is barred, its unreleased pay goes back",
    );
    drop(provider);
  }

  #tickSoon(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      const work = this.#tick()
        .catch((error: unknown) =>
          this.#parts.log.error({ err: error }, "looking for what is overdue failed"),
        )
        .finally(() => {
          this.#work.delete(work);
          this.#tickSoon();
        });
      this.#work.add(work);
    }, TICK_MS);
  }

  /** Gives verdicts on what nobody has opened in time, and on what could not be recomputed in time. */
  async #tick(): Promise<void> {
    const { books, metrics, nowMs } = this.#parts;
    const now = nowMs();
    metrics.auditsWaiting(this.#waiting.size);
    const rows = books.audits.unjudged(now, this.#waiting.size + OVERDUE_AT_ONCE);
    await Promise.all(
      rows.map(async (row) => {
        const drawn = this.#drawn(row);
        if (drawn !== undefined) await this.#late(drawn, now);
      }),
    );
  }

  async #late(drawn: DrawnOutcome, now: number): Promise<void> {
    const { row, source, lease } = drawn;
    const isOver = now > row.verdictBy - VERDICT_ROOM_MS;
    const waiting = this.#waiting.get(placeName(row));
    if (waiting !== undefined) {
      // The rest of a dispute has not come.
      if (waiting.state === "held" && drawn.dispute !== undefined) this.#enqueue(waiting);
      if (!isOver) return;
      await this.#judge(drawn, { result: "inconclusive" });
      await this.#forget(waiting);
      return;
    }
    if (now <= this.opensUntil(drawn)) return;
    // Where openings were turned away, nobody can tell whose fault it is that this one is not here.
    const wasRefused = this.#troubleMs >= row.openBy - lease.terms.openMs;
    const isMissing = source === "relay" && !isOver && !wasRefused;
    await this.#judge(drawn, { result: isMissing ? "missing" : "inconclusive" });
  }
}
