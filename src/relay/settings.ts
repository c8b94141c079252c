import { parseArgs } from "node:util";
import type { LevelWithSilent } from "pino";
import { isTestAsset } from "../protocol/header.ts";
import type { IceServer } from "../protocol/relay-api.ts";
import { microCredits } from "../protocol/units.ts";
import { readAuditPolicy } from "./audits/policy-file.ts";
import { type BlockBits, parseNetworks } from "./client-address.ts";
import { DEFAULT_ICE, DEFAULT_TARIFF, type RelayConfig, relayConfig } from "./config.ts";
import { parseChains, parseEgress } from "./effects/egress-policy.ts";
import { parseIngressOrigin } from "./ingress-origin.ts";
import type { Rate } from "./rate-limit.ts";

/** One thing that can be set, by flag or by environment; the flag wins. */
export interface Setting {
  /** Without the dashes. */
  readonly flag: string;
  readonly env: string;
  /** What stands for the value in a usage line; absent for a switch. */
  readonly value?: string;
  readonly means: string;
}

function setting(flag: string, value: string | undefined, means: string): Setting {
  const env = `TABMESH_${flag.replaceAll("-", "_").toUpperCase()}`;
  return value === undefined ? { flag, env, means } : { flag, env, value, means };
}

/** All settings of `tabmesh relay`, in the order in which they are shown. Lists are separated by commas. */
export const RELAY_SETTINGS: readonly Setting[] = [
  setting("host", "address", "address to listen on (127.0.0.1)"),
  setting("port", "number", "port to listen on, 0 for a free one (8787)"),
  setting("data-dir", "folder", "keys, accounts, log and blobs; :memory: keeps nothing (.tabmesh/relay)"),
  setting(
    "origin",
    "name",
    "name of the log, fixed at the first start (localhost/ and part of the log's key)",
  ),
  setting(
    "asset",
    "name",
    "what credits are, by CAIP-19, as in eip155:8453/erc20:0x833…; fixed at the first start (test credits)",
  ),
  setting("name", "text", "what people read (Tabmesh relay)"),
  setting("public-url", "url", "where clients reach the relay through a proxy, as in https://relay.example"),
  setting(
    "trusted-proxies",
    "networks",
    "proxies whose X-Forwarded-For counts, as in 127.0.0.1,10.0.0.0/8 (none)",
  ),
  setting("metrics-from", "networks", "who may read /metrics (127.0.0.0/8,::1)"),
  setting("stun", "urls", "STUN servers, as in stun:stun.example:3478 (two public ones)"),
  setting("no-stun", undefined, "no STUN servers: connections within one network only"),
  setting("turn", "urls", "TURN servers, as in turn:turn.example:3478 (none)"),
  setting("turn-username", "text", "for the TURN servers"),
  setting("turn-credential", "text", "for the TURN servers; clients learn it"),
  setting("price-gfuel", "micro-credits", `per 10^9 fuel (${DEFAULT_TARIFF.perGfuel})`),
  setting("price-task", "micro-credits", `per task (${DEFAULT_TARIFF.perTask})`),
  setting("price-kib", "micro-credits", `per KiB of input and output (${DEFAULT_TARIFF.perKiB})`),
  setting("price-instance", "micro-credits", `per fresh instance (${DEFAULT_TARIFF.perInstantiation})`),
  setting("grant", "micro-credits", "test credits for a requester's first job, on loopback only (10000000)"),
  setting("address-rate", "burst/perSecond", "HTTP requests of one address (3000/300)"),
  setting("connect-rate", "burst/perSecond", "mesh connections of one address (1000/50)"),
  setting("identity-rate", "burst/perSecond", "jobs and reports of one identity (600/60)"),
  setting("key-rate", "burst/perSecond", "requests to the gateway under one API key (120/10)"),
  setting(
    "private-webhooks",
    undefined,
    "let alerts call private addresses and plain HTTP: anybody with an account here may then reach them",
  ),
  setting(
    "egress",
    "origins",
    "web servers that runs may have the relay ask: none, public, or origins as in https://example.org (public on loopback, else none)",
  ),
  setting(
    "chains",
    "chain=url",
    "nodes of chains that runs may read, as in eip155:1=https://node.example (none)",
  ),
  setting("ingress-origin", "url", "where deployments are called, apart from the pages (the relay's own)"),
  setting("contact", "url", "a mailto: or https: URL that push services are told (the public URL)"),
  setting("no-gateway", undefined, "do not answer OpenAI's interface under /v1"),
  setting("max-connections", "number", "peers connected at a time (5000)"),
  setting(
    "owner-blocks",
    "ipv4/ipv6",
    "bits of an address that make a block; providers of one block count as one owner (24/48)",
  ),
  setting("new-identities", "number", "new providers that one block may bring in a day (8)"),
  setting("blob-cap", "MiB", "all blobs together; the ones not asked for longest go first (4096)"),
  setting("model-cap", "MiB", "all published models together, which never go; part of --blob-cap (2048)"),
  setting(
    "audit-threads",
    "number",
    `results that are recomputed at a time (this machine's cores less one: ${relayConfig().auditThreads})`,
  ),
  setting("audit-policy", "file", "numbers of audits that differ from the usual ones, JSON (none)"),
  setting("log-level", "level", "fatal, error, warn, info, debug, trace or silent (info)"),
  setting("static-dir", "folder", "built pages to serve (none)"),
];

/** Settings that do not make sense, all of them, one line each. */
export class ConfigError extends Error {
  static override readonly name = "ConfigError";
  override readonly name = "ConfigError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}

const LEVELS: readonly LevelWithSilent[] = ["fatal", "error", "warn", "info", "debug", "trace", "silent"];

/** Values as they were given: by flag, else by environment. */
type Given = ReadonlyMap<string, string>;

/**
 * @param args flags, as in `--port 8787` or `--port=8787`.
 * @throws ConfigError naming everything that is wrong, each by its flag.
 */
export function parseRelayConfig(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): RelayConfig {
  const given = gather(args, env);
  const problems: string[] = [];
  /** Reads one setting; what it throws becomes a problem. */
  function read<T>(flag: string, fallback: T, parse: (text: string) => T): T {
    const text = given.get(flag);
    if (text === undefined) return fallback;
    try {
      return parse(text);
    } catch (error) {
      problems.push(`--${flag} ${error instanceof Error ? error.message : String(error)}`);
      return fallback;
    }
  }
  const defaults = relayConfig();
  const origin = read<string | undefined>("origin", undefined, parseOrigin);
  const asset = read<string | undefined>("asset", undefined, parseAsset);
  const publicUrl = read<string | undefined>("public-url", undefined, parseUrl);
  const contact = read<string | undefined>("contact", undefined, parseContact);
  const ingressOrigin = read<string | undefined>("ingress-origin", undefined, (text) =>
    parseIngressOrigin(text, publicUrl),
  );
  const staticDir = given.get("static-dir");
  const egress = read<RelayConfig["egress"]>("egress", undefined, parseEgress);
  const config: RelayConfig = {
    host: read("host", defaults.host, nonEmpty),
    port: read("port", defaults.port, wholeUpTo(65_535)),
    dataDir: read("data-dir", defaults.dataDir, nonEmpty),
    name: read("name", defaults.name, atMost(128)),
    trustedProxies: read("trusted-proxies", defaults.trustedProxies, networks),
    metricsFrom: read("metrics-from", defaults.metricsFrom, networks),
    iceServers: [
      ...(given.has("no-stun") ? [] : read("stun", DEFAULT_ICE, (text) => iceUrls(text, "stun"))),
      ...read<readonly IceServer[]>("turn", [], (text) => turnServers(text, given)),
    ],
    tariff: {
      perGfuel: read("price-gfuel", DEFAULT_TARIFF.perGfuel, microCreditsOf),
      perTask: read("price-task", DEFAULT_TARIFF.perTask, microCreditsOf),
      perKiB: read("price-kib", DEFAULT_TARIFF.perKiB, microCreditsOf),
      perInstantiation: read("price-instance", DEFAULT_TARIFF.perInstantiation, microCreditsOf),
    },
    grant: read("grant", defaults.grant, microCreditsOf),
    addressRate: read("address-rate", defaults.addressRate, rate),
    connectRate: read("connect-rate", defaults.connectRate, rate),
    identityRate: read("identity-rate", defaults.identityRate, rate),
    keyRate: read("key-rate", defaults.keyRate, rate),
    privateWebhooks: given.has("private-webhooks"),
    chains: read("chains", defaults.chains, parseChains),
    gateway: !given.has("no-gateway"),
    maxConnections: read("max-connections", defaults.maxConnections, wholeUpTo(1_000_000)),
    ownerBlocks: read("owner-blocks", defaults.ownerBlocks, blockBits),
    newIdentities: read("new-identities", defaults.newIdentities, wholeUpTo(1_000_000)),
    blobCapBytes: read("blob-cap", defaults.blobCapBytes, (text) => wholeUpTo(2 ** 30)(text) * 1024 * 1024),
    modelCapBytes: read(
      "model-cap",
      defaults.modelCapBytes,
      (text) => wholeUpTo(2 ** 30)(text) * 1024 * 1024,
    ),
    auditThreads: read("audit-threads", defaults.auditThreads, threads),
    auditPolicy: read("audit-policy", defaults.auditPolicy, readAuditPolicy),
    logLevel: read("log-level", defaults.logLevel, logLevel),
    ...(origin === undefined ? {} : { origin }),
    ...(asset === undefined ? {} : { asset }),
    ...(publicUrl === undefined ? {} : { publicUrl }),
    ...(contact === undefined ? {} : { contact }),
    ...(ingressOrigin === undefined ? {} : { ingressOrigin }),
    ...(egress === undefined ? {} : { egress }),
    ...(staticDir === undefined || staticDir === "" ? {} : { staticDir }),
  };
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

function gather(args: readonly string[], env: Readonly<Record<string, string | undefined>>): Given {
  const given = new Map<string, string>();
  for (const { flag, env: name, value } of RELAY_SETTINGS) {
    const text = env[name];
    if (text !== undefined && text !== "" && (value !== undefined || text !== "0")) given.set(flag, text);
  }
  for (const [flag, value] of Object.entries(parseFlags(args)))
    given.set(flag, typeof value === "string" ? value : "1");
  return given;
}

function parseFlags(args: readonly string[]): Readonly<Record<string, string | boolean | undefined>> {
  const options = Object.fromEntries(
    RELAY_SETTINGS.map(({ flag, value }) => [
      flag,
      { type: value === undefined ? ("boolean" as const) : ("string" as const) },
    ]),
  );
  try {
    return parseArgs({ args: [...args], options, strict: true }).values;
  } catch (error) {
    throw new ConfigError([error instanceof Error ? error.message : String(error)]);
  }
}

function nonEmpty(text: string): string {
  if (text.trim() === "") throw new RangeError("is empty");
  return text;
}

function atMost(length: number): (text: string) => string {
  return (text) => {
    if (text.length > length) throw new RangeError(`is longer than ${length} characters`);
    return nonEmpty(text);
  };
}

function wholeUpTo(max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/u.test(text) || value > max)
      throw new RangeError(`is not a whole number from 0 to ${max}: ${text}`);
    return value;
  };
}

function threads(text: string): number {
  const count = wholeUpTo(1_024)(text);
  if (count < 1) throw new RangeError("is not at least 1");
  return count;
}

function microCreditsOf(text: string): ReturnType<typeof microCredits> {
  if (!/^\d+$/u.test(text)) throw new RangeError(`is not a whole number of micro-credits: ${text}`);
  return microCredits(BigInt(text));
}

/** A log's origin is one line of its checkpoints: a schemeless URL (C2SP tlog-checkpoint). */
function parseOrigin(text: string): string {
  if (!/^[a-z0-9][a-z0-9.-]*(:\d+)?(\/[\w.~-]+)*$/u.test(text) || text.length > 128)
    throw new RangeError(`is not a name such as relay.example/log: ${text}`);
  return text;
}

/** CAIP-19, with a letter or digit first: it stands in lists of payouts. */
function parseAsset(text: string): string {
  const isName = /^[a-z0-9][a-z0-9-]{2,7}:[\w-]{1,32}\/[a-z0-9-]{3,8}:[\w.%-]{1,100}$/u.test(text);
  if (!isName || isTestAsset(text))
    throw new RangeError(`is not a name such as eip155:8453/erc20:0x833…: ${text}`);
  return text;
}

function parseUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:"))
    throw new RangeError(`is not an http or https URL: ${text}`);
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "")
    throw new RangeError(`has a path; the relay needs an origin of its own: ${text}`);
  return url.origin;
}

/** RFC 8292 §2.1 */
function parseContact(text: string): string {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "mailto:" && url.protocol !== "https:"))
    throw new RangeError(`is not a mailto: or https: URL: ${text}`);
  return text;
}

function listOf(text: string): readonly string[] {
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

function networks(text: string): readonly string[] {
  const blocks = listOf(text);
  parseNetworks(blocks);
  return blocks;
}

function iceUrls(
  text: string,
  scheme: "stun" | "turn",
  account: Pick<IceServer, "username" | "credential"> = {},
): readonly IceServer[] {
  return listOf(text).map((url) => {
    if (!new RegExp(`^${scheme}s?:[^\\s/]+$`, "u").test(url))
      throw new RangeError(`is not a ${scheme} URL such as ${scheme}:host:3478: ${url}`);
    return Object.assign({ urls: [url] }, account);
  });
}

function turnServers(text: string, given: Given): readonly IceServer[] {
  const username = given.get("turn-username");
  const credential = given.get("turn-credential");
  if (username === undefined || credential === undefined)
    throw new RangeError("needs --turn-username and --turn-credential");
  return iceUrls(text, "turn", { username, credential });
}

function rate(text: string): Rate {
  const [, burst, perSecond] = /^(\d{1,9})\/(\d{1,9})$/u.exec(text) ?? [];
  if (burst === undefined || perSecond === undefined || Number(burst) === 0 || Number(perSecond) === 0)
    throw new RangeError(`is not burst/perSecond such as 3000/300: ${text}`);
  return { burst: Number(burst), perSecond: Number(perSecond) };
}

function blockBits(text: string): BlockBits {
  const [, ipv4, ipv6] = /^(\d{1,2})\/(\d{1,3})$/u.exec(text) ?? [];
  if (ipv4 === undefined || ipv6 === undefined || Number(ipv4) > 32 || Number(ipv6) > 128)
    throw new RangeError(`is not a number of bits up to 32/128 such as 24/48: ${text}`);
  return { ipv4: Number(ipv4), ipv6: Number(ipv6) };
}

function logLevel(text: string): LevelWithSilent {
  const level = LEVELS.find((known) => known === text);
  if (level === undefined) throw new RangeError(`is none of ${LEVELS.join(", ")}: ${text}`);
  return level;
}
