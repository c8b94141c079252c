import type { PeerId } from "../protocol/peer-id.ts";
import { OWNER_FACT_MS } from "./limits.ts";

/**
 * What ties an identity to an owner: its account, the block of addresses it came from, the site that embeds it. Text, as in
 * "block 203.0.113.0/24".
 */
export type OwnerMark = `account ${string}` | `block ${string}` | `site ${string}`;

/**
 * Groups of identities that may have one owner: whoever shares a mark, or shares one with somebody who does, and so on. Marks
 * count for OWNER_FACT_MS after they were seen last, or the networks that people move through would join everybody in time.
 * It may put strangers together, which costs them a replica, and never takes apart what it has seen together.
 */
export class OwnerGroups {
  /** When each mark of each identity was seen last, milliseconds since 1970. */
  readonly #seen = new Map<PeerId, Map<OwnerMark, number>>();
  #groups: Groups | undefined;
  /** Until when `#groups` holds. */
  #until = 0;

  /** The identity is here with these marks. */
  note(peer: PeerId, marks: readonly OwnerMark[], nowMs: number): void {
    let own = this.#seen.get(peer);
    if (own === undefined) this.#seen.set(peer, (own = new Map()));
    for (const mark of marks) {
      // What is known already does not change the groups.
      if (!own.has(mark)) this.#groups = undefined;
      own.set(mark, nowMs);
    }
  }

  /** Whether two identities may have one owner. Each has the same one as itself. */
  sameOwner(a: PeerId, b: PeerId, nowMs: number): boolean {
    return a === b || this.groupOf(a, nowMs) === this.groupOf(b, nowMs);
  }

  /** The name of an identity's group: the least of its identities. One that nobody has noted is by itself. */
  groupOf(peer: PeerId, nowMs: number): PeerId {
    return this.#current(nowMs).leaderOf(peer);
  }

  #current(nowMs: number): Groups {
    if (this.#groups !== undefined && nowMs < this.#until) return this.#groups;
    const groups = new Groups();
    let until = Infinity;
    const firstOf = new Map<OwnerMark, PeerId>();
    for (const [peer, marks] of this.#seen) {
      for (const [mark, at] of marks) {
        if (at + OWNER_FACT_MS <= nowMs) {
          marks.delete(mark);
          continue;
        }
        until = Math.min(until, at + OWNER_FACT_MS);
        const first = firstOf.get(mark);
        if (first === undefined) firstOf.set(mark, peer);
        else groups.join(first, peer);
      }
      if (marks.size === 0) this.#seen.delete(peer);
    }
    this.#groups = groups;
    this.#until = until;
    return groups;
  }
}

/** Disjoint sets, each led by its least member (union-find with path halving). */
class Groups {
  readonly #above = new Map<PeerId, PeerId>();

  leaderOf(peer: PeerId): PeerId {
    let at = peer;
    for (;;) {
      const above = this.#above.get(at);
      if (above === undefined) return at;
      const higher = this.#above.get(above);
      if (higher !== undefined) this.#above.set(at, higher);
      at = above;
    }
  }

  join(a: PeerId, b: PeerId): void {
    const [one, other] = [this.leaderOf(a), this.leaderOf(b)];
    if (one < other) this.#above.set(other, one);
    else if (other < one) this.#above.set(one, other);
  }
}
