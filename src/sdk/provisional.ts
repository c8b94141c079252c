import type { RelayClient } from "../mesh/relay-client.ts";
import type { Cid } from "../protocol/cid.ts";
import { FailureError } from "../protocol/failure.ts";
import type { JobView } from "../protocol/relay-api.ts";
import type { MapResult } from "./job-options.ts";
import { AUDIT_POLL_MS, PROVISIONAL_BYTES, PROVISIONAL_RESULTS } from "./limits.ts";
import { pause } from "./pause.ts";
import type { WorkItem } from "./work-queue.ts";

/** A result that may turn out to be false. */
interface Held {
  readonly item: WorkItem;
  readonly result: MapResult;
  /** Leases under which it was computed and that are not judged yet. */
  readonly open: Set<Cid>;
  isVoid: boolean;
}

/** What became of results whose audits are over. */
export interface Judged {
  readonly certain: readonly MapResult[];
  /** Inputs whose results count for nothing: they are to be computed again. */
  readonly voided: readonly WorkItem[];
}

export interface AuditWatch {
  readonly client: Pick<RelayClient, "job">;
  readonly job: Cid;
  readonly signal: AbortSignal;
  /** A lease of which nothing was judged for so long is not waited for: its work is done again. */
  readonly patienceMs: number;
  /** Told what is waited for, for a person. */
  readonly onWait: (note: string) => void;
}

type LeaseView = JobView["leases"][number];

/** Results under leases that are not audited yet; each is given out, or its input given back, once its lease is judged. */
export class Provisional {
  readonly #held = new Map<Cid, Held[]>();
  #count = 0;
  #bytes = 0;

  get count(): number {
    return this.#count;
  }

  /** Bytes of inputs and outputs that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** No more should be begun before some are judged. */
  get isFull(): boolean {
    return this.#count >= PROVISIONAL_RESULTS || this.#bytes >= PROVISIONAL_BYTES;
  }

  /** @param leases under which it was computed alike: it counts when all of them hold */
  hold(leases: readonly Cid[], item: WorkItem, result: MapResult): void {
    const each: Held = { item, result, open: new Set(leases), isVoid: false };
    for (const lease of each.open) {
      const held = this.#held.get(lease) ?? [];
      held.push(each);
      this.#held.set(lease, held);
    }
    this.#count += 1;
    this.#bytes += item.bytes.length + (result.kind === "done" ? result.output.length : 0);
  }

  /**
   * Waits until every lease is judged. Call when all of them are reported.
   * @throws the signal's reason when it is aborted; FailureError when the relay refuses to say.
   */
  async judged(watch: AuditWatch): Promise<Judged> {
    const certain: MapResult[] = [];
    const voided: WorkItem[] = [];
    const progress = new Progress(watch.patienceMs);
    while (this.#held.size > 0) {
      // oxlint-disable-next-line no-await-in-loop -- asks until all is judged
      const views = await viewsOf(watch);
      for (const [lease, held] of this.#held) {
        const view = views?.get(lease);
        const verdict = standingOf(view, held.length);
        if (verdict === "open" && !progress.isStuck(lease, view)) continue;
        this.#held.delete(lease);
        for (const each of held) {
          each.open.delete(lease);
          if (verdict !== "certain" && !each.isVoid) {
            each.isVoid = true;
            voided.push(each.item);
          }
          if (!each.isVoid && each.open.size === 0) certain.push(each.result);
        }
      }
      if (this.#held.size === 0) break;
      watch.onWait(waitingFor(views, this.#held.keys()));
      // oxlint-disable-next-line no-await-in-loop
      await pause(AUDIT_POLL_MS, watch.signal);
    }
    this.#count = 0;
    this.#bytes = 0;
    return { certain, voided };
  }
}

/** Which leases have been judged no further for too long: their provider is gone, or keeps back what was drawn. */
class Progress {
  readonly #patienceMs: number;
  readonly #last = new Map<Cid, { readonly judged: number; readonly at: number }>();

  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs;
  }

  isStuck(lease: Cid, view: LeaseView | undefined): boolean {
    const judged = view?.judged ?? 0;
    const last = this.#last.get(lease);
    // A relay that is away says nothing about the provider.
    if (last !== undefined && last.judged === judged && view !== undefined)
      return performance.now() - last.at > this.#patienceMs;
    if (view !== undefined) this.#last.set(lease, { judged, at: performance.now() });
    return false;
  }
}

/** The job's leases by id; nothing when the relay cannot be reached now. */
async function viewsOf({
  client,
  job,
  signal,
}: AuditWatch): Promise<ReadonlyMap<Cid, LeaseView> | undefined> {
  signal.throwIfAborted();
  try {
    const { leases } = await client.job(job, signal);
    return new Map(leases.map((view) => [view.lease, view]));
  } catch (error) {
    if (signal.aborted || !(error instanceof FailureError)) throw error;
    return undefined;
  }
}

/** @param outcomes of the lease that are held: its receipts must cover them before they can be judged. */
function standingOf(view: LeaseView | undefined, outcomes: number): "open" | "certain" | "void" {
  if (view === undefined) return "open";
  if (view.forfeited > 0n) return "void";
  return view.count >= outcomes && view.drawn === view.judged ? "certain" : "open";
}

function waitingFor(views: ReadonlyMap<Cid, LeaseView> | undefined, leases: Iterable<Cid>): string {
  if (views === undefined) return "the relay cannot be reached; asking again";
  let drawn = 0;
  let judged = 0;
  for (const lease of leases) {
    drawn += views.get(lease)?.drawn ?? 0;
    judged += views.get(lease)?.judged ?? 0;
  }
  return `${judged} of ${drawn} audits are over`;
}
