import type { ExperienceShare, ProviderState } from "../../ledger/ledger-state.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { AuditRows, AuditStanding, DrawRow } from "../store/audit-rows.ts";

function drawName(entry: number, leaf: number): string {
  return `${entry} ${leaf}`;
}

function shareName(provider: PeerId, era: number, payer: PeerId): string {
  return `${provider} ${era} ${payer}`;
}

/** What operations change about records and draws, on top of how those stood; see Draft. */
export class AuditDraft implements AuditStanding {
  readonly #base: AuditStanding;
  readonly #providers = new Map<PeerId, ProviderState>();
  readonly #shares = new Map<string, ExperienceShare>();
  readonly #draws = new Map<string, DrawRow>();

  constructor(base: AuditStanding) {
    this.#base = base;
  }

  provider(peer: PeerId): ProviderState | undefined {
    return this.#providers.get(peer) ?? this.#base.provider(peer);
  }

  setProvider(state: ProviderState): void {
    this.#providers.set(state.peer, state);
  }

  share(provider: PeerId, era: number, payer: PeerId): ExperienceShare | undefined {
    return this.#shares.get(shareName(provider, era, payer)) ?? this.#base.share(provider, era, payer);
  }

  setShare(share: ExperienceShare): void {
    this.#shares.set(shareName(share.provider, share.era, share.payer), share);
  }

  draw(entry: number, leaf: number): DrawRow | undefined {
    return this.#draws.get(drawName(entry, leaf)) ?? this.#base.draw(entry, leaf);
  }

  setDraw(row: DrawRow): void {
    this.#draws.set(drawName(row.entry, row.leaf), row);
  }

  /** Takes over what a draft on top of this one has changed. */
  absorb({ providers, experience, draws }: AuditRows): void {
    for (const state of providers) this.setProvider(state);
    for (const share of experience) this.setShare(share);
    for (const row of draws) this.setDraw(row);
  }

  /** What it changes, to be written. */
  rows(): AuditRows {
    return {
      providers: [...this.#providers.values()],
      experience: [...this.#shares.values()],
      draws: [...this.#draws.values()],
    };
  }
}
