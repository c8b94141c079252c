import { equalBytes } from "../protocol/bytes.ts";
import { type Checkpoint, parseCheckpoint, readCheckpoint } from "../protocol/checkpoint.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import {
  consistencyRoots,
  EMPTY_ROOT,
  leafHash,
  verifyConsistency,
  verifyInclusion,
} from "../protocol/merkle.ts";
import { decodeEntryOf } from "../protocol/messages/entry.ts";
import type { Inclusion } from "../protocol/messages/receipt.ts";
import { keyFromPeerId, type PeerId } from "../protocol/peer-id.ts";
import { rotationHolds } from "../protocol/rotation.ts";
import type { Verify } from "../protocol/signature.ts";
import { type CheckpointConflict, checkpointEvidence, type Prefix } from "./evidence.ts";

/** What a view starts from, and how it reaches the relay. The ports own their deadlines; a failure of theirs passes through. */
export interface LogViewOptions {
  readonly origin: string;
  /**
   * The log key pinned at first contact (or the last one `rotate` answered with), and the note last remembered. The note
   * is believed as kept: it was verified before. Without one, the first note signed under the key is believed.
   */
  readonly trusted: { readonly logKey: PeerId; readonly checkpoint?: string };
  /** The relay's newest signed note. */
  readonly fetchCheckpoint: () => Promise<string>;
  /** Proof that the tree of `to` entries extends that of `from`. `not-found` counts as the relay having no proof. */
  readonly fetchConsistency: (from: number, to: number) => Promise<readonly Uint8Array[]>;
  readonly verify: Verify;
  /** Keeps the newest note durably; called before it is believed, so that no restart forgets it. */
  readonly remember: (note: string) => Promise<void>;
}

/**
 * What a client believes of a relay's log: one history that only grows. Steps run one after another in the order of the
 * calls, so a port must not wait for the view.
 */
export interface LogView {
  readonly origin: string;
  /** The log key notes have to be signed under now. */
  key(): PeerId;
  /** The newest checkpoint believed. */
  head(): Checkpoint | undefined;
  /**
   * Asks the relay. The head never shrinks: an older note of the same history leaves it as it is.
   * @throws FailureError `forged-checkpoint`; a ForgedCheckpointError where two notes contradict each other.
   */
  refresh(): Promise<Checkpoint>;
  /**
   * Resolves when `entryBytes` is the entry the inclusion speaks of, in a tree that is signed and one with the head.
   * A newer checkpoint moves the head. @throws as refresh.
   */
  checkInclusion(inclusion: Inclusion, entryBytes: Uint8Array): Promise<void>;
  /**
   * A note that a peer has shown: a split view is found here.
   * @throws FailureError `bad-signature` when the log did not sign it, which says nothing against the relay; else as refresh.
   */
  observe(note: string): Promise<void>;
  /**
   * Follows key-rotate entries, oldest first, from the pinned key on; other entries of the kind are passed over. The
   * caller pins the answer. @throws FailureError `forged-checkpoint` when the key replaced has not signed, `malformed`.
   */
  rotate(entries: readonly Uint8Array[]): Promise<PeerId>;
}

/** The log contradicts itself. The two notes are evidence for anybody who knows the log's key. */
export class ForgedCheckpointError extends FailureError {
  static override readonly name = "FailureError";
  /** The note believed before, and the one that does not fit it. */
  readonly evidence: readonly [held: string, shown: string];
  /** The same with the log's key, as a file that anybody can judge: see evidence.ts. */
  readonly file: Uint8Array<ArrayBuffer>;

  constructor(detail: string, conflict: CheckpointConflict, options?: ErrorOptions) {
    super("forged-checkpoint", `checkpoint: ${detail}`, options);
    this.evidence = conflict.notes;
    this.file = checkpointEvidence(conflict);
  }
}

interface SignedHead extends Checkpoint {
  readonly note: string;
}

interface OpenedNote extends SignedHead {
  /** Signed under the key in force, not under one that was replaced. */
  readonly current: boolean;
}

/** Roots of older trees that were proven once: a list of receipts shares few checkpoints. 40 kB at most. */
const KEPT_ROOTS = 512;

export function createLogView(options: LogViewOptions): LogView {
  return new PinnedLog(options);
}

function forged(detail: string): FailureError {
  return new FailureError("forged-checkpoint", detail);
}

class PinnedLog implements LogView {
  readonly origin: string;
  readonly #options: LogViewOptions;
  readonly #retired: PeerId[] = [];
  /** Entries that were followed from the key pinned first, oldest first. */
  readonly #rotations: Uint8Array[] = [];
  readonly #roots = new Map<number, Uint8Array>();
  #key: PeerId;
  #head: SignedHead | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: LogViewOptions) {
    const { logKey, checkpoint } = options.trusted;
    this.#options = options;
    this.origin = options.origin;
    this.#key = logKey;
    if (checkpoint !== undefined) {
      this.#head = { ...readCheckpoint(checkpoint, options.origin), note: checkpoint };
    }
  }

  key(): PeerId {
    return this.#key;
  }

  head(): Checkpoint | undefined {
    return this.#head;
  }

  async refresh(): Promise<Checkpoint> {
    return this.#inTurn(async () => this.#refresh());
  }

  async checkInclusion(inclusion: Inclusion, entryBytes: Uint8Array): Promise<void> {
    const { index, leaf, proof, checkpoint } = inclusion;
    await this.#inTurn(async () => {
      if (!equalBytes(leafHash(entryBytes), leaf)) throw forged("inclusion: is of another entry");
      const opened = await this.#open(checkpoint);
      if (!verifyInclusion(leaf, index, opened.size, proof, opened.root))
        throw forged("inclusion: the proof does not hold");
      await this.#reconcile(opened);
    });
  }

  async observe(note: string): Promise<void> {
    await this.#inTurn(async () => {
      const opened = await this.#open(note).catch(() => undefined);
      if (opened === undefined)
        throw new FailureError("bad-signature", "checkpoint: the peer's note is not signed by the log");
      await this.#reconcile(opened);
    });
  }

  async rotate(entries: readonly Uint8Array[]): Promise<PeerId> {
    return this.#inTurn(async () => {
      // oxlint-disable-next-line no-await-in-loop -- each entry is judged by the key that the one before has set
      for (const bytes of entries) await this.#follow(bytes);
      return this.#key;
    });
  }

  async #follow(bytes: Uint8Array): Promise<void> {
    const { body } = decodeEntryOf("key-rotate", bytes);
    if (body.purpose !== "log" || body.previous !== this.#key) return;
    if (!(await rotationHolds(this.origin, body, this.#options.verify)))
      throw forged("key rotation: the key that is replaced has not signed it");
    this.#rotations.push(bytes);
    this.#retired.unshift(this.#key);
    this.#key = body.next;
  }

  async #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(step);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #refresh(): Promise<Checkpoint> {
    const opened = await this.#open(await this.#options.fetchCheckpoint());
    if (!opened.current) throw forged("checkpoint: signed under a key that was replaced");
    return this.#reconcile(opened);
  }

  async #open(note: string): Promise<OpenedNote> {
    const signer = [this.#key, ...this.#retired].find((peer) => this.#isSignedUnder(peer, note)) ?? this.#key;
    const { claim, ...checkpoint } = parseCheckpoint(note, this.origin, keyFromPeerId(signer));
    if (!(await this.#options.verify(claim.key, claim.message, claim.signature)))
      throw forged("checkpoint: the signature does not hold");
    if (checkpoint.size === 0 && !equalBytes(checkpoint.root, EMPTY_ROOT))
      throw forged("checkpoint: an empty log with a root");
    return { ...checkpoint, current: signer === this.#key };
  }

  /** Whether the note says so; not verified yet. */
  #isSignedUnder(peer: PeerId, note: string): boolean {
    try {
      parseCheckpoint(note, this.origin, keyFromPeerId(peer));
      return true;
    } catch {
      return false;
    }
  }

  /** Brings a verified note and the head together; the answer is the head. */
  async #reconcile(note: OpenedNote): Promise<Checkpoint> {
    if (!note.current && note.size > (this.#head?.size ?? -1)) await this.#refresh();
    const head = this.#head;
    if (head !== undefined && note.size <= head.size) {
      await this.#requireProof(note, head, [head.note, note.note]);
      return head;
    }
    if (!note.current)
      throw forged("checkpoint: newer than the log's, and signed under a key that was replaced");
    if (head !== undefined) await this.#requireProof(head, note, [head.note, note.note]);
    await this.#options.remember(note.note);
    this.#head = note;
    return note;
  }

  /** @throws ForgedCheckpointError unless `newer` extends `older`. */
  async #requireProof(
    older: Checkpoint,
    newer: Checkpoint,
    evidence: readonly [held: string, shown: string],
  ): Promise<void> {
    const known = older.size === newer.size ? newer.root : this.#roots.get(older.size);
    if (known === undefined) {
      if (older.size > 0) await this.#requireExtension(older, newer, evidence);
      this.#keepRoot(older);
    } else if (!equalBytes(known, older.root)) {
      throw new ForgedCheckpointError(`two roots for ${older.size} entries`, this.#conflict(evidence));
    }
  }

  async #requireExtension(
    older: Checkpoint,
    newer: Checkpoint,
    evidence: readonly [held: string, shown: string],
  ): Promise<void> {
    let proof: readonly Uint8Array[];
    try {
      proof = await this.#options.fetchConsistency(older.size, newer.size);
    } catch (error) {
      if (!(error instanceof FailureError) || error.code !== failureCode("not-found")) throw error;
      throw new ForgedCheckpointError("the relay cannot prove what it signed", this.#conflict(evidence), {
        cause: error,
      });
    }
    if (verifyConsistency(older.size, newer.size, older.root, newer.root, proof)) return;
    // A proof of another history of the newer tree shows to anybody what it has in place of the older one.
    const roots = consistencyRoots(older.size, newer.size, older.root, proof);
    const prefix =
      roots !== undefined && equalBytes(roots.to, newer.root) ? { root: roots.from, proof } : undefined;
    throw new ForgedCheckpointError("the log was rewritten", this.#conflict(evidence, prefix));
  }

  #conflict(notes: readonly [held: string, shown: string], prefix?: Prefix): CheckpointConflict {
    return {
      origin: this.origin,
      notes,
      logKey: this.#key,
      rotations: this.#rotations,
      ...(prefix === undefined ? {} : { prefix }),
    };
  }

  #keepRoot({ size, root }: Checkpoint): void {
    const [oldest] = this.#roots.keys();
    if (oldest !== undefined && this.#roots.size >= KEPT_ROOTS) this.#roots.delete(oldest);
    this.#roots.set(size, root);
  }
}
