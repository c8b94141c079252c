import type { Authentication } from "../authenticate.ts";
import type { Books } from "../books.ts";
import { isLoopbackRelay, type RelayConfig } from "../config.ts";
import type { RelayData } from "../open-data.ts";
import { IN_MEMORY } from "../data-dir.ts";
import { signerFromSeed } from "../../protocol/ed25519.ts";
import type { RateLimit } from "../rate-limit.ts";
import { EffectDesk } from "./effect-desk.ts";
import { EffectRows } from "./effect-rows.ts";
import { EgressPolicy } from "./egress-policy.ts";
import { relayExchange } from "./relay-exchange.ts";

export interface EffectsGround {
  readonly config: Pick<RelayConfig, "egress" | "chains" | "host" | "publicUrl">;
  readonly data: Pick<RelayData, "paths" | "meshSeed">;
  readonly books: Books;
  readonly authentication: Authentication;
  readonly limit: RateLimit;
  readonly nowMs: () => number;
}

/** The effects of a relay that runs. */
export interface RunningEffects {
  readonly desk: EffectDesk;
  stop(): void;
}

export async function startEffects(ground: EffectsGround): Promise<RunningEffects> {
  const { config, data, ...shared } = ground;
  const { chains, egress = { anyPublic: isLoopbackRelay(config), origins: [] } } = config;
  const policy = new EgressPolicy({ ...egress, chains });
  const rows = new EffectRows(data.paths?.effects ?? IN_MEMORY);
  const desk = new EffectDesk({
    ...shared,
    rows,
    policy,
    exchange: relayExchange({ isLocal: (origin) => policy.isLocal(origin) }),
    ownExchange: relayExchange({ isLocal: () => true }),
    signer: await signerFromSeed(crypto.subtle, data.meshSeed),
    meshSeed: data.meshSeed,
  });
  return { desk, stop: () => rows.close() };
}
