import type { Cid } from "../../protocol/cid.ts";
import type { TextEnd } from "../../protocol/messages/model-task.ts";
import type { TextResult } from "./gateway-requester.ts";

/** What every part of an answer begins with. */
export interface AnswerHead {
  readonly job: Cid;
  /** Seconds since 1970. */
  readonly created: number;
  /** The model's published name. */
  readonly model: string;
  /** CID of its manifest: the same for the same bits. */
  readonly modelCid: Cid;
}

type Json = Readonly<Record<string, unknown>>;

/** How one kind of text is told: a conversation's answer, or a plain continuation. */
export interface TextForm {
  whole(head: AnswerHead, text: string, result: TextResult): Json;
  /** Before the first piece. */
  opening(head: AnswerHead): Json | undefined;
  piece(head: AnswerHead, text: string): Json;
  closing(head: AnswerHead, result: TextResult): Json;
  /** What was used, in a chunk of its own. */
  usage(head: AnswerHead, result: TextResult): Json;
}

const FINISH: Readonly<Record<TextEnd, "stop" | "length">> = {
  "end-token": "stop",
  stop: "stop",
  length: "length",
};

export function usageOf({ promptTokens, completionTokens }: TextResult): Json {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  };
}

function headOf(prefix: string, object: string, { job, created, model, modelCid }: AnswerHead): Json {
  return { id: `${prefix}-${job}`, object, created, model, system_fingerprint: modelCid };
}

function chatChoice(delta: Json, finish: string | null): Json {
  return { index: 0, delta, logprobs: null, finish_reason: finish };
}

function chatChunk(head: AnswerHead, choices: readonly Json[]): Json {
  return { ...headOf("chatcmpl", "chat.completion.chunk", head), choices };
}

/** POST /v1/chat/completions. */
export const CHAT: TextForm = {
  whole: (head, text, result) => ({
    ...headOf("chatcmpl", "chat.completion", head),
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: text, refusal: null },
        logprobs: null,
        finish_reason: FINISH[result.end],
      },
    ],
    usage: usageOf(result),
  }),
  opening: (head) => chatChunk(head, [chatChoice({ role: "assistant", content: "" }, null)]),
  piece: (head, text) => chatChunk(head, [chatChoice({ content: text }, null)]),
  closing: (head, { end }) => chatChunk(head, [chatChoice({}, FINISH[end])]),
  usage: (head, result) => ({ ...chatChunk(head, []), usage: usageOf(result) }),
};

function textChunk(head: AnswerHead, choices: readonly Json[]): Json {
  return { ...headOf("cmpl", "text_completion", head), choices };
}

function textChoice(text: string, finish: string | null): Json {
  return { index: 0, text, logprobs: null, finish_reason: finish };
}

/** POST /v1/completions. */
export const COMPLETION: TextForm = {
  whole: (head, text, result) => ({
    ...textChunk(head, [textChoice(text, FINISH[result.end])]),
    usage: usageOf(result),
  }),
  opening: () => undefined,
  piece: (head, text) => textChunk(head, [textChoice(text, null)]),
  closing: (head, { end }) => textChunk(head, [textChoice("", FINISH[end])]),
  usage: (head, result) => ({ ...textChunk(head, []), usage: usageOf(result) }),
};
