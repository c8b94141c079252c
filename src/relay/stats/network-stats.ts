import type { LeaseState } from "../../ledger/ledger-state.ts";
import type { Candidate } from "../../market/match-job.ts";
import type { LatencyView, NetworkView, ProvidersView } from "../../protocol/network-view.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { MicroCredits } from "../../protocol/units.ts";
import { RecentMap } from "../books/recent-map.ts";
import type { Commit } from "../books.ts";
import type { Proof } from "../capability/capability-desk.ts";
import { KEPT_LEASES, LINE_SAMPLE_MS, MAX_SAMPLES, VERIFIED_MS, VIEW_MS } from "./limits.ts";
import { MeshPicture, type MeshPictureParts, type ToldLink } from "./mesh-picture.ts";
import type { PriceHistory } from "./price-history.ts";
import { Samples } from "./samples.ts";
import { WorkTally } from "./work-tally.ts";

export interface NetworkStatsParts extends Pick<MeshPictureParts, "self" | "random"> {
  /** Peers that are connected to the relay. */
  readonly connected: () => readonly string[];
  /** Offers that stand. */
  readonly offers: () => readonly Candidate[];
  readonly proof: (instance: PeerId) => Proof | undefined;
  readonly prices: PriceHistory;
  /** Micro-credits for 10^9 fuel. */
  readonly listed: MicroCredits;
  /** Size of the log at the start. */
  readonly logSize: number;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
}

/** When a provider proved itself last, and by what. */
interface LastProof {
  readonly at: number;
  readonly by: "receipt" | "challenge";
}

/** Counts what happens at a relay: from commits of the books, answers to pings, and challenges. Nothing here is taken from anybody's word unless the view says so. */
export class NetworkStats {
  readonly #parts: NetworkStatsParts;
  readonly #since: number;
  readonly #work: WorkTally;
  readonly #picture: MeshPicture;
  /** Microseconds. */
  readonly #line = new Samples(MAX_SAMPLES, VERIFIED_MS);
  readonly #firstReceipt = new Samples(MAX_SAMPLES, VERIFIED_MS);
  readonly #task = new Samples(MAX_SAMPLES, VERIFIED_MS);
  /** Log time of each instance's newest receipt. */
  readonly #receipts = new RecentMap<PeerId, number>(KEPT_LEASES);
  readonly #leased = new RecentMap<string, boolean>(KEPT_LEASES);
  readonly #settled = new RecentMap<string, boolean>(KEPT_LEASES);
  readonly #sampledAt = new RecentMap<PeerId, number>(KEPT_LEASES);
  #view: NetworkView | undefined;

  constructor(parts: NetworkStatsParts) {
    this.#parts = parts;
    this.#since = parts.nowMs();
    this.#work = new WorkTally(this.#since, parts.logSize);
    this.#picture = new MeshPicture({
      ...parts,
      haveLease: (provider, requester) => this.#leased.get(`${provider} ${requester}`) === true,
    });
  }

  /** Something was logged. */
  take(commit: Commit): void {
    this.#parts.prices.take(commit);
    for (const lease of commit.leases) this.#lease(lease);
  }

  /** A provider has answered a ping. @param ms from the ping to its arrival. @param links what it says of its connections, if it did */
  answered(instance: PeerId, ms: number, links: readonly ToldLink[] | undefined): void {
    const now = this.#parts.nowMs();
    if (links !== undefined) this.#picture.told(instance, links, now);
    if (now - (this.#sampledAt.get(instance) ?? -Infinity) < LINE_SAMPLE_MS) return;
    this.#sampledAt.set(instance, now);
    this.#line.add(ms * 1_000, now);
  }

  /** How it stands now; not older than VIEW_MS. */
  view(): NetworkView {
    const { nowMs, prices, listed, offers, connected } = this.#parts;
    const now = nowMs();
    if (this.#view !== undefined && now - this.#view.at < VIEW_MS && now >= this.#view.at) return this.#view;
    const candidates = offers();
    const proofs = new Map<string, LastProof>();
    for (const { offer } of candidates) {
      const proof = this.#lastProof(offer.instance, now);
      if (proof !== undefined) proofs.set(offer.instance, proof);
    }
    const providers = new Set<string>(candidates.map(({ offer }) => offer.instance));
    this.#view = {
      at: now,
      since: this.#since,
      verifiedMs: VERIFIED_MS,
      providers: this.#providers(candidates, proofs),
      throughput: this.#work.view(now, VERIFIED_MS),
      prices: { listed, hours: prices.hours(now) },
      latency: this.#latency(now),
      mesh: this.#picture.view(now, { connected: connected(), providers, verified: new Set(proofs.keys()) }),
    };
    return this.#view;
  }

  #lease(lease: LeaseState): void {
    const { id, terms, index, newest, state } = lease;
    this.#leased.set(`${terms.instance} ${terms.requesterKey}`, true);
    const added = this.#work.take(lease);
    if (newest === undefined) return;
    if (added !== undefined) {
      this.#receipts.set(terms.instance, newest.time);
      if (added.isFirst) this.#firstReceipt.add(1_000 * (newest.time - terms.issuedAt), newest.time);
    }
    if (state !== "settled" || this.#settled.get(id) === true || index < this.#parts.logSize) return;
    this.#settled.set(id, true);
    if (newest.count > 0)
      this.#task.add((1_000 * (newest.time - terms.issuedAt)) / newest.count, newest.time);
  }

  #lastProof(instance: PeerId, now: number): LastProof | undefined {
    const receipt = this.#receipts.get(instance) ?? 0;
    const challenge = this.#parts.proof(instance)?.at ?? 0;
    const at = Math.max(receipt, challenge);
    return at > now - VERIFIED_MS ? { at, by: receipt >= challenge ? "receipt" : "challenge" } : undefined;
  }

  #providers(offers: readonly Candidate[], verified: ReadonlyMap<string, LastProof>): ProvidersView {
    const sum = { threads: 0, freeThreads: 0, memoryBytes: 0n };
    const speed = { fuelPerSecond: 0n, fuelMeasured: 0, modelPerSecond: 0n, modelMeasured: 0 };
    for (const { offer, free } of offers) {
      if (!verified.has(offer.instance)) continue;
      sum.threads += offer.workers;
      sum.freeThreads += free;
      sum.memoryBytes += BigInt(offer.memoryBytes);
      const { fuelPerSecond, modelPerSecond } = this.#parts.proof(offer.instance) ?? {};
      speed.fuelPerSecond += fuelPerSecond ?? 0n;
      speed.fuelMeasured += fuelPerSecond === undefined ? 0 : 1;
      speed.modelPerSecond += modelPerSecond ?? 0n;
      speed.modelMeasured += modelPerSecond === undefined ? 0 : 1;
    }
    const proofs = [...verified.values()];
    const byReceipt = proofs.filter(({ by }) => by === "receipt").length;
    return {
      connected: offers.length,
      verified: proofs.length,
      byReceipt,
      byChallenge: proofs.length - byReceipt,
      ...(proofs.length === 0 ? {} : { oldestProof: Math.min(...proofs.map(({ at }) => at)) }),
      ...sum,
      ...speed,
    };
  }

  #latency(now: number): readonly LatencyView[] {
    return (
      [
        ["line", this.#line],
        ["first-receipt", this.#firstReceipt],
        ["task", this.#task],
      ] as const
    ).flatMap(([what, samples]) => {
      const found = samples.percentiles(now);
      return found === undefined ? [] : [{ what, ...found }];
    });
  }
}
