import { type Logger, pino } from "pino";
import type { RelayMesh } from "../mesh/relay-mesh.ts";
import { isCid } from "../protocol/cid.ts";
import { isTestAsset } from "../protocol/header.ts";
import { parsePeerId, type PeerId } from "../protocol/peer-id.ts";
import { WATCH_PROTOCOL } from "../protocol/protocol-id.ts";
import { microCredits } from "../protocol/units.ts";
import { AccountEvents } from "./account-events.ts";
import { alertSettings, startAlerts } from "./alerts/start-alerts.ts";
import type { AuditorFactory } from "./audits/auditor-requester.ts";
import { startAudits } from "./audits/start-audits.ts";
import { Authentication } from "./authenticate.ts";
import { BlobFolder } from "./blob-folder.ts";
import type { Books } from "./books.ts";
import { startEffects } from "./effects/start-effects.ts";
import type { CapabilityDesk } from "./capability/capability-desk.ts";
import { openCapability } from "./capability/open-capability.ts";
import { parseNetworks } from "./client-address.ts";
import { isLoopbackRelay, type RelayConfig } from "./config.ts";
import { openControl } from "./control.ts";
import type { PlanRequesterFactory } from "./deployments/plan-requester.ts";
import { meaningOf } from "./deployments/event-sources.ts";
import { lookAtHealth } from "./health.ts";
import { listen, type OpenPort } from "./http/listen.ts";
import { createHttp } from "./http/relay-http.ts";
import { JobDesk } from "./jobs/job-desk.ts";
import { ReportDesk } from "./jobs/report-desk.ts";
import { createWelcome } from "./jobs/welcome.ts";
import type { GatewayFactory } from "./gateway/gateway-requester.ts";
import type { RelayMetrics } from "./metrics.ts";
import { openMetrics } from "./open-metrics.ts";
import { LeaseWatch } from "./offers/lease-watch.ts";
import { answerOffers } from "./offers/answer-offers.ts";
import { LiveOffers } from "./offers/live-offers.ts";
import { PublishedModels } from "./models/publish/published-models.ts";
import { openOwners } from "./offers/open-owners.ts";
import type { Owners } from "./offers/owners.ts";
import { releaseSettled } from "./offers/release-settled.ts";
import { WatchStream } from "./offers/watch-stream.ts";
import { openData, type RelayData } from "./open-data.ts";
import { policyDocument } from "./policy-document.ts";
import { RateLimit } from "./rate-limit.ts";
import { relayInfo } from "./relay-info.ts";
import { hostPart, openDeployments, openGateway, peerAuditing } from "./relay-requesters.ts";
import { startRuns } from "./runs/start-runs.ts";
import { IN_MEMORY } from "./data-dir.ts";
import { startMesh } from "./start-mesh.ts";
import { startStats } from "./stats/start-stats.ts";
import { UndoStack } from "./undo-stack.ts";
import { Upkeep } from "./upkeep.ts";

/** A relay that runs in this process. */
export interface Relay {
  /** Where clients reach it, as in "http://127.0.0.1:8787". */
  readonly url: string;
  readonly port: number;
  readonly origin: string;
  readonly asset: string;
  /** Its identity in the mesh. */
  readonly peer: PeerId;
  readonly books: Books;
  /** What was measured of its providers. */
  readonly capability: CapabilityDesk;
  /** Which of its providers may have one owner. */
  readonly owners: Owners;
  /** Answers nothing more and gives the data folder up. Idempotent. */
  stop(): Promise<void>;
}

export interface RelayPorts {
  /** Makes the gateway's requester, which relays cannot do by themselves. Default: the relay has no gateway. */
  readonly gateway?: GatewayFactory;
  /** Runs plans for deployments, which relays cannot do by themselves. Default: the relay deploys nothing. */
  readonly plans?: PlanRequesterFactory;
  /** Has outcomes computed by other providers, which relays cannot do by themselves. Default: the relay computes all of them. */
  readonly auditor?: AuditorFactory;
  /** Default: pino to standard output, at the configured level. */
  readonly log?: Logger;
  /** Milliseconds since 1970. */
  readonly nowMs?: () => number;
}

/** What the steps of a start share. */
interface Start {
  readonly config: RelayConfig;
  readonly undo: UndoStack;
  readonly log: Logger;
  readonly nowMs: () => number;
  readonly gateway: GatewayFactory | undefined;
  readonly auditor: AuditorFactory | undefined;
  readonly plans: PlanRequesterFactory | undefined;
  readonly data: RelayData;
  readonly port: OpenPort;
  readonly url: string;
  readonly mesh: RelayMesh;
  readonly offers: LiveOffers;
  readonly events: AccountEvents;
  readonly blobs: BlobFolder;
  readonly metrics: RelayMetrics;
  readonly upkeep: Upkeep;
  readonly owners: Owners;
  readonly capability: CapabilityDesk;
}

/**
 * Starts a relay: data, port, mesh, then everything that answers.
 * @throws Error when the folder is held by another process, the port is taken, or the data is damaged.
 */
export async function startRelay(config: RelayConfig, ports: RelayPorts = {}): Promise<Relay> {
  const undo = new UndoStack();
  const log = ports.log ?? pino({ level: config.logLevel });
  const nowMs = ports.nowMs ?? Date.now;
  try {
    const { gateway, auditor, plans } = ports;
    const start = await begin(config, undo, log, nowMs, {
      gateway: config.gateway ? gateway : undefined,
      auditor,
      plans,
    });
    await answer(start);
    const { data, url, port, mesh } = start;
    const { origin, asset } = data.books;
    log.info({ url, origin, asset, peer: mesh.peerId, loopback: isLoopbackRelay(config) }, "relay runs");
    return {
      url,
      port: port.port,
      origin,
      asset,
      peer: parsePeerId(mesh.peerId),
      books: data.books,
      capability: start.capability,
      owners: start.owners,
      stop: async () => {
        await undo.run();
        log.info({ origin }, "relay has stopped");
      },
    };
  } catch (error) {
    await undo.run().catch(() => undefined);
    throw error;
  }
}

async function begin(
  config: RelayConfig,
  undo: UndoStack,
  log: Logger,
  nowMs: () => number,
  factories: Pick<Start, "auditor" | "gateway" | "plans">,
): Promise<Start> {
  const data = await openData({
    dataDir: config.dataDir,
    origin: config.origin,
    asset: config.asset,
    tariff: config.tariff,
    audit: config.auditPolicy,
    nowMs,
  });
  undo.push(() => data.close());
  const { books } = data;
  const blobs = await BlobFolder.open(data.blobFolder, config.blobCapBytes, nowMs);
  await blobs.put(books.policy, new Blob([policyDocument(config.auditPolicy)]).stream());
  const port = await listen(config.host, config.port);
  undo.push(() => port.stop());
  const url = config.publicUrl ?? `http://${hostPart(config.host)}:${port.port}`;
  const owners = openOwners(config, data, url, nowMs);
  undo.push(() => owners.close());
  const mesh = await startMesh(config, data.meshSeed, url, owners, nowMs);
  undo.push(() => mesh.stop());
  const capability = openCapability(books, log, nowMs);
  const offers = new LiveOffers(nowMs, (instance) => capability.rates(instance));
  const events = new AccountEvents(books);
  undo.push(() => events.close());
  const upkeep = new Upkeep(books, log, nowMs);
  const metrics = openMetrics({ mesh, offers, books, blobs, events });
  return {
    config,
    undo,
    log,
    nowMs,
    ...factories,
    data,
    port,
    url,
    mesh,
    offers,
    events,
    blobs,
    metrics,
    upkeep,
    owners,
    capability,
  };
}

/** Wires up what answers: offers, HTTP with the mesh on the same port, the operator's socket, upkeep. */
async function answer(start: Start): Promise<void> {
  const { config, undo, log, nowMs, data, port, mesh, offers, events, blobs, metrics, upkeep } = start;
  const { books } = data;
  const isLoopback = isLoopbackRelay(config);
  const authentication = new Authentication(books, nowMs);
  const shared = { books, authentication, offers, metrics, log };
  const limit = new RateLimit(config.identityRate, "identity", nowMs);
  const capBytes = config.modelCapBytes;
  const models = new PublishedModels({ books, authentication, offers, blobs, limit, capBytes, nowMs });
  const gateway = await openGateway(start, models);
  const welcome = createWelcome(
    books,
    isLoopback && isTestAsset(books.asset) ? config.grant : microCredits(0),
  );
  const { auditor, apart } = peerAuditing(start, isLoopback);
  const audits = await startAudits({
    ...shared,
    blobs,
    blobFolder: data.blobFolder,
    limit,
    nowMs,
    threads: config.auditThreads,
    ...(auditor === undefined ? {} : { auditor, apart }),
    tariff: config.tariff,
    capability: (peer) => start.capability.capabilityView(peer),
  });
  undo.push(() => audits.stop());
  const settings = alertSettings(config, data.paths, start.url);
  const alerts = startAlerts({ ...shared, ...settings, welcome, limit, nowMs });
  undo.push(() => alerts.stop());
  const runs = startRuns({
    ...shared,
    mailPath: data.paths?.runs ?? IN_MEMORY,
    namesPath: data.paths?.names ?? IN_MEMORY,
    blobs,
    welcome,
    limit,
    calling: settings.calling,
    self: parsePeerId(mesh.peerId),
    nowMs,
  });
  undo.push(() => runs.stop());
  const effects = await startEffects({ ...shared, config, data, limit, nowMs });
  undo.push(() => effects.stop());
  const deployments = await openDeployments(start, {
    ...shared,
    blobs,
    models,
    limit,
    leadsTo: (name) => meaningOf(runs.names.resolve(name)),
    sameOwner: (a, b) => start.owners.sameOwner(a, b),
  });
  const stats = startStats(start);
  undo.push(() => stats.stop());
  const watch = new LeaseWatch((instance) => offers.find(instance) !== undefined);
  await answerOffers(start, {
    ...shared,
    onQuiet: (instance) => watch.quiet(instance),
    onPong: (instance, ms, links) => {
      offers.heard(instance, ms);
      stats.stats.answered(instance, ms, links);
    },
  });
  undo.push(
    mesh.handle(WATCH_PROTOCOL, (stream) => void new WatchStream(stream, watch), { maxStreamsPerPeer: 2 }),
  );
  undo.push(books.onCommit(releaseSettled(offers, metrics)));
  const http = createHttp({
    info: () => ({
      ...relayInfo(config, books, parsePeerId(mesh.peerId), mesh.addresses(), nowMs(), gateway?.identity),
      randomnessKey: effects.desk.randomnessKey,
    }),
    health: () => lookAtHealth(upkeep, mesh, data.blobFolder, nowMs),
    books,
    jobs: new JobDesk({
      ...shared,
      watch,
      runs: runs.desk,
      tariff: config.tariff,
      isLoopback,
      apart,
      sameOwner: (a, b) => start.owners.sameOwner(a, b),
      welcome,
      limit,
      ...(gateway === undefined ? {} : { gateway: gateway.identity }),
      nowMs,
    }),
    reports: new ReportDesk({ ...shared, limit }),
    audits: audits.desk,
    events,
    alerts: alerts.desk,
    runs,
    effects: effects.desk,
    ...(deployments === undefined ? {} : { deployments }),
    ...(config.ingressOrigin === undefined ? {} : { ingressOrigin: config.ingressOrigin }),
    stats: stats.stats,
    blobs,
    models,
    authentication,
    welcome,
    limit,
    nowMs,
    ...(gateway === undefined ? {} : { gateway }),
    metrics,
    log,
    proxies: parseNetworks(config.trustedProxies),
    metricsFrom: parseNetworks(config.metricsFrom),
    addressLimit: new RateLimit(config.addressRate, "address", nowMs),
    ...(config.staticDir === undefined ? {} : { staticDir: config.staticDir }),
  });
  if (data.paths !== undefined)
    undo.push(
      await openControl(data, log, async ({ value }) => {
        offers.drop(value);
        await models.drop(value);
        if (isCid(value)) await blobs.remove(value);
      }),
    );
  upkeep.start();
  undo.push(() => upkeep.stop());
  port.answer(http, (request, socket, head) => mesh.handleUpgrade(request, socket, head));
}
