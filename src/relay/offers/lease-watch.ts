import type { Cid } from "../../protocol/cid.ts";
import type { Lease } from "../../protocol/messages/lease.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { RecentMap } from "../books/recent-map.ts";
import { KEPT_RETURNS } from "../limits.ts";

/** Who is told that the provider of a lease is not heard any more. */
export type QuietListener = (lease: Cid) => void;

type Parties = Pick<Lease, "instance" | "requesterKey">;

/**
 * Which requesters wait for which providers. In memory: after a restart nobody is told until a lease is granted or asked
 * for again, and requesters notice by themselves, a little later.
 */
export class LeaseWatch {
  readonly #isHeard: (instance: PeerId) => boolean;
  readonly #parties = new RecentMap<Cid, Parties>(KEPT_RETURNS);
  readonly #watched = new Map<PeerId, Map<Cid, Set<QuietListener>>>();

  /** @param isHeard whether an instance has an offer that stands */
  constructor(isHeard: (instance: PeerId) => boolean) {
    this.#isHeard = isHeard;
  }

  /** A lease was made, or told again. */
  granted(lease: Cid, { instance, requesterKey }: Parties): void {
    this.#parties.set(lease, { instance, requesterKey });
  }

  /**
   * Tells the listener whenever the lease's provider is not heard, at once where that is so already. A lease that is not
   * known, or was made for another key, is passed over.
   * @returns a function that ends this
   */
  watch(lease: Cid, requesterKey: string, listener: QuietListener): (() => void) | undefined {
    const parties = this.#parties.get(lease);
    if (parties === undefined || parties.requesterKey !== requesterKey) return undefined;
    const { instance } = parties;
    const leases = this.#watched.get(instance) ?? new Map<Cid, Set<QuietListener>>();
    this.#watched.set(instance, leases);
    const listeners = leases.get(lease) ?? new Set<QuietListener>();
    leases.set(lease, listeners.add(listener));
    if (!this.#isHeard(instance)) listener(lease);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && leases.get(lease) === listeners) leases.delete(lease);
      if (leases.size === 0 && this.#watched.get(instance) === leases) this.#watched.delete(instance);
    };
  }

  /** An instance has not answered a ping in time, or its stream is over. */
  quiet(instance: PeerId): void {
    for (const [lease, listeners] of this.#watched.get(instance) ?? [])
      for (const listener of listeners) listener(lease);
  }
}
