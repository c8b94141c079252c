import type { EffectGrants } from "../../protocol/effect-grants.ts";
import type { EffectParts } from "./effect-desk.ts";
import { threadExchange } from "./fetch-thread.ts";

const NO_FETCH: Pick<EffectGrants, "fetch" | "chains"> = { fetch: "none", chains: {} };

export interface TabEffectsOptions {
  readonly relayUrl: string;
  /** URL of the script of workers/fetch.worker.ts; without it the page is asked for nothing that it would have to fetch. */
  readonly fetchScript: string | undefined;
  /** What the person allows now. */
  readonly grants: () => EffectGrants;
  /** Told of bytes that went over the line. */
  readonly count: (bytes: number) => void;
}

/** Effects as a tab carries them out. */
export function tabEffects({ relayUrl, fetchScript, grants, count }: TabEffectsOptions): EffectParts {
  return {
    grants: () => (fetchScript === undefined ? { ...grants(), ...NO_FETCH } : grants()),
    exchange: threadExchange(fetchScript, count),
    allowLocal: isLocalPage(relayUrl),
  };
}

/** Whether a relay is on this machine: there a person may name origins of private networks, as tests and first steps do. */
function isLocalPage(relayUrl: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/u.test(new URL(relayUrl).hostname);
}
