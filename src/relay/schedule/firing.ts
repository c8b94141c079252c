import { type Cid, parseCid } from "../../protocol/cid.ts";
import { type TriggerTerms, triggerSchema } from "../../protocol/messages/deploy.ts";
import { decode } from "../../protocol/schema.ts";
import { blob, int, type Row, str } from "../store/rows.ts";

/** A trigger as it is kept. */
export interface TriggerRow {
  readonly deployment: string;
  readonly id: string;
  readonly terms: TriggerTerms;
  /** When it was made, milliseconds since 1970. */
  readonly since: number;
  /** Times up to here are decided. */
  readonly through: number;
  /** How far its source was looked at, in the source's own words. */
  readonly progress?: string;
}

/** Names one firing for good. */
export interface FiringKey {
  readonly deployment: string;
  readonly trigger: string;
  /** Names the event among those of its trigger: the same one fires once. */
  readonly event: string;
}

/** A firing that this process holds. */
export interface HeldFiring extends FiringKey {
  /** When it happened, or was to happen: milliseconds since 1970. */
  readonly at: number;
  /** When it was taken first, from when on its run has its time; the same for whoever holds it later. */
  readonly begun: number;
  readonly payload?: Uint8Array;
  /** Rises with each holder: what an earlier one says later does not count. */
  readonly token: number;
  /** 1 the first time. */
  readonly attempts: number;
  /** The run that an earlier holder has started for it. */
  readonly run?: Cid;
}

export interface EndedFiring extends FiringKey {
  readonly at: number;
  readonly ended: number;
  readonly ok: boolean;
  readonly words: string;
  readonly run?: Cid;
}

function optional<K extends string, T>(key: K, value: T | null | undefined): { readonly [P in K]?: T } {
  const none: { readonly [P in K]?: T } = {};
  return value === null || value === undefined ? none : { ...none, [key]: value };
}

function textIn(row: Row, name: string): string | undefined {
  return row[name] === null ? undefined : str(row, name);
}

export function triggerRow(row: Row): TriggerRow {
  return {
    deployment: str(row, "deployment"),
    id: str(row, "id"),
    terms: decode(triggerSchema, blob(row, "terms")),
    since: int(row, "since"),
    through: int(row, "through"),
    ...optional("progress", textIn(row, "progress")),
  };
}

function keyOf(row: Row): FiringKey {
  return { deployment: str(row, "deployment"), trigger: str(row, "trigger"), event: str(row, "event") };
}

export function heldFiring(row: Row): HeldFiring {
  return {
    ...keyOf(row),
    at: int(row, "at"),
    begun: int(row, "begun"),
    token: int(row, "token"),
    attempts: int(row, "attempts"),
    ...optional("payload", row["payload"] === null ? undefined : blob(row, "payload")),
    ...optional("run", row["run"] === null ? undefined : parseCid(str(row, "run"))),
  };
}

export function endedFiring(row: Row): EndedFiring {
  const run = textIn(row, "run");
  return {
    ...keyOf(row),
    at: int(row, "at"),
    ended: int(row, "ended"),
    ok: int(row, "ok") === 1,
    words: str(row, "words"),
    ...optional("run", run === undefined ? undefined : parseCid(run)),
  };
}
