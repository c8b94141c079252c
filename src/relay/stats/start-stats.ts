import { setImmediate as nextTurn } from "node:timers/promises";
import { randomBytes } from "node:crypto";
import type { Logger } from "pino";
import type { RelayMesh } from "../../mesh/relay-mesh.ts";
import type { Books } from "../books.ts";
import type { CapabilityDesk } from "../capability/capability-desk.ts";
import type { RelayConfig } from "../config.ts";
import { type DataPaths, IN_MEMORY } from "../data-dir.ts";
import type { LiveOffers } from "../offers/live-offers.ts";
import { HourRows } from "./hour-rows.ts";
import { CAUGHT_UP_AT_ONCE, FLUSH_MS } from "./limits.ts";
import { NetworkStats } from "./network-stats.ts";
import { PriceHistory } from "./price-history.ts";

export interface StatsGround {
  readonly data: {
    readonly books: Books;
    /** Where hours of work are kept; absent in memory. */
    readonly paths?: Pick<DataPaths, "stats">;
  };
  readonly config: Pick<RelayConfig, "tariff">;
  readonly offers: LiveOffers;
  readonly capability: Pick<CapabilityDesk, "proof">;
  readonly mesh: Pick<RelayMesh, "peerId" | "peers">;
  readonly log: Logger;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
}

/** Statistics of a relay that runs. */
export interface RunningStats {
  readonly stats: NetworkStats;
  /** Resolves when all of the log was looked at. */
  readonly caughtUp: Promise<void>;
  /** Idempotent. */
  stop(): Promise<void>;
}

/** Begins to count, and looks at what was logged while nobody did. */
export function startStats(ground: StatsGround): RunningStats {
  const { data, config, offers, capability, mesh, log, nowMs } = ground;
  const { books, paths } = data;
  const rows = new HourRows(paths?.stats ?? IN_MEMORY);
  const prices = new PriceHistory(rows, (index) => books.entry(index), books.size());
  const stats = new NetworkStats({
    self: mesh.peerId,
    connected: () => mesh.peers(),
    offers: () => offers.list(),
    proof: (instance) => capability.proof(instance),
    prices,
    listed: config.tariff.perGfuel,
    logSize: books.size(),
    random: randomBytes,
    nowMs,
  });
  const stopListening = books.onCommit((commit) => stats.take(commit));
  const timer = setInterval(() => prices.flush(), FLUSH_MS);
  timer.unref();
  const ending = new AbortController();
  const caughtUp = (async () => {
    while (!ending.signal.aborted && prices.lookAt(books.size(), CAUGHT_UP_AT_ONCE))
      // oxlint-disable-next-line no-await-in-loop -- others get their turn
      await nextTurn();
  })().catch((error: unknown) => log.error({ err: error }, "the history of prices cannot be read"));
  return {
    stats,
    caughtUp,
    async stop() {
      if (ending.signal.aborted) return;
      ending.abort();
      stopListening();
      clearInterval(timer);
      await caughtUp;
      prices.flush();
      rows.close();
    },
  };
}
