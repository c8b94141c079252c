import { webcrypto } from "node:crypto";
import type { Logger } from "pino";
import type { ChainCall } from "../effects/effect-ports.ts";
import { jsonRpc } from "../effects/json-rpc.ts";
import { signerFromSeed } from "../protocol/ed25519.ts";
import { isTestAsset } from "../protocol/header.ts";
import type { AuditorFactory, AuditorRequester } from "./audits/auditor-requester.ts";
import { KeptApart } from "./audits/peer-auditors.ts";
import type { RelayConfig } from "./config.ts";
import type { PlanRequesterFactory } from "./deployments/plan-requester.ts";
import {
  type DeploymentsGround,
  type RunningDeployments,
  startDeployments,
} from "./deployments/start-deployments.ts";
import { relayExchange } from "./effects/relay-exchange.ts";
import { GatewayDesk } from "./gateway/gateway-desk.ts";
import type { GatewayFactory } from "./gateway/gateway-requester.ts";
import { NO_PROVIDER_TIMEOUT_MS } from "./gateway/limits.ts";
import type { OpenPort } from "./http/listen.ts";
import type { PublishedModels } from "./models/publish/published-models.ts";
import type { RelayData } from "./open-data.ts";
import { RateLimit } from "./rate-limit.ts";
import { gatewaySeed } from "./relay-seeds.ts";
import type { UndoStack } from "./undo-stack.ts";

/** What requesters of the relay's own are made of. */
interface RequesterGround {
  readonly config: RelayConfig;
  readonly undo: UndoStack;
  readonly nowMs: () => number;
  readonly gateway: GatewayFactory | undefined;
  readonly auditor: AuditorFactory | undefined;
  readonly data: RelayData;
  readonly port: OpenPort;
}

/** A host as it stands in a URL of this machine. */
export function hostPart(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "localhost";
  return host.includes(":") ? `[${host}]` : host;
}

/** Providers audit for test money only: newcomers are given it, so nobody can tell an audit from any other first job. */
export function peerAuditing(
  { auditor, config, data, port }: RequesterGround,
  isLoopback: boolean,
): {
  readonly auditor: AuditorRequester | undefined;
  readonly apart: KeptApart;
} {
  const isFunded = isLoopback && isTestAsset(data.books.asset) && config.grant > 0n;
  const relay = `http://${hostPart(config.host)}:${port.port}`;
  return { auditor: isFunded ? auditor?.({ relay }) : undefined, apart: new KeptApart() };
}

/** The operator's own nodes of chains, wherever they are. */
function chainCall(chains: RelayConfig["chains"], chain: string): ChainCall | undefined {
  const url = Object.hasOwn(chains, chain) ? chains[chain] : undefined;
  return url === undefined ? undefined : jsonRpc(new URL(url), relayExchange({ isLocal: () => true }));
}

/** Deployments, where the relay has a gateway whose keys pay for them and a requester that runs plans. */
export async function openDeployments(
  {
    config,
    undo,
    log,
    nowMs,
    gateway,
    plans,
    data,
    port,
  }: RequesterGround & {
    readonly log: Logger;
    readonly plans: PlanRequesterFactory | undefined;
  },
  parts: Omit<DeploymentsGround, "log" | "nowMs" | "paths" | "plans" | "relay" | "chainOf" | "seed">,
): Promise<RunningDeployments | undefined> {
  if (gateway === undefined || plans === undefined) return undefined;
  const deployments = await startDeployments({
    ...parts,
    paths: data.paths,
    plans,
    relay: `http://${hostPart(config.host)}:${port.port}`,
    seed: gatewaySeed(data.meshSeed),
    chainOf: (chain) => chainCall(config.chains, chain),
    log,
    nowMs,
  });
  undo.push(() => deployments.stop());
  return deployments;
}

/** The gateway, where it is wanted and there is a requester for it; it reaches the relay as any requester does. */
export async function openGateway(
  { config, undo, nowMs, gateway, data, port }: RequesterGround,
  models: PublishedModels,
): Promise<GatewayDesk | undefined> {
  if (gateway === undefined) return undefined;
  const seed = gatewaySeed(data.meshSeed);
  const { key: identity } = await signerFromSeed(webcrypto.subtle, seed);
  const relay = `http://${hostPart(config.host)}:${port.port}`;
  const requester = gateway({ relay, seed, noProviderTimeoutMs: NO_PROVIDER_TIMEOUT_MS });
  undo.push(() => requester.close());
  return new GatewayDesk({
    books: data.books,
    requester,
    identity,
    model: (named) => models.find(named),
    limit: new RateLimit(config.keyRate, "API key", nowMs),
  });
}
