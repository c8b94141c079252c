import type { Logger } from "pino";
import type { AuditPolicy } from "../../protocol/audit-policy.ts";
import { equalBytes } from "../../protocol/bytes.ts";
import { openEnvelope } from "../../protocol/envelope.ts";
import { type Opening, openingMessage } from "../../protocol/messages/audit.ts";
import type { Work } from "../../protocol/messages/job.ts";
import { encodeOutcome } from "../../protocol/messages/task.ts";
import type { DrawnOutcome } from "../audit-books.ts";
import type { BlobFolder } from "../blob-folder.ts";
import { sha256 } from "../books/native-hash.ts";
import type { RelayMetrics } from "../metrics.ts";
import { checkOpening, type Shown } from "./check-opening.ts";
import { type DisputedOutcome, disputeProblem } from "./dispute-totals.ts";
import type { Finding } from "./give-verdict.ts";
import { keepBlob } from "./keep-blob.ts";
import { DEADLINE_FACTOR, LOADING_MS, MOST_TASK_MS, MOST_TRIES } from "./limits.ts";
import type { DrawnPlace } from "./opening-folder.ts";
import type { PeerAuditors, PeerOpinion } from "./peer-auditors.ts";
import type { Recomputation, Recomputed, Recomputer } from "./recompute.ts";
import { ContentMissing, ContentTooLarge, type WorkContent } from "./work-content.ts";

type WorkKind = Work["kind"];
/** Who is at work: threads for functions, the one for models, whoever replays effects, or other providers. */
export type Lane = WorkKind | "peer";

export interface ExaminerParts {
  readonly blobs: Pick<BlobFolder, "put">;
  readonly content: WorkContent;
  readonly recomputers: Readonly<Record<WorkKind, Recomputer>>;
  /** Other providers; absent where the relay computes everything itself. */
  readonly peers?: PeerAuditors;
  readonly policy: () => AuditPolicy | undefined;
  readonly metrics: Pick<RelayMetrics, "auditFailed">;
  readonly log: Logger;
  readonly nowMs: () => number;
}

/** What an opening says, checked. */
export interface Opened {
  readonly opening: Opening;
  readonly shown: Shown;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** @throws FailureError as checkOpening */
export function openedFrom(bytes: Uint8Array<ArrayBuffer>, drawn: DrawnOutcome): Opened {
  const { body: opening, signedBy } = openEnvelope(openingMessage, bytes, sha256);
  return { opening, shown: checkOpening(opening, drawn, signedBy), bytes };
}

/** An opening and how often it was tried. */
export interface Attempt {
  readonly place: DrawnPlace;
  readonly kind: WorkKind;
  lane: Lane;
  tries: number;
  /** What another provider has said of it. */
  opinion?: PeerOpinion;
}

/** Finds out whether an opened outcome is the one that an honest machine has. */
export class Examiner {
  readonly #parts: ExaminerParts;

  constructor(parts: ExaminerParts) {
    this.#parts = parts;
  }

  lanesOf(lane: Lane): number {
    const { peers, recomputers } = this.#parts;
    return lane === "peer" ? (peers?.lanes ?? 0) : recomputers[lane].lanes;
  }

  /** Whether another provider is asked first. In a dispute everything is the relay's, which keeps the outputs. */
  wantsPeer({ dispute, job }: DrawnOutcome, { isComputed }: Shown): boolean {
    const { peers, policy } = this.#parts;
    const numbers = policy();
    if (peers === undefined || numbers === undefined || dispute !== undefined || !isComputed) return false;
    return peers.isWanted({ job: job.terms }, numbers);
  }

  /** A provider's word is enough for a match, never for a mismatch. */
  async #askPeer(attempt: Attempt, drawn: DrawnOutcome, opened: Opened): Promise<Finding | "ours"> {
    const { peers, policy } = this.#parts;
    const numbers = policy();
    const { found } = opened.shown;
    if (peers === undefined || numbers === undefined) return "ours";
    const recomputation = await this.#recomputation(drawn, opened);
    const opinion = await peers
      .ask(recomputation, drawn.lease.terms.provider, numbers)
      .catch(() => undefined);
    if (opinion === undefined) return "ours";
    attempt.opinion = opinion;
    if (opinion.isChecked || !equalBytes(opinion.hash, found)) return "ours";
    return { result: "match", expected: opinion.hash, found, auditors: [opinion.provider] };
  }

  #lookAt(attempt: Attempt, hash: Uint8Array): void {
    const { opinion, place } = attempt;
    if (opinion === undefined || equalBytes(opinion.hash, hash)) return;
    this.#parts.log.warn({ ...place, auditor: opinion.provider }, "an auditor's result is false");
  }

  /** @returns nothing where it is to be tried again, "ours" where a provider was asked and the relay is to decide */
  async find(
    attempt: Attempt,
    drawn: DrawnOutcome,
    opened: Opened,
    disputed: () => Promise<readonly DisputedOutcome[]>,
  ): Promise<Finding | "ours" | undefined> {
    const { shown } = opened;
    const { found, isComputed } = shown;
    const problem = drawn.dispute === undefined ? undefined : problemOf(drawn, await disputed());
    if (problem !== undefined) {
      this.#parts.log.warn({ ...attempt.place, lease: drawn.lease.id, problem }, "a dispute does not add up");
      return { result: "mismatch", found, isOurs: true };
    }
    if (!isComputed) return { result: "match", expected: found, found };
    if (attempt.lane === "peer") return this.#askPeer(attempt, drawn, opened);
    const recomputed = await this.#recompute(attempt, drawn, opened);
    if (recomputed === undefined) return undefined;
    if (recomputed.kind === "unknown") {
      const { why } = recomputed;
      this.#parts.log.warn({ ...attempt.place, lease: drawn.lease.id, why }, "cannot be recomputed here");
      this.#parts.metrics.auditFailed();
      attempt.tries += 1;
      return attempt.tries < MOST_TRIES ? undefined : { result: "inconclusive", found };
    }
    const { expected, output } = recomputed;
    const { hash } = encodeOutcome(expected);
    const isMatch = equalBytes(hash, found);
    this.#lookAt(attempt, hash);
    if (isMatch && drawn.dispute !== undefined && output !== undefined && expected.outputCid !== undefined)
      await keepBlob(this.#parts.blobs, expected.outputCid, output);
    return {
      result: isMatch ? "match" : "mismatch",
      expected: hash,
      found,
      fuel: expected.fuel,
      isOurs: true,
    };
  }

  /** @throws ContentMissing */
  async #recomputation(drawn: DrawnOutcome, { opening, shown }: Opened): Promise<Recomputation> {
    const { task, claimed } = shown;
    return {
      job: drawn.job.terms,
      lease: drawn.lease.id,
      task,
      claimed,
      instance: drawn.lease.terms.instance,
      ...(opening.effects === undefined ? {} : { effects: opening.effects }),
      input: opening.input ?? (await this.#parts.content.bytes(task.inputCid)),
      deadlineMs: Math.min(DEADLINE_FACTOR * task.deadlineMs + LOADING_MS, MOST_TASK_MS),
    };
  }

  async #recompute(attempt: Attempt, drawn: DrawnOutcome, opened: Opened): Promise<Recomputed | undefined> {
    const { recomputers, nowMs } = this.#parts;
    try {
      const recomputation = await this.#recomputation(drawn, opened);
      return await recomputers[attempt.kind].recompute(recomputation);
    } catch (error) {
      if (error instanceof ContentTooLarge) {
        attempt.tries = MOST_TRIES;
        return { kind: "unknown", why: error.message };
      }
      if (!(error instanceof ContentMissing)) throw error;
      // Its requester may send it yet.
      if (nowMs() < drawn.row.openBy) return undefined;
      attempt.tries = MOST_TRIES;
      return { kind: "unknown", why: error.message };
    }
  }
}

/** @param outcomes of the dispute that have no verdict yet; when some have one, all were looked at before that. */
function problemOf(
  { receipt, dispute }: DrawnOutcome,
  outcomes: readonly DisputedOutcome[],
): string | undefined {
  const before = dispute?.before;
  if (outcomes.length < receipt.count - (before?.count ?? 0)) return undefined;
  return disputeProblem(receipt, before, outcomes);
}
