import type { ExperienceShare, ProviderState } from "../../ledger/ledger-state.ts";
import type { AuditPolicy } from "../../protocol/audit-policy.ts";
import type { Cid } from "../../protocol/cid.ts";
import type { PeerId } from "../../protocol/peer-id.ts";

/** One drawn outcome. */
export interface DrawRow {
  /** The entry it is under, and its leaf there. */
  readonly entry: number;
  readonly leaf: number;
  readonly lease: Cid;
  /** Entry of the draw. */
  readonly draw: number;
  /** Log times, milliseconds since 1970. */
  readonly openBy: number;
  readonly verdictBy: number;
  /** Entry of its verdict; absent while it has none. */
  readonly verdict?: number;
}

/** What one group commit writes about records and draws. Rows replace those of the same key. */
export interface AuditRows {
  readonly providers: readonly ProviderState[];
  readonly experience: readonly ExperienceShare[];
  readonly draws: readonly DrawRow[];
}

/** How records and draws stand at some point. */
export interface AuditStanding {
  provider(peer: PeerId): ProviderState | undefined;
  share(provider: PeerId, era: number, payer: PeerId): ExperienceShare | undefined;
  draw(entry: number, leaf: number): DrawRow | undefined;
}

/** What the store keeps of records and draws. */
export interface AuditStore extends AuditStanding {
  /** Leases of a provider that are not settled, or whose pay is held back; oldest first. */
  unreleased(provider: PeerId): readonly Cid[];
  /**
   * Leases whose pay is held back since `time` or longer and that wait for no verdict, oldest first: of providers of whom
   * more is held back than always stays, whose bond is not full, or that have retired.
   */
  vestable(time: number, kept: Pick<AuditPolicy, "holdTasks" | "bondTasks">, limit: number): readonly Cid[];
  /** Providers that retired at `time` or before and hold nothing back any more. */
  retired(time: number, limit: number): readonly PeerId[];
  /** Drawn outcomes without a verdict whose time to open is before `time`. */
  unjudged(time: number, limit: number): readonly DrawRow[];
  /** Everything drawn under a receipt's entry, in order of leaves. */
  drawsOf(entry: number): readonly DrawRow[];
  /** Drawn outcomes of a lease without a verdict. */
  unjudgedOf(lease: Cid): readonly DrawRow[];
  /** Everything, for the recomputation from entries. */
  records(): {
    readonly providers: readonly ProviderState[];
    readonly experience: readonly ExperienceShare[];
  };
}
