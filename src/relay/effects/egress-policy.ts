import { isLocalHost } from "../../effects/public-address.ts";
import { FailureError } from "../../protocol/failure.ts";
import type { Capability } from "../../protocol/messages/effect.ts";

/** What the operator lets others have this relay ask. */
export interface EgressSettings {
  /** Any public web server. */
  readonly anyPublic: boolean;
  /** These origins, on private networks too: the operator has named them one by one. */
  readonly origins: readonly string[];
  /** Nodes of chains, by name of the chain. */
  readonly chains: Readonly<Record<string, string>>;
}

/** @throws RangeError saying what is wrong, for a setting like "public,http://127.0.0.1:9000" or "none" */
export function parseEgress(text: string): Pick<EgressSettings, "anyPublic" | "origins"> {
  const parts = text.split(",").map((part) => part.trim());
  const origins = parts.filter((part) => part !== "public" && part !== "none");
  for (const origin of origins) {
    const url = URL.parse(origin);
    if (url === null || url.origin !== origin || !/^https?:$/u.test(url.protocol))
      throw new RangeError(`takes "none", "public" or origins as in https://example.org, not ${origin}`);
  }
  return { anyPublic: parts.includes("public"), origins };
}

/** @throws RangeError saying what is wrong, for a setting like "eip155:1=https://node.example,eip155:10=…" */
export function parseChains(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    text.split(",").map((part) => {
      const [, chain, url] = /^\s*(eip155:[1-9]\d*)=(\S+)\s*$/u.exec(part) ?? [];
      if (chain === undefined || url === undefined || !/^https?:$/u.test(URL.parse(url)?.protocol ?? ""))
        throw new RangeError("takes chains with their nodes, as in eip155:1=https://node.example");
      return [chain, url];
    }),
  );
}

/** What this relay carries out for others. Stores, time and randomness it always does: they reach nothing. */
export class EgressPolicy {
  readonly #settings: EgressSettings;
  /** Nodes of chains. */
  readonly chains: ReadonlyMap<string, URL>;
  /** Origins of private networks that the operator has named. */
  readonly localOrigins: readonly string[];

  constructor(settings: EgressSettings) {
    this.#settings = settings;
    this.chains = new Map(Object.entries(settings.chains).map(([chain, url]) => [chain, new URL(url)]));
    this.localOrigins = settings.origins.filter(
      (origin) => origin.startsWith("http:") || isLocalHost(new URL(origin)),
    );
  }

  isLocal(origin: string): boolean {
    return this.localOrigins.includes(origin);
  }

  /** @throws FailureError `effect-refused` for a fetch or chain that the operator has not allowed */
  require({ kind, origins, chains }: Capability): void {
    const { anyPublic, origins: named } = this.#settings;
    if (kind === "fetch" && !anyPublic) {
      const other = origins.find((origin) => !named.includes(origin));
      if (other !== undefined)
        throw new FailureError("effect-refused", `this relay's operator lets nobody ask ${other}`);
    }
    const unknown = kind === "evm-read" ? chains.find((chain) => !this.chains.has(chain)) : undefined;
    if (unknown !== undefined)
      throw new FailureError("effect-refused", `this relay knows no node of the chain ${unknown}`);
  }
}
