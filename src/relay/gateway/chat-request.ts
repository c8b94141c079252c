import { MAX_CHAT_MESSAGES, MAX_PROMPT_BYTES } from "../../protocol/limits.ts";
import type { ChatMessage, ChatRole } from "../../protocol/messages/model-task.ts";
import type { TextRequest } from "./gateway-requester.ts";
import { DEFAULT_CHAT_TOKENS } from "./limits.ts";
import { RequestFields, UNSUPPORTED } from "./request-fields.ts";
import { readStreamParameters, type StreamParameters } from "./stream-parameters.ts";
import { readMaxTokens, readTextParameters } from "./text-parameters.ts";

export interface TextOrder extends StreamParameters {
  /** Name or CID. */
  readonly model: string;
  readonly request: TextRequest;
}

/** A map: an object would also know "constructor" and the like. */
const ROLES: ReadonlyMap<string, ChatRole> = new Map([
  ["system", "system"],
  ["developer", "system"],
  ["user", "user"],
  ["assistant", "assistant"],
]);

function contentPart(value: unknown, at: string): string {
  const part = new RequestFields(value, `${at}.`);
  const type = part.requiredText("type");
  if (type !== "text") part.fail("type", `is '${type}'; only text can be taken in here.`, UNSUPPORTED);
  const text = part.requiredText("text");
  part.end();
  return text;
}

function contentOf(message: RequestFields): string {
  const content = message.take("content");
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return message.fail("content", "has to be a string or a list of text parts.");
  return content
    .map((part: unknown, index) => contentPart(part, message.param(`content[${index}]`)))
    .join("");
}

function isNothing(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function messageOf(value: unknown, index: number): ChatMessage {
  const message = new RequestFields(value, `messages[${index}].`);
  const named = message.requiredText("role");
  const role =
    ROLES.get(named) ?? message.fail("role", `is '${named}'; tools are not supported here.`, UNSUPPORTED);
  const content = contentOf(message);
  // Answers of other models are sent back with these, empty.
  for (const name of ["tool_calls", "annotations"]) message.refuseUnless(name, isNothing);
  message.end();
  return { role, content };
}

function messagesOf(fields: RequestFields): readonly ChatMessage[] {
  const value = fields.take("messages");
  if (!Array.isArray(value) || value.length === 0)
    return fields.fail("messages", "has to be a list of at least one message.", "invalid_type");
  if (value.length > MAX_CHAT_MESSAGES)
    return fields.fail("messages", `has more than ${MAX_CHAT_MESSAGES} messages.`);
  const messages = value.map(messageOf);
  if (messages.some(({ content }) => Buffer.byteLength(content) > MAX_PROMPT_BYTES))
    return fields.fail("messages", `has a message of more than ${MAX_PROMPT_BYTES} bytes.`);
  return messages;
}

function isPlainText(value: unknown): boolean {
  return typeof value === "object" && value !== null && "type" in value && value.type === "text";
}

/** Asks for what is the case anyway. */
const NEUTRAL: Readonly<Record<string, (value: unknown) => boolean>> = {
  tools: isNothing,
  functions: isNothing,
  tool_choice: (value) => value === "none",
  function_call: (value) => value === "none",
  parallel_tool_calls: () => true,
  logprobs: (value) => value === false,
  top_logprobs: () => false,
  response_format: isPlainText,
  modalities: (value) => Array.isArray(value) && value.every((each) => each === "text"),
  audio: () => false,
  prediction: () => false,
  reasoning_effort: (value) => value === "none",
  verbosity: (value) => value === "medium",
  web_search_options: () => false,
  store: (value) => value === false,
  service_tier: (value) => value === "auto" || value === "default",
};

/** Reads the body of POST /v1/chat/completions. @throws GatewayError 400 naming the field */
export function readChatRequest(body: unknown): TextOrder {
  const fields = new RequestFields(body);
  const model = fields.requiredText("model");
  const messages = messagesOf(fields);
  for (const [name, isNeutral] of Object.entries(NEUTRAL)) fields.refuseUnless(name, isNeutral);
  const old = readMaxTokens(fields, "max_tokens");
  const maxTokens = readMaxTokens(fields, "max_completion_tokens") ?? old ?? DEFAULT_CHAT_TOKENS;
  const request = { messages, maxTokens, ...readTextParameters(fields) };
  const stream = readStreamParameters(fields);
  fields.end();
  return { model, request, ...stream };
}
