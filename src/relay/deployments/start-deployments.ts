import { randomUUID } from "node:crypto";
import { webcrypto } from "node:crypto";
import type { Logger } from "pino";
import { signerFromSeed } from "../../protocol/ed25519.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { Authentication } from "../authenticate.ts";
import type { BlobFolder } from "../blob-folder.ts";
import type { Books } from "../books.ts";
import type { DataPaths } from "../data-dir.ts";
import { IN_MEMORY } from "../data-dir.ts";
import type { PublishedModels } from "../models/publish/published-models.ts";
import type { LiveOffers } from "../offers/live-offers.ts";
import { RateLimit } from "../rate-limit.ts";
import { LEASE_MS, TURN_MS } from "../schedule/limits.ts";
import { Schedule } from "../schedule/schedule.ts";
import { ScheduleRows } from "../schedule/schedule-rows.ts";
import { chainLogs, type ChainOf } from "./chain-logs.ts";
import { CallDesk } from "./call-desk.ts";
import { DeploymentDesk } from "./deployment-desk.ts";
import { DeploymentLog } from "./deployment-log.ts";
import { DeploymentRows } from "./deployment-rows.ts";
import { DeploymentRuns } from "./deployment-runs.ts";
import { Deployments } from "./deployments.ts";
import { EventSources, type EventSourcesParts } from "./event-sources.ts";
import { firing } from "./fire.ts";
import { CALL_RATE, KEEP_MS } from "./limits.ts";
import type { PlanRequesterFactory } from "./plan-requester.ts";
import { ReplicaKeeper } from "./replica-keeper.ts";

const HOUR_MS = 3_600_000;

export interface DeploymentsGround {
  /** Absent in memory. */
  readonly paths: Pick<DataPaths, "deployments" | "schedule"> | undefined;
  readonly books: Books;
  readonly authentication: Authentication;
  readonly offers: LiveOffers;
  readonly blobs: BlobFolder;
  readonly models: PublishedModels;
  readonly limit: RateLimit;
  readonly sameOwner: (a: PeerId, b: PeerId) => boolean;
  readonly leadsTo: EventSourcesParts["leadsTo"];
  /** Makes the requester. */
  readonly plans: PlanRequesterFactory;
  /** Origin of this relay's own HTTP server, as reached from this machine. */
  readonly relay: string;
  /** Seed of the gateway's identity. */
  readonly seed: Uint8Array;
  readonly chainOf: ChainOf;
  readonly log: Logger;
  readonly nowMs: () => number;
}

/** Deployments of a relay that runs. */
export interface RunningDeployments {
  readonly desk: DeploymentDesk;
  readonly calls: CallDesk;
  /** The gateway's identity: whom api-keys of deployments are for. */
  readonly identity: PeerId;
  /** One look at everything: what is due, who stands ready, what happened. */
  turn(): void;
  /** Idempotent. */
  stop(): Promise<void>;
}

/** Goes on with what was deployed, and with firings that waited. */
export async function startDeployments(ground: DeploymentsGround): Promise<RunningDeployments> {
  const { books, blobs, log: lines, nowMs, offers, paths } = ground;
  const rows = new DeploymentRows(paths?.deployments ?? IN_MEMORY);
  const firings = new ScheduleRows(paths?.schedule ?? IN_MEMORY);
  const { key: identity } = await signerFromSeed(webcrypto.subtle, ground.seed);
  const requester = ground.plans({ relay: ground.relay, seed: ground.seed });
  const log = new DeploymentLog(rows, nowMs);
  const runs = new DeploymentRuns({ books, rows, log, requester, lines, nowMs });
  const replicas = new ReplicaKeeper({
    offers,
    sameOwner: ground.sameOwner,
    isDenied: (provider) => books.denied("peer", provider) !== undefined,
    runs,
    log,
    nowMs,
  });
  const find: Deployments["find"] = (name) => deployments.find(name);
  const schedule = new Schedule({
    rows: firings,
    fire: firing({ deployments: { find }, runs, log, endOf: (run) => books.runs.run(run)?.end?.status }),
    // Firings of one that has ended are ended when they are taken.
    ownerOf: (name) => find(name)?.owner ?? "",
    holder: randomUUID(),
    leaseMs: LEASE_MS,
    log: lines,
    nowMs,
  });
  const deployments = new Deployments({
    rows,
    log,
    blobs,
    runs,
    replicas,
    setTriggers: (name, triggers) => {
      schedule.setTriggers(name, triggers);
      // What is so now is no event; what happens from here on is.
      sources.turn();
    },
    lines,
    nowMs,
  });
  await deployments.open();
  const sources = new EventSources({
    books,
    offers,
    rows: firings,
    deployments,
    leadsTo: ground.leadsTo,
    chains: chainLogs(ground.chainOf),
    lines,
    nowMs,
  });
  const keep = (): void => {
    deployments.turn();
    sources.turn();
  };
  const timers = [
    setInterval(() => schedule.turn(), TURN_MS),
    setInterval(keep, KEEP_MS),
    setInterval(() => {
      rows.forget(nowMs());
      firings.forget(nowMs());
    }, HOUR_MS),
  ];
  for (const timer of timers) timer.unref();
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    for (const timer of timers) clearInterval(timer);
    log.close();
    // Runs of events are left for the next start; whatever goes on besides ends with the requester.
    await schedule.stop();
    await Promise.all([deployments.stop(), requester.close(), sources.stop()]);
    await runs.settled();
    rows.close();
    firings.close();
  };
  const { authentication, limit, models } = ground;
  return {
    desk: new DeploymentDesk({
      books,
      authentication,
      rows,
      firings,
      deployments,
      runs,
      log,
      blobs,
      models,
      limit,
      nowMs,
    }),
    calls: new CallDesk({
      deployments,
      runs,
      log,
      firings,
      limit: new RateLimit(CALL_RATE, "deployment", nowMs),
      nowMs,
    }),
    identity,
    turn() {
      keep();
      schedule.turn();
    },
    stop: () => (stopped ??= stop()),
  };
}
