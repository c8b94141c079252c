import type { Cid } from "../../protocol/cid.ts";
import type {
  DeploymentState,
  DeploymentView,
  LogLine,
  TriggerView,
} from "../../protocol/deployment-view.ts";
import type { Verified } from "../../protocol/envelope.ts";
import { FailureError } from "../../protocol/failure.ts";
import { CLOCK_SKEW_MS, MAX_DEPLOYMENTS_PER_ACCOUNT } from "../../protocol/limits.ts";
import {
  type Deploy,
  deployMessage,
  deployRequestMessage,
  type TriggerTerms,
} from "../../protocol/messages/deploy.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { encode } from "../../protocol/schema.ts";
import { clockTimes, whyNoTimes } from "../../schedule/clock-times.ts";
import type { Authentication } from "../authenticate.ts";
import type { BlobFolder } from "../blob-folder.ts";
import type { Books } from "../books.ts";
import { requireServed } from "../denials.ts";
import type { PublishedModels } from "../models/publish/published-models.ts";
import type { RateLimit } from "../rate-limit.ts";
import type { ScheduleRows } from "../schedule/schedule-rows.ts";
import { calleesOf } from "./choose-replicas.ts";
import type { DeploymentLog, Following } from "./deployment-log.ts";
import type { DeploymentRows } from "./deployment-rows.ts";
import { type DeploymentRuns, keyLeft } from "./deployment-runs.ts";
import type { Deployments } from "./deployments.ts";
import { type Deployment, type Version, versionOf } from "./kept-deployment.ts";
import { MAX_DEPLOYMENTS } from "./limits.ts";
import { readBlob } from "./read-blob.ts";
import { ready } from "./replica-keeper.ts";
import { fieldsOfJson } from "./run-params.ts";

export interface DeploymentDeskParts {
  readonly books: Pick<Books, "apiKeys" | "denied">;
  readonly authentication: Authentication;
  readonly rows: DeploymentRows;
  readonly firings: ScheduleRows;
  readonly deployments: Deployments;
  readonly runs: DeploymentRuns;
  readonly log: DeploymentLog;
  readonly blobs: BlobFolder;
  readonly models: Pick<PublishedModels, "find">;
  /** Messages of one identity. */
  readonly limit: RateLimit;
  readonly nowMs: () => number;
}

/** What an owner is answered. */
export type DeskAnswer =
  | { readonly does: "list"; readonly views: readonly DeploymentView[] }
  | { readonly does: "logs"; readonly name: string }
  | { readonly does: "undeploy" };

/** Deployments, made and looked at by messages that their owners sign. */
export class DeploymentDesk {
  readonly #parts: DeploymentDeskParts;
  /** Requests that were answered while they could be made again, by their ids, with `issuedAt`. */
  readonly #asked = new Map<Cid, number>();

  constructor(parts: DeploymentDeskParts) {
    this.#parts = parts;
  }

  /**
   * The same message again changes nothing.
   * @throws FailureError `bad-signature` unless the owner itself signed it, `expired`, `replayed` for a version that is not higher,
   * `denied` for a name that is another's, `not-found` for a plan or function that the relay does not have, `malformed` for times
   * that never come, `key-revoked`, `insufficient-funds`, `too-large`
   */
  async deploy(envelope: Uint8Array): Promise<DeploymentView> {
    const { authentication, deployments, limit, blobs, nowMs } = this.#parts;
    const message = own(authentication.open(deployMessage, envelope));
    const { body, id } = message;
    limit.take(body.owner);
    const known = deployments.find(body.name);
    if (known?.current?.id === id || known?.next?.id === id) return this.#view(known);
    this.#requireNow(body.issuedAt);
    this.#requireName(body, known);
    this.#requireMoney(body);
    requireTriggers(body);
    requireParams(body);
    requireServed(this.#parts.books, body.owner, body.plan);
    const encoded = encode(deployMessage.schema, body);
    const plan = await readBlob(blobs, body.plan);
    const version = versionOf({ id, body: encoded, since: nowMs() }, plan);
    this.#requireParts(version);
    return this.#view(deployments.propose(body, version, encoded));
  }

  /** @throws FailureError as `deploy`, and `not-found` for a deployment that the account does not have */
  ask(envelope: Uint8Array): DeskAnswer {
    const { authentication, deployments, rows, limit } = this.#parts;
    const { body, id } = own(authentication.open(deployRequestMessage, envelope));
    const { owner, does, name = "" } = body;
    limit.take(owner);
    this.#requireNow(body.issuedAt);
    this.#requireNew(id, body.issuedAt);
    if (does === "list") return { does, views: deployments.of(owner).map((each) => this.#view(each)) };
    if (rows.find(name)?.owner !== owner) throw none(name);
    if (does === "logs") return { does, name };
    const found = deployments.find(name);
    if (found === undefined) throw none(name);
    deployments.end(found);
    return { does };
  }

  lines(name: string, from: number): readonly LogLine[] {
    return this.#parts.log.lines(name, from);
  }

  follow(name: string, from: number): Following {
    return this.#parts.log.follow(name, from);
  }

  #requireNow(issuedAt: number): void {
    if (Math.abs(issuedAt - this.#parts.nowMs()) > CLOCK_SKEW_MS)
      throw new FailureError("expired", "the message is not of now: is this machine's clock right?");
  }

  /** Nobody who has seen a request can make it again. Several may come at once, in any order. */
  #requireNew(id: Cid, issuedAt: number): void {
    if (this.#asked.has(id))
      throw new FailureError("replayed", "deploy-request: the same one was answered already");
    this.#asked.set(id, issuedAt);
    for (const [each, at] of this.#asked) {
      if (at + 2 * CLOCK_SKEW_MS >= this.#parts.nowMs()) break;
      this.#asked.delete(each);
    }
  }

  #requireName({ name, owner, version }: Deploy, known: Deployment | undefined): void {
    const { rows, deployments } = this.#parts;
    const row = rows.find(name);
    if (row !== undefined && row.owner !== owner)
      throw new FailureError("denied", `the name ${name} is another account's`);
    if (row !== undefined && version <= row.version)
      throw new FailureError(
        "replayed",
        `version ${row.version} of ${name} was deployed already: take a higher one`,
      );
    if (known !== undefined) return;
    if (deployments.of(owner).length >= MAX_DEPLOYMENTS_PER_ACCOUNT)
      throw new FailureError(
        "too-large",
        `an account has at most ${MAX_DEPLOYMENTS_PER_ACCOUNT} deployments`,
      );
    if (deployments.size >= MAX_DEPLOYMENTS)
      throw new FailureError("too-large", "this relay keeps no more deployments");
  }

  #requireMoney({ owner, apiKey, budget, perDay }: Deploy): void {
    const { books, nowMs } = this.#parts;
    if (budget > perDay)
      throw new FailureError("malformed", "deploy: one run may cost more than all runs of a day together");
    keyLeft(books, owner, apiKey, nowMs());
  }

  /** Whatever a plan calls must be here, so that any provider can fetch it. */
  #requireParts({ plan }: Version): void {
    const { blobs, models, books } = this.#parts;
    for (const { kind, cid } of calleesOf(plan)) {
      requireServed(books, cid);
      const isHere = kind === "model" ? models.find(cid) !== undefined : blobs.has(cid);
      if (!isHere) throw new FailureError("not-found", `the relay has no ${kind} ${cid}: upload it first`);
    }
  }

  #view(deployment: Deployment): DeploymentView {
    const { rows, runs, firings } = this.#parts;
    const { name, owner, current, next, replicas } = deployment;
    const version = current ?? next;
    const row = rows.find(name);
    if (row === undefined || version === undefined) throw none(name);
    const { terms, id, wanted } = version;
    return {
      name,
      owner,
      version: terms.version,
      deployment: id,
      plan: terms.plan,
      state: stateOf(deployment, wanted),
      ...(current === undefined || next === undefined ? {} : { trying: next.terms.version }),
      replicas: replicas.map(({ provider, since, health }) => ({
        provider,
        since,
        healthy: health === "well",
      })),
      wanted,
      triggers: terms.triggers.map((trigger) => this.#trigger(name, trigger, firings)),
      open: terms.open,
      budget: terms.budget,
      perDay: terms.perDay,
      today: runs.today(name),
      created: row.created,
      runs: row.runs,
      failed: row.failed,
    };
  }

  #trigger(name: string, terms: TriggerTerms, firings: ScheduleRows): TriggerView {
    const row = firings.triggersOf(name).find(({ id }) => id === terms.id);
    const next = row === undefined ? undefined : clockTimes(terms, row.since)?.next(this.#parts.nowMs());
    return {
      id: terms.id,
      kind: terms.kind,
      words: triggerWords(terms),
      ...(next === undefined ? {} : { next }),
      waiting: firings.waiting(name, terms.id),
    };
  }
}

function none(name: string): FailureError {
  return new FailureError("not-found", `this account has no deployment ${name}`);
}

function stateOf(deployment: Deployment, wanted: number): DeploymentState {
  if (deployment.hasFailed) return "failed";
  if (deployment.current === undefined) return "checking";
  return ready(deployment).length < wanted ? "thin" : "ready";
}

/** What a trigger waits for. */
export function triggerWords(terms: TriggerTerms): string {
  switch (terms.kind) {
    case "cron":
      return `${terms.cron} in ${terms.zone}`;
    case "interval":
      return `every ${(terms.everyMs ?? 0) / 1_000} s`;
    case "webhook":
      return "a signed call";
    case "run":
      return `the end of a run of ${terms.plan}`;
    case "name":
      return `a change of ${terms.name}`;
    case "log":
      return `a log of ${terms.address} on ${terms.chain}`;
    case "peer":
      return terms.peer === undefined ? "any peer that comes" : `${terms.peer} coming`;
    default:
      return terms.kind satisfies never;
  }
}

/** Times that never come are told at once. @throws FailureError `malformed` */
function requireTriggers({ triggers }: Deploy): void {
  for (const terms of triggers) {
    const why = whyNoTimes(terms);
    if (why !== undefined) throw new FailureError("malformed", `trigger ${terms.id}: ${why}`);
  }
}

/** @throws FailureError `malformed` */
function requireParams({ params, health }: Deploy): void {
  for (const [name, text] of Object.entries({ params, health })) {
    if (text === undefined) continue;
    try {
      const value: unknown = JSON.parse(text);
      if (JSON.stringify(fieldsOfJson(value)) === JSON.stringify(value)) continue;
    } catch {
      // Said below.
    }
    throw new FailureError("malformed", `deploy: ${name} is no JSON object`);
  }
}

/** Signed by the owner's root identity itself and nobody else. @throws FailureError `bad-signature` */
function own<T extends { readonly owner: PeerId }>({
  message,
  by,
}: {
  readonly message: Verified<T>;
  readonly by: readonly { readonly root: PeerId; readonly session: PeerId }[];
}): Verified<T> {
  const [signer, ...more] = by;
  const { owner } = message.body;
  if (signer?.session !== owner || signer.root !== owner || more.length > 0)
    throw new FailureError("bad-signature", "not signed by the owner's identity itself");
  return message;
}
