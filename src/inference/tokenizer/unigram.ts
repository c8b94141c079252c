import { SPACE } from "./pipelines.ts";
import type { UnigramModel } from "./model-text.ts";

/** Tokens 0 to 5 of the sentence encoder's vocabulary are signs, never found in text. */
const RESERVED = 6;

interface Piece {
  readonly id: number;
  readonly score: number;
}

/**
 * SentencePiece's unigram model: of all ways to cut a text in pieces, the one of the largest sum of scores; of equal ones the
 * one whose last piece is shorter. A character where no piece begins is unknown and costs nothing; several in a row are one token.
 * A sum of 0 counts as none at all. Such odd ends are those of the package that the encoder's weights come with: the same
 * text has to give the same tokens.
 */
export class Unigram {
  readonly #pieces = new Map<string, Piece>();
  readonly #unknown: number;
  #longest = 0;

  constructor({ vocab, unk_id }: UnigramModel) {
    this.#unknown = unk_id;
    for (const [id, [piece, score]] of vocab.entries()) {
      if (id < RESERVED) continue;
      this.#pieces.set(piece, { id, score });
      this.#longest = Math.max(this.#longest, Array.from(piece).length);
    }
  }

  encode(text: string): number[] {
    const normal = text.normalize("NFKC");
    if (normal === "") return [];
    return this.#cut(Array.from(SPACE + normal.replaceAll(" ", SPACE)));
  }

  #cut(symbols: readonly string[]): number[] {
    const best = new Float64Array(symbols.length + 1);
    const lengths = new Int32Array(symbols.length + 1).fill(1);
    const ids = new Int32Array(symbols.length + 1).fill(this.#unknown);
    const offer = (start: number, length: number, { id, score }: Piece): void => {
      const sum = (best[start] ?? 0) + score;
      const other = best[start + length] ?? 0;
      if (other !== 0 && sum < other) return;
      best[start + length] = sum;
      lengths[start + length] = length;
      ids[start + length] = id;
    };
    for (let start = 0; start < symbols.length; start += 1) {
      let piece = "";
      let found = false;
      for (let length = 1; length <= this.#longest && start + length <= symbols.length; length += 1) {
        piece += symbols[start + length - 1] ?? "";
        const known = this.#pieces.get(piece);
        if (known === undefined) continue;
        offer(start, length, known);
        found = true;
      }
      if (!found) offer(start, 1, { id: this.#unknown, score: 0 });
    }
    const tokens: number[] = [];
    for (let end = symbols.length; end > 0; end -= lengths[end] ?? 1) {
      const id = ids[end] ?? this.#unknown;
      if (id !== this.#unknown || tokens.at(-1) !== this.#unknown) tokens.push(id);
    }
    return tokens.toReversed();
  }
}
