import { createHmac } from "node:crypto";
import {
  type LinkKind,
  MAX_PICTURED_LINKS,
  MAX_PICTURED_PEERS,
  type MeshLinkView,
  type MeshPeerView,
  type MeshView,
} from "../../protocol/network-view.ts";
import { LINK_MS, NAMES_MS } from "./limits.ts";

/** A connection that a provider says it has. */
export interface ToldLink {
  /** Peer id of the far end. */
  readonly peer: string;
  readonly over: Exclude<LinkKind, "websocket">;
}

export interface MeshPictureParts {
  /** Peer id of the relay in the mesh. */
  readonly self: string;
  /** Whether the relay gave a lease of this provider to this requester: a link that no lease explains is not believed. */
  readonly haveLease: (provider: string, requester: string) => boolean;
  /** Random bytes, so many. */
  readonly random: (length: number) => Uint8Array;
}

/** Whom the relay knows now, by peer ids. */
export interface KnownPeers {
  readonly connected: readonly string[];
  /** Whose offers stand. */
  readonly providers: ReadonlySet<string>;
  readonly verified: ReadonlySet<string>;
}

const NAME_SECRET_BYTES = 32;
const NAME_LENGTH = 8;

/** Who is connected with whom, under names that mean nothing outside of the picture. */
export class MeshPicture {
  readonly #parts: MeshPictureParts;
  readonly #links = new Map<string, { readonly at: number; readonly links: readonly ToldLink[] }>();
  #secret: Uint8Array;
  #secretAt = -Infinity;

  constructor(parts: MeshPictureParts) {
    this.#parts = parts;
    this.#secret = parts.random(NAME_SECRET_BYTES);
  }

  /** What a provider says of its connections, in place of what it said before. */
  told(provider: string, links: readonly ToldLink[], nowMs: number): void {
    this.#links.delete(provider);
    if (links.length > 0) this.#links.set(provider, { at: nowMs, links });
    // Whoever has gone without a word is forgotten, also where nobody looks; those told longest ago come first.
    this.#forget(nowMs);
  }

  view(nowMs: number, { connected, providers, verified }: KnownPeers): MeshView {
    const { self } = this.#parts;
    this.#forget(nowMs);
    // Those that were verified are shown first, then those that are at work.
    const weight = (peer: string): number => (verified.has(peer) ? 2 : 0) + (this.#links.has(peer) ? 1 : 0);
    const all = connected.toSorted((a, b) => weight(b) - weight(a) || (a < b ? -1 : 1));
    const shown = all
      .slice(0, MAX_PICTURED_PEERS - 1)
      .map((peer) => ({ peer, name: this.#name(peer, nowMs) }))
      // An order that tells nothing of the keys, and stays.
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ peer }) => peer);
    const peers: MeshPeerView[] = [self, ...shown].map((peer) => ({
      name: this.#name(peer, nowMs),
      does: peer === self ? "relays" : providers.has(peer) ? "computes" : "asks",
      verified: verified.has(peer),
    }));
    const links = this.#linksAmong([self, ...shown]);
    return { peers, links, left: all.length - shown.length };
  }

  #forget(nowMs: number): void {
    for (const [provider, { at }] of this.#links) {
      if (at > nowMs - LINK_MS) return;
      this.#links.delete(provider);
    }
  }

  #linksAmong(peers: readonly string[]): readonly MeshLinkView[] {
    const places = new Map(peers.map((peer, place) => [peer, place]));
    const links: MeshLinkView[] = peers
      .slice(1)
      .map((_peer, place) => ({ from: 0, to: place + 1, over: "websocket" }));
    for (const [provider, told] of this.#links) {
      const from = places.get(provider);
      if (from === undefined) continue;
      for (const { peer, over } of told.links) {
        const to = places.get(peer);
        if (to !== undefined && to !== 0 && this.#parts.haveLease(provider, peer))
          links.push({ from, to, over });
      }
    }
    return links.slice(0, MAX_PICTURED_LINKS);
  }

  #name(peer: string, nowMs: number): string {
    if (nowMs - this.#secretAt >= NAMES_MS) {
      this.#secret = this.#parts.random(NAME_SECRET_BYTES);
      this.#secretAt = nowMs;
    }
    return createHmac("sha256", this.#secret).update(peer).digest("hex").slice(0, NAME_LENGTH);
  }
}
