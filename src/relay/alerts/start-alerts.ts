import type { Logger } from "pino";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { Authentication } from "../authenticate.ts";
import type { Books } from "../books.ts";
import type { RelayConfig } from "../config.ts";
import { type DataPaths, IN_MEMORY } from "../data-dir.ts";
import type { LiveOffers } from "../offers/live-offers.ts";
import { RateLimit } from "../rate-limit.ts";
import { AlertDesk } from "./alert-desk.ts";
import { AlertRows } from "./alert-rows.ts";
import { CALLS_TO_HOST, OUTBOX_MS, TRIALS_OF_ACCOUNT, WATCH_MS } from "./limits.ts";
import { LogWatch } from "./log-watch.ts";
import { Outbox } from "./outbox.ts";
import type { PlaceCallOptions } from "./place-call.ts";
import { ProviderWatch } from "./provider-watch.ts";
import { StandingAlerts } from "./standing-alerts.ts";

export interface AlertsGround {
  /** Of the file that keeps them, or ":memory:". */
  readonly path: string;
  readonly books: Books;
  readonly authentication: Authentication;
  readonly offers: Pick<LiveOffers, "isOffering">;
  readonly welcome: (account: PeerId) => Promise<void>;
  readonly limit: RateLimit;
  readonly calling: PlaceCallOptions;
  /** What people call the relay. */
  readonly relayName: string;
  /** A mailto: or https: URL for operators of push services. */
  readonly contact: string;
  readonly log: Logger;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  readonly random?: () => number;
}

/** Alerts of a relay that runs. */
export interface RunningAlerts {
  readonly desk: AlertDesk;
  /** Looks for providers that have gone. */
  watch(): void;
  /** Makes the calls that are due; resolves when they are over. */
  deliver(): Promise<void>;
  /** Calls under way are not waited for: they are made again. Idempotent. */
  stop(): void;
}

/** What a relay's configuration says of its alerts. @param url where clients reach it */
export function alertSettings(
  { privateWebhooks, name, contact }: Pick<RelayConfig, "privateWebhooks" | "name" | "contact">,
  paths: Pick<DataPaths, "alerts"> | undefined,
  url: string,
): Pick<AlertsGround, "path" | "calling" | "relayName" | "contact"> {
  return {
    path: paths?.alerts ?? IN_MEMORY,
    calling: { allowPrivate: privateWebhooks },
    relayName: name,
    // Push services want to reach somebody: the relay itself, or nobody.
    contact: contact ?? (url.startsWith("https:") ? url : "mailto:operator@relay.invalid"),
  };
}

/** Goes on with what waited, and looks out for what happens from here on. */
export function startAlerts(ground: AlertsGround): RunningAlerts {
  const { books, offers, log, nowMs } = ground;
  const rows = new AlertRows(ground.path);
  const alerts = new StandingAlerts(rows);
  const relay = { name: ground.relayName, origin: books.origin };
  const isOffering = (provider: PeerId): boolean => offers.isOffering(provider);
  const providers = new ProviderWatch({ rows, alerts, isOffering, relay, nowMs });
  const outbox = new Outbox({
    rows,
    calling: ground.calling,
    contact: ground.contact,
    hosts: new RateLimit(CALLS_TO_HOST, "host", nowMs),
    log,
    nowMs,
    random: ground.random ?? Math.random,
    onGone: (id) => {
      alerts.forget(id);
      providers.forget(id);
    },
  });
  const watch = new LogWatch({ books, rows, alerts, relayName: relay.name, nowMs });
  watch.catchUp();
  const stopListening = books.onCommit((commit) => watch.take(commit));
  const timers = [
    setInterval(() => void outbox.turn(), OUTBOX_MS),
    setInterval(() => {
      providers.turn();
      watch.note();
    }, WATCH_MS),
  ];
  for (const timer of timers) timer.unref();
  let isStopped = false;
  return {
    desk: new AlertDesk({
      ...ground,
      rows,
      alerts,
      outbox,
      isOffering,
      trials: new RateLimit(TRIALS_OF_ACCOUNT, "account", nowMs),
      allowPrivate: ground.calling.allowPrivate,
      onRemoved: (id) => providers.forget(id),
    }),
    watch: () => providers.turn(),
    deliver: () => outbox.turn(),
    stop() {
      if (isStopped) return;
      isStopped = true;
      stopListening();
      for (const timer of timers) clearInterval(timer);
      outbox.stop();
      watch.note();
      rows.close();
    },
  };
}
