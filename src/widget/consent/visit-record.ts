import { isPeerId, type PeerId } from "../../protocol/peer-id.ts";
import type { SiteId } from "../../protocol/site.ts";
import { MOST_SESSIONS } from "../limits.ts";

/** What a person agreed to at one site, as this origin keeps it for itself. */
export interface VisitRecord {
  /** When consent ends, milliseconds since 1970. */
  readonly until: number;
  /** Keys that got leave to act since, the newest last. */
  readonly sessions: readonly PeerId[];
}

function keyOf(site: SiteId): string {
  return `tabmesh visit ${site}`;
}

export function parseVisit(text: string | null, nowMs: number): VisitRecord | undefined {
  if (text === null) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    const fields = new Map(Object.entries(typeof value === "object" && value !== null ? value : {}));
    const [until, sessions] = [fields.get("until"), fields.get("sessions")];
    if (typeof until !== "number" || !Number.isSafeInteger(until) || until <= nowMs) return undefined;
    return { until, sessions: Array.isArray(sessions) ? sessions.filter(isPeerId) : [] };
  } catch {
    return undefined;
  }
}

/** What still holds of it. @returns undefined where the browser keeps nothing, too */
export function readVisit(site: SiteId, nowMs: number): VisitRecord | undefined {
  try {
    return parseVisit(localStorage.getItem(keyOf(site)), nowMs);
  } catch {
    return undefined;
  }
}

export function writeVisit(site: SiteId, { until, sessions }: VisitRecord): void {
  try {
    localStorage.setItem(keyOf(site), JSON.stringify({ until, sessions: sessions.slice(-MOST_SESSIONS) }));
  } catch {
    // What cannot be kept is asked again.
  }
}

export function forgetVisit(site: SiteId): void {
  try {
    localStorage.removeItem(keyOf(site));
  } catch {
    // Nothing was kept.
  }
}
