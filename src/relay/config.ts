import { availableParallelism } from "node:os";
import type { LevelWithSilent } from "pino";
import { type AuditPolicy, DEFAULT_AUDIT_POLICY } from "../protocol/audit-policy.ts";
import type { IceServer } from "../protocol/relay-api.ts";
import type { Tariff } from "../protocol/tariff.ts";
import { type MicroCredits, microCredits } from "../protocol/units.ts";
import { type BlockBits, isLoopback } from "./client-address.ts";
import type { EgressSettings } from "./effects/egress-policy.ts";
import type { Rate } from "./rate-limit.ts";

/** Everything a relay is told at start. `parseRelayConfig` makes one of flags and environment; tests use `relayConfig`. */
export interface RelayConfig {
  /** Address to listen on. */
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Folder of keys, accounts, log and blobs; ":memory:" keeps nothing. */
  readonly dataDir: string;
  /** Name of the log; "localhost/<8 hex digits of the log key>" when absent. Fixed at the first start. */
  readonly origin?: string;
  /** What credits are, by the asset's CAIP-19 name; test credits when absent. Fixed at the first start. */
  readonly asset?: string;
  /** What people read. */
  readonly name: string;
  /** Where clients reach the relay when that is not `host` and `port`, as in "https://relay.example". */
  readonly publicUrl?: string;
  /** Proxies whose X-Forwarded-For counts, CIDR blocks. */
  readonly trustedProxies: readonly string[];
  /** Who may read /metrics, CIDR blocks. */
  readonly metricsFrom: readonly string[];
  readonly iceServers: readonly IceServer[];
  readonly tariff: Tariff;
  /** Test credits for a requester's first job, micro-credits. Loopback relays only (rule 18). */
  readonly grant: MicroCredits;
  /** HTTP requests of one address. */
  readonly addressRate: Rate;
  /** Connections to the mesh from one address. */
  readonly connectRate: Rate;
  /** Jobs and reports of one identity. */
  readonly identityRate: Rate;
  /** Requests to the gateway under one API key. */
  readonly keyRate: Rate;
  /** Whether webhooks may lead to private addresses and over plain HTTP. */
  readonly privateWebhooks: boolean;
  /** Web servers that the relay asks for others, in effects of runs; when absent any public one on loopback relays, and none else. */
  readonly egress?: Pick<EgressSettings, "anyPublic" | "origins">;
  /** Where deployments are called, when not on the relay's own origin, as in "https://run.example". */
  readonly ingressOrigin?: string;
  /** Nodes that it asks about chains, by the chain's name. */
  readonly chains: EgressSettings["chains"];
  /** Where operators of push services reach this relay's, a mailto: or https: URL. */
  readonly contact?: string;
  /** Whether the relay answers OpenAI's interface, where it is given a requester for that. */
  readonly gateway: boolean;
  readonly maxConnections: number;
  /** Providers of one block of addresses count as one owner. */
  readonly ownerBlocks: BlockBits;
  /** New identities that may offer themselves from one block in a day; this machine's own addresses are not counted. */
  readonly newIdentities: number;
  /** Bytes of all blobs together; the ones not asked for longest go first. */
  readonly blobCapBytes: number;
  /** Bytes of all published models together; they count as blobs too, but never go. */
  readonly modelCapBytes: number;
  /** Functions that audits recompute at a time. */
  readonly auditThreads: number;
  /** How strictly results are checked and pay is held back. */
  readonly auditPolicy: AuditPolicy;
  readonly logLevel: LevelWithSilent;
  /** Folder of the built pages; none are served when absent. */
  readonly staticDir?: string;
}

/** Micro-credits. A second of work of one core, about 10^9 fuel, costs a thousandth of a credit. */
export const DEFAULT_TARIFF: Tariff = {
  perGfuel: microCredits(1_000),
  perTask: microCredits(10),
  perKiB: microCredits(1),
  perInstantiation: microCredits(1),
};

/** Two public STUN servers of different operators: each tells a tab its address as seen from outside, nothing more. */
export const DEFAULT_ICE: readonly IceServer[] = [
  { urls: ["stun:stun.l.google.com:19302"] },
  { urls: ["stun:stun.cloudflare.com:3478"] },
];

const DEFAULTS: RelayConfig = {
  host: "127.0.0.1",
  port: 8787,
  dataDir: ".tabmesh/relay",
  name: "Tabmesh relay",
  trustedProxies: [],
  metricsFrom: ["127.0.0.0/8", "::1"],
  iceServers: DEFAULT_ICE,
  tariff: DEFAULT_TARIFF,
  grant: microCredits(10_000_000),
  // A page opens with some 20 requests; a classroom or an office shares one address.
  addressRate: { burst: 3_000, perSecond: 300 },
  // Two hundred tabs behind one proxy may come within a second, and come back after a restart.
  connectRate: { burst: 1_000, perSecond: 50 },
  // A requester with a thousand leases reports each once a minute.
  identityRate: { burst: 600, perSecond: 60 },
  // A program that embeds a library of texts asks some times a second.
  keyRate: { burst: 120, perSecond: 10 },
  privateWebhooks: false,
  chains: {},
  gateway: true,
  maxConnections: 5_000,
  // What a household, an office or a rented server is given; see docs/operate.md.
  ownerBlocks: { ipv4: 24, ipv6: 48 },
  newIdentities: 8,
  blobCapBytes: 4 * 1024 * 1024 * 1024,
  modelCapBytes: 2 * 1024 * 1024 * 1024,
  auditThreads: Math.max(1, availableParallelism() - 1),
  auditPolicy: DEFAULT_AUDIT_POLICY,
  logLevel: "info",
};

export function relayConfig(changes: Partial<RelayConfig> = {}): RelayConfig {
  return { ...DEFAULTS, ...changes };
}

/** Whether this relay can be reached from this machine alone, as far as its configuration tells (rule 18). */
export function isLoopbackRelay(config: Pick<RelayConfig, "host" | "publicUrl">): boolean {
  return (
    isLoopback(config.host) &&
    (config.publicUrl === undefined || isLoopback(new URL(config.publicUrl).hostname))
  );
}
