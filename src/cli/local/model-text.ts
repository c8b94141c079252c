import type {
  EncoderDescription,
  LlamaDescription,
  ModelDescription,
} from "../../relay/models/describe-model.ts";
import { printableWords } from "../chat/printable.ts";
import { bytesText } from "../quantities.ts";

type TextRow = readonly [name: string, text: string];

/** What `model inspect` prints for a person. */
export function modelText(file: string, model: ModelDescription): string {
  const { parts } = model;
  const rows: readonly TextRow[] = [
    ["name", printableWords(model.name)],
    ["CID", model.cid],
    ["SHA-256", model.sha256],
    ["licence", printableWords(model.licence)],
    ["memory", `${bytesText(model.memoryBytes)} to run it with its whole context`],
    ["made from", `SHA-256 ${model.sourceSha256}`],
    ...(model.kind === "llama" ? llamaRows(model) : encoderRows(model)),
    [
      "file",
      `${bytesText(model.bytes)}: layers ${bytesText(parts.layers)}, embeddings ${bytesText(parts.embeddings)}, ` +
        `head ${bytesText(parts.head)}, tables ${bytesText(parts.tables)}, tokenizer ${bytesText(parts.tokenizer)}`,
    ],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const kind = model.kind === "llama" ? "a Llama model" : "a sentence encoder";
  return `${file}: ${kind}\n\n${rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`).join("\n")}\n`;
}

function llamaRows({ shape, parameters, bits, historyBytes }: LlamaDescription): readonly TextRow[] {
  return [
    ["weights", `${count(parameters)} of ${bits} bits in the layers, 8 in the head`],
    [
      "shape",
      `${shape.layers} layers of ${shape.width}, inner ${shape.inner}, ` +
        `${shape.heads} heads on ${shape.keyHeads} of ${shape.headSize}`,
    ],
    ["vocabulary", `${shape.vocabulary} tokens`],
    ["context", `${shape.context} positions, ${bytesText(historyBytes)} of keys and values`],
  ];
}

function encoderRows({ shape, parameters, bits }: EncoderDescription): readonly TextRow[] {
  const layers = shape.layers.map(({ input, width, inner, heads, headSize }): TextRow => [
    "layer",
    `${input === width ? width : `${input} to ${width}`}, inner ${inner}, ${heads} heads of ${headSize}`,
  ]);
  return [
    ["weights", `${count(parameters)} of ${bits} bits, 16 in the embeddings`],
    ...layers,
    ["output", `${shape.output} values`],
    ["vocabulary", `${shape.vocabulary} tokens of ${shape.width} values`],
    ["context", `${shape.context} positions`],
  ];
}

function count(parameters: number): string {
  return parameters >= 1e6 ? `${(parameters / 1e6).toFixed(1)} M` : `${Math.round(parameters / 1e3)} k`;
}
