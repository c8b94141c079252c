import type { EffectGrants } from "../protocol/effect-grants.ts";
import { asListOf, asText, fieldsOf } from "./stored-value.ts";

/**
 * Origins and nodes stand as they were kept: one that is none is never the one that somebody asks for.
 * @returns undefined for anything that is no record; in a record what cannot be read grants nothing
 */
export function parseStoredGrants(value: unknown): EffectGrants | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const fields = fieldsOf(value);
  const fetched = fields.get("fetch");
  const chains: Record<string, string> = {};
  for (const [chain, node] of fieldsOf(fields.get("chains")))
    if (typeof node === "string") chains[chain] = node;
  return {
    timeAndRandom: fields.get("timeAndRandom") === true,
    fetch: fetched === "public" ? fetched : (asListOf(fetched, asText) ?? "none"),
    chains,
  };
}
