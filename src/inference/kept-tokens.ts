import type { OpenedEncoder } from "./backend.ts";

/** Texts as an encoder takes them in: no more tokens than there are positions. @throws RangeError as `Encoder.encode` does */
export function keptTokens(
  { shape: { vocabulary, context } }: OpenedEncoder,
  texts: readonly (readonly number[])[],
): readonly (readonly number[])[] {
  return texts.map((tokens) => {
    const kept = tokens.slice(0, context);
    if (kept.length === 0) throw new RangeError("a text without tokens");
    for (const token of kept)
      if (!(Number.isInteger(token) && token >= 0 && token < vocabulary))
        throw new RangeError(`token ${token} of a vocabulary of ${vocabulary}`);
    return kept;
  });
}
