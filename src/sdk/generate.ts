import type { Cid } from "../protocol/cid.ts";
import { type Failure, FailureError } from "../protocol/failure.ts";
import {
  MAX_CHAT_MESSAGES,
  MAX_MODEL_POSITIONS,
  MAX_PROMPT_BYTES,
  MAX_STOP_TEXTS,
} from "../protocol/limits.ts";
import { encodeModelData, type GenerateInput, generateInputSchema } from "../protocol/messages/model-task.ts";
import { WireError } from "../protocol/wire-error.ts";
import { findModel } from "./find-model.ts";
import type { JobRun } from "./job-run.ts";
import { GENERATE_TASKS, GENERATE_TOKENS, UNREAD_PIECES } from "./limits.ts";
import { makeModelJob } from "./make-job.ts";
import { generateLimits } from "./model-limits.ts";
import type {
  GenerateRequest,
  Generation,
  GenerationPiece,
  GenerationResult,
  ModelJobOptions,
} from "./model-options.ts";
import type { ModelPorts } from "./model-ports.ts";
import { Outbound } from "./outbound.ts";
import { TextWatch } from "./text-watch.ts";

const SEED_BYTES = 32;

function refuse(what: string): never {
  throw new FailureError("malformed", `generate: ${what}`);
}

/** A decimal as whole thousandths. */
function thousandths(value: number, most: number, name: string): number {
  if (!(value >= 0 && value <= most)) refuse(`${name} is from 0 to ${most}, not ${value}`);
  return Math.round(value * 1_000);
}

/** @throws FailureError `malformed` or `too-large` naming what does not fit */
export function inputOf(request: GenerateRequest, context: number): GenerateInput {
  const { text, messages, maxTokens = GENERATE_TOKENS, temperature = 0, topK = 0, topP = 1 } = request;
  const { stop = [] } = request;
  if ((text === undefined) === (messages === undefined)) refuse("takes a text or messages, and not both");
  if (messages?.length === 0) refuse("a conversation has a message at least");
  if (!Number.isSafeInteger(maxTokens) || maxTokens < 1) refuse(`maxTokens is 1 at least, not ${maxTokens}`);
  if (!Number.isSafeInteger(topK) || topK < 0) refuse(`topK is a whole number, not ${topK}`);
  if (stop.length > MAX_STOP_TEXTS) refuse(`at most ${MAX_STOP_TEXTS} stop texts`);
  if ((messages?.length ?? 0) > MAX_CHAT_MESSAGES) refuse(`at most ${MAX_CHAT_MESSAGES} messages`);
  const temperatureMilli = thousandths(temperature, 100, "temperature");
  const drawn = (): Uint8Array =>
    temperatureMilli === 0 ? new Uint8Array(SEED_BYTES) : crypto.getRandomValues(new Uint8Array(SEED_BYTES));
  return {
    ...(text === undefined ? {} : { text }),
    ...(messages === undefined ? {} : { messages }),
    written: [],
    maxTokens: Math.min(maxTokens, context, MAX_MODEL_POSITIONS),
    temperatureMilli,
    topK,
    topPMilli: thousandths(topP, 1, "topP"),
    seed: request.seed ?? drawn(),
    stop: stop.filter((each) => each !== ""),
  };
}

/** @throws FailureError `malformed` for what does not fit the wire */
function encodeInput(input: GenerateInput): Uint8Array {
  try {
    return encodeModelData(generateInputSchema, input);
  } catch (error) {
    if (!(error instanceof WireError || error instanceof RangeError)) throw error;
    throw new FailureError(
      "malformed",
      `generate: ${error.message} (a text has ${MAX_PROMPT_BYTES} bytes at most)`,
      { cause: error },
    );
  }
}

interface Begun {
  readonly run: JobRun;
  readonly watch: TextWatch;
  readonly model: Cid;
  readonly input: GenerateInput;
}

/** Writes a text with a model, through whichever provider has it, and another one when that leaves. */
export function generate(
  ports: ModelPorts,
  model: string,
  request: GenerateRequest,
  options: ModelJobOptions,
): Generation {
  const pieces = new Outbound<GenerationPiece>(UNREAD_PIECES);
  const abort = new AbortController();
  const signal =
    options.signal === undefined ? abort.signal : AbortSignal.any([options.signal, abort.signal]);
  const begun = begin(ports, model, request, { ...options, signal }, (piece) => pieces.push(piece));
  const job = begun.then(({ run }) => run.job);
  const summary = begun.then(({ run }) => run.summary);
  const result = finish(begun, pieces);
  for (const each of [job, summary, result]) each.catch(() => undefined);
  const cancel = (): void => abort.abort(new FailureError("cancelled", "the text was cancelled"));
  pieces.onLeave = cancel;
  // Told at once: the provider hears of it meanwhile.
  signal.addEventListener("abort", () => pieces.end(signal.reason), { once: true });
  return { job, result, summary, cancel, [Symbol.asyncIterator]: () => pieces[Symbol.asyncIterator]() };
}

async function begin(
  ports: ModelPorts,
  model: string,
  request: GenerateRequest,
  options: ModelJobOptions & { readonly signal: AbortSignal },
  onPiece: (piece: GenerationPiece) => void,
): Promise<Begun> {
  const { cid, manifest } = await findModel(ports.client, model, "generate", options.signal);
  const input = inputOf(request, manifest.context);
  const bytes = encodeInput(input);
  const limits = generateLimits(manifest, input, options);
  const content = { model: cid, entry: "generate", limits, maxTasks: GENERATE_TASKS, parallel: 1 } as const;
  // Of what is written already, another provider gets the numbers: four bytes each.
  const ground = await ports.ground(bytes.length + 4 * input.maxTokens, options.payer);
  const job = await makeModelJob(content, options, ground);
  options.signal.throwIfAborted();
  const watch = new TextWatch({ input, context: manifest.context, onPiece });
  return { run: ports.start(job, [bytes], { ...options, watch }), watch, model: cid, input };
}

async function finish(begun: Promise<Begun>, pieces: Outbound<GenerationPiece>): Promise<GenerationResult> {
  try {
    const { run, watch, model, input } = await begun;
    for await (const result of run.results)
      if (result.kind === "done") pieces.end();
      else throw await failureAfter(run, result);
    const summary = await run.summary;
    const { end, tokens, prompt } = watch;
    if (end === undefined) throw new FailureError("cancelled", "the text ended before it was complete");
    const { temperatureMilli, topK, topPMilli, seed } = input;
    return {
      text: watch.text,
      end,
      promptTokens: prompt.length,
      completionTokens: tokens.length,
      transcript: {
        model,
        tokens: [...prompt, ...tokens],
        promptTokens: prompt.length,
        sampling: { temperatureMilli, topK, topPMilli, seed },
        links: watch.links,
      },
      providers: watch.providers,
      summary,
    };
  } catch (error) {
    pieces.end(error);
    throw error;
  }
}

/** Settled before it is told: what failed may be tried again, and then the money is there. */
async function failureAfter(run: JobRun, { code, detail }: Failure): Promise<FailureError> {
  await run.summary.catch(() => undefined);
  return new FailureError(code, detail);
}
