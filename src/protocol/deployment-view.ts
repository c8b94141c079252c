import { sha256 } from "@noble/hashes/sha2.js";
import { toHex } from "./bytes.ts";
import type { Cid } from "./cid.ts";
import {
  jsonAmount,
  jsonBool,
  jsonCid,
  jsonList,
  jsonOneOf,
  jsonPeer,
  jsonRecord,
  type JsonShape,
  jsonText,
  jsonUint,
  optionalJson,
} from "./json-shape.ts";
import { MAX_DEPLOYMENTS_PER_ACCOUNT, MAX_REPLICAS, MAX_TRIGGERS } from "./limits.ts";
import { TRIGGER_KINDS, type TriggerKind } from "./messages/deploy.ts";
import type { PeerId } from "./peer-id.ts";
import { encodeUtf8 } from "./text.ts";
import type { MicroCredits } from "./units.ts";

/**
 * How a deployment stands. `ready`: as many owners as it asks for are there; `thin`: fewer; `checking`: its first version is being
 * tried, and nothing runs yet; `failed`: that version did not work.
 */
export const DEPLOYMENT_STATES = ["checking", "ready", "thin", "failed"] as const;
export type DeploymentState = (typeof DEPLOYMENT_STATES)[number];

/** A provider that stands ready for a deployment. */
export interface ReplicaView {
  readonly provider: PeerId;
  /** Milliseconds since 1970, by the relay's clock, as all times here. */
  readonly since: number;
  /** Whether it is there, and did well in its last health check. */
  readonly healthy: boolean;
}

export interface TriggerView {
  readonly id: string;
  readonly kind: TriggerKind;
  /** What it waits for, in words. */
  readonly words: string;
  /** When it fires next, for those of the clock. */
  readonly next?: number;
  /** Firings that have not ended. */
  readonly waiting: number;
}

/** A deployment, as the relay shows it to its owner. */
export interface DeploymentView {
  readonly name: string;
  readonly owner: PeerId;
  /** The version that runs, and CID of its message. */
  readonly version: number;
  readonly deployment: Cid;
  readonly plan: Cid;
  readonly state: DeploymentState;
  /** A version that is being tried while this one runs. */
  readonly trying?: number;
  readonly replicas: readonly ReplicaView[];
  readonly wanted: number;
  readonly triggers: readonly TriggerView[];
  readonly open: boolean;
  readonly budget: MicroCredits;
  readonly perDay: MicroCredits;
  /** Spent today (UTC) or set aside for runs under way. */
  readonly today: MicroCredits;
  readonly created: number;
  /** Runs that have ended, and how many of them failed. */
  readonly runs: number;
  readonly failed: number;
}

/** What happened to a deployment. */
export const LOG_KINDS = ["version", "replica", "fired", "called", "ended", "trouble"] as const;
export type LogKind = (typeof LOG_KINDS)[number];

/** One line of a deployment's log. Each names the one before it, so that none can be changed or left out later. */
export interface LogLine {
  /** 0, 1, … */
  readonly seq: number;
  readonly time: number;
  readonly kind: LogKind;
  readonly words: string;
  readonly run?: Cid;
  /** Micro-credits, where something was paid. */
  readonly cost?: MicroCredits;
  /** Hash of the line before it, hex; of the first one FIRST_LINE. */
  readonly prev: string;
}

/** What stands before the first line. */
export const FIRST_LINE: string = "0".repeat(64);

export const MAX_LOG_WORDS = 1_024;
/** Lines of one answer. */
export const MAX_LOG_LINES = 1_000;

const nameJson: JsonShape<string> = jsonText(63);

const replicaViewJson: JsonShape<ReplicaView> = jsonRecord<ReplicaView>({
  provider: jsonPeer,
  since: jsonUint(),
  healthy: jsonBool,
});

const triggerViewJson: JsonShape<TriggerView> = jsonRecord<TriggerView>({
  id: nameJson,
  kind: jsonOneOf(TRIGGER_KINDS),
  words: jsonText(512),
  next: optionalJson(jsonUint()),
  waiting: jsonUint(),
});

export const deploymentViewJson: JsonShape<DeploymentView> = jsonRecord<DeploymentView>({
  name: nameJson,
  owner: jsonPeer,
  version: jsonUint(),
  deployment: jsonCid,
  plan: jsonCid,
  state: jsonOneOf(DEPLOYMENT_STATES),
  trying: optionalJson(jsonUint()),
  replicas: jsonList(replicaViewJson, 4 * MAX_REPLICAS),
  wanted: jsonUint(),
  triggers: jsonList(triggerViewJson, MAX_TRIGGERS),
  open: jsonBool,
  budget: jsonAmount,
  perDay: jsonAmount,
  today: jsonAmount,
  created: jsonUint(),
  runs: jsonUint(),
  failed: jsonUint(),
});

export const deploymentViewsJson: JsonShape<readonly DeploymentView[]> = jsonList(
  deploymentViewJson,
  MAX_DEPLOYMENTS_PER_ACCOUNT,
);

export const logLineJson: JsonShape<LogLine> = jsonRecord<LogLine>({
  seq: jsonUint(),
  time: jsonUint(),
  kind: jsonOneOf(LOG_KINDS),
  words: jsonText(MAX_LOG_WORDS),
  run: optionalJson(jsonCid),
  cost: optionalJson(jsonAmount),
  prev: jsonText(64),
});

export const logLinesJson: JsonShape<readonly LogLine[]> = jsonList(logLineJson, MAX_LOG_LINES);

/** What a call of a webhook came to. */
export interface HookView {
  /** What tells it from others: its `webhook-id`. */
  readonly event: string;
  /** Whether it starts a run: the same event does so once. */
  readonly fresh: boolean;
}

/** SHA-256, hex, over the text "tabmesh/deployment-log/1", the deployment's name and the line's fields, each as JSON in a list. */
export function logLineHash(
  deployment: string,
  { seq, time, kind, words, run, cost, prev }: LogLine,
): string {
  const fields = [prev, seq, time, kind, words, run ?? null, cost === undefined ? null : `${cost}`];
  return toHex(sha256(encodeUtf8(JSON.stringify(["tabmesh/deployment-log/1", deployment, ...fields]))));
}

/**
 * Whether lines follow one another. @param lines without gaps, of any part of a log
 * @returns the first line that does not fit the one before it; undefined where all do
 */
export function brokenLine(deployment: string, lines: readonly LogLine[]): LogLine | undefined {
  return lines.find((line, place) => {
    const before = lines[place - 1];
    if (before === undefined) return line.seq === 0 && line.prev !== FIRST_LINE;
    return line.seq !== before.seq + 1 || line.prev !== logLineHash(deployment, before);
  });
}
