import type { Job } from "../../protocol/messages/job.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { isWithinTariff, type Tariff } from "../../protocol/tariff.ts";
import type { LiveOffer } from "../offers/live-offers.ts";

export interface Candidates {
  readonly offers: readonly LiveOffer[];
  /** Instances that hold an open lease of the job. */
  readonly holders: ReadonlySet<PeerId>;
  /** Providers whose lease of the job was given back. */
  readonly returned: ReadonlySet<PeerId>;
}

export function chooseProviders(
  job: Job,
  tariff: Tariff,
  wanted: number,
  { offers, holders, returned }: Candidates,
): { readonly chosen: readonly LiveOffer[]; readonly why: string } {
  const counts = new Map<string, number>();
  const fit: LiveOffer[] = [];
  for (const live of offers) {
    const { offer, free } = live;
    const reason = holders.has(offer.instance)
      ? "at work on it"
      : returned.has(offer.provider)
        ? "gave it back"
        : !isWithinTariff(offer.tariffMin, tariff)
          ? "underpriced"
          : !offer.profiles.includes(job.work.profile) || !offer.abis.includes(job.work.abi)
            ? "cannot run it"
            : offer.memoryBytes < job.limits.memory
              ? "too little memory"
              : offer.addresses.length === 0
                ? "unreachable"
                : free === 0
                  ? "busy"
                  : undefined;
    if (reason === undefined) fit.push(live);
    else counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  const why =
    offers.length === 0 ? "no provider is connected" : [...counts].map(([r, n]) => `${n} ${r}`).join(", ");
  return { chosen: fit.toSorted((a, b) => b.free - a.free).slice(0, wanted), why };
}
