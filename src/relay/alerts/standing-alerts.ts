import type { Cid } from "../../protocol/cid.ts";
import type { Alert, AlertEvent } from "../../protocol/messages/alert.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { AlertRow, AlertRows } from "./alert-rows.ts";
import { alertOf } from "./outbox.ts";

/** An alert in force, with what was seen last. */
export interface StandingAlert {
  readonly id: Cid;
  readonly terms: Alert;
  isLow: boolean;
  works: boolean;
}

/** All alerts of a relay by their accounts, so that whoever has none costs nothing. */
export class StandingAlerts {
  readonly #rows: AlertRows;
  readonly #byAccount = new Map<PeerId, Map<Cid, StandingAlert>>();
  readonly #accounts = new Map<Cid, PeerId>();

  constructor(rows: AlertRows) {
    this.#rows = rows;
    for (const row of rows.alerts()) this.#keep(row);
  }

  get size(): number {
    return this.#accounts.size;
  }

  /** Alerts of an account, oldest first. */
  of(account: PeerId): readonly StandingAlert[] {
    return [...(this.#byAccount.get(account)?.values() ?? [])];
  }

  /** Alerts of an account about an event. */
  about(account: PeerId, event: AlertEvent): readonly StandingAlert[] {
    return this.of(account).filter(({ terms }) => terms.events.includes(event));
  }

  /** All alerts about an event. */
  *allAbout(event: AlertEvent): Generator<StandingAlert, void, undefined> {
    for (const alerts of this.#byAccount.values())
      for (const alert of alerts.values()) if (alert.terms.events.includes(event)) yield alert;
  }

  /** @returns undefined where the account has no such alert */
  find(account: PeerId, id: Cid): StandingAlert | undefined {
    return this.#byAccount.get(account)?.get(id);
  }

  add(id: Cid, body: Uint8Array, nowMs: number): StandingAlert {
    this.#rows.add(id, body, nowMs);
    const row = this.#rows.alert(id);
    if (row === undefined) throw new RangeError(`alert ${id} was not kept`);
    return this.#keep(row);
  }

  remove(id: Cid, nowMs: number): void {
    this.#rows.remove(id, nowMs);
    this.forget(id);
  }

  /** It is gone from the disk already. */
  forget(id: Cid): void {
    const account = this.#accounts.get(id);
    this.#accounts.delete(id);
    if (account === undefined) return;
    const alerts = this.#byAccount.get(account);
    alerts?.delete(id);
    if (alerts?.size === 0) this.#byAccount.delete(account);
  }

  #keep({ id, body, isLow, works }: AlertRow): StandingAlert {
    const terms = alertOf(body);
    const alert = { id, terms, isLow, works };
    const alerts = this.#byAccount.get(terms.account) ?? new Map<Cid, StandingAlert>();
    this.#byAccount.set(terms.account, alerts.set(id, alert));
    this.#accounts.set(id, terms.account);
    return alert;
  }
}
