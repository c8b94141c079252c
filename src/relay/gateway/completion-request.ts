import { MAX_PROMPT_BYTES } from "../../protocol/limits.ts";
import type { TextOrder } from "./chat-request.ts";
import { DEFAULT_TEXT_TOKENS } from "./limits.ts";
import { RequestFields } from "./request-fields.ts";
import { readStreamParameters } from "./stream-parameters.ts";
import { readMaxTokens, readTextParameters } from "./text-parameters.ts";

function promptOf(fields: RequestFields): string {
  const value = fields.take("prompt");
  const prompt: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value;
  if (typeof prompt !== "string")
    return fields.fail("prompt", "has to be one text; lists of texts and of tokens are not taken here.");
  if (Buffer.byteLength(prompt) > MAX_PROMPT_BYTES)
    return fields.fail("prompt", `has more than ${MAX_PROMPT_BYTES} bytes.`);
  return prompt;
}

/** Reads the body of POST /v1/completions. @throws GatewayError 400 naming the field */
export function readCompletionRequest(body: unknown): TextOrder {
  const fields = new RequestFields(body);
  const model = fields.requiredText("model");
  const text = promptOf(fields);
  fields.refuseUnless("best_of", (value) => value === 1);
  fields.refuseUnless("echo", (value) => value === false);
  fields.refuseUnless("suffix", (value) => value === "");
  fields.refuseUnless("logprobs", () => false);
  const maxTokens = readMaxTokens(fields, "max_tokens") ?? DEFAULT_TEXT_TOKENS;
  const request = { text, maxTokens, ...readTextParameters(fields) };
  const stream = readStreamParameters(fields);
  fields.end();
  return { model, request, ...stream };
}
