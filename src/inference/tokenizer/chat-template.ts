import { Environment, parse, tokenize } from "@huggingface/jinja";
import { FailureError } from "../../protocol/failure.ts";
import type { ChatMessage } from "../../protocol/messages/model-task.ts";
import { BoundedInterpreter } from "./bounded-interpreter.ts";
import type { ModelText } from "./model-text.ts";
import type { ModelTokenizer } from "./model-tokenizer.ts";

/**
 * A noncharacter that is put into special tokens which people have written out in their messages, so that they stay text. It
 * is gone before the text is cut into tokens.
 */
export const SHIELD = "\u{fdd0}";

/** Elements of a list that a template may ask for by `range`: as many as the longest context has positions. */
const MOST_RANGE = 65_536;

const NAMES = { system: "System", user: "User", assistant: "Assistant" } as const;

/**
 * The prompt of a conversation: by the model's own template, at whose end its answer begins. Special tokens are those of the
 * template, never those that somebody has written out in a message. A model without a template gets `plainPrompt`.
 * A template that never ends is ended where BoundedInterpreter says.
 * @throws FailureError `malformed` with what the template says against the conversation, or what is wrong with it
 */
export function chatTokens(
  messages: readonly ChatMessage[],
  text: ModelText,
  tokenizer: ModelTokenizer,
): readonly number[] {
  const { chatTemplate } = text;
  if (chatTemplate === undefined) return tokenizer.encode(plainPrompt(messages));
  const beginText = text.beginToken === undefined ? "" : tokenizer.textOf(text.beginToken);
  const shielded = messages.map(({ role, content }) => ({
    role,
    content: tokenizer.shielded(content, SHIELD),
  }));
  const prompt = rendered(chatTemplate, {
    messages: shielded,
    add_generation_prompt: true,
    bos_token: beginText,
    eos_token: text.endTokens[0] === undefined ? "" : tokenizer.textOf(text.endTokens[0]),
  });
  // Some templates write the begin token and some leave it to the tokenizer; there is to be one.
  const begin = beginText === "" || !prompt.startsWith(beginText);
  return tokenizer.encode(prompt, { special: true, begin, shield: SHIELD });
}

/** A conversation for a model that knows no template: the role's name before each message, an empty line between them. */
export function plainPrompt(messages: readonly ChatMessage[]): string {
  const said = messages.map(({ role, content }) => `${NAMES[role]}: ${content}\n\n`);
  return `${said.join("")}Assistant:`;
}

/** A template knows no clock: the same conversation gives the same prompt on every machine, and on another day. */
function rendered(template: string, values: Readonly<Record<string, unknown>>): string {
  try {
    const program = parse(tokenize(template, { lstrip_blocks: true, trim_blocks: true }));
    const scope = new Environment();
    const constants = { true: true, false: false, none: null, True: true, False: false, None: null };
    for (const [name, value] of Object.entries({ ...constants, ...values, range, raise_exception: refuse }))
      scope.set(name, value);
    const result: unknown = new BoundedInterpreter(scope).run(program).value;
    if (typeof result !== "string") throw new TypeError("it makes no text");
    return result;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FailureError("malformed", `the model's chat template: ${reason.slice(0, 300)}`, { cause });
  }
}

function refuse(reason: unknown): never {
  throw new Error(String(reason));
}

/** Python's range. */
function range(first: number, second?: number, step = 1): number[] {
  const [start, stop] = second === undefined ? [0, first] : [first, second];
  const count = Math.max(0, Math.ceil((stop - start) / step));
  if (!(count <= MOST_RANGE)) throw new RangeError(`a range of more than ${MOST_RANGE} numbers`);
  return Array.from({ length: count }, (_, i) => start + i * step);
}
