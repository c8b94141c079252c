import { availableParallelism } from "node:os";
import { parseCheckpoint } from "../../protocol/checkpoint.ts";
import { equalBytes } from "../../protocol/bytes.ts";
import { FailureError } from "../../protocol/failure.ts";
import type { EntryType, RelayKeys } from "../../protocol/messages/entry.ts";
import { keyFromPeerId, type PeerId } from "../../protocol/peer-id.ts";
import type { SignatureClaim } from "../../protocol/signature.ts";
import { DUE_AT_THE_END } from "../../ledger/assignment-replay.ts";
import { LogCheck, LogContradiction } from "../../ledger/check-log.ts";
import { entryHash, joinHashes, sha256 } from "../books/native-hash.ts";
import { verifyNative } from "../books/native-keys.ts";
import { ClaimThreads } from "../threads/claim-threads.ts";
import type { LogSource } from "./log-source.ts";

export interface SourceProgress {
  readonly entries: number;
  readonly size: number;
  /** Signatures verified; absent when they are not. */
  readonly signatures?: number;
}

export interface CheckSourceOptions {
  /** Verifies every signature too, on all cores. */
  readonly signatures: boolean;
  readonly onProgress?: (progress: SourceProgress) => void;
  readonly signal?: AbortSignal;
}

/** What was found. The log is sound when there are no problems. */
export interface CheckedLog {
  readonly place: string;
  /** What the log calls itself, and its money; absent where its first entry is not a policy. */
  readonly origin?: string;
  readonly asset?: string;
  /** The relay's keys by the log's own entries, after the last. */
  readonly keys?: RelayKeys;
  readonly size: number;
  readonly root: Uint8Array;
  readonly counts: ReadonlyMap<EntryType, number>;
  readonly jobs: number;
  readonly leases: number;
  /** Micro-credits in all accounts together, as the entries make it. */
  readonly issued: bigint;
  /** Signatures verified; absent when they were not. */
  readonly signatures?: number;
  /** In words; at most MAX_PROBLEMS of them. */
  readonly problems: readonly string[];
  /** Every key that ever signed its checkpoints, by its own entries. */
  readonly logKeys: readonly PeerId[];
}

/** More of them say no more: a damaged table has a problem for each of its rows. */
export const MAX_PROBLEMS = 100;

/** Whether a note is not one of this log under this key. */
function isForged(note: string, origin: string, keys: RelayKeys): boolean {
  try {
    const { claim } = parseCheckpoint(note, origin, keyFromPeerId(keys.log));
    return !verifyNative(claim.key, claim.message, claim.signature);
  } catch (error) {
    if (error instanceof FailureError) return true;
    throw error;
  }
}

function forgedText(index: number): string {
  return `entry ${index} has a signature that does not hold`;
}

class SourceCheck {
  readonly #source: LogSource;
  readonly #options: CheckSourceOptions;
  readonly #check: LogCheck;
  readonly #threads: ClaimThreads | undefined;
  readonly #problems: string[] = [];

  constructor(source: LogSource, options: CheckSourceOptions) {
    this.#source = source;
    this.#options = options;
    this.#threads = options.signatures ? new ClaimThreads(availableParallelism()) : undefined;
    this.#check = new LogCheck({
      leafHash: (entry) => this.#leaf(entry),
      join: joinHashes,
      digest: sha256,
      signatures: options.signatures,
    });
  }

  #leaf(entry: Uint8Array): Uint8Array {
    const leaf = entryHash(entry);
    const index = this.#check.size;
    const stored = this.#source.storedLeaf?.(index);
    if (this.#source.storedLeaf !== undefined && (stored === undefined || !equalBytes(stored, leaf)))
      this.#found(`entry ${index} does not hash to the leaf that is stored for it`);
    return leaf;
  }

  #found(problem: string): void {
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push(problem);
  }

  async run(): Promise<CheckedLog> {
    try {
      await this.#read();
      for (const index of (await this.#threads?.finish()) ?? []) this.#found(forgedText(index));
      this.#tell();
      return this.#result();
    } finally {
      await this.#threads?.stop();
    }
  }

  /** Entries up to the head, or to the first that contradicts those before it: what follows rests on it. */
  async #read(): Promise<void> {
    try {
      for await (const entries of this.#source.entries()) {
        this.#options.signal?.throwIfAborted();
        for (const entry of entries) {
          const index = this.#check.size;
          const claims = this.#check.append(entry);
          // oxlint-disable-next-line no-await-in-loop -- waits while the threads have enough to do
          if (claims.length > 0) await this.#verify(index, claims);
        }
        this.#tell();
      }
      this.#compareHead();
    } catch (error) {
      if (!(error instanceof LogContradiction)) throw error;
      this.#found(error.message);
    }
  }

  async #verify(index: number, claims: readonly SignatureClaim[]): Promise<void> {
    if (this.#threads !== undefined) await this.#threads.add(index, claims);
    else if (!claims.every(({ key, message, signature }) => verifyNative(key, message, signature)))
      this.#found(forgedText(index));
  }

  #compareHead(): void {
    const { head, note } = this.#source;
    const { replay, keys, names } = this.#check;
    if (this.#check.size !== head.size)
      this.#found(`there are ${this.#check.size} entries, and the head counts ${head.size}`);
    if (!equalBytes(this.#check.root(), head.root))
      this.#found("the entries do not make the root of the head");
    if (replay.total() !== 0n) this.#found("the accounts do not sum to zero");
    if (replay.assignments.isDue) this.#found(DUE_AT_THE_END);
    if (
      note !== undefined &&
      (names === undefined || keys === undefined || isForged(note, names.origin, keys))
    )
      this.#found("the checkpoint is not signed by the log key that the log itself names");
    for (const problem of this.#source.problemsBeside?.(replay) ?? []) this.#found(problem);
  }

  #tell(): void {
    const signatures = this.#threads?.verified;
    this.#options.onProgress?.({
      entries: this.#check.size,
      size: this.#source.head.size,
      ...(signatures === undefined ? {} : { signatures }),
    });
  }

  #result(): CheckedLog {
    const { replay, names, keys, counts, size } = this.#check;
    const signatures = this.#threads?.verified;
    return {
      place: this.#source.place,
      ...names,
      ...(keys === undefined ? {} : { keys }),
      size,
      root: this.#check.root(),
      counts,
      jobs: replay.jobs.size,
      leases: replay.leases.size,
      issued: -replay.balance("outside"),
      ...(signatures === undefined ? {} : { signatures }),
      problems: this.#problems,
      logKeys: this.#check.logKeys,
    };
  }
}

/**
 * Reads a log from its beginning and holds it against its head: hashes, the money by the entries alone, and signatures if asked for.
 * @throws what the source throws when it cannot be read; the signal's reason.
 */
export async function checkSource(source: LogSource, options: CheckSourceOptions): Promise<CheckedLog> {
  return new SourceCheck(source, options).run();
}
