import type { Digest } from "../protocol/cid.ts";
import type { EntryType, PolicyBody, RelayKeys } from "../protocol/messages/entry.ts";
import type { Join } from "../protocol/merkle.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { SignatureClaim } from "../protocol/signature.ts";
import { FailureError } from "../protocol/failure.ts";
import { GrowingRoot } from "./growing-root.ts";
import { LogSignatures } from "./log-signatures.ts";
import { Replay, typedEntry } from "./replay.ts";

export interface LogCheckOptions {
  /** SHA-256 of leaves and nodes by the runtime's own means. */
  readonly leafHash: (entry: Uint8Array) => Uint8Array;
  readonly join: Join;
  /** SHA-256 of messages, likewise. */
  readonly digest?: Digest;
  /** Whether `append` answers with the signatures that an entry stands on. */
  readonly signatures: boolean;
}

/** An entry contradicts those before it. */
export class LogContradiction extends RangeError {
  static override readonly name = "LogContradiction";
  override readonly name = "LogContradiction";
  readonly index: number;

  constructor(index: number, detail: string, options?: ErrorOptions) {
    super(`entry ${index}: ${detail}`, options);
    this.index = index;
  }
}

const NOTHING: readonly SignatureClaim[] = [];

/** Reads a log from its beginning: hashes it, follows the money, and says which signatures it stands on. */
export class LogCheck {
  readonly #options: LogCheckOptions;
  readonly #root: GrowingRoot;
  readonly #counts = new Map<EntryType, number>();
  readonly #signatures: LogSignatures;
  readonly replay: Replay;
  #names: { readonly origin: string; readonly asset: string } | undefined;

  constructor(options: LogCheckOptions) {
    this.#options = options;
    this.#root = new GrowingRoot(options.join);
    this.replay = new Replay(options.digest);
    this.#signatures = new LogSignatures(this.replay, (id) => this.replay.runs.runs.get(id));
  }

  get size(): number {
    return this.#root.size;
  }

  /** Whose log it is, and its money, by its first entry. */
  get names(): { readonly origin: string; readonly asset: string } | undefined {
    return this.#names;
  }

  /** The relay's keys after the entries so far. */
  get keys(): RelayKeys | undefined {
    return this.#signatures.keys;
  }

  /** Every key that ever signed the log's checkpoints, by its own entries, oldest first. */
  get logKeys(): readonly PeerId[] {
    return this.#signatures.logKeys;
  }

  /** Entries of each type so far. */
  get counts(): ReadonlyMap<EntryType, number> {
    return this.#counts;
  }

  root(): Uint8Array {
    return this.#root.root();
  }

  /**
   * Takes the next entry.
   * @returns signatures that must hold; unless they were asked for, only those by which the relay replaces a key.
   * @throws LogContradiction when it cannot follow the entries before it.
   */
  append(entry: Uint8Array): readonly SignatureClaim[] {
    const index = this.size;
    this.#root.append(this.#options.leafHash(entry));
    try {
      const typed = typedEntry(entry);
      const { type } = typed;
      this.replay.append(typed);
      this.#counts.set(type, (this.#counts.get(type) ?? 0) + 1);
      if (typed.type === "policy") this.#meet(typed.body);
      else if (index === 0) throw new RangeError("the first entry of a log is a policy");
      // Keys are followed in any case.
      const isRule = type === "policy" || type === "key-rotate";
      return this.#options.signatures || isRule ? this.#signatures.claimsOf(typed) : NOTHING;
    } catch (error) {
      throw new LogContradiction(index, told(error), { cause: error });
    }
  }

  #meet({ origin, asset }: PolicyBody): void {
    this.#names ??= { origin, asset };
    if (this.#names.origin !== origin || this.#names.asset !== asset)
      throw new RangeError("the log changes its name or its money");
  }
}

function told(error: unknown): string {
  if (error instanceof FailureError) return error.detail;
  return error instanceof Error ? error.message : String(error);
}
