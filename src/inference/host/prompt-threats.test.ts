import { expect, it } from "vitest";
import type { ChatMessage } from "../../protocol/messages/model-task.ts";
import { ModelTokenizer } from "../tokenizer/model-tokenizer.ts";
import { writerText } from "./models.contract.ts";
import { promptTokens } from "./prompt-tokens.ts";

const CONTEXT = 2_048;
const text = writerText();
const tokenizer = new ModelTokenizer(text);

it("a conversation that is longer than a prompt may be is not cut into tokens at all", () => {
  const message: ChatMessage = { role: "user", content: "ab".repeat(200 * 1024) };
  const never = new Proxy(tokenizer, {
    get: () => {
      throw new Error("it was cut up");
    },
  });
  expect(() => promptTokens({ messages: [message, message] }, text, never, CONTEXT)).toThrow(
    "the conversation has 819200 characters, at most 655360",
  );
  expect(() => promptTokens({ messages: [message] }, text, tokenizer, CONTEXT)).toThrow("has room for 2048");
});
