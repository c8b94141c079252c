import { canonicalJson, type Value } from "../../plan/json-value.ts";
import type { Capability, EffectKind, Source } from "../../plan/plan.ts";
import type { ValueType } from "../../plan/value-type.ts";

/** Another kind with nothing that it cannot have, and the least that it needs. */
export function kindWith(kind: EffectKind, before: Capability): Capability {
  return {
    ...before,
    kind,
    origins: kind === "fetch" ? ["https://example.org"] : [],
    methods: kind === "fetch" ? ["GET"] : [],
    namespace: kind.startsWith("kv-") ? "notes" : "",
    chains: kind === "evm-read" ? ["eip155:1"] : [],
    secrets: [],
  };
}

/** What is asked of an effect of a kind until somebody says otherwise, and what comes back. */
export function usualEffect(kind: EffectKind): { readonly request: Source; readonly output: ValueType } {
  const [request, type] = USUAL[kind];
  return { request: { from: "constant", json: canonicalJson(request) }, output: { type } };
}

const USUAL: Readonly<Record<EffectKind, readonly [request: Value, output: "text" | "number" | "json"]>> = {
  fetch: [{ url: "https://example.org/", as: "text" }, "text"],
  "kv-get": [{ key: "name" }, "json"],
  "kv-put": [{ key: "name", value: "text" }, "json"],
  "kv-list": [{}, "json"],
  "evm-read": [{ chain: "eip155:1", method: "block", block: "latest" }, "json"],
  time: [{}, "number"],
  random: [{ bytes: 32 }, "json"],
};
