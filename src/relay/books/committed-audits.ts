import type { ExperienceShare, ProviderState } from "../../ledger/ledger-state.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { AuditRows, AuditStanding, AuditStore, DrawRow } from "../store/audit-rows.ts";
import { KEPT_STATES } from "./limits.ts";
import { RecentMap } from "./recent-map.ts";

/** Records and draws on the disk; records that were asked for lately are remembered, since every report needs one. */
export class CommittedAudits implements AuditStanding {
  readonly #store: AuditStore;
  readonly #providers = new RecentMap<PeerId, ProviderState>(KEPT_STATES);
  readonly #shares = new RecentMap<string, ExperienceShare>(KEPT_STATES);

  constructor(store: AuditStore) {
    this.#store = store;
  }

  provider(peer: PeerId): ProviderState | undefined {
    const known = this.#providers.get(peer) ?? this.#store.provider(peer);
    if (known !== undefined) this.#providers.set(peer, known);
    return known;
  }

  share(provider: PeerId, era: number, payer: PeerId): ExperienceShare | undefined {
    const name = `${provider} ${era} ${payer}`;
    const known = this.#shares.get(name) ?? this.#store.share(provider, era, payer);
    if (known !== undefined) this.#shares.set(name, known);
    return known;
  }

  draw(entry: number, leaf: number): DrawRow | undefined {
    return this.#store.draw(entry, leaf);
  }

  /** Takes over what was written just now. */
  absorb({ providers, experience }: AuditRows): void {
    for (const state of providers) this.#providers.set(state.peer, state);
    for (const share of experience) this.#shares.set(`${share.provider} ${share.era} ${share.payer}`, share);
  }
}
