import { toHex } from "../../src/protocol/bytes.ts";
import { parseCheckpoint } from "../../src/protocol/checkpoint.ts";
import { leafHash, verifyConsistency, verifyInclusion } from "../../src/protocol/merkle.ts";
import type { Inclusion } from "../../src/protocol/messages/receipt.ts";
import { verifyNative } from "../../src/relay/books/native-keys.ts";
import type { RelayClient } from "../../src/mesh/relay-client.ts";

/** A relay's log as its clients saw it over all of its lives. JSON. */
export interface Kept {
  /** Root of each signed head that was ever seen, hex, by size. */
  readonly heads: Readonly<Record<string, string>>;
  /** Leaf hash of each acknowledged entry, hex, by index. */
  readonly acknowledged: Readonly<Record<string, string>>;
}

/** Questions under way at a time. */
const AT_ONCE = 16;

interface Head {
  readonly size: number;
  readonly root: Uint8Array;
}

/** Remembers every head that a relay signed and every entry it acknowledged, and holds them against its later log. */
export class KeptLog {
  readonly #origin: string;
  readonly #logKey: Uint8Array;
  readonly #heads: Map<number, string>;
  readonly #acknowledged: Map<number, string>;
  /** Sizes and indices that no later log was asked about yet. */
  readonly #newHeads = new Set<number>();
  readonly #newEntries = new Set<number>();
  /** What a relay must never do, in words. */
  readonly problems: string[] = [];

  constructor(origin: string, logKey: Uint8Array, kept: Kept = { heads: {}, acknowledged: {} }) {
    this.#origin = origin;
    this.#logKey = logKey;
    this.#heads = new Map(Object.entries(kept.heads).map(([size, root]) => [Number(size), root]));
    this.#acknowledged = new Map(
      Object.entries(kept.acknowledged).map(([index, leaf]) => [Number(index), leaf]),
    );
  }

  get heads(): number {
    return this.#heads.size;
  }

  get acknowledged(): number {
    return this.#acknowledged.size;
  }

  toJSON(): Kept {
    return {
      heads: Object.fromEntries(this.#heads),
      acknowledged: Object.fromEntries(this.#acknowledged),
    };
  }

  /** A note as it came. Two notes of one size with different roots convict the relay. */
  head(note: string): Head | undefined {
    const { size, root, claim } = parseCheckpoint(note, this.#origin, this.#logKey);
    if (!verifyNative(claim.key, claim.message, claim.signature)) {
      this.problems.push(`a head of size ${size} is not signed by the log key`);
      return undefined;
    }
    const known = this.#heads.get(size);
    if (known === undefined) {
      this.#heads.set(size, toHex(root));
      this.#newHeads.add(size);
    } else if (known !== toHex(root)) this.problems.push(`two heads of size ${size}`);
    return { size, root };
  }

  /** The relay said that the log has this. @param entry its bytes, where the answer has them */
  acknowledge({ index, leaf, proof, checkpoint }: Inclusion, entry?: Uint8Array): void {
    const head = this.head(checkpoint);
    if (head !== undefined && !verifyInclusion(leaf, index, head.size, proof, head.root))
      this.problems.push(`entry ${index} is not proven`);
    if (entry !== undefined && toHex(leafHash(entry)) !== toHex(leaf))
      this.problems.push(`entry ${index} has another hash than its proof`);
    const known = this.#acknowledged.get(index);
    if (known !== undefined && known !== toHex(leaf))
      this.problems.push(`entry ${index} was acknowledged twice, with different content`);
    if (known !== undefined) return;
    this.#acknowledged.set(index, toHex(leaf));
    this.#newEntries.add(index);
  }

  /**
   * Asks a relay that lives now for proofs that its log extends what is remembered.
   * @param all everything again, instead of what came since the last look
   * @returns how many proofs and entries were looked at
   */
  async check(client: RelayClient, all = false): Promise<number> {
    const newest = this.head(await client.checkpoint());
    if (newest === undefined) return 0;
    const heads = [...(all ? this.#heads.keys() : this.#newHeads)];
    const entries = [...(all ? this.#acknowledged.keys() : this.#newEntries)];
    this.#newHeads.clear();
    this.#newEntries.clear();
    await each(heads, (size) => this.#extends(client, size, newest));
    await each(entries, (index) => this.#holds(client, index));
    return heads.length + entries.length;
  }

  async #extends(client: RelayClient, size: number, newest: Head): Promise<void> {
    const root = this.#heads.get(size) ?? "";
    if (size > newest.size) {
      this.problems.push(`a head of size ${size} was signed, but the log has only ${newest.size} entries`);
      return;
    }
    if (size === newest.size || size === 0) return;
    const proof = await client.consistency(size, newest.size);
    if (!verifyConsistency(size, newest.size, Buffer.from(root, "hex"), newest.root, proof))
      this.problems.push(`the log does not extend its head of size ${size}`);
  }

  async #holds(client: RelayClient, index: number): Promise<void> {
    try {
      const entry = await client.entry(index);
      if (toHex(leafHash(entry)) !== this.#acknowledged.get(index))
        this.problems.push(`acknowledged entry ${index} has changed`);
    } catch (error) {
      this.problems.push(`acknowledged entry ${index} is lost: ${String(error)}`);
    }
  }
}

async function each(items: readonly number[], look: (item: number) => Promise<void>): Promise<void> {
  const left = [...items];
  const one = async (): Promise<void> => {
    for (let item = left.pop(); item !== undefined; item = left.pop()) await look(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}
