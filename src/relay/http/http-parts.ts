import type { Logger } from "pino";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { Cid } from "../../protocol/cid.ts";
import type { RefereeAnswer } from "../../protocol/messages/audit.ts";
import type { LeaseAnswer } from "../../protocol/messages/lease.ts";
import type { Inclusion, ReportAnswer } from "../../protocol/messages/receipt.ts";
import type { JobView, RelayInfo, StandingView } from "../../protocol/relay-api.ts";
import type { AccountEvents } from "../account-events.ts";
import type { AlertDesk } from "../alerts/alert-desk.ts";
import type { BlobFolder } from "../blob-folder.ts";
import type { Books } from "../books.ts";
import type { Networks } from "../client-address.ts";
import type { Authentication } from "../authenticate.ts";
import type { RunningDeployments } from "../deployments/start-deployments.ts";
import type { EffectDesk } from "../effects/effect-desk.ts";
import type { GatewayDesk } from "../gateway/gateway-desk.ts";
import type { RelayMetrics } from "../metrics.ts";
import type { PublishedModels } from "../models/publish/published-models.ts";
import type { RateLimit } from "../rate-limit.ts";
import type { RunningRuns } from "../runs/start-runs.ts";
import type { NetworkStats } from "../stats/network-stats.ts";

/** Requests of requesters; each takes an envelope as it came. */
export interface Jobs {
  open(envelope: Uint8Array): Promise<LeaseAnswer>;
  close(job: Cid, envelope: Uint8Array): Promise<JobView>;
  cancel(lease: Cid, envelope: Uint8Array): Promise<JobView>;
}

export interface Reports {
  report(envelope: Uint8Array): Promise<ReportAnswer>;
  revoke(envelope: Uint8Array): Promise<Inclusion>;
}

/** What providers and requesters say in an audit; each takes an envelope as it came. */
export interface Audits {
  open(envelope: Uint8Array<ArrayBuffer>): Promise<void>;
  dispute(envelope: Uint8Array): Promise<ReportAnswer>;
  reveal(envelope: Uint8Array): Promise<Inclusion>;
  referee(envelope: Uint8Array): Promise<RefereeAnswer>;
  retire(peer: PeerId, envelope: Uint8Array): Promise<Inclusion>;
  standing(peer: PeerId): StandingView;
}

/** Whether the relay can do its work, part by part, for load balancers and people. */
export interface Health {
  readonly ok: boolean;
  readonly books: boolean;
  readonly disk: boolean;
  readonly mesh: boolean;
}

/** What the HTTP interface is made of. */
export interface HttpParts {
  readonly info: () => RelayInfo;
  readonly health: () => Promise<Health>;
  readonly books: Books;
  readonly jobs: Jobs;
  readonly reports: Reports;
  readonly audits: Audits;
  readonly events: AccountEvents;
  readonly alerts: AlertDesk;
  readonly runs: RunningRuns;
  readonly effects: Pick<EffectDesk, "perform">;
  readonly stats: NetworkStats;
  readonly blobs: BlobFolder;
  readonly models: PublishedModels;
  readonly authentication: Authentication;
  /** OpenAI's interface; absent where the relay has none. */
  readonly gateway?: GatewayDesk;
  /** Gives a new account its test credits, or does nothing. */
  readonly welcome: (account: PeerId) => Promise<void>;
  /** Messages of one identity. */
  readonly limit: RateLimit;
  readonly nowMs: () => number;
  readonly metrics: RelayMetrics;
  readonly log: Logger;
  readonly proxies: Networks;
  readonly metricsFrom: Networks;
  readonly addressLimit: RateLimit;
  /** Absent where the relay runs no plans by itself. */
  readonly deployments?: RunningDeployments;
  /** Where deployments are called, when not on the relay's own origin. */
  readonly ingressOrigin?: string;
  /** Folder of the built pages. */
  readonly staticDir?: string;
}
