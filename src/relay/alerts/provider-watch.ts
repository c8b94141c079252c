import type { Cid } from "../../protocol/cid.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { AlertRows } from "./alert-rows.ts";
import { callBody, type Happening } from "./happening.ts";
import { RETURN_MS, STOPPED_MS } from "./limits.ts";
import type { StandingAlert, StandingAlerts } from "./standing-alerts.ts";

export interface ProviderWatchParts {
  readonly rows: AlertRows;
  readonly alerts: StandingAlerts;
  /** Whether an offer of an identity stands. */
  readonly isOffering: (provider: PeerId) => boolean;
  readonly relay: { readonly name: string; readonly origin: string };
  readonly nowMs: () => number;
}

/** Finds out whose providers have gone. Who was here is on the disk, so that one that goes with the relay is missed too. */
export class ProviderWatch {
  readonly #parts: ProviderWatchParts;
  /** When each was seen last, for alerts whose provider works. */
  readonly #seen = new Map<Cid, number>();
  readonly #startedAt: number;

  constructor(parts: ProviderWatchParts) {
    this.#parts = parts;
    this.#startedAt = parts.nowMs();
  }

  turn(): void {
    const { alerts, isOffering, nowMs } = this.#parts;
    const now = nowMs();
    for (const alert of alerts.allAbout("provider-stopped")) {
      if (isOffering(alert.terms.account)) this.#works(alert, now);
      else if (alert.works) this.#isAway(alert, now);
    }
  }

  /** The alert is gone. */
  forget(id: Cid): void {
    this.#seen.delete(id);
  }

  #works(alert: StandingAlert, now: number): void {
    this.#seen.set(alert.id, now);
    if (alert.works) return;
    alert.works = true;
    this.#parts.rows.setWorks(alert.id, true);
  }

  #isAway(alert: StandingAlert, now: number): void {
    const { rows, relay } = this.#parts;
    const seen = this.#seen.get(alert.id);
    const since = seen ?? this.#startedAt;
    if (now - since < (seen === undefined ? RETURN_MS : STOPPED_MS)) return;
    const happening = stopped(alert.terms.account, seen, now);
    rows.addCall(alert.id, happening.name, callBody(happening, relay, now), now);
    rows.setWorks(alert.id, false);
    alert.works = false;
    this.#seen.delete(alert.id);
  }
}

function stopped(account: PeerId, seen: number | undefined, now: number): Happening {
  const when =
    seen === undefined
      ? "It has not come back since the relay was restarted."
      : `It was seen last at ${new Date(seen).toISOString()}.`;
  const words = `Nobody works for this key any more: the tab was closed, went to sleep or lost its network. ${when}`;
  const facts = seen === undefined ? {} : { lastSeen: seen };
  return { event: "provider-stopped", account, name: `provider-stopped.${now}`, words, facts };
}
