import { decodePlan } from "../../plan/plan-codec.ts";
import type { Plan } from "../../plan/plan.ts";
import type { Cid } from "../../protocol/cid.ts";
import { type Deploy, deployMessage } from "../../protocol/messages/deploy.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { decode } from "../../protocol/schema.ts";
import { needsOf } from "./choose-replicas.ts";
import type { VersionRow } from "./deployment-rows.ts";

/** One version of a deployment, with the plan that it names. */
export interface Version {
  /** CID of the deploy message. */
  readonly id: Cid;
  readonly terms: Deploy;
  readonly plan: Plan;
  /** Since when it runs, or is tried: milliseconds since 1970. */
  readonly since: number;
  /** Owners that are to stand ready: none where every step is its coordinator's own. */
  readonly wanted: number;
}

/** A provider that stands ready. */
export interface Replica {
  readonly provider: PeerId;
  readonly since: number;
  /** When its offer was there last. */
  seen: number;
  /** When it was tried out last; undefined before, or where nothing is tried. */
  checked?: number;
  health: "unknown" | "well" | "ill";
  /** Whether a trial is under way. */
  isChecking: boolean;
}

/** A deployment as the relay looks after it. */
export interface Deployment {
  readonly name: string;
  readonly owner: PeerId;
  current?: Version;
  next?: Version;
  /** Whether its first version did not work. */
  hasFailed: boolean;
  /** When a version's next trial may begin; undefined while one is under way. */
  trialAt: number | undefined;
  replicas: Replica[];
  /** Providers that failed a trial, with when. */
  readonly shunned: Map<PeerId, number>;
  /** Aborted when it ends. */
  readonly ending: AbortController;
}

export function newDeployment(name: string, owner: PeerId): Deployment {
  return {
    name,
    owner,
    hasFailed: false,
    trialAt: 0,
    replicas: [],
    shunned: new Map(),
    ending: new AbortController(),
  };
}

export function termsOf(body: Uint8Array): Deploy {
  return decode(deployMessage.schema, body);
}

/** @param plan encoded, as it is kept among the blobs @throws PlanError */
export function versionOf({ id, body, since }: Omit<VersionRow, "role" | "name">, plan: Uint8Array): Version {
  const terms = termsOf(body);
  const decoded = decodePlan(plan);
  const wanted = needsOf(decoded).abis.size === 0 ? 0 : terms.replicas;
  return { id, terms, plan: decoded, since, wanted };
}
