import { type EffectGrants, FIRST_GRANTS } from "../protocol/effect-grants.ts";
import { asListOf, asText, fieldsOf } from "./stored-value.ts";

/** Most origins and chains that are kept: an offer names 64 effects. */
const MOST = 60;

function asOrigin(value: unknown): string | undefined {
  const url = URL.parse(asText(value) ?? "");
  return url !== null && /^https?:$/u.test(url.protocol) ? url.origin : undefined;
}

function parseFetch(value: unknown): EffectGrants["fetch"] {
  if (value === "public") return value;
  return asListOf(value, asOrigin)?.slice(0, MOST) ?? FIRST_GRANTS.fetch;
}

function parseChains(value: unknown): EffectGrants["chains"] {
  const chains: Record<string, string> = {};
  for (const [chain, url] of fieldsOf(value)) {
    const node = asText(url);
    const isNode = node !== undefined && asOrigin(node) !== undefined;
    if (isNode && /^eip155:[1-9]\d*$/u.test(chain) && Object.keys(chains).length < MOST) chains[chain] = node;
  }
  return chains;
}

/** @returns undefined for anything that is no record; in a record what cannot be read grants nothing */
export function parseStoredGrants(value: unknown): EffectGrants | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const fields = fieldsOf(value);
  return {
    timeAndRandom: fields.get("timeAndRandom") === true,
    fetch: parseFetch(fields.get("fetch")),
    chains: parseChains(fields.get("chains")),
  };
}
