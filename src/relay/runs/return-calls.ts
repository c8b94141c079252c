import { createHash } from "node:crypto";
import type { Logger } from "pino";
import { placeCall, type PlaceCallOptions } from "../alerts/place-call.ts";
import { MAX_CALLS, RETRY_MS } from "../alerts/limits.ts";
import { failureKind } from "../../protocol/failure-code.ts";
import type { Books } from "../books.ts";
import type { RateLimit } from "../rate-limit.ts";
import type { RunStanding } from "../run-books.ts";
import type { ReturnRow, RunMail } from "./run-mail.ts";

export interface ReturnCallsParts {
  readonly books: Books;
  readonly mail: RunMail;
  readonly calling: PlaceCallOptions;
  /** Of accounts. */
  readonly limit: RateLimit;
  readonly log: Logger;
  readonly nowMs: () => number;
}

/** Tells return addresses how their run ended: its CID and that of its result, again until somebody answers 2xx or a day has passed. */
export class ReturnCalls {
  readonly #parts: ReturnCallsParts;
  #running: Promise<void> | undefined;

  constructor(parts: ReturnCallsParts) {
    this.#parts = parts;
  }

  /** Makes the calls that are due; resolves when they are over. */
  turn(): Promise<void> {
    this.#running ??= this.#turn().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #turn(): Promise<void> {
    const { mail, nowMs } = this.#parts;
    await Promise.all(mail.dueReturns(nowMs(), MAX_CALLS).map(async (row) => this.#call(row)));
  }

  async #call({ run: id, attempts }: ReturnRow): Promise<void> {
    const { books, mail, calling, limit, log, nowMs } = this.#parts;
    const run = books.runs.run(id);
    if (run?.end === undefined) {
      mail.noteReturn(id, undefined);
      return;
    }
    // Keys are free: an account's runs do not call a stranger's server as often as somebody likes.
    if (!limit.tryTake(run.terms.payer)) {
      mail.noteReturn(id, nowMs() + (RETRY_MS[0] ?? 0));
      return;
    }
    const body = Buffer.from(JSON.stringify(told(run)));
    const call = { url: run.terms.returnTo, headers: headersOf(id, body), body };
    const { status, words } = await placeCall(call, calling);
    const isTold = status !== undefined && status >= 200 && status < 300;
    const wait = RETRY_MS[attempts];
    if (isTold || wait === undefined) mail.noteReturn(id, undefined);
    else mail.noteReturn(id, nowMs() + wait);
    log.debug({ run: id, words }, "return address called");
  }
}

/** What a return address is told; who wants the value asks the relay for it. */
function told({ id, terms, end, endedAt }: RunStanding): object {
  return {
    run: id,
    plan: terms.plan,
    origin: terms.origin,
    status: end?.status,
    endedAt,
    ...(end?.result === undefined ? {} : { result: end.result }),
    ...(end?.code === undefined ? {} : { code: end.code, failure: failureKind(end.code).name }),
    ...(end?.detail === undefined ? {} : { detail: end.detail }),
  };
}

function headersOf(run: string, body: Uint8Array): Readonly<Record<string, string>> {
  return {
    "content-type": "application/json",
    "user-agent": "tabmesh-relay",
    "tabmesh-run": run,
    "repr-digest": `sha-256=:${createHash("sha256").update(body).digest("base64")}:`,
  };
}
