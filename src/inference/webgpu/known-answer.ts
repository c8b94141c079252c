import { sha256 } from "@noble/hashes/sha2.js";
import { toHex } from "../../protocol/bytes.ts";
import type { Backend, EncoderBackend } from "../backend.ts";
import type { EncoderModel } from "../model/encoder-model.ts";
import type { LlamaModel } from "../model/llama-model.ts";
import { BufferMaker } from "./buffer-maker.ts";
import { edgeEncoder, edgeLlama, longLlama } from "./edge-models.ts";
import { Planner } from "./plan.ts";
import { Submitter } from "./submitter.ts";
import type { DeviceParts, WebGpuBackend } from "./webgpu-backend.ts";

/** What is asked of a device: each has its own kernels, or kernels with their own constants. */
export type Question = "sweep" | "long" | `llama ${4 | 8}` | `encoder ${4 | 8}`;

/** SHA-256 of the answers, first 16 hex digits; known-answer.test.ts computes them with the reference. */
export const KNOWN_ANSWERS: Readonly<Record<Question, string>> = {
  sweep: "fd4495fa8767fac2",
  long: "578384608a5f4103",
  "llama 8": "02547abe7cad2d29",
  "llama 4": "b6b4efa133aa3323",
  "encoder 8": "c23996331c7465c3",
  "encoder 4": "cdcc5f5023ec27da",
};

/** Operands of the sweep: ends of ranges, powers of two and their neighbours, ties. */
export const EDGES: Int32Array = Int32Array.from([
  0, 1, -1, 2, -2, 3, 5, -7, 31, -32, 63, 64, 127, -128, 128, 255, -256, 8_191, -8_192, 16_384, 32_767,
  -32_768, 32_768, 65_535, -65_536, 65_536, 98_304, 0x7f7f_7f7f, -2_139_062_144, 0x00ff_00ff, 0x5555_5555,
  -1_431_655_766, 0x3fff_ffff, 0x4000_0000, 0x7fff_8000, 0x7fff_ffff, -2_147_483_647, -2_147_483_648,
]);
/** Results for a pair of operands, as in sweep.wgsl. */
const OPERATIONS = 12;

export function answerHash(...parts: readonly (Int32Array | Int16Array)[]): string {
  const hash = sha256.create();
  // Little-endian, as typed arrays are wherever browsers run.
  for (const { buffer, byteOffset, byteLength } of parts)
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  return toHex(hash.digest()).slice(0, 16);
}

/** The questions that decide whether a model may run on a device. */
export function questionsFor(model: LlamaModel | EncoderModel): readonly Question[] {
  if (model.kind === "encoder") return [`encoder ${model.pool.matrix.bits}`];
  const bits = new Set([model.head.bits, ...model.layers.map(({ down }) => down.bits)]);
  return Array.from(bits, (each) => `llama ${each}` as const);
}

/** What a backend says to a question about models. */
export function answerOf(
  backend: Backend & EncoderBackend,
  question: Exclude<Question, "sweep">,
): Promise<string> {
  switch (question) {
    case "llama 8":
      return llamaAnswer(backend, edgeLlama(8), [34, 1, 1, 3]);
    case "llama 4":
      return llamaAnswer(backend, edgeLlama(4), [34, 1, 1, 3]);
    case "long":
      return llamaAnswer(backend, longLlama(), [567, 1]);
    case "encoder 8":
      return encoderAnswer(backend, edgeEncoder(8));
    case "encoder 4":
      return encoderAnswer(backend, edgeEncoder(4));
    default:
      throw new RangeError(question satisfies never);
  }
}

/** Rows together, rows alone, rows with a history; scores of one and of several. */
async function llamaAnswer(backend: Backend, model: LlamaModel, counts: readonly number[]): Promise<string> {
  const decoder = await backend.open(model);
  try {
    const tokens = Array.from({ length: model.shape.context }, (_, i) => (i * 7) % model.shape.vocabulary);
    const parts: Int32Array[] = [];
    let at = 0;
    // In turn, as each needs the keys of the one before.
    for (const count of counts) {
      // oxlint-disable-next-line no-await-in-loop
      parts.push(await decoder.forward(tokens.slice(at, at + count)));
      at += count;
    }
    const [many, one] = parts;
    if (many === undefined || one === undefined) throw new TypeError("there are two parts at least");
    parts.push(await decoder.logits(many), await decoder.logits(one));
    return answerHash(...parts);
  } finally {
    decoder.close();
  }
}

async function encoderAnswer(backend: EncoderBackend, model: EncoderModel): Promise<string> {
  const encoder = await backend.openEncoder(model);
  try {
    const texts = [37, 1, 6].map((length) => Array.from({ length }, (_, i) => (i * 5) % 41));
    return answerHash(...(await encoder.encode(texts)));
  } finally {
    encoder.close();
  }
}

/** Every operation on every pair of edge values. */
export async function sweep({
  device,
  kernels,
  choice,
  life,
  pace,
  budget,
}: DeviceParts): Promise<Int32Array> {
  const maker = new BufferMaker(device, budget);
  try {
    const count = EDGES.length * EDGES.length;
    const results = maker.words(count * OPERATIONS);
    const planner = new Planner(device, kernels, choice, maker, 1, 1);
    const step = await planner.step({
      name: "sweep",
      grid: () => [Math.ceil(count / 64), 1],
      work: () => 64 * OPERATIONS * 64,
      bindings: { 0: [EDGES.length], 2: maker.filled(EDGES), 9: results },
    });
    const submitter = new Submitter(device, kernels, life, pace, maker, count * OPERATIONS);
    const run = { steps: [step], batch: { rows: 1, first: 0 } };
    return await submitter.run([run], { buffer: results, words: count * OPERATIONS });
  } finally {
    maker.destroy();
  }
}

/** What a device says to a question. */
export async function deviceAnswer(
  parts: DeviceParts,
  backend: WebGpuBackend,
  question: Question,
): Promise<string> {
  return question === "sweep" ? answerHash(await sweep(parts)) : answerOf(backend, question);
}
