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
      return available + pending + earned > 0n;
    },
    ownOrigin: new URL(url).origin,
    maxConnections: config.maxConnections,
    nowMs,
  });
}
