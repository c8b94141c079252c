import { DatabaseSync } from "node:sqlite";
import type { Cid } from "../../protocol/cid.ts";
import { type TriggerTerms, triggerSchema } from "../../protocol/messages/deploy.ts";
import { encode } from "../../protocol/schema.ts";
import { int, str } from "../store/rows.ts";
import { Statements } from "../store/statements.ts";
import {
  type EndedFiring,
  endedFiring,
  type HeldFiring,
  heldFiring,
  type TriggerRow,
  triggerRow,
} from "./firing.ts";
import { KEPT_FIRINGS_MS, MAX_UNDER_WAY_OF_ONE } from "./limits.ts";
import { BUSY_MS, createTables } from "./schedule-tables.ts";

type Value = string | number | Uint8Array | null;

/**
 * Triggers and firings in a file of their own. Several processes may use it at the same time: what is decided, and who holds a
 * firing, is decided in one transaction that begins as a writer. What a method has returned from is on the disk.
 *
 * A firing waits until `due`, is held until `due` once somebody has taken it, and has no `due` once it has ended.
 */
export class ScheduleRows {
  readonly #database: DatabaseSync;
  readonly #ask: Statements;

  /** @param path of the file, or ":memory:" */
  constructor(path: string) {
    this.#database = new DatabaseSync(path, { timeout: BUSY_MS });
    createTables(this.#database);
    this.#ask = new Statements(this.#database);
  }

  /**
   * The triggers of a deployment from now on. One that stays as it was keeps its place in time; firings of those that go are dropped
   * unless they are held.
   * @param firstDue when a trigger is to be looked at, for those of the clock
   */
  setTriggers(
    deployment: string,
    triggers: readonly TriggerTerms[],
    nowMs: number,
    firstDue: (terms: TriggerTerms) => number | undefined,
  ): void {
    this.#together(() => {
      const before = new Map(this.triggersOf(deployment).map((row) => [row.id, row]));
      for (const terms of triggers) {
        const bytes = encode(triggerSchema, terms);
        const known = before.get(terms.id);
        before.delete(terms.id);
        if (known !== undefined && Buffer.from(encode(triggerSchema, known.terms)).equals(bytes)) continue;
        this.#run(
          "INSERT OR REPLACE INTO triggers VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
          deployment,
          terms.id,
          terms.kind,
          bytes,
          nowMs,
          nowMs,
          firstDue(terms) ?? null,
        );
      }
      for (const id of before.keys()) {
        this.#run("DELETE FROM triggers WHERE deployment = ? AND id = ?", deployment, id);
        this.#run(
          "DELETE FROM firings WHERE deployment = ? AND trigger = ? AND due IS NOT NULL AND holder IS NULL",
          deployment,
          id,
        );
      }
    });
  }

  triggersOf(deployment: string): readonly TriggerRow[] {
    return this.#ask.all(triggerRow, "SELECT * FROM triggers WHERE deployment = ? ORDER BY id", deployment);
  }

  /** Triggers that wait for something that has to be looked for. */
  watched(): readonly TriggerRow[] {
    return this.#ask.all(
      triggerRow,
      "SELECT * FROM triggers WHERE kind IN ('run', 'name', 'peer', 'log') ORDER BY deployment, id",
    );
  }

  /** When the next trigger of the clock is to be looked at. */
  nextDue(): number | undefined {
    return this.#ask.one(
      (row) => (row["due"] === null ? undefined : int(row, "due")),
      "SELECT MIN(due) AS due FROM triggers",
    );
  }

  /**
   * Decides the triggers whose time has come: reads them, asks `decide`, writes what it says, as one. So of several processes that look
   * at the same moment one decides, and the others find it decided.
   */
  decideDue(
    nowMs: number,
    limit: number,
    decide: (row: TriggerRow) => { fire: readonly number[]; through: number; next: number | undefined },
  ): number {
    if ((this.nextDue() ?? Number.POSITIVE_INFINITY) > nowMs) return 0;
    let fired = 0;
    this.#together(() => {
      const rows = this.#ask.all(
        triggerRow,
        "SELECT * FROM triggers WHERE due <= ? ORDER BY due, deployment, id LIMIT ?",
        nowMs,
        limit,
      );
      for (const row of rows) {
        const { fire, through, next } = decide(row);
        for (const at of fire)
          fired += this.#insert(row.deployment, row.id, String(at), at, undefined, nowMs);
        this.#run(
          "UPDATE triggers SET through = ?, due = ? WHERE deployment = ? AND id = ?",
          through,
          next ?? null,
          row.deployment,
          row.id,
        );
      }
    });
    return fired;
  }

  /** Writes events of a trigger down, with how far its source was looked at, as one. @returns those that were new */
  addEvents(
    { deployment, id }: Pick<TriggerRow, "deployment" | "id">,
    events: readonly { readonly event: string; readonly at: number; readonly payload?: Uint8Array }[],
    nowMs: number,
    progress?: string,
  ): number {
    let added = 0;
    this.#together(() => {
      const isThere =
        this.#ask.one(
          () => true,
          "SELECT 1 FROM triggers WHERE deployment = ? AND id = ?",
          deployment,
          id,
        ) === true;
      if (!isThere) return;
      for (const { event, at, payload } of events)
        added += this.#insert(deployment, id, event, at, payload, nowMs);
      if (progress !== undefined)
        this.#run(
          "UPDATE triggers SET progress = ? WHERE deployment = ? AND id = ?",
          progress,
          deployment,
          id,
        );
    });
    return added;
  }

  /** Firings of a trigger that have not ended. */
  waiting(deployment: string, trigger: string): number {
    return (
      this.#ask.one(
        (row) => int(row, "n"),
        "SELECT COUNT(*) AS n FROM firings WHERE deployment = ? AND trigger = ? AND due IS NOT NULL",
        deployment,
        trigger,
      ) ?? 0
    );
  }

  /**
   * Takes firings that wait, and those whose holder has fallen silent, oldest first. Each then has one holder more in its token, and is
   * this one's until `nowMs + leaseMs`.
   * @param ownerOf whose a deployment is: firings of one owner are few at a time, however many deployments they are of
   */
  claim(
    holder: string,
    nowMs: number,
    leaseMs: number,
    most: number,
    ownerOf: (deployment: string) => string,
  ): readonly HeldFiring[] {
    if (most <= 0) return [];
    const isAny = this.#ask.one(() => true, "SELECT 1 FROM firings WHERE due <= ? LIMIT 1", nowMs) === true;
    if (!isAny) return [];
    return this.#together(() => {
      const busy = this.#busy(nowMs, ownerOf);
      const taken: HeldFiring[] = [];
      for (const deployment of this.#withDue(nowMs)) {
        const owner = ownerOf(deployment);
        const others = busy.get(owner) ?? 0;
        const room = Math.min(most - taken.length, MAX_UNDER_WAY_OF_ONE - others);
        if (room <= 0) continue;
        const more = this.#take(deployment, holder, nowMs, leaseMs, room);
        busy.set(owner, others + more.length);
        taken.push(...more);
      }
      return taken;
    });
  }

  /** Deployments with firings to be taken, the one that waits longest first. */
  #withDue(nowMs: number): readonly string[] {
    return this.#ask.all(
      (row) => str(row, "deployment"),
      "SELECT deployment, MIN(due) AS first FROM firings WHERE due <= ? GROUP BY deployment ORDER BY first",
      nowMs,
    );
  }

  #take(
    deployment: string,
    holder: string,
    nowMs: number,
    leaseMs: number,
    most: number,
  ): readonly HeldFiring[] {
    return this.#ask.all(
      heldFiring,
      `UPDATE firings SET due = ?, holder = ?, token = token + 1, attempts = attempts + 1,
         begun = COALESCE(begun, CASE token WHEN 0 THEN ? ELSE created END)
       WHERE (deployment, trigger, event) IN (
         SELECT deployment, trigger, event FROM firings WHERE deployment = ? AND due <= ?
         ORDER BY at, trigger, event LIMIT ?)
       RETURNING *`,
      nowMs + leaseMs,
      holder,
      nowMs,
      deployment,
      nowMs,
      most,
    );
  }

  /** Goes on holding it. @returns false where it is held by another by now */
  renew(firing: HeldFiring, untilMs: number): boolean {
    return this.#fenced("due = ?", firing, untilMs);
  }

  /** Notes which run it has started. @returns false where it is held by another by now */
  started(firing: HeldFiring, run: Cid): boolean {
    return this.#fenced("run = ?", firing, run);
  }

  /** It has ended, and never fires again. @returns false where it is held by another by now */
  end(firing: HeldFiring, ok: boolean, words: string, nowMs: number): boolean {
    return this.#fenced(
      "due = NULL, holder = NULL, payload = NULL, ended = ?, ok = ?, words = ?",
      firing,
      nowMs,
      Number(ok),
      words,
    );
  }

  /** Its start came to nothing: it waits again. @returns false where it is held by another by now */
  putBack(firing: HeldFiring, dueMs: number): boolean {
    return this.#fenced("due = ?, holder = NULL", firing, dueMs);
  }

  /** Newest first. */
  ended(deployment: string, limit: number): readonly EndedFiring[] {
    return this.#ask.all(
      endedFiring,
      "SELECT * FROM firings WHERE deployment = ? AND ended IS NOT NULL ORDER BY ended DESC, at DESC LIMIT ?",
      deployment,
      limit,
    );
  }

  /** Forgets firings that ended long ago. */
  forget(nowMs: number): void {
    this.#run("DELETE FROM firings WHERE ended < ?", nowMs - KEPT_FIRINGS_MS);
  }

  /** Idempotent. */
  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  /** Firings that are held in force, by owner. */
  #busy(nowMs: number, ownerOf: (deployment: string) => string): Map<string, number> {
    const rows = this.#ask.all(
      (row) => [str(row, "deployment"), int(row, "n")] as const,
      "SELECT deployment, COUNT(*) AS n FROM firings WHERE holder IS NOT NULL AND due > ? GROUP BY deployment",
      nowMs,
    );
    const busy = new Map<string, number>();
    for (const [deployment, n] of rows) {
      const owner = ownerOf(deployment);
      busy.set(owner, (busy.get(owner) ?? 0) + n);
    }
    return busy;
  }

  #insert(
    deployment: string,
    trigger: string,
    event: string,
    at: number,
    payload: Uint8Array | undefined,
    nowMs: number,
  ): number {
    return this.#run(
      "INSERT OR IGNORE INTO firings (deployment, trigger, event, at, created, payload, due) VALUES (?, ?, ?, ?, ?, ?, ?)",
      deployment,
      trigger,
      event,
      at,
      nowMs,
      payload ?? null,
      nowMs,
    );
  }

  /** Changes a firing if its token is still the one that was given out with it. */
  #fenced(change: string, firing: HeldFiring, ...values: readonly Value[]): boolean {
    const { deployment, trigger, event, token } = firing;
    const changed = this.#run(
      `UPDATE firings SET ${change} WHERE deployment = ? AND trigger = ? AND event = ? AND token = ? AND holder IS NOT NULL`,
      ...values,
      deployment,
      trigger,
      event,
      token,
    );
    return changed === 1;
  }

  #run(sql: string, ...values: readonly Value[]): number {
    return Number(this.#ask.get(sql).run(...values).changes);
  }

  #together<T>(change: () => T): T {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const result = change();
      this.#database.exec("COMMIT");
      return result;
    } catch (error) {
      this.#database.exec("ROLLBACK");
      throw error;
    }
  }
}
