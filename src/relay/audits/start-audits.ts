import { join } from "node:path";
import type { Logger } from "pino";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { CapabilityRow } from "../../protocol/relay-api.ts";
import type { Tariff } from "../../protocol/tariff.ts";
import type { Authentication } from "../authenticate.ts";
import type { BlobFolder } from "../blob-folder.ts";
import type { Books } from "../books.ts";
import type { RelayMetrics } from "../metrics.ts";
import type { LiveOffers } from "../offers/live-offers.ts";
import type { RateLimit } from "../rate-limit.ts";
import { AuditDesk } from "./audit-desk.ts";
import { AuditRounds } from "./audit-rounds.ts";
import type { AuditorRequester } from "./auditor-requester.ts";
import { OpeningFolder } from "./opening-folder.ts";
import { type KeptApart, PeerAuditors } from "./peer-auditors.ts";
import { EffectRecomputer } from "./recompute-effect.ts";
import { FunctionRecomputer } from "./recompute-function.ts";
import { ModelRecomputer } from "./recompute-model.ts";
import { standingView } from "./standing-view.ts";
import { WorkContent } from "./work-content.ts";

export interface AuditsGround {
  readonly books: Books;
  readonly blobs: BlobFolder;
  /** Where the blobs are; openings lie beside them. */
  readonly blobFolder: string;
  readonly offers: LiveOffers;
  readonly authentication: Authentication;
  readonly limit: RateLimit;
  readonly metrics: RelayMetrics;
  readonly log: Logger;
  readonly nowMs: () => number;
  /** Functions that are recomputed at a time, at least 1. */
  readonly threads: number;
  /** Has outcomes computed by other providers; absent where the relay computes everything itself. */
  readonly auditor?: AuditorRequester;
  /** Who is kept from auditing whom, for whoever gives leases. */
  readonly apart?: KeptApart;
  /** Chooses who audits; by chance when absent. */
  readonly lot?: () => number;
  /** Openings that may wait at a time; MAX_WAITING when absent. */
  readonly mostWaiting?: number;
  readonly tariff: Tariff;
  readonly capability?: (peer: PeerId) => readonly CapabilityRow[];
}

/** The audits of a relay that runs. */
export interface RunningAudits {
  readonly desk: AuditDesk;
  stop(): Promise<void>;
}

/** Goes on with what was opened before, and takes what comes. */
export async function startAudits(ground: AuditsGround): Promise<RunningAudits> {
  const { books, blobs, offers, tariff, capability, threads, auditor, apart, lot } = ground;
  const content = new WorkContent(blobs);
  const peers =
    auditor === undefined || apart === undefined
      ? undefined
      : new PeerAuditors({ requester: auditor, content, apart, ...(lot === undefined ? {} : { lot }) });
  const rounds = new AuditRounds({
    ...ground,
    folder: new OpeningFolder(join(ground.blobFolder, "openings")),
    content,
    ...(peers === undefined ? {} : { peers }),
    policy: () => books.audits.policy,
    recomputers: {
      function: new FunctionRecomputer(content, threads),
      model: new ModelRecomputer(content),
      effect: new EffectRecomputer(content),
    },
    drop: (provider) => offers.drop(provider),
  });
  const standing = { books, offers, tariff, ...(capability === undefined ? {} : { capability }) };
  await rounds.start();
  return {
    desk: new AuditDesk({ ...ground, rounds, standing: (peer) => standingView(standing, peer) }),
    stop: () => rounds.stop(),
  };
}
