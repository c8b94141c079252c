import type { Candidate, Rates } from "../../market/match-job.ts";
import type { Offer } from "../../protocol/messages/session.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { FailureError } from "../../protocol/failure.ts";
import { LEASE_RESERVE_MS, MAX_INSTANCES_PER_IDENTITY } from "../limits.ts";

interface Standing {
  offer: Offer;
  /** The stream that holds it up. */
  readonly holder: object;
  /** When leases were given that the provider may not have seen yet, milliseconds of the clock. */
  reserved: number[];
  /** From a ping to its answer, ms. */
  distanceMs?: number;
}

const NOT_MEASURED: Rates = {};

/** Offers of providers that are connected, one for each instance. In memory: after a restart they come again. */
export class LiveOffers {
  readonly #standing = new Map<PeerId, Standing>();
  readonly #instances = new Map<PeerId, number>();
  readonly #nowMs: () => number;
  readonly #rates: (instance: PeerId) => Rates;

  /** @param rates what was measured of an instance */
  constructor(nowMs: () => number, rates: (instance: PeerId) => Rates = () => NOT_MEASURED) {
    this.#nowMs = nowMs;
    this.#rates = rates;
  }

  get size(): number {
    return this.#standing.size;
  }

  /**
   * Takes an offer, in place of the instance's older one. One with a lower `seq` of the same stream is passed over.
   * @param holder the stream it came by: the offer stands as long as this does.
   * @throws FailureError `rate-limited` when the identity has too many instances.
   */
  put(offer: Offer, holder: object): void {
    const before = this.#standing.get(offer.instance);
    if (before !== undefined && before.holder === holder) {
      if (offer.seq > before.offer.seq) before.offer = offer;
      return;
    }
    if (before === undefined) this.#count(offer.provider, 1);
    this.#standing.set(offer.instance, { offer, holder, reserved: [] });
  }

  /** Takes the instance's offer back, unless a newer stream holds it. */
  withdraw(instance: PeerId, holder: object): void {
    const standing = this.#standing.get(instance);
    if (standing === undefined || standing.holder !== holder) return;
    this.#standing.delete(instance);
    this.#count(standing.offer.provider, -1);
  }

  /** Takes back every offer of an identity or instance. */
  drop(peer: string): void {
    for (const [instance, { offer, holder }] of this.#standing)
      if (instance === peer || offer.provider === peer) this.withdraw(instance, holder);
  }

  /** An instance has answered a ping after so many ms. */
  heard(instance: PeerId, ms: number): void {
    const standing = this.#standing.get(instance);
    if (standing !== undefined) standing.distanceMs = ms;
  }

  /** How far an instance is from the relay, ms; undefined before it has answered. */
  distanceMs(instance: PeerId): number | undefined {
    return this.#standing.get(instance)?.distanceMs;
  }

  find(instance: PeerId): Candidate | undefined {
    const standing = this.#standing.get(instance);
    return standing === undefined ? undefined : this.#live(standing);
  }

  /** Whether some instance of an identity offers now. */
  isOffering(provider: PeerId): boolean {
    return this.#instances.has(provider);
  }

  list(): readonly Candidate[] {
    return [...this.#standing.values()].map((standing) => this.#live(standing));
  }

  /** Counts a lease against the instance's free threads until its own offers tell. */
  reserve(instance: PeerId): void {
    this.#standing.get(instance)?.reserved.push(this.#nowMs());
  }

  /** A lease of one of the identity's instances has ended. */
  release(provider: PeerId): void {
    if (!this.#instances.has(provider)) return;
    for (const { offer, reserved } of this.#standing.values())
      if (offer.provider === provider) reserved.shift();
  }

  /** The offer with threads `free` by its own word, less leases it may not have seen yet. */
  #live(standing: Standing): Candidate {
    const recent = this.#nowMs() - LEASE_RESERVE_MS;
    standing.reserved = standing.reserved.filter((at) => at > recent);
    const { offer, reserved } = standing;
    const free = Math.max(0, Math.min(offer.free, offer.workers) - reserved.length);
    return { offer, free, rates: this.#rates(offer.instance) };
  }

  #count(provider: PeerId, change: 1 | -1): void {
    const count = (this.#instances.get(provider) ?? 0) + change;
    if (count > MAX_INSTANCES_PER_IDENTITY)
      throw new FailureError(
        "rate-limited",
        `${provider} offers ${MAX_INSTANCES_PER_IDENTITY} instances already`,
      );
    if (count === 0) this.#instances.delete(provider);
    else this.#instances.set(provider, count);
  }
}
