import { FailureError } from "../../protocol/failure.ts";
import type { TextEnd } from "../../protocol/messages/model-task.ts";
import { generate } from "../generate/generate.ts";
import type { Sampling } from "../generate/sampling.ts";
import { TextStopper } from "../generate/text-stopper.ts";
import { type NamedTranscript, transcriptJson } from "../generate/transcript-json.ts";
import { type Verdict, verifyTranscript } from "../generate/verify.ts";
import type { OpenLlama } from "./open-model.ts";

export interface TextRequest {
  readonly prompt: string;
  readonly mostTokens: number;
  readonly sampling: Sampling;
  /** Texts before which the answer ends. */
  readonly stop: readonly string[];
  readonly signal?: AbortSignal;
}

export interface GeneratedText {
  readonly text: string;
  readonly endedBy: TextEnd;
  readonly transcript: NamedTranscript;
  readonly fuel: bigint;
  /** Milliseconds until the first token was drawn, and of all after it. */
  readonly prefillMs: number;
  readonly decodeMs: number;
}

/**
 * Continues a prompt with a model that nobody else has used yet.
 * @param onText told each piece of text as soon as no stop text can begin in it
 */
export async function generateText(
  { decoder, tokenizer, link, cid, header }: OpenLlama,
  { prompt, mostTokens, sampling, stop, signal }: TextRequest,
  onText: (piece: string) => Promise<void> | void,
): Promise<GeneratedText> {
  const promptTokens = tokenizer.encode(prompt);
  const tokens = [...promptTokens];
  const links: Uint8Array[] = [];
  const stopper = new TextStopper(stop);
  const pieces = tokenizer.decoder({ continues: true });
  let endedBy: TextEnd = "length";
  let fuel = 0n;
  const begun = performance.now();
  let first = begun;
  const running = generate(decoder, {
    prompt: promptTokens,
    most: Math.min(mostTokens, header.shape.context),
    sampling,
    endTokens: tokenizer.endTokens,
    link,
    ...(signal === undefined ? {} : { signal }),
  });
  for await (const each of running) {
    if (tokens.length === promptTokens.length) first = performance.now();
    tokens.push(each.token);
    links.push(...each.links);
    fuel += each.fuel;
    if (each.end) endedBy = "end-token";
    else await onText(stopper.push(pieces.push(each.token)));
    if (stopper.isStopped) {
      endedBy = "stop";
      break;
    }
  }
  await onText(stopper.end(pieces.end()));
  return {
    text: stopper.text,
    endedBy,
    transcript: { model: cid, tokens, promptTokens: promptTokens.length, sampling, links },
    fuel,
    prefillMs: first - begun,
    decodeMs: performance.now() - first,
  };
}

/** The form in which a transcript is kept and passed on. */
export function transcriptToJson(transcript: NamedTranscript): unknown {
  return transcriptJson.write(transcript);
}

/**
 * Recomputes a transcript with a model.
 * @throws FailureError `malformed` for what is no transcript, `content-mismatch` for one of another model
 */
export async function verifyWith(model: OpenLlama, value: unknown): Promise<Verdict> {
  const transcript = transcriptJson.read(value);
  if (transcript.model !== model.cid)
    throw new FailureError("content-mismatch", `the transcript is of another model, ${transcript.model}`);
  return verifyTranscript(model.decoder, transcript, model.link);
}
