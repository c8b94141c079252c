import { randomBytes } from "node:crypto";
import type { Logger } from "pino";
import { toHex } from "../../protocol/bytes.ts";
import type { Cid } from "../../protocol/cid.ts";
import { failureCode, type FailureName } from "../../protocol/failure-code.ts";
import { FailureError } from "../../protocol/failure.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { microCredits } from "../../protocol/units.ts";
import type { Books } from "../books.ts";
import { requireServed } from "../denials.ts";
import type { DeploymentLog } from "./deployment-log.ts";
import type { DeploymentRows } from "./deployment-rows.ts";
import type { Deployment, Version } from "./kept-deployment.ts";
import { NO_PROVIDER_MS, RUN_MS } from "./limits.ts";
import type { PlanRequester, StartedRun } from "./plan-requester.ts";
import { runParams, type RunInput } from "./run-params.ts";

const DAY_MS = 86_400_000;
const NONCE_BYTES = 16;

export interface DeploymentRunsParts {
  readonly books: Pick<Books, "account" | "apiKeys" | "denied">;
  readonly rows: DeploymentRows;
  readonly log: DeploymentLog;
  readonly requester: PlanRequester;
  readonly lines: Pick<Logger, "info" | "error">;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
}

/** One run of a deployment. */
export interface RunOrder {
  readonly deployment: Deployment;
  readonly version: Version;
  readonly input: RunInput;
  /** JSON object of the owner's that counts before the deployment's own parameters. */
  readonly first?: string;
  /** For the log, as in "its trigger often fired". */
  readonly why: string;
  /** Default: it was called. */
  readonly kind?: "called" | "fired";
  /** 16 bytes and a time: the same for the same run. Default: drawn, and now. */
  readonly nonce?: Uint8Array;
  readonly issuedAt?: number;
  /** A run that was begun before, and is to go on. */
  readonly continues?: Cid;
  readonly providers?: readonly PeerId[];
  readonly noProviderTimeoutMs?: number;
}

/** Failures of the relay and of what it reaches others by: the same run may do well in a moment. */
const PASSING: ReadonlySet<number> = new Set(
  (
    [
      "draining",
      "disconnected",
      "unreachable",
      "timed-out",
      "relay-fault",
    ] as const satisfies readonly FailureName[]
  ).map(failureCode),
);

/** Whether a run came to nothing for a reason that lies neither with its plan nor with its owner. */
export function isPassing(error: unknown): boolean {
  return !(error instanceof FailureError) || PASSING.has(error.code);
}

/** Whether a run goes on elsewhere, or after the next start of the relay. */
function isLeft({ reason }: AbortSignal): boolean {
  return reason instanceof FailureError && reason.code === failureCode("draining");
}

export function failureWords(error: unknown): string {
  return error instanceof FailureError ? error.detail : "the relay failed";
}

/** Starts runs at their owners' expense, and keeps count of what they cost. */
export class DeploymentRuns {
  readonly #parts: DeploymentRunsParts;
  /** Runs whose cost is not known yet. */
  readonly #settling = new Set<Promise<void>>();

  constructor(parts: DeploymentRunsParts) {
    this.#parts = parts;
  }

  /** Spent today or set aside. */
  today(name: string): ReturnType<DeploymentRows["spent"]> {
    return this.#parts.rows.spent(name, dayOf(this.#parts.nowMs()), "");
  }

  /**
   * @throws FailureError `malformed` for parameters, `insufficient-funds` beyond what a day, the key or the account allows, `key-revoked`,
   * `denied`, and why the run could not be started
   */
  async start(order: RunOrder, signal: AbortSignal): Promise<StartedRun> {
    const { rows, log, requester, nowMs } = this.#parts;
    const { deployment, version, why, first, input } = order;
    const { terms, plan } = version;
    const fixed = first === undefined ? [terms.params] : [first, terms.params];
    const params = runParams(plan, fixed, input);
    const nonce = order.nonce ?? randomBytes(NONCE_BYTES);
    const key = toHex(nonce);
    const issuedAt = order.issuedAt ?? nowMs();
    const day = dayOf(issuedAt);
    const available = this.#requireMoney(version, day, key);
    const isNew = rows.reserve(deployment.name, day, key, terms.budget);
    const ends = AbortSignal.any([signal, deployment.ending.signal]);
    let started: StartedRun;
    try {
      started = await requester.start(
        {
          plan,
          params,
          payer: terms.owner,
          apiKey: terms.apiKey,
          available,
          budget: terms.budget,
          nonce,
          issuedAt,
          timeoutMs: RUN_MS,
          noProviderTimeoutMs: order.noProviderTimeoutMs ?? NO_PROVIDER_MS,
          ...(order.continues === undefined ? {} : { continues: order.continues }),
          ...(order.providers === undefined ? {} : { providers: order.providers }),
        },
        ends,
      );
    } catch (error) {
      // A run that was begun before may have cost something.
      if (isNew && order.continues === undefined && !isPassing(error))
        rows.settle(deployment.name, day, key, 0n);
      throw error;
    }
    log.write(deployment.name, order.kind ?? "called", why, { run: started.run });
    this.#settle(deployment.name, day, key, started, ends);
    return started;
  }

  /** Notes how a run ended, for its owner. */
  async ended(name: string, run: StartedRun, error: unknown): Promise<void> {
    const { rows, log } = this.#parts;
    const ok = error === undefined;
    const cost = microCredits(await run.spent);
    rows.ran(name, ok);
    log.write(name, "ended", ok ? "done" : `failed: ${failureWords(error)}`, { run: run.run, cost });
  }

  /** Resolves when the cost of all that has ended is noted. */
  async settled(): Promise<void> {
    await Promise.all(this.#settling);
  }

  /** A run that is left to whoever goes on with it counts for all that it may cost until that one knows. */
  #settle(name: string, day: number, key: string, { spent }: StartedRun, ends: AbortSignal): void {
    const { rows, lines } = this.#parts;
    const noted = spent
      .then((amount) => (isLeft(ends) ? undefined : rows.settle(name, day, key, amount)))
      .catch((error: unknown) => lines.error({ err: error }, "what a run has cost cannot be noted"))
      .finally(() => this.#settling.delete(noted));
    this.#settling.add(noted);
  }

  /** @returns what the key and the account have left */
  #requireMoney({ terms }: Version, day: number, key: string): bigint {
    const { books, rows, nowMs } = this.#parts;
    const { owner, name, budget, perDay, apiKey } = terms;
    requireServed(books, owner, terms.plan);
    const spent = rows.spent(name, day, key);
    if (spent + budget > perDay)
      throw new FailureError(
        "insufficient-funds",
        `of the ${perDay} micro-credits of a day ${spent} are spent, and one run may cost ${budget}`,
      );
    const left = keyLeft(books, owner, apiKey, nowMs());
    if (left < budget)
      throw new FailureError(
        "insufficient-funds",
        `its key has ${left} micro-credits left, and one run may cost ${budget}`,
      );
    const { available } = books.account(owner);
    if (available < budget)
      throw new FailureError(
        "insufficient-funds",
        `the account has ${available} micro-credits, and one run may cost ${budget}`,
      );
    return left < available ? left : available;
  }
}

/** What a key has left. @throws FailureError `key-revoked`, `expired`, `not-found` */
export function keyLeft(books: Pick<Books, "apiKeys">, owner: PeerId, apiKey: Cid, nowMs: number): bigint {
  const key = books.apiKeys(owner).find((each) => each.apiKey === apiKey);
  if (key === undefined) throw new FailureError("not-found", "the account has no such API key");
  if (key.revoked !== undefined)
    throw new FailureError("key-revoked", "the deployment's API key was revoked");
  if (key.expires !== undefined && key.expires <= nowMs)
    throw new FailureError("expired", "the time of the deployment's API key has passed");
  return key.cap > key.used ? key.cap - key.used : 0n;
}

function dayOf(time: number): number {
  return time - (time % DAY_MS);
}
