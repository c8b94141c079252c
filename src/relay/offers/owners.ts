import { type OwnerMark, OwnerGroups } from "../../market/owner-groups.ts";
import { FailureError } from "../../protocol/failure.ts";
import type { Offer } from "../../protocol/messages/session.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { RecentMap } from "../books/recent-map.ts";
import { addressBlock, type BlockBits, isLoopback } from "../client-address.ts";
import type { Newcomers } from "./newcomers.ts";

/** How somebody came to the mesh. */
export interface Arrival {
  /** The client's own, see clientAddress. */
  readonly address: string;
  /** Origin of the page that opened the connection, as its browser says. */
  readonly page?: string;
}

export interface OwnersOptions {
  readonly newcomers: Newcomers;
  readonly blocks: BlockBits;
  /** New identities of one block in a day. */
  readonly newPerBlock: number;
  /** Whether an identity has an account with something in it, so that it is not new. */
  readonly hasAccount: (peer: PeerId) => boolean;
  /** Who gets a part of an identity's earnings: whoever lets money run together may be one. */
  readonly payeeOf?: (peer: PeerId) => PeerId | undefined;
  /** The relay's own origin: pages of it are nobody's embedding site. */
  readonly ownOrigin: string;
  /** Connections at a time, at most. */
  readonly maxConnections: number;
  readonly nowMs: () => number;
}

/**
 * Who may have one owner, and how many new identities come from one place. Fed with every connection that is let in, and with
 * every offer.
 */
export class Owners {
  readonly #options: OwnersOptions;
  readonly #groups = new OwnerGroups();
  /** By the names that the mesh gives to far ends of connections. */
  readonly #arrivals: RecentMap<string, Arrival>;
  /** Let in since the start: offers come several times a second, and the file is asked once. */
  readonly #admitted: RecentMap<PeerId, true>;

  constructor(options: OwnersOptions) {
    this.#options = options;
    this.#arrivals = new RecentMap(options.maxConnections);
    this.#admitted = new RecentMap(options.maxConnections);
  }

  close(): void {
    this.#options.newcomers.close();
  }

  /** A connection was let in. */
  arrived(remote: string, arrival: Arrival): void {
    this.#arrivals.set(remote, arrival);
  }

  /**
   * A provider offers itself. @param remotes far ends of its connections
   * @throws FailureError `rate-limited` for a new identity where its block had its share for today
   */
  offered({ provider, instance, site }: Offer, remotes: readonly string[]): void {
    const { blocks, nowMs } = this.#options;
    const arrivals = remotes.map((remote) => this.#arrivals.get(remote)).filter((each) => each !== undefined);
    const found = arrivals.map(({ address }) => addressBlock(address, blocks));
    const own = new Set(found.filter((block) => block !== undefined));
    this.#admit(provider, own);
    const sites = [site, ...arrivals.map(({ page }) => page)].filter((each) => this.#isSite(each));
    const payee = this.#options.payeeOf?.(provider);
    const marks: OwnerMark[] = [
      `account ${provider}`,
      ...(payee === undefined ? [] : [`account ${payee}` as const]),
      ...Array.from(own, (block): OwnerMark => `block ${block}`),
      ...sites.map((each): OwnerMark => `site ${each}`),
    ];
    const now = nowMs();
    this.#groups.note(provider, marks, now);
    this.#groups.note(instance, marks, now);
  }

  /** Whether two identities may have one owner, as far as this relay has seen in the last day. */
  sameOwner(a: PeerId, b: PeerId): boolean {
    return this.#groups.sameOwner(a, b, this.#options.nowMs());
  }

  /** The name of an identity's group: the least of its identities. */
  groupOf(peer: PeerId): PeerId {
    return this.#groups.groupOf(peer, this.#options.nowMs());
  }

  #admit(provider: PeerId, blocks: ReadonlySet<string>): void {
    if (this.#admitted.get(provider) === true) return;
    const { newcomers, newPerBlock, hasAccount, nowMs } = this.#options;
    const now = nowMs();
    if (!newcomers.isKnown(provider) && !hasAccount(provider)) {
      for (const block of blocks)
        if (newcomers.count(block, now) >= newPerBlock)
          throw new FailureError(
            "rate-limited",
            `${newPerBlock} new identities came from ${block} today; use one that this relay knows, ` +
              "come again tomorrow, or ask its operator to raise --new-identities",
          );
      for (const block of blocks) newcomers.add(block, now);
    }
    newcomers.remember(provider, now);
    this.#admitted.set(provider, true);
  }

  /** Pages of the relay itself, and of this machine, are nobody's site. */
  #isSite(origin: string | undefined): origin is string {
    if (origin === undefined || origin === this.#options.ownOrigin) return false;
    const url = URL.parse(origin);
    return url !== null && url.origin !== "null" && !isLoopback(url.hostname);
  }
}
