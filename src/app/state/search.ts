import { type ReadonlySignal, signal } from "@preact/signals";
import { FailureError } from "../../protocol/failure.ts";
import type { TabMemory } from "../../provider/tab-memory.ts";
import {
  connect,
  type Embeddings,
  type JobProgress,
  type PublishedModel,
  rank,
  type Ranked,
  type Tabmesh,
} from "../../sdk/index.ts";
import { failed, type Loadable, LOADING, ready } from "./loadable.ts";
import type { RelayLink } from "./relay-link.ts";

/** What is asked: which of these lines is most like the query. */
export interface Question {
  readonly lines: readonly string[];
  readonly query: string;
  /** Published name. */
  readonly model: string;
}

/** Lines by their likeness to the query, and what it rests on. */
export interface Found {
  readonly question: Question;
  readonly ranked: readonly Ranked[];
  readonly made: Embeddings;
}

export type SearchPhase =
  | { readonly kind: "idle" }
  | { readonly kind: "searching"; readonly progress: JobProgress | undefined }
  | { readonly kind: "found"; readonly found: Found }
  | { readonly kind: "cancelled" }
  | Extract<Loadable<never>, { kind: "failed" }>;

export interface Search {
  /** Models that turn texts into vectors. */
  readonly models: ReadonlySignal<Loadable<readonly PublishedModel[]>>;
  readonly phase: ReadonlySignal<SearchPhase>;
  refreshModels(): Promise<void>;
  /** One at a time. */
  search(question: Question): Promise<void>;
  /** Cancels at the providers; what is not spent is refunded. */
  cancel(): void;
  /** Leaves the mesh. */
  close(): Promise<void>;
}

/** Searches as this browser's identity, which pays. */
export function createSearch(relay: RelayLink, memory: TabMemory, onPaid: () => void): Search {
  const models = signal<Loadable<readonly PublishedModel[]>>(LOADING);
  const phase = signal<SearchPhase>({ kind: "idle" });
  let connection: Promise<Tabmesh> | undefined;
  let abort: AbortController | undefined;

  const connected = (): Promise<Tabmesh> => {
    connection ??= joined(relay.url, memory);
    return connection;
  };

  const search = async (question: Question): Promise<void> => {
    if (abort !== undefined) return;
    const running = new AbortController();
    abort = running;
    phase.value = { kind: "searching", progress: undefined };
    try {
      const tabmesh = await connected();
      running.signal.throwIfAborted();
      const made = await tabmesh.embed(question.model, [question.query, ...question.lines], {
        signal: running.signal,
        onProgress: (progress) => {
          if (!running.signal.aborted) phase.value = { kind: "searching", progress };
        },
      });
      phase.value = { kind: "found", found: foundIn(question, made) };
      onPaid();
    } catch (error) {
      phase.value = running.signal.aborted ? { kind: "cancelled" } : failed(error);
      // Perhaps it is the connection that does not work.
      if (!running.signal.aborted) await leave();
    }
    abort = undefined;
  };

  const leave = async (): Promise<void> => {
    const left = connection;
    connection = undefined;
    await left?.then((tabmesh) => tabmesh.close()).catch(() => undefined);
  };

  return {
    models,
    phase,
    async refreshModels() {
      models.value = LOADING;
      try {
        const all = await (await relay.views()).models();
        models.value = ready(all.filter(({ entry }) => entry === "embed"));
      } catch (error) {
        models.value = failed(error);
      }
    },
    search,
    cancel() {
      if (abort === undefined || abort.signal.aborted) return;
      abort.abort(new FailureError("cancelled", "the search was cancelled"));
      phase.value = { kind: "cancelled" };
    },
    async close() {
      abort?.abort(new FailureError("cancelled", "the page was left"));
      await leave();
    },
  };
}

async function joined(url: string, memory: TabMemory): Promise<Tabmesh> {
  const { seed } = await memory.identity.ensure();
  return connect({ relay: url, seed, pins: memory.relays });
}

function foundIn(question: Question, made: Embeddings): Found {
  const [query, ...vectors] = made.vectors;
  return { question, made, ranked: query === undefined ? [] : rank(query, vectors) };
}
