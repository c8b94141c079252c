import { type ReadonlySignal, signal } from "@preact/signals";
import type { Cid } from "../../protocol/cid.ts";
import { FailureError } from "../../protocol/failure.ts";
import type { JobView, ReceiptView } from "../../protocol/relay-api.ts";
import { createReceiptVerification, type Verification } from "../../provider/receipt-verification.ts";
import type { RelayViews } from "../../provider/relay-views.ts";
import type { RecentLease, TabMemory } from "../../provider/tab-memory.ts";
import { endJob, jobView, proveEntry } from "../../sdk/index.ts";
import { failed, type Loadable, LOADING, ready } from "./loadable.ts";
import type { RelayLink } from "./relay-link.ts";

/** A receipt of a job checked in this page. */
export type ReceiptCheck =
  | { readonly kind: "running" }
  | { readonly kind: "done"; readonly verification: Verification }
  | Extract<Loadable<never>, { kind: "failed" }>;

/** Receipts that a job's money went out under, as the relay's log has them. */
export interface JobReceiptChecks {
  /** By lease. */
  readonly states: ReadonlySignal<ReadonlyMap<Cid, ReceiptCheck>>;
  /** Checks signatures, log and amounts here. */
  verify(lease: RecentLease): Promise<void>;
  hide(lease: RecentLease): void;
  /** The file that proves it to anybody without this relay. @throws FailureError */
  proof(lease: RecentLease): Promise<string>;
}

/** What the relay says of a job. */
export interface JobAccount {
  readonly view: ReadonlySignal<Loadable<JobView>>;
  look(): Promise<void>;
  /** Ends a job whose page is gone, so that what is left of its money comes back. */
  end(): Promise<void>;
}

export function createJobAccount(relay: RelayLink, memory: TabMemory, job: Cid): JobAccount {
  const view = signal<Loadable<JobView>>(LOADING);
  const load = async (loading: Promise<JobView>): Promise<void> => {
    try {
      view.value = ready(await loading);
    } catch (error) {
      view.value = failed(error);
    }
  };
  return {
    view,
    look: () => load(jobView(relay.url, job)),
    async end() {
      const { seed } = await memory.identity.ensure();
      await load(endJob({ relay: relay.url, seed, pins: memory.relays }, job));
    },
  };
}

/** Leases as the relay knows them, for a job whose page went before it heard of its receipts. */
export function leasesAt({ leases }: Pick<JobView, "leases">): readonly RecentLease[] {
  return leases
    .filter(({ count }) => count > 0)
    .map(({ lease, provider, count, amount }) => ({ lease, provider, tasks: count, amount }));
}

export function createJobReceipts(relay: RelayLink, memory: TabMemory): JobReceiptChecks {
  const states = signal<ReadonlyMap<Cid, ReceiptCheck>>(new Map());
  const verification = createReceiptVerification(relay.url, memory);
  const put = (lease: Cid, state: ReceiptCheck): void => {
    states.value = new Map(states.value).set(lease, state);
  };
  return {
    states,
    async verify(of) {
      const { lease, provider } = of;
      put(lease, { kind: "running" });
      try {
        const view = await viewOf(await relay.views(), of);
        put(lease, { kind: "done", verification: await verification.verify(view, provider) });
      } catch (error) {
        put(lease, failed(error));
      }
    },
    hide({ lease }) {
      const rest = new Map(states.value);
      rest.delete(lease);
      states.value = rest;
    },
    async proof({ entryIndex }) {
      if (entryIndex === undefined) throw new FailureError("not-found", "the receipt is not in the log yet");
      return proveEntry({ relay: relay.url, pins: memory.relays }, entryIndex);
    },
  };
}

/** Receipts asked for at a time, newest first. */
const PAGE = 100;

/**
 * The newest receipt of a lease, as the relay lists it: at the place this browser knows, or at one that came after it.
 * @throws FailureError `not-found`
 */
async function viewOf(
  views: RelayViews,
  { lease, provider, entryIndex }: Pick<RecentLease, "lease" | "provider" | "entryIndex">,
): Promise<ReceiptView> {
  const places = entryIndex === undefined ? [{}] : [{ before: entryIndex + 1 }, {}];
  for (const near of places) {
    // oxlint-disable-next-line no-await-in-loop -- the second place is looked at where it is not in the first
    const page = await views.receipts(provider, { limit: PAGE, ...near });
    const found = page.find((view) => view.lease === lease);
    if (found !== undefined) return found;
  }
  throw new FailureError("not-found", `the relay shows no receipt of lease ${lease}`);
}
