import type { ModelDescription } from "../../relay/models/describe-model.ts";
import { bytesText } from "../quantities.ts";

/** What `model inspect` prints for a person. */
export function modelText(file: string, model: ModelDescription): string {
  const { shape, parts } = model;
  const rows: readonly (readonly [string, string])[] = [
    ["name", model.name],
    ["CID", model.cid],
    ["SHA-256", model.sha256],
    ["licence", model.licence],
    ["made from", `SHA-256 ${model.sourceSha256}`],
    ["weights", `${count(model.parameters)} of ${model.bits} bits in the layers, 8 in the head`],
    [
      "shape",
      `${shape.layers} layers of ${shape.width}, inner ${shape.inner}, ` +
        `${shape.heads} heads on ${shape.keyHeads} of ${shape.headSize}`,
    ],
    ["vocabulary", `${shape.vocabulary} tokens`],
    ["context", `${shape.context} positions, ${bytesText(model.historyBytes)} of keys and values`],
    [
      "file",
      `${bytesText(model.bytes)}: layers ${bytesText(parts.layers)}, embeddings ${bytesText(parts.embeddings)}, ` +
        `head ${bytesText(parts.head)}, tables ${bytesText(parts.tables)}, tokenizer ${bytesText(parts.tokenizer)}`,
    ],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return `${file}: a Llama model\n\n${rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`).join("\n")}\n`;
}

function count(parameters: number): string {
  return parameters >= 1e6 ? `${(parameters / 1e6).toFixed(1)} M` : `${Math.round(parameters / 1e3)} k`;
}
