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

/** Searches as this browser's identity, which pays. @param onEnd told after each search: some of the money may be spent */
export function createSearch(relay: RelayLink, memory: TabMemory, onEnd: () => void): Search {
  const models = signal<Loadable<readonly PublishedModel[]>>(LOADING);
  const phase = signal<SearchPhase>({ kind: "idle" });
  let connection: Promise<Tabmesh> | undefined;
  let current: AbortController | undefined;

  const connected = (): Promise<Tabmesh> => {
    connection ??= joined(relay.url, memory).catch((error: unknown) => {
      connection = undefined;
      throw error;
    });
    return connection;
  };

  const ask = async (question: Question, until: AbortSignal): Promise<Found> => {
    const tabmesh = await connected();
    until.throwIfAborted();
    const made = await tabmesh.embed(question.model, [question.query, ...question.lines], {
      signal: until,
      onProgress: (progress) => {
        if (!until.aborted) phase.value = { kind: "searching", progress };
      },
    });
    return foundIn(question, made);
  };

  const leave = async (): Promise<void> => {
    const left = connection;
    connection = undefined;
    await left?.then((tabmesh) => tabmesh.close()).catch(() => undefined);
  };

  const search = async (question: Question): Promise<void> => {
    if (current !== undefined) return;
    const own = new AbortController();
    current = own;
    phase.value = { kind: "searching", progress: undefined };
    let next: SearchPhase = { kind: "idle" };
    try {
      next = { kind: "found", found: await ask(question, own.signal) };
    } catch (error) {
      if (own.signal.aborted) return;
      // Perhaps it is the connection that does not work.
      await leave();
      next = failed(error);
    } finally {
      // One that was cancelled has said so, and the next may run by now.
      if (current === own) {
        current = undefined;
        phase.value = next;
      }
      onEnd();
    }
  };

  const abort = (why: string): void => {
    current?.abort(new FailureError("cancelled", why));
    current = undefined;
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
      if (current === undefined) return;
      abort("the search was cancelled");
      phase.value = { kind: "cancelled" };
    },
    async close() {
      abort("the page was left");
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
