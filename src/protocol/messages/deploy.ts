import type { Cid } from "../cid.ts";
import type { MessageType } from "../envelope.ts";
import { type Header, headerFields } from "../header.ts";
import {
  ALERT_SECRET_BYTES,
  MAX_DEPLOY_PARAMS_BYTES,
  MAX_REPLICAS,
  MAX_TRIGGERS,
  MIN_INTERVAL_MS,
} from "../limits.ts";
import type { PeerId } from "../peer-id.ts";
import {
  amount,
  bool,
  cid,
  exactBytes,
  list,
  oneOf,
  optional,
  peer,
  record,
  type Schema,
  text,
  uint,
  where,
} from "../schema.ts";
import type { MicroCredits } from "../units.ts";

/**
 * What starts a run by itself. `cron`: times of the clock of a time zone; `interval`: every so often since it was deployed;
 * `webhook`: a call with the right signature; `run`: a run of a plan by the same owner has ended; `name`: a registered name
 * leads elsewhere; `log`: a contract has logged an event; `peer`: a peer has come.
 */
export const TRIGGER_KINDS = ["cron", "interval", "webhook", "run", "name", "log", "peer"] as const;
export type TriggerKind = (typeof TRIGGER_KINDS)[number];

/**
 * What becomes of times that passed while nobody looked. `skip`: nothing; `once`: one firing for all of them, the newest;
 * `all`: each of them, oldest first.
 */
export const MISSED_POLICIES = ["skip", "once", "all"] as const;
export type MissedPolicy = (typeof MISSED_POLICIES)[number];

/** One trigger of a deployment, as it is signed: exactly the fields of its kind. */
export interface TriggerTerms {
  /** Tells the triggers of a deployment apart: small letters, digits and "-". */
  readonly id: string;
  readonly kind: TriggerKind;
  readonly missed: MissedPolicy;
  /** For `cron`: five or six fields, and an IANA time zone. */
  readonly cron?: string;
  readonly zone?: string;
  /** For `interval`. */
  readonly everyMs?: number;
  /** For `webhook`: key of the calls' signatures, as in alert. */
  readonly secret?: Uint8Array;
  /** For `run`. */
  readonly plan?: Cid;
  /** For `name`. */
  readonly name?: string;
  /** For `log`: a chain (CAIP-2), a contract's address, and the event's topic; the last absent for all events. */
  readonly chain?: string;
  readonly address?: string;
  readonly topic?: string;
  /** For `peer`: its root identity; absent for any. */
  readonly peer?: PeerId;
}

type TriggerField = Exclude<keyof TriggerTerms, "id" | "kind" | "missed">;

const FIELDS: Readonly<
  Record<TriggerKind, { must: readonly TriggerField[]; may?: readonly TriggerField[] }>
> = {
  cron: { must: ["cron", "zone"] },
  interval: { must: ["everyMs"] },
  webhook: { must: ["secret"] },
  run: { must: ["plan"] },
  name: { must: ["name"] },
  log: { must: ["chain", "address"], may: ["topic"] },
  peer: { must: [], may: ["peer"] },
};

function hasItsFields(terms: TriggerTerms): boolean {
  const { id: _id, kind, missed: _missed, ...given } = terms;
  const { must, may = [] } = FIELDS[kind];
  const present = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  const allowed = new Set<string>([...must, ...may]);
  return must.every((name) => given[name] !== undefined) && present.every((name) => allowed.has(name));
}

/** Names of deployments and their triggers stand in addresses. */
const SLUG = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/u;

export function isDeploymentName(name: unknown): name is string {
  return typeof name === "string" && SLUG.test(name);
}

const slug: Schema<string> = where(text(63), isDeploymentName, "is not of small letters, digits and hyphens");
const address: Schema<string> = where(
  text(42),
  (value) => /^0x[0-9a-f]{40}$/u.test(value),
  "is no address of a contract in small letters",
);
const topic: Schema<string> = where(
  text(66),
  (value) => /^0x[0-9a-f]{64}$/u.test(value),
  "is no topic of 32 bytes in small letters",
);

export const triggerSchema: Schema<TriggerTerms> = where(
  record<TriggerTerms>({
    id: slug,
    kind: oneOf(TRIGGER_KINDS),
    missed: oneOf(MISSED_POLICIES),
    cron: optional(text(128)),
    zone: optional(text(64)),
    everyMs: optional(where(uint(), (ms) => ms >= MIN_INTERVAL_MS, `is less than ${MIN_INTERVAL_MS} ms`)),
    secret: optional(exactBytes(ALERT_SECRET_BYTES)),
    plan: optional(cid),
    name: optional(text(128)),
    chain: optional(text(64)),
    address: optional(address),
    topic: optional(topic),
    peer: optional(peer),
  }),
  hasItsFields,
  "trigger has exactly the fields of its kind",
);

/**
 * An account has the relay keep a plan ready and run it when something happens, at its expense. Signed by the owner's root
 * identity itself. The relay keeps it to itself: nothing of it is logged. Its CID names this version of the deployment.
 */
export interface Deploy extends Header {
  /** Who pays. */
  readonly owner: PeerId;
  /** What it is called at this relay: first come, first served. */
  readonly name: string;
  /** Rises with each version. */
  readonly version: number;
  readonly plan: Cid;
  /** JSON object: parameters that are the same for every run; callers and events give the others. */
  readonly params: string;
  /** Owners that are to be ready for it at any time, at least. */
  readonly replicas: number;
  readonly triggers: readonly TriggerTerms[];
  /** Whether anybody may call it over HTTP. */
  readonly open: boolean;
  /** JSON object: parameters of the run that shows that it works; absent where only its parts are looked at. */
  readonly health?: string;
  /** CID of the api-key under which the relay's gateway spends the owner's money for it. */
  readonly apiKey: Cid;
  /** The most that one run may cost. */
  readonly budget: MicroCredits;
  /** The most that all its runs of a day (UTC) may cost together. */
  readonly perDay: MicroCredits;
  /** Milliseconds since 1970. */
  readonly issuedAt: number;
}

const paramsText: Schema<string> = text(MAX_DEPLOY_PARAMS_BYTES);

function hasDistinctTriggers({ triggers }: Deploy): boolean {
  return new Set(triggers.map(({ id }) => id)).size === triggers.length;
}

export const deployMessage: MessageType<Deploy> = {
  name: "deploy",
  schema: where(
    record<Deploy>({
      ...headerFields,
      owner: peer,
      name: slug,
      version: uint(),
      plan: cid,
      params: paramsText,
      replicas: where(uint(MAX_REPLICAS), (count) => count > 0, "is none"),
      triggers: list(triggerSchema, MAX_TRIGGERS),
      open: bool,
      health: optional(paramsText),
      apiKey: cid,
      budget: amount,
      perDay: amount,
      issuedAt: uint(),
    }),
    hasDistinctTriggers,
    "names each trigger once",
  ),
};

/** What an owner may ask about its deployments. */
export const DEPLOY_REQUESTS = ["list", "logs", "undeploy"] as const;

/** An owner asks about its deployments: to see them, to read what one has logged, to end one. Signed by its root identity itself. */
export interface DeployRequest extends Header {
  readonly owner: PeerId;
  readonly does: (typeof DEPLOY_REQUESTS)[number];
  /** Absent exactly for `list`. */
  readonly name?: string;
  /** Milliseconds since 1970; of two requests in a row the second is later. */
  readonly issuedAt: number;
}

export const deployRequestMessage: MessageType<DeployRequest> = {
  name: "deploy-request",
  schema: where(
    record<DeployRequest>({
      ...headerFields,
      owner: peer,
      does: oneOf(DEPLOY_REQUESTS),
      name: optional(slug),
      issuedAt: uint(),
    }),
    ({ does, name }) => (does === "list") === (name === undefined),
    "names a deployment exactly where it is about one",
  ),
};
