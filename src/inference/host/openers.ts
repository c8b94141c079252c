import type { Decoder, Encoder } from "../backend.ts";
import type { EncoderModel } from "../model/encoder-model.ts";
import type { LlamaModel } from "../model/llama-model.ts";
import { referenceBackend } from "../reference/reference-backend.ts";
import { referenceEncoderBackend } from "../reference/reference-encoder.ts";
import { createWasmBackend } from "../wasm/wasm-backend.ts";
import { createWasmEncoderBackend } from "../wasm/wasm-encoder.ts";
import type { Openers } from "./choose-backend.ts";

/** Positions of a trial that are taken in together, and one by one. */
const TOGETHER = 16;
const ONE_BY_ONE = 2;

export function llamaOpeners(model: LlamaModel): Openers<Decoder> {
  return {
    reference: () => referenceBackend.open(model),
    wasm: () => createWasmBackend().open(model),
    webgpu: (gpu) => gpu.backend.open(model),
    trial: (decoder) => fasterOfTwo(() => writeALittle(decoder)),
  };
}

export function encoderOpeners(model: EncoderModel): Openers<Encoder> {
  const text = Array.from({ length: Math.min(TOGETHER, model.shape.context) }, () => 0);
  return {
    reference: () => referenceEncoderBackend.openEncoder(model),
    wasm: () => createWasmEncoderBackend().openEncoder(model),
    webgpu: (gpu) => gpu.backend.openEncoder(model),
    trial: (encoder) => fasterOfTwo(() => encoder.encode([text])),
  };
}

async function writeALittle(decoder: Decoder): Promise<void> {
  const { context } = decoder.model.shape;
  const together = Math.min(TOGETHER, context);
  await decoder.forward(Array.from({ length: together }, () => 0));
  for (let at = together; at < Math.min(together + ONE_BY_ONE, context); at += 1)
    // oxlint-disable-next-line no-await-in-loop -- as tokens are written
    await decoder.logits(await decoder.forward([0]));
  decoder.rewind(0);
}

/** The first time compiles and warms up. */
async function fasterOfTwo(run: () => Promise<unknown>): Promise<number> {
  const first = await timed(run);
  return Math.min(first, await timed(run));
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await run();
  return performance.now() - begun;
}
