import { beforeAll, describe, expect, it } from "vitest";
import { writerText } from "../host/models.contract.ts";
import { chatTokens } from "./chat-template.ts";
import { ModelTokenizer } from "./model-tokenizer.ts";
import { parseModelText } from "./parse-model-text.ts";

const VOCABULARY = 265;
const messages = Array.from({ length: 64 }, (_, i) => ({
  role: i % 2 === 0 ? ("user" as const) : ("assistant" as const),
  content: `${"a".repeat(9_000)} ${i}`,
}));

let tokenizer: ModelTokenizer;
beforeAll(() => {
  tokenizer = new ModelTokenizer(writerText());
});

function tokensBy(chatTemplate: string): readonly number[] {
  return chatTokens(messages, writerText(chatTemplate), tokenizer);
}

function textOf(templateLength: number): string {
  return JSON.stringify(writerText("a".repeat(templateLength)));
}

describe("a template of a stranger", () => {
  it.each([
    ["loops in loops", "{% for a in range(60000) %}{% for b in range(60000) %}{% endfor %}{% endfor %}"],
    [
      "does much in each round",
      "{% set r = range(60000) %}{% for a in r %}{% for b in r %}{{ a * b }}{% endfor %}{% endfor %}",
    ],
    [
      "doubles a text",
      "{% set n = namespace(x='aaaaaaaaaaaaaaaa') %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
    ],
    [
      "doubles a list",
      "{% set n = namespace(x=[1]) %}{% for i in range(60) %}{% set n.x = n.x + n.x %}{% endfor %}",
    ],
    ["repeats what people wrote", "{% for i in range(60000) %}{{ messages[0].content }}{% endfor %}"],
  ])("that %s is ended", (_, template) => {
    expect(() => tokensBy(template)).toThrow("it does more than a template may");
  });

  it("that puts a text into itself is ended, at the engine's own limit of a text's length at the latest", () => {
    const template =
      "{% set n = namespace(x='aaaa') %}{% for i in range(60) %}{% set n.x = n.x | replace('a', n.x) %}{% endfor %}";
    expect(() => tokensBy(template)).toThrow("malformed: the model's chat template");
  });

  it("that calls itself is ended at the same depth everywhere", () => {
    expect(() => tokensBy("{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}")).toThrow(
      "it nests more than 400 steps",
    );
  });

  it("that calls a macro in a loop that never grows may do so, with long conversations", () => {
    const template =
      "{% macro said(m) %}<|{{ m.role }}|>{{ m.content | trim }}{% endmacro %}" +
      "{% for m in messages %}{% if messages[loop.index0].role == m.role %}{{ said(m) }}{% endif %}{% endfor %}";
    expect(tokensBy(template).length).toBeGreaterThan(64 * 9_000 * 0.4);
  });

  it("cannot be longer than any in use", () => {
    expect(parseModelText(textOf(128 * 1024), VOCABULARY).chatTemplate).toHaveLength(128 * 1024);
    expect(() => parseModelText(textOf(128 * 1024 + 1), VOCABULARY)).toThrow("chatTemplate has more than");
  });
});
