import type { Commit } from "../books.ts";
import type { RelayMetrics } from "../metrics.ts";
import type { LiveOffers } from "./live-offers.ts";

/** Counts what is logged; a provider whose lease is settled has a thread free again. */
export function releaseSettled(offers: LiveOffers, metrics: RelayMetrics): (commit: Commit) => void {
  return ({ entries }) => {
    for (const { type, accounts } of entries) {
      metrics.logged(type);
      if (type === "settle") for (const account of accounts) offers.release(account);
    }
  };
}
