import type { RelayConfig } from "../config.ts";
import { IN_MEMORY } from "../data-dir.ts";
import type { RelayData } from "../open-data.ts";
import { Newcomers } from "./newcomers.ts";
import { Owners } from "./owners.ts";

/** The owners of a relay's providers, remembered in its folder. */
export function openOwners(
  config: RelayConfig,
  { books, paths }: Pick<RelayData, "books" | "paths">,
  url: string,
  nowMs: () => number,
): Owners {
  return new Owners({
    newcomers: new Newcomers(paths?.newcomers ?? IN_MEMORY, nowMs()),
    blocks: config.ownerBlocks,
    newPerBlock: config.newIdentities,
    hasAccount: (peer) => {
      const { available, pending, earned } = books.account(peer);
      // What others sent it makes nobody known: that would be a way to bring as many new identities as one likes.
      return pending + earned > 0n || available > books.sites.received(peer);
    },
    payeeOf: (peer) => {
      const found = books.sites.assignment(peer);
      return found === undefined || found.ppm === 0 ? undefined : found.payee;
    },
    ownOrigin: new URL(url).origin,
    maxConnections: config.maxConnections,
    nowMs,
  });
}
