import type { ApiKey } from "../../protocol/messages/api-key.ts";
import { type MicroCredits, microCredits } from "../../protocol/units.ts";
import type { ApiKeyState } from "./standing.ts";

const DAY_MS = 86_400_000;

/** Start of the period in which a job opened at `time` counts for a key, milliseconds since 1970. */
export function periodOf({ per }: Pick<ApiKey, "per">, time: number): number {
  return per === "day" ? time - (time % DAY_MS) : 0;
}

/** Whether a key still counts. */
export function isInForce({ terms, revoked }: ApiKeyState, time: number): boolean {
  return revoked === undefined && (terms.expires === undefined || terms.expires > time);
}

/** What a key has left in the period that runs, micro-credits. */
export function allowanceOf({ terms }: ApiKeyState, used: bigint): MicroCredits {
  return microCredits(terms.cap > used ? terms.cap - used : 0n);
}
