/* Model files for tests of what runs models: small ones with random weights, whose bytes make every kind of text. */
import { sha256 } from "@noble/hashes/sha2.js";
import {
  decodeModelData,
  encodeModelData,
  type GenerateInput,
  type GenerateSegment,
  generateInputSchema,
  generateSegmentSchema,
} from "../../protocol/messages/model-task.ts";
import { manifestCid, type ModelManifest } from "../../protocol/model-manifest.ts";
import { concatBytes } from "../../protocol/bytes.ts";
import type { Cid } from "../../protocol/cid.ts";
import { quantiseEncoder } from "../convert/float-encoder.ts";
import { quantiseLlama } from "../convert/float-llama.ts";
import { pieceTokenizer, TOKEN_KIND } from "../convert/piece-tokenizer.ts";
import type { LlamaShape } from "../model/llama-model.ts";
import { manifestOf } from "../model/manifest.ts";
import { writeModel } from "../model/model-file.ts";
import { randomLlama } from "../model/random-llama.contract.ts";
import { ODD_ENCODER, randomEncoder } from "../reference/float-encoder.contract.ts";
import type { ModelText } from "../tokenizer/model-text.ts";
import { SPACE } from "../tokenizer/pipelines.ts";
import type { HostPart, HostResult, HostTask, ModelHost } from "./model-host.ts";

/** A model as it comes to a host. */
export interface TestModel {
  readonly cid: Cid;
  readonly manifest: ModelManifest;
  readonly file: Blob;
}

/** Begin and end, some pieces, and all bytes, so that most characters are spread over tokens. */
const PIECES = ["<unk>", "<s>", "</s>", "a", "b", SPACE, "ab", "\u00e9", "\u{1f600}"];
const BYTES = Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, "0")}>`);
const TOKENS = [...PIECES, ...BYTES];

export const WRITER_SHAPE: LlamaShape = {
  width: 32,
  inner: 40,
  layers: 2,
  heads: 2,
  keyHeads: 1,
  headSize: 16,
  vocabulary: TOKENS.length,
  context: 96,
  rotation: "neighbours",
};

export function writerText(chatTemplate?: string, endTokens: readonly number[] = [2]): ModelText {
  const { control, unknown, normal, byte } = TOKEN_KIND;
  const kinds = TOKENS.map((_, id) =>
    id === 0 ? unknown : id < 3 ? control : id < PIECES.length ? normal : byte,
  );
  const scores = TOKENS.map((token) => token.length);
  return {
    tokenizer: pieceTokenizer({ tokens: TOKENS, kinds, scores, unknownToken: 0, prefixSpace: true }),
    beginToken: 1,
    endTokens,
    ...(chatTemplate === undefined ? {} : { chatTemplate }),
  };
}

export interface WriterOptions {
  readonly seed?: number;
  readonly shape?: Partial<LlamaShape>;
  readonly chatTemplate?: string;
  readonly endTokens?: readonly number[];
}

/** A model that continues texts. */
export function writerModel({
  seed = 6,
  shape = {},
  chatTemplate,
  endTokens,
}: WriterOptions = {}): Promise<TestModel> {
  const model = quantiseLlama(randomLlama({ ...WRITER_SHAPE, ...shape }, seed), 8);
  const text = JSON.stringify(writerText(chatTemplate, endTokens));
  return testModel(
    writeModel(model, { name: `writer ${seed}`, licence: "CC0-1.0", sourceSha256: SOURCE, text }),
  );
}

/** A sentence encoder with a vocabulary of a few letters. */
export function encoderModel(): Promise<TestModel> {
  const model = quantiseEncoder(randomEncoder(ODD_ENCODER, 5), 8);
  const tokens = ["<unk>", SPACE, ..."abcdefghijklmnopqrstu".split("")];
  const vocabulary = {
    tokens,
    kinds: tokens.map((_, id) => (id === 0 ? TOKEN_KIND.unknown : TOKEN_KIND.normal)),
    scores: tokens.map(() => 0),
    unknownToken: 0,
    prefixSpace: true,
  };
  const text = JSON.stringify({ tokenizer: pieceTokenizer(vocabulary), endTokens: [] });
  return testModel(writeModel(model, { name: "encoder", licence: "CC0-1.0", sourceSha256: SOURCE, text }));
}

const SOURCE = new Uint8Array(32);

export async function testModel(file: Uint8Array<ArrayBuffer>): Promise<TestModel> {
  const manifest = await manifestOf([file], (bytes) => sha256(bytes));
  return { cid: manifestCid(manifest), manifest, file: new Blob([file]) };
}

export function generateInput(changes: Partial<GenerateInput>): Uint8Array {
  return encodeModelData(generateInputSchema, {
    ...(changes.messages === undefined ? { text: "ab ab" } : {}),
    written: [],
    maxTokens: 20,
    temperatureMilli: 0,
    topK: 0,
    topPMilli: 1_000,
    seed: new Uint8Array(32).fill(4),
    stop: [],
    ...changes,
  });
}

export function taskOf(changes: Partial<GenerateInput>, limits: Partial<HostTask> = {}): HostTask {
  return {
    entry: "generate",
    input: generateInput(changes),
    fuelLimit: 10n ** 12n,
    outputBytes: 2 ** 24,
    ...limits,
  };
}

/** All that came of a stream, put together. */
export interface Whole {
  readonly result: HostResult;
  readonly segments: readonly GenerateSegment[];
  readonly parts: readonly HostPart[];
  readonly tokens: readonly number[];
  readonly text: string;
  readonly links: readonly number[];
  readonly fuel: bigint;
}

export async function runWhole(host: ModelHost, task: HostTask): Promise<Whole> {
  const parts: HostPart[] = [];
  const result = await host.run(task, (part) => {
    parts.push(part);
    return Promise.resolve();
  });
  if (result.kind === "done") parts.push(result.part);
  return { result, parts, ...putTogether(parts), fuel: totalFuel(parts, result) };
}

export function putTogether(
  parts: readonly Pick<HostPart, "output">[],
): Pick<Whole, "segments" | "tokens" | "text" | "links"> {
  const segments = parts.map(({ output }) => decodeModelData(generateSegmentSchema, output));
  return {
    segments,
    tokens: segments.flatMap(({ tokens }) => tokens),
    text: segments.map(({ text }) => text).join(""),
    links: [...concatBytes(...segments.map(({ links }) => links))],
  };
}

function totalFuel(parts: readonly HostPart[], result: HostResult): bigint {
  const spent = parts.reduce((sum, { fuel }) => sum + fuel, 0n);
  return result.kind === "failed" ? spent + result.fuel : spent;
}
