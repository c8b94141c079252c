import { quantiseLlama } from "../convert/float-llama.ts";
import { type Accuracy, sampledText } from "./accuracy.contract.ts";
import { storiesModel } from "./stories.contract.ts";

const BEGIN = 1;
/** Texts of stories260K, and tokens of each. */
const TEXTS = 12;
const TEXT_TOKENS = 96;

/** Positions that are compared: a text's first token is given. */
export const STORY_POSITIONS: number = TEXTS * (TEXT_TOKENS - 1);

function perplexities({ floatPerplexity, perplexity }: Accuracy): readonly string[] {
  const change = 100 * (perplexity / floatPerplexity - 1);
  return [floatPerplexity.toPrecision(4), `${perplexity.toPrecision(4)} (${change.toFixed(2)} %)`];
}

/** A row of the page's table. */
export function rowOf(
  name: string,
  found: Accuracy,
  predicted: readonly string[] = perplexities(found),
): string {
  const cells = [
    name,
    ...predicted,
    found.divergence.toExponential(1),
    `${(100 * found.agreement).toFixed(1)} %`,
    found.cosine.toFixed(5),
  ];
  return `| ${cells.join(" | ")} |`;
}

export function storyTexts(): readonly (readonly number[])[] {
  const model = quantiseLlama(storiesModel(), 8);
  return Array.from({ length: TEXTS }, (_, i) => sampledText(model, BEGIN, TEXT_TOKENS, i + 1));
}
