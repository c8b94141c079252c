import { equalBytes } from "../../protocol/bytes.ts";
import { FailureError } from "../../protocol/failure.ts";
import { checkpointMessage, checkpointNote } from "../../protocol/checkpoint.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { Commit } from "../books.ts";
import type { Batch, BooksStore, Head, JobRow, LeaseRow } from "../store/books-store.ts";
import type { Committed } from "./committed.ts";
import { Draft } from "./draft.ts";
import { MAX_BATCH_OPERATIONS, PREPARED_TOGETHER } from "./limits.ts";
import type { LogTree } from "./log-tree.ts";
import { entryHash } from "./native-hash.ts";
import type { RelayKey } from "./native-keys.ts";
import type { JobState, LeaseState } from "./standing.ts";

/** What an operation wants to know after its commit. */
export type Answer<T> = () => T;
/** Judges and applies; throws a FailureError to refuse. Called once, in order, on how things stand by then. */
export type Operation<T> = (draft: Draft) => Answer<T>;

/**
 * What an operation does before its turn, without looking at how things stand: each step is done for several waiting
 * operations before the next one. A step that throws refuses its operation.
 */
export type Steps = readonly (() => void)[];

interface Waiting {
  readonly prepare: Steps;
  readonly run: (batch: Draft) => void;
  readonly settle: (fault: FailureError | undefined) => void;
}

function asFailure(error: unknown): FailureError {
  return error instanceof FailureError
    ? error
    : new FailureError("relay-fault", "the books could not be changed", { cause: error });
}

function isHead(found: Head | undefined, expected: Head): boolean {
  return found?.size === expected.size && equalBytes(found.root, expected.root);
}

function jobRowOf({ terms, signers: _signers, ...row }: JobState): JobRow {
  const { requester, nonce, expires, work } = terms;
  return { ...row, requester, nonce, expires, work: work.cid };
}

function leaseRowOf({ terms, ...row }: LeaseState): LeaseRow {
  return { ...row, provider: terms.provider, instance: terms.instance };
}

function apply(operations: readonly Waiting[], draft: Draft): void {
  const most = Math.max(...operations.map(({ prepare }) => prepare.length));
  for (let step = 0; step < most; step += 1) for (const { prepare } of operations) prepare[step]?.();
  for (const { run } of operations) run(draft);
}

export interface CommitQueueParts {
  readonly origin: string;
  readonly clock: () => number;
  readonly store: BooksStore;
  readonly committed: Committed;
  readonly tree: LogTree;
  /** The key that signs checkpoints; changes when it is rotated. */
  readonly logKey: () => RelayKey;
}

/** Gathers the operations of one turn of the event loop into one durable transaction (group commit). */
export class CommitQueue {
  readonly #parts: CommitQueueParts;
  readonly #listeners = new Set<(commit: Commit) => void>();
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;
  #note: { readonly size: number; readonly key: PeerId; readonly text: string } | undefined;

  constructor(parts: CommitQueueParts) {
    this.#parts = parts;
  }

  onCommit(listener: (commit: Commit) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @throws FailureError what the operation throws, or `relay-fault` when nothing could be written. */
  async submit<T>(operation: Operation<T>, steps: Steps = []): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let answer: Answer<T> | undefined;
      let refusal: FailureError | undefined;
      this.#waiting.push({
        prepare: steps.map((step) => () => {
          if (refusal !== undefined) return;
          try {
            step();
          } catch (error) {
            refusal = asFailure(error);
          }
        }),
        run: (batch) => {
          if (refusal !== undefined) return;
          try {
            const draft = new Draft(batch, batch.time);
            answer = operation(draft);
            batch.absorb(draft);
          } catch (error) {
            refusal = asFailure(error);
          }
        },
        settle: (fault) => {
          if (fault !== undefined || answer === undefined) {
            reject(fault ?? refusal ?? asFailure(undefined));
            return;
          }
          try {
            resolve(answer());
          } catch (error) {
            reject(asFailure(error));
          }
        },
      });
      this.#running ??= this.#run();
    });
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MAX_BATCH_OPERATIONS);
      // oxlint-disable-next-line no-await-in-loop -- one batch after the other, in order
      await this.#flush(batch);
    }
    this.#running = undefined;
  }

  async #flush(operations: readonly Waiting[]): Promise<void> {
    const { committed, clock } = this.#parts;
    const draft = new Draft(committed, clock());
    for (let at = 0; at < operations.length; at += PREPARED_TOGETHER)
      apply(operations.slice(at, at + PREPARED_TOGETHER), draft);
    let fault: FailureError | undefined;
    try {
      this.#commit(draft);
      this.checkpoint();
    } catch (error) {
      fault = asFailure(error);
    }
    for (const { settle } of operations) settle(fault);
    if (fault === undefined && draft.entries.length > 0) this.#tell(draft);
    // Others get their turn between two batches.
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }

  #commit(draft: Draft): void {
    if (draft.isEmpty) return;
    const { store, tree, committed } = this.#parts;
    const payouts = draft.payoutRows();
    const sites = draft.siteRows();
    const runs = draft.ownRuns?.rows();
    const extension = tree.extend(draft.entries.map(({ bytes }) => entryHash(bytes)));
    const batch: Batch = {
      head: { size: extension.size, root: extension.root, time: draft.time },
      entries: draft.entries,
      nodes: extension.runs,
      jobs: [...draft.jobs.values()].map(jobRowOf),
      leases: [...draft.leases.values()].map(leaseRowOf),
      accounts: [...draft.accounts.values()],
      earnings: draft.earnings,
      shares: draft.shares,
      denials: draft.denials,
      secrets: draft.secrets,
      evidence: draft.evidence,
      spendings: [...draft.spendings.values()],
      audits: draft.audits.rows(),
      ...(payouts === undefined ? {} : { payouts }),
      ...(sites === undefined ? {} : { sites }),
      ...(runs === undefined ? {} : { runs }),
    };
    try {
      store.commit(batch);
    } catch (error) {
      // A step may fail after the transaction is on the disk: what the disk holds decides, not what was said of it.
      if (draft.entries.length === 0 || !isHead(store.head(), batch.head)) throw error;
    }
    committed.absorb(draft, extension.root);
    tree.grow(extension);
  }

  /**
   * The signed note of the newest head. Made after the head is on the disk, so a head that could be lost is never signed;
   * signing the same head again gives the same bytes. Made in one step, so that a proof made in the same turn fits it.
   */
  checkpoint(): string {
    const { tree, origin, logKey } = this.#parts;
    const { size, root } = tree;
    const key = logKey();
    if (this.#note?.size === size && this.#note.key === key.peer) return this.#note.text;
    const head = { origin, size, root };
    const text = checkpointNote(head, key.raw, key.sign(checkpointMessage(head)));
    this.#note = { size, key: key.peer, text };
    return text;
  }

  #tell(draft: Draft): void {
    const entries = draft.entries.map(({ index, type, accounts }) => ({ index, type, accounts }));
    const size = this.#parts.tree.size;
    const leases = [...draft.leases.values()];
    for (const listener of this.#listeners) {
      try {
        listener({ size, entries, leases });
      } catch (error) {
        // A listener's fault is not the books': it surfaces by itself, and the queue goes on.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
