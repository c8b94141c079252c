import type { RelayContact } from "../ledger/relay-contact.ts";
import type { RelayClient } from "../mesh/relay-client.ts";
import { readBody, seal } from "../protocol/envelope.ts";
import { failureCode, failureKind } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import { header } from "../protocol/header.ts";
import { type Draw, drawMessage, revealMessage } from "../protocol/messages/audit.ts";
import { decodeEntry, decodeEntryOf } from "../protocol/messages/entry.ts";
import { isStreamed } from "../protocol/messages/job.ts";
import { receiptMessage, reportMessage } from "../protocol/messages/receipt.ts";
import type { OutcomeLeaf } from "../protocol/messages/task.ts";
import type { Signer } from "../protocol/signature.ts";
import { KeptOutcomes } from "./kept-outcomes.ts";
import { layOpen, type OutcomeWithInput } from "./lay-open.ts";
import { KEPT_OUTCOME_BYTES, OPENING_RETRY_MS, SECOND_DRAW_MS } from "./limits.ts";
import type { MadeJob } from "./make-job.ts";
import { pause } from "./pause.ts";

export interface SecondDrawParts {
  readonly job: Pick<MadeJob, "id" | "body" | "drawSecret">;
  readonly client: Pick<RelayClient, "reveal" | "entry" | "open" | "hasBlob" | "putBlob">;
  readonly contact: Pick<RelayContact, "info">;
  readonly ports: { readonly signer: Signer };
}

/** Whether somebody who computes it again can say whether it is true. */
function isComputed({ code }: OutcomeLeaf): boolean {
  return code === undefined || failureKind(code).pay === "fuel";
}

function isCode(error: unknown, name: "not-found" | "rate-limited"): boolean {
  return error instanceof FailureError && error.code === failureCode(name);
}

/** Tasks that the provider has signed for in a receipt's entry, known where the requester has signed it as well. */
function tasksSignedFor(entry: Uint8Array): number {
  if (decodeEntry(entry).type !== "receipt") return 0;
  const { receipt } = readBody(reportMessage, decodeEntryOf("receipt", entry).body.envelope);
  return readBody(receiptMessage, receipt).taskCount;
}

/**
 * The requester's share of the draw (rule 3). A relay knows its own secret and could tell a provider what it will draw; what
 * follows from the requester's secret neither of them knows before everything is logged. When the job is over the requester
 * reveals it, and lays open what it has kept of the outcomes that are drawn then. Not of streams: their inputs are what
 * others have said before, and each begins again in the middle.
 */
export class SecondDraw {
  readonly #parts: SecondDrawParts;
  readonly #kept = new KeptOutcomes(KEPT_OUTCOME_BYTES, Math.random);
  readonly #stop = new AbortController();
  #over: Promise<void> = Promise.resolve();

  constructor(parts: SecondDrawParts) {
    this.#parts = parts;
  }

  /** Whether there will be one. */
  get isDue(): boolean {
    const { contact, job } = this.#parts;
    const { work, verify } = job.body;
    return contact.info.auditVersion !== undefined && !isStreamed(work) && verify.disclosure !== "requester";
  }

  /** Takes an outcome that ends its task. */
  keep(outcome: OutcomeWithInput, leaf: OutcomeLeaf): void {
    if (isComputed(leaf)) this.#kept.keep(outcome);
  }

  /** Begins once every lease is reported and the job is closed. Nothing that goes wrong here is a failure of the job. */
  begin(): void {
    if (this.#kept.isEmpty || !this.isDue) return;
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(SECOND_DRAW_MS)]);
    this.#over = this.#draw(signal)
      .catch(() => undefined)
      .finally(() => this.#kept.clear());
  }

  /** Resolves when everything that is drawn and kept is laid open, or cannot be. */
  get over(): Promise<void> {
    return this.#over;
  }

  /** Leaves the rest: what nobody opens is nobody's fault. */
  stop(): void {
    this.#stop.abort(new FailureError("cancelled", "the requester left"));
  }

  async #draw(signal: AbortSignal): Promise<void> {
    const { job, client, ports } = this.#parts;
    const { origin, asset } = job.body;
    const reveal = { ...header(origin, asset), job: job.id, secret: job.drawSecret };
    const { index } = await client.reveal(await seal(revealMessage, reveal, [ports.signer]), signal);
    for await (const draw of this.#draws(index, signal))
      for (const outcome of this.#kept.of(draw.lease, draw.leaves))
        // oxlint-disable-next-line no-await-in-loop -- the relay counts requests
        await this.#open(draw, outcome, signal);
  }

  /** What was drawn with the reveal: the entries behind it, one for each lease of which something is drawn. */
  async *#draws(reveal: number, signal: AbortSignal): AsyncGenerator<Draw> {
    for (let index = reveal + 1; ; index += 1) {
      // oxlint-disable-next-line no-await-in-loop -- until another kind of entry
      const entry = await this.#entry(index, signal);
      if (entry === undefined || decodeEntry(entry).type !== "draw") return;
      const draw = readBody(drawMessage, decodeEntryOf("draw", entry).body.envelope);
      if (draw.source !== "requester") return;
      yield draw;
    }
  }

  /** Nothing beyond the log's end. */
  async #entry(index: number, signal: AbortSignal): Promise<Uint8Array | undefined> {
    try {
      return await this.#parts.client.entry(index, signal);
    } catch (error) {
      if (isCode(error, "not-found")) return undefined;
      throw error;
    }
  }

  /** One that cannot be opened is no reason to leave out the others. */
  async #open({ entryIndex, end }: Draw, outcome: OutcomeWithInput, signal: AbortSignal): Promise<void> {
    const advance = outcome.channel.report()?.advance;
    const entry = await this.#entry(entryIndex, signal);
    if (advance === undefined || entry === undefined) return;
    const taskCount = tasksSignedFor(entry);
    const ports = { client: this.#parts.client, signer: this.#parts.ports.signer, signal };
    for (;;) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- until the relay has room for it
        await layOpen(ports, { entryIndex, count: end, taskCount, advance }, outcome);
        return;
      } catch (error) {
        signal.throwIfAborted();
        if (!isCode(error, "rate-limited")) return;
      }
      // oxlint-disable-next-line no-await-in-loop
      await pause(OPENING_RETRY_MS, signal);
    }
  }
}
