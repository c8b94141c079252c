import { FailureError } from "../../protocol/failure.ts";
import { MAX_PROMPT_BYTES } from "../../protocol/limits.ts";
import type { GenerateInput } from "../../protocol/messages/model-task.ts";
import { chatTokens } from "../tokenizer/chat-template.ts";
import type { ModelText } from "../tokenizer/model-text.ts";
import type { ModelTokenizer } from "../tokenizer/model-tokenizer.ts";

/**
 * The tokens that a text or a conversation begins with.
 * @param context positions of the model
 * @throws FailureError `malformed` for what has no tokens or what the model's template refuses, `too-large` for what does
 * not fit the context
 */
export function promptTokens(
  { text = "", messages }: Pick<GenerateInput, "text" | "messages">,
  modelText: ModelText,
  tokenizer: ModelTokenizer,
  context: number,
): readonly number[] {
  const length = (messages ?? []).reduce((sum, { content }) => sum + content.length, 0);
  // Before it is cut up, which takes a second for a megabyte: nobody pays for a prompt that does not fit.
  if (length > MAX_PROMPT_BYTES)
    throw new FailureError(
      "too-large",
      `the conversation has ${length} characters, at most ${MAX_PROMPT_BYTES}`,
    );
  const tokens = messages === undefined ? tokenizer.encode(text) : chatTokens(messages, modelText, tokenizer);
  if (tokens.length === 0) throw new FailureError("malformed", "the prompt has no tokens");
  if (tokens.length > context)
    throw new FailureError(
      "too-large",
      `the prompt has ${tokens.length} tokens, the model has room for ${context}`,
    );
  return tokens;
}
