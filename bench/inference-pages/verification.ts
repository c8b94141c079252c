/** What it takes to check a text, beside what it took to write it. */
import { generate } from "../../src/inference/generate/generate.ts";
import { GREEDY } from "../../src/inference/generate/sampling.ts";
import { firstLink } from "../../src/inference/generate/transcript.ts";
import { type Transcript, verifyTranscript } from "../../src/inference/generate/verify.ts";
import type { Decoder } from "../../src/inference/backend.ts";
import type { KernelBuild } from "../../src/inference/wasm/kernels.ts";
import { type Line, lineToWorker } from "../../src/inference/stages/line.ts";
import { createStagedBackend } from "../../src/inference/stages/staged-backend.ts";
import { createWasmBackend } from "../../src/inference/wasm/wasm-backend.ts";
import { randomModel, SHAPE_135M } from "./random-model.ts";

const POSITIONS = 256;
const PROMPT = [1];
const RUNS = 3;

/** Milliseconds for the whole transcript, to write it, and to check it with one thread and with several. */
export interface VerificationTimes {
  readonly generate: number;
  readonly verify: number;
  readonly verifyStaged: number;
  /** To take in all of its tokens as a prompt. */
  readonly prefill: number;
  readonly prefillStaged: number;
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

async function timed(act: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await act();
  return performance.now() - begun;
}

async function check(decoder: Decoder, transcript: Transcript): Promise<void> {
  decoder.rewind(0);
  const verdict = await verifyTranscript(decoder, transcript, LINK);
  if (verdict.kind !== "holds" || verdict.positions !== POSITIONS)
    throw new Error(`the transcript does not hold: ${JSON.stringify(verdict)}`);
}

/** As a text begins that has the transcript for a prompt. */
async function takeIn(decoder: Decoder, { tokens }: Transcript): Promise<void> {
  decoder.rewind(0);
  const prompt = tokens.slice(0, POSITIONS);
  const request = { prompt, most: 1, sampling: GREEDY, endTokens: [], link: LINK };
  for await (const { links } of generate(decoder, request))
    if (links.length !== POSITIONS) throw new Error(`${links.length} positions`);
}

function startStage(): Line {
  const url = new URL("../../workers/inference-stage.worker.ts", import.meta.url);
  return lineToWorker(new Worker(url, { type: "module" }));
}

/** The fastest of some runs of each. They take turns: what else the machine does meets all. */
export async function measureVerification(build: KernelBuild, stages: number): Promise<VerificationTimes> {
  const model = randomModel(SHAPE_135M);
  const decoder = await createWasmBackend({ build }).open(model);
  const staged = await createStagedBackend({ build, stages, start: startStage }).open(model);
  const best = {
    generate: Infinity,
    verify: Infinity,
    verifyStaged: Infinity,
    prefill: Infinity,
    prefillStaged: Infinity,
  };
  for (let run = 0; run < RUNS; run += 1) {
    let transcript: Transcript | undefined;
    const write = async (): Promise<void> => {
      decoder.rewind(0);
      transcript = await writeText(decoder);
    };
    best.generate = Math.min(best.generate, await timed(write));
    if (transcript === undefined) throw new Error("no transcript");
    const text: Transcript = transcript;
    best.verify = Math.min(best.verify, await timed(() => check(decoder, text)));
    best.verifyStaged = Math.min(best.verifyStaged, await timed(() => check(staged, text)));
    best.prefill = Math.min(best.prefill, await timed(() => takeIn(decoder, text)));
    best.prefillStaged = Math.min(best.prefillStaged, await timed(() => takeIn(staged, text)));
  }
  decoder.close();
  staged.close();
  return best;
}
