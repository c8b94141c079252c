import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Logger, pino } from "pino";
import type { AuditPolicy } from "../protocol/audit-policy.ts";
import { bodyId, seal } from "../protocol/envelope.ts";
import { type Job, jobMessage } from "../protocol/messages/job.ts";
import { type LeaseAnswer, leaseAnswerSchema } from "../protocol/messages/lease.ts";
import type { Offer } from "../protocol/messages/session.ts";
import type { Cid } from "../protocol/cid.ts";
import { parsePeerId, type PeerId } from "../protocol/peer-id.ts";
import { MESSAGE_TYPE } from "../protocol/relay-api.ts";
import { errorViewJson } from "../protocol/relay-json.ts";
import { decode } from "../protocol/schema.ts";
import type { Signer } from "../protocol/signature.ts";
import { microCredits } from "../protocol/units.ts";
import { AccountEvents } from "./account-events.ts";
import { type RunningAlerts, startAlerts } from "./alerts/start-alerts.ts";
import { KeptApart } from "./audits/peer-auditors.ts";
import { startAudits } from "./audits/start-audits.ts";
import { Authentication } from "./authenticate.ts";
import { BlobFolder } from "./blob-folder.ts";
import {
  HEAD,
  jobBody,
  openScene,
  type Scene,
  seedOf,
  signerOf,
  TARIFF,
} from "./books/books-scene.contract.ts";
import { parseNetworks } from "./client-address.ts";
import { relayConfig } from "./config.ts";
import { EffectDesk } from "./effects/effect-desk.ts";
import { EffectRows } from "./effects/effect-rows.ts";
import { EgressPolicy, type EgressSettings } from "./effects/egress-policy.ts";
import { relayExchange } from "./effects/relay-exchange.ts";
import type { HttpParts } from "./http/http-parts.ts";
import type { RelayHttp } from "./http/http-env.ts";
import { createHttp } from "./http/relay-http.ts";
import { JobDesk } from "./jobs/job-desk.ts";
import { ReportDesk } from "./jobs/report-desk.ts";
import { createWelcome } from "./jobs/welcome.ts";
import { createMetrics, type RelayMetrics } from "./metrics.ts";
import { PublishedModels } from "./models/publish/published-models.ts";
import { LiveOffers } from "./offers/live-offers.ts";
import { RateLimit } from "./rate-limit.ts";
import { type RunningRuns, startRuns } from "./runs/start-runs.ts";
import { startStats } from "./stats/start-stats.ts";
import { relayInfo } from "./relay-info.ts";

/** A relay's HTTP interface over real books, without a socket. For tests. */
export interface RelayScene {
  readonly scene: Scene;
  readonly http: RelayHttp;
  readonly offers: LiveOffers;
  readonly blobs: BlobFolder;
  readonly models: PublishedModels;
  readonly metrics: RelayMetrics;
  readonly authentication: Authentication;
  /** What the log said, one object a line. */
  readonly logged: readonly Readonly<Record<string, unknown>>[];
  readonly log: Logger;
  readonly apart: KeptApart;
  readonly alerts: RunningAlerts;
  readonly runs: RunningRuns;
  /** What the relay has carried out itself. */
  readonly effects: EffectRows;
  /** As when the relay ends, while the books go on for whoever comes after it. */
  stopAudits(): Promise<void>;
  close(): Promise<void>;
}

export interface RelaySceneOptions {
  readonly isLoopback?: boolean;
  readonly staticDir?: string;
  readonly trustedProxies?: readonly string[];
  readonly addressBurst?: number;
  readonly identityBurst?: number;
  readonly blobCapBytes?: number;
  readonly modelCapBytes?: number;
  /** Numbers of audits; nothing is audited when absent. */
  readonly audit?: AuditPolicy;
  /** Whether two identities may have one owner; each is by itself when absent. */
  readonly sameOwner?: (a: PeerId, b: PeerId) => boolean;
  /** Whether alerts may call this machine. */
  readonly privateWebhooks?: boolean;
  /** What runs may have the relay ask; any public web server when absent. */
  readonly egress?: Partial<EgressSettings>;
  /** Of the books; in memory when absent. */
  readonly path?: string;
}

export async function openRelayScene(options: RelaySceneOptions = {}): Promise<RelayScene> {
  const { path, audit } = options;
  const scene = await openScene(path, audit === undefined ? {} : { audit });
  const { books, clock } = scene;
  const nowMs = (): number => clock.now;
  const folder = mkdtempSync(join(tmpdir(), "relay-scene-"));
  const blobs = await BlobFolder.open(folder, options.blobCapBytes ?? 100_000_000, nowMs);
  const offers = new LiveOffers(nowMs);
  const events = new AccountEvents(books);
  const logged: Record<string, unknown>[] = [];
  const log = pino({ level: "debug" }, { write: (line: string) => void logged.push(JSON.parse(line)) });
  const metrics = createMetrics({
    connections: () => 0,
    reservations: () => 0,
    offers: () => offers.size,
    freeThreads: () => 0,
    logSize: () => books.size(),
    blobBytes: () => blobs.bytes,
    eventStreams: () => events.open,
  });
  const authentication = new Authentication(books, nowMs);
  const isLoopback = options.isLoopback ?? true;
  const shared = { books, authentication, offers, metrics, log };
  const limit = new RateLimit({ burst: options.identityBurst ?? 1_000, perSecond: 1 }, "identity", nowMs);
  const peer = parsePeerId(signerOf("relay").key);
  const capBytes = options.modelCapBytes ?? 10_000_000;
  const models = new PublishedModels({ books, authentication, offers, blobs, limit, capBytes, nowMs });
  const welcome = createWelcome(books, microCredits(isLoopback ? 50_000 : 0));
  const audits = await startAudits({
    ...shared,
    blobs,
    blobFolder: folder,
    limit,
    nowMs,
    threads: 1,
    tariff: TARIFF,
  });
  const alerts = startAlerts({
    path: ":memory:",
    ...shared,
    welcome,
    limit,
    calling: { allowPrivate: options.privateWebhooks ?? false },
    relayName: "Test relay",
    contact: "mailto:operator@example.org",
    nowMs,
  });
  const stats = startStats({
    data: scene,
    config: { tariff: TARIFF },
    offers,
    capability: { proof: () => undefined },
    mesh: { peerId: peer, peers: () => [] },
    log,
    nowMs,
  });
  const apart = new KeptApart();
  const runs = startRuns({
    mailPath: ":memory:",
    namesPath: ":memory:",
    ...shared,
    blobs,
    welcome,
    limit,
    calling: { allowPrivate: options.privateWebhooks ?? false },
    self: peer,
    nowMs,
  });
  const effects = new EffectRows(":memory:");
  const egress = new EgressPolicy({ anyPublic: true, chains: {}, origins: [], ...options.egress });
  const exchange = relayExchange({ isLocal: (origin) => egress.isLocal(origin) });
  const parts: HttpParts = {
    info: () => relayInfo(relayConfig({ tariff: TARIFF }), books, peer, ["/ip4/127.0.0.1/tcp/1/ws"], nowMs()),
    health: () => Promise.resolve({ ok: true, books: true, disk: true, mesh: true }),
    books,
    jobs: new JobDesk({
      ...shared,
      runs: runs.desk,
      tariff: TARIFF,
      isLoopback,
      apart,
      sameOwner: (a, b) => a === b || (options.sameOwner?.(a, b) ?? false),
      welcome,
      limit,
      nowMs,
    }),
    reports: new ReportDesk({ ...shared, limit }),
    audits: audits.desk,
    events,
    alerts: alerts.desk,
    runs,
    effects: new EffectDesk({
      ...shared,
      limit,
      rows: effects,
      policy: egress,
      exchange,
      ownExchange: relayExchange({ isLocal: () => true }),
      signer: signerOf("relay"),
      meshSeed: seedOf("relay"),
      nowMs,
    }),
    stats: stats.stats,
    blobs,
    models,
    authentication,
    welcome,
    limit,
    nowMs,
    metrics,
    log,
    proxies: parseNetworks(options.trustedProxies ?? []),
    metricsFrom: parseNetworks(["127.0.0.1"]),
    addressLimit: new RateLimit({ burst: options.addressBurst ?? 1_000, perSecond: 1 }, "address", nowMs),
    ...(options.staticDir === undefined ? {} : { staticDir: options.staticDir }),
  };
  return {
    scene,
    http: createHttp(parts),
    offers,
    blobs,
    models,
    metrics,
    authentication,
    logged,
    log,
    apart,
    alerts,
    runs,
    effects,
    stopAudits: () => audits.stop(),
    async close() {
      events.close();
      alerts.stop();
      runs.stop();
      effects.close();
      await stats.stop();
      await audits.stop();
      books.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What app.request takes as bindings, to come from an address. */
export function from(remoteAddress: string): object {
  return { incoming: { socket: { remoteAddress } } };
}

/** A provider's offer, standing. */
export function offerOf(name: string, changes: Partial<Offer> = {}): Offer {
  const { key } = signerOf(name);
  return {
    ...HEAD,
    provider: key,
    instance: key,
    seq: 1,
    workers: 4,
    free: 4,
    memoryBytes: 1 << 28,
    profiles: [1],
    abis: ["wasi-p1", "bytes-1"],
    tariffMin: TARIFF,
    addresses: [`/memory/p2p/${key}`],
    ...changes,
  };
}

export interface SignedJob {
  readonly id: Cid;
  readonly envelope: Uint8Array<ArrayBuffer>;
  readonly body: Job;
}

export async function jobOf(
  { scene }: RelayScene,
  changes: Partial<Job> = {},
  signers: readonly Signer[] = [scene.requester],
): Promise<SignedJob> {
  const body = jobBody(scene, changes);
  return { id: bodyId(jobMessage, body), envelope: await seal(jobMessage, body, signers), body };
}

export async function post(
  { http }: RelayScene,
  path: string,
  envelope: Uint8Array<ArrayBuffer>,
  address = "127.0.0.1",
): Promise<Response> {
  const headers = { "content-type": MESSAGE_TYPE };
  return http.request(path, { method: "POST", body: envelope, headers }, from(address));
}

/** Leases of a job, or the relay's refusal as "code: detail". */
export async function submit(relay: RelayScene, job: SignedJob): Promise<LeaseAnswer | string> {
  const response = await post(relay, "/v1/jobs", job.envelope);
  if (!response.ok) return refusalOf(response);
  return decode(leaseAnswerSchema, new Uint8Array(await response.arrayBuffer()), 1_000_000);
}

export async function refusalOf(response: Response): Promise<string> {
  const { error } = errorViewJson.read(await response.json());
  return `${error.name}: ${error.detail}`;
}
