import { fromBase64, toBase64 } from "../../protocol/base64.ts";
import { toHex } from "../../protocol/bytes.ts";
import { MAX_EMBED_TEXTS, MAX_MODEL_POSITIONS } from "../../protocol/limits.ts";
import {
  decodeModelData,
  embedInputSchema,
  embedOutputSchema,
  encodeModelData,
  generateInputSchema,
} from "../../protocol/messages/model-task.ts";
import { bytesOf, canonicalJson, parseJson, type Value } from "../json-value.ts";
import { whyNotInside } from "../type-relations.ts";
import type { ValueType } from "../value-type.ts";
import {
  asBytes,
  asCount,
  asText,
  asTexts,
  type Builtin,
  fixed,
  generic,
  JSON_TYPE,
  paidText,
  TEXT,
  TypeMismatch,
} from "./builtin.ts";
import { failed, type Work } from "./work.ts";

function demandJson([of]: readonly ValueType[]): void {
  const problem = of === undefined ? "is missing" : whyNotInside(of, JSON_TYPE);
  if (problem !== undefined) throw new TypeMismatch(`argument 1: ${problem}`);
}

function paidBytes(value: Value | undefined, work: Work): Uint8Array {
  const bytes = asBytes(value);
  work.spend(bytes.length);
  return bytes;
}

function embedInput(texts: readonly string[], work: Work): Uint8Array {
  work.spend(texts.reduce((sum, text) => sum + text.length, 0));
  return texts.length <= MAX_EMBED_TEXTS
    ? encodeModelData(embedInputSchema, { texts })
    : failed(`a model turns ${MAX_EMBED_TEXTS} texts at a time into vectors, not ${texts.length}`);
}

/** Q15: the numbers are whole 32768ths, and so are exact. */
function embedVectors(bytes: Uint8Array): Value {
  const { dimensions, vectors, tokens } = modelAnswer(bytes);
  const view = new DataView(vectors.buffer, vectors.byteOffset, vectors.byteLength);
  return tokens.map((_, row) =>
    Array.from({ length: dimensions }, (__, at) => view.getInt16(2 * (row * dimensions + at), true) / 32_768),
  );
}

function modelAnswer(bytes: Uint8Array): ReturnType<(typeof embedOutputSchema)["read"]> {
  try {
    return decodeModelData(embedOutputSchema, bytes);
  } catch {
    return failed("the bytes are not what a model's embed gives");
  }
}

const NO_SEED: Uint8Array = new Uint8Array(32);

function generateInput(prompt: string, tokens: number): Uint8Array {
  if (tokens < 1 || tokens > MAX_MODEL_POSITIONS)
    return failed(`a model writes 1 to ${MAX_MODEL_POSITIONS} tokens`);
  return encodeModelData(generateInputSchema, {
    messages: [{ role: "user", content: prompt }],
    written: [],
    maxTokens: tokens,
    temperatureMilli: 0,
    topK: 0,
    topPMilli: 1_000,
    seed: NO_SEED,
    stop: [],
  });
}

function unbase64(text: string): Uint8Array {
  return fromBase64(text) ?? failed("the text is not base64");
}

export const DATA_BUILTINS: readonly Builtin[] = [
  generic(
    "any",
    [1, 1],
    "any → json",
    "The same value as any JSON; of a text its JSON.",
    (args) => (demandJson(args), JSON_TYPE),
    ([of = null]) => of,
  ),
  fixed("parse_json", "text → json", "The value that a JSON text stands for.", ([of], work) =>
    parseJson(paidText(of, work)),
  ),
  generic(
    "print_json",
    [1, 1],
    "any → text",
    "Canonical JSON: keys sorted, no blanks.",
    (args) => (demandJson(args), TEXT),
    ([of = null], work) => {
      work.spendFor(of);
      return canonicalJson(of);
    },
  ),
  fixed("utf8", "text → bytes", "A text's UTF-8.", ([of], work) => bytesOf(paidText(of, work))),
  fixed("base64", "bytes → text", "Standard base64 with padding.", ([of], work) =>
    toBase64(paidBytes(of, work)),
  ),
  fixed("from_base64", "text → bytes", "Bytes of standard base64 with padding.", ([of], work) =>
    unbase64(paidText(of, work)),
  ),
  fixed("hex", "bytes → text", "Two digits for each byte, in lower case.", ([of], work) =>
    toHex(paidBytes(of, work)),
  ),
  fixed(
    "embed_input",
    "list<text> → bytes",
    "Input of a model's embed: the texts to be turned into vectors.",
    ([of], work) => embedInput(asTexts(of, work), work),
  ),
  fixed(
    "embed_vectors",
    "bytes → list<list<number>>",
    "Output of a model's embed: one vector of length 1 for each text.",
    ([of], work) => embedVectors(paidBytes(of, work)),
  ),
  fixed(
    "generate_input",
    "text, number → bytes",
    "Input of a model's generate: a person's message, and the most tokens of its answer, the likeliest each time.",
    ([prompt, tokens]) => generateInput(asText(prompt), asCount(tokens)),
  ),
];
