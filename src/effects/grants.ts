import type { EffectGrants } from "../protocol/effect-grants.ts";
import { FailureError } from "../protocol/failure.ts";
import type { Capability } from "../protocol/messages/effect.ts";

/** Characters of one line of an offer, whose field takes 300 bytes; no capability has a longer origin. */
const MAX_LINE = 270;

/** What an offer says of them (Offer.effects). @param atMost lines that an offer has room for */
export function grantedEffects(
  { timeAndRandom, fetch: fetched, chains }: EffectGrants,
  atMost: number,
): readonly string[] {
  const origins =
    fetched === "none" ? [] : fetched === "public" ? ["fetch"] : fetched.map((origin) => `fetch ${origin}`);
  return [
    ...(timeAndRandom ? ["time", "random"] : []),
    ...Object.keys(chains).map((chain) => `evm-read ${chain}`),
    ...origins,
  ]
    .filter((line) => line.length <= MAX_LINE)
    .slice(0, atMost);
}

function refusal(what: string): FailureError {
  return new FailureError("declined", `this provider's person has not allowed ${what}`);
}

/** Whether a person lets others use a capability here. @throws FailureError `declined` naming what is not granted */
export function requireGranted(capability: Capability, grants: EffectGrants): void {
  const { kind, origins, chains } = capability;
  switch (kind) {
    case "fetch": {
      const { fetch: allowed } = grants;
      if (allowed === "none") throw refusal("fetching for others");
      if (allowed === "public") return;
      const other = origins.find((origin) => !allowed.includes(origin));
      if (other !== undefined) throw refusal(`fetching from ${other}`);
      return;
    }
    case "evm-read": {
      const other = chains.find((chain) => grants.chains[chain] === undefined);
      if (other !== undefined) throw refusal(`reading the chain ${other}`);
      return;
    }
    case "kv-get":
    case "kv-put":
    case "kv-list":
      throw new FailureError("declined", "stores are kept by the relay alone");
    case "time":
    case "random":
      if (!grants.timeAndRandom) throw refusal(kind === "time" ? "telling the time" : "random numbers");
      return;
    default:
      kind satisfies never;
  }
}
