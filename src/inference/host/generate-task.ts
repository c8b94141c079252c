import { FailureError } from "../../protocol/failure.ts";
import { failureCode } from "../../protocol/failure-code.ts";
import {
  decodeModelData,
  type GenerateInput,
  generateInputSchema,
  type TextEnd,
} from "../../protocol/messages/model-task.ts";
import type { Decoder } from "../backend.ts";
import { generate, type GeneratedToken } from "../generate/generate.ts";
import { TextStopper } from "../generate/text-stopper.ts";
import type { ModelText } from "../tokenizer/model-text.ts";
import type { ModelTokenizer } from "../tokenizer/model-tokenizer.ts";
import type { TokenDecoder } from "../tokenizer/token-decoder.ts";
import type { HostPart, HostTask, OnPart } from "./model-host.ts";
import { promptTokens } from "./prompt-tokens.ts";
import { SegmentDraft } from "./segment-draft.ts";
import { TaskFailure } from "./task-failure.ts";

/** A model that continues texts. */
export interface Writer {
  readonly decoder: Decoder;
  readonly tokenizer: ModelTokenizer;
  readonly text: ModelText;
  /** Hash before the first position. */
  readonly link: Uint8Array;
}

/**
 * Continues a text, part by part. How it is cut into parts, and where another machine has left off, changes no token, no
 * hash and no character.
 * @returns the last part
 * @throws FailureError `malformed`, `too-large`, `out-of-fuel` or `output-too-large`, each at the same token on every
 * machine; `gpu-lost`; the signal's reason
 */
export async function runGenerate(
  writer: Writer,
  task: HostTask,
  onPart: OnPart,
  signal: AbortSignal,
): Promise<HostPart> {
  const input = decodeModelData(generateInputSchema, task.input);
  const { decoder, tokenizer, text, link } = writer;
  const prompt = promptTokens(input, text, tokenizer, decoder.model.shape.context);
  const answer = new AnswerText(writer, input, prompt.length);
  const draft = new SegmentDraft(prompt, link, task.cuts);
  let rest = answer.resume();
  if (answer.end !== undefined) return draft.take(answer.end, rest);
  decoder.rewind(0);
  const tokens = generate(decoder, {
    prompt: [...prompt, ...input.written],
    most: input.maxTokens - input.written.length,
    sampling: input,
    endTokens: tokenizer.endTokens,
    link,
    signal,
    fuelLimit: task.fuelLimit,
  });
  try {
    for await (const each of tokens) {
      rest = answer.push(each);
      const counted = draft.countedWith(each, rest);
      if (counted > task.outputBytes)
        throw new TaskFailure("output-too-large", `more than ${task.outputBytes} bytes of text`, each.fuel);
      draft.add(each, rest);
      if (answer.end !== undefined) break;
      if (draft.isDue) await onPart(draft.take());
    }
  } catch (error) {
    // What was written before the point at which every machine ends.
    if (!draft.isEmpty && isOwnLimit(error)) await onPart(draft.take());
    throw error;
  }
  return draft.take(answer.end);
}

const OWN_LIMITS: ReadonlySet<number> = new Set(
  (["out-of-fuel", "output-too-large"] as const).map(failureCode),
);

function isOwnLimit(error: unknown): boolean {
  return error instanceof FailureError && OWN_LIMITS.has(error.code);
}

/** The text of an answer, token by token, and why it ends. */
class AnswerText {
  readonly #input: GenerateInput;
  readonly #endTokens: readonly number[];
  /** Tokens until the context is full: the last one is written behind it. */
  readonly #room: number;
  readonly #vocabulary: number;
  readonly #pieces: TokenDecoder;
  readonly #stopper: TextStopper;
  #written = 0;
  #end: TextEnd | undefined;

  constructor({ decoder, tokenizer }: Writer, input: GenerateInput, promptLength: number) {
    const { context, vocabulary } = decoder.model.shape;
    this.#input = input;
    this.#endTokens = tokenizer.endTokens;
    this.#room = Math.min(input.maxTokens, context - promptLength + 1);
    this.#vocabulary = vocabulary;
    this.#pieces = tokenizer.decoder({ continues: true });
    this.#stopper = new TextStopper(input.stop);
  }

  /** Why the text has ended, if it has. */
  get end(): TextEnd | undefined {
    return this.#end;
  }

  /**
   * Goes over what another machine has written, and told as far as it was certain.
   * @returns what it has not told, where it had come to an end
   * @throws FailureError `malformed` for tokens that no machine writes one behind the other
   */
  resume(): string {
    const { written } = this.#input;
    let untold = "";
    this.#endWhere(false);
    for (const token of written) {
      if (this.#end !== undefined || token >= this.#vocabulary)
        throw new FailureError("malformed", `token ${this.#written} of those written follows on no other`);
      this.#written += 1;
      const isEnd = this.#endTokens.includes(token);
      if (!isEnd) this.#stopper.push(this.#pieces.push(token));
      this.#endWhere(isEnd);
    }
    if (this.#end !== undefined) untold = this.#rest();
    return untold;
  }

  /** @returns text that is certain with the next token */
  push({ token, end }: GeneratedToken): string {
    this.#written += 1;
    const sure = end ? "" : this.#stopper.push(this.#pieces.push(token));
    this.#endWhere(end);
    return this.#end === undefined ? sure : sure + this.#rest();
  }

  #endWhere(isEndToken: boolean): void {
    if (isEndToken) this.#end = "end-token";
    else if (this.#stopper.isStopped) this.#end = "stop";
    else if (this.#written >= this.#room) this.#end = "length";
  }

  /** What was held back, where nothing stops it any more. */
  #rest(): string {
    return this.#stopper.end(this.#pieces.end());
  }
}
