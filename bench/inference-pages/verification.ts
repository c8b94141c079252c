/** What it takes to check a text, beside what it took to write it. */
import { generate } from "../../src/inference/generate/generate.ts";
import { GREEDY } from "../../src/inference/generate/sampling.ts";
import { firstLink } from "../../src/inference/generate/transcript.ts";
import { type Transcript, verifyTranscript } from "../../src/inference/generate/verify.ts";
import type { Decoder } from "../../src/inference/backend.ts";
import type { KernelBuild } from "../../src/inference/wasm/kernels.ts";
import { createWasmBackend } from "../../src/inference/wasm/wasm-backend.ts";
import { randomModel, SHAPE_135M } from "./random-model.ts";

const POSITIONS = 256;
const PROMPT = [1];
const RUNS = 3;

/** Milliseconds for the whole transcript. */
export interface VerificationTimes {
  readonly generate: number;
  readonly verify: number;
}

const LINK = firstLink(new Uint8Array(32));

async function writeText(decoder: Decoder): Promise<Transcript> {
  const tokens = [...PROMPT];
  const links: Uint8Array[] = [];
  const request = { prompt: PROMPT, most: POSITIONS, sampling: GREEDY, endTokens: [], link: LINK };
  for await (const written of generate(decoder, request)) {
    tokens.push(written.token);
    links.push(...written.links);
  }
  return { tokens, promptTokens: PROMPT.length, sampling: GREEDY, links };
}

/** The fastest of some runs of each. */
export async function measureVerification(build: KernelBuild): Promise<VerificationTimes> {
  const decoder = await createWasmBackend({ build }).open(randomModel(SHAPE_135M));
  const best = { generate: Infinity, verify: Infinity };
  for (let run = 0; run < RUNS; run += 1) {
    decoder.rewind(0);
    const begun = performance.now();
    // oxlint-disable-next-line no-await-in-loop -- one after the other is what is measured
    const transcript = await writeText(decoder);
    const written = performance.now();
    decoder.rewind(0);
    // oxlint-disable-next-line no-await-in-loop
    const verdict = await verifyTranscript(decoder, transcript, LINK);
    best.verify = Math.min(best.verify, performance.now() - written);
    best.generate = Math.min(best.generate, written - begun);
    if (verdict.kind !== "holds" || verdict.positions !== POSITIONS)
      throw new Error(`the transcript does not hold: ${JSON.stringify(verdict)}`);
  }
  decoder.close();
  return best;
}
