import type { Decoder, OpenedModel, Overlap } from "../backend.ts";
import { checkTokens } from "../check-tokens.ts";
import type { LlamaPart } from "../model/llama-part.ts";
import type { WasmOptions } from "../wasm/wasm-part.ts";
import { BATCHES_OF_STAGE } from "./limits.ts";
import type { Line } from "./line.ts";
import { buffersOf } from "./messages.ts";
import { copyPart } from "./part-message.ts";
import { StageCalls } from "./stage-calls.ts";

/** A call under way, and where it began. */
interface Flight {
  readonly before: number;
  /** Why it was given up. */
  end?: { readonly reason: unknown };
}

/**
 * One sequence through the stages of a model. Stages are told positions with every batch, so that going back is nothing but
 * another position, and what a batch that was given up has left behind is overwritten.
 */
export class StagedDecoder implements Decoder {
  readonly model: OpenedModel;
  readonly overlap: Overlap;
  readonly #stages: readonly StageCalls[];
  readonly #flights: Set<Flight> = new Set();
  readonly #rows: number;
  #memoryBytes = 0;
  #positions = 0;

  /** @param lines of the stages, in order, none of which has a part yet @param rows that go from stage to stage together */
  constructor(model: OpenedModel, lines: readonly Line[], rows: number) {
    this.model = model;
    this.#rows = rows;
    this.overlap = { calls: BATCHES_OF_STAGE * lines.length + 1, tokens: rows };
    this.#stages = lines.map((line) => new StageCalls(line, (error) => this.#end(error)));
  }

  /** Gives a stage its part. @throws FailureError `no-memory`, `worker-lost` */
  async place(stage: number, source: LlamaPart, { build, mostPositions }: WasmOptions): Promise<void> {
    const { part, buffers } = copyPart(source);
    const answer = await this.#stage(stage).call(
      {
        kind: "open",
        part,
        build: build ?? "fastest",
        mostPositions: Math.min(mostPositions ?? Infinity, part.shape.context),
      },
      buffers,
    );
    if (answer.kind !== "opened") throw new TypeError("a stage has answered with values instead of opening");
    this.#memoryBytes += answer.memoryBytes;
  }

  get positions(): number {
    return this.#positions;
  }

  /** Of all stages. */
  get memoryBytes(): number {
    return this.#memoryBytes;
  }

  async forward(tokens: readonly number[], signal?: AbortSignal): Promise<Int32Array> {
    checkTokens(this.model, this.#positions, tokens);
    return this.#flown(signal, async (flight) => {
      this.#positions += tokens.length;
      const { width } = this.model.shape;
      const hidden = new Int32Array(tokens.length * width);
      const starts = Array.from({ length: Math.ceil(tokens.length / this.#rows) }, (_, i) => i * this.#rows);
      await Promise.all(
        starts.map(async (start) => {
          const batch = tokens.slice(start, start + this.#rows);
          hidden.set(await this.#through(flight, flight.before + start, batch), start * width);
        }),
      );
      return hidden;
    });
  }

  /** A batch through all stages. They keep the order in which batches are begun, for each gives it on at once. */
  async #through(flight: Flight, position: number, tokens: readonly number[]): Promise<Int32Array> {
    let stream = await this.#stage(0).values({
      kind: "tokens",
      position,
      tokens: Int32Array.from(tokens),
    });
    for (const stage of this.#stages.slice(1)) {
      if (flight.end !== undefined) throw flight.end.reason;
      // oxlint-disable-next-line no-await-in-loop -- stage after stage
      stream = await stage.values({ kind: "stream", position, stream }, buffersOf(stream));
    }
    return stream;
  }

  logits(hidden: Int32Array, signal?: AbortSignal): Promise<Int32Array> {
    const copy = hidden.slice();
    return this.#flown(signal, () => this.#last().values({ kind: "logits", hidden: copy }, buffersOf(copy)));
  }

  likeliest(hidden: Int32Array, guesses: readonly number[], signal?: AbortSignal): Promise<Int32Array> {
    const copy = hidden.slice();
    return this.#flown(signal, () =>
      this.#last().values(
        { kind: "likeliest", hidden: copy, guesses: Int32Array.from(guesses) },
        buffersOf(copy),
      ),
    );
  }

  /** A call that ends with the signal, and with which all others end where it fails. */
  async #flown<T>(signal: AbortSignal | undefined, run: (flight: Flight) => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    const flight: Flight = { before: this.#positions };
    const stop = (): void => this.#giveUp(flight, signal?.reason);
    signal?.addEventListener("abort", stop, { once: true });
    this.#flights.add(flight);
    try {
      const result = await run(flight);
      // All of it was there, but its caller has not seen it yet.
      if (flight.end !== undefined) throw flight.end.reason;
      return result;
    } catch (error) {
      this.#giveUp(flight, error);
      throw error;
    } finally {
      signal?.removeEventListener("abort", stop);
      this.#flights.delete(flight);
    }
  }

  /** Ends all calls under way, if this one still is. */
  #giveUp(flight: Flight, reason: unknown): void {
    if (flight.end !== undefined) return;
    for (const each of this.#flights) {
      each.end = { reason };
      this.#positions = Math.min(this.#positions, each.before);
    }
    this.#flights.clear();
    for (const stage of this.#stages) stage.drop(reason);
  }

  #stage(which: number): StageCalls {
    const stage = this.#stages[which];
    if (stage === undefined) throw new RangeError(`no stage ${which}`);
    return stage;
  }

  #last(): StageCalls {
    return this.#stage(this.#stages.length - 1);
  }

  rewind(count: number): void {
    this.#positions = Math.min(count, this.#positions);
  }

  close(): void {
    this.#end(new Error("the decoder is closed"));
  }

  /** Without one of the stages the others are of no use. */
  #end(reason: Error): void {
    this.#memoryBytes = 0;
    for (const stage of this.#stages) stage.close(reason);
  }
}
