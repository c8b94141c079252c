import { SPACE } from "./pipelines.ts";
import type { UnigramModel } from "./model-text.ts";

/** Tokens 0 to 5 of the sentence encoder's vocabulary are signs, never found in text. */
const RESERVED = 6;

/** What follows a beginning of pieces, character by character; the piece that ends here, if one does. */
interface Branch {
  readonly next: Map<string, Branch>;
  id: number;
  score: number;
}

/** No piece ends here. */
const NONE = -1;

function newBranch(): Branch {
  return { next: new Map(), id: NONE, score: 0 };
}

/**
 * SentencePiece's unigram model: of all ways to cut a text in pieces, the one of the largest sum of scores; of equal ones the
 * one whose last piece is shorter. A character where no piece begins is unknown and costs nothing; several in a row are one token.
 * A sum of 0 counts as none at all. Such odd ends are those of the package that the encoder's weights come with: the same
 * text has to give the same tokens.
 */
export class Unigram {
  readonly #root: Branch = newBranch();
  readonly #unknown: number;

  constructor({ vocab, unk_id }: UnigramModel) {
    this.#unknown = unk_id;
    for (const [id, [piece, score]] of vocab.entries()) {
      if (id < RESERVED) continue;
      const end = this.#branchOf(piece);
      end.id = id;
      end.score = score;
    }
  }

  #branchOf(piece: string): Branch {
    let branch = this.#root;
    for (const symbol of piece) {
      let next = branch.next.get(symbol);
      if (next === undefined) {
        next = newBranch();
        branch.next.set(symbol, next);
      }
      branch = next;
    }
    return branch;
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
    const offer = (start: number, end: number, id: number, score: number): void => {
      const sum = (best[start] ?? 0) + score;
      const other = best[end] ?? 0;
      if (other !== 0 && sum < other) return;
      best[end] = sum;
      lengths[end] = end - start;
      ids[end] = id;
    };
    for (let start = 0; start < symbols.length; start += 1) {
      let branch: Branch | undefined = this.#root;
      let found = false;
      for (let end = start; end < symbols.length; end += 1) {
        branch = branch.next.get(symbols[end] ?? "");
        if (branch === undefined) break;
        if (branch.id === NONE) continue;
        offer(start, end + 1, branch.id, branch.score);
        found = true;
      }
      if (!found) offer(start, start + 1, this.#unknown, 0);
    }
    const tokens: number[] = [];
    for (let end = symbols.length; end > 0; end -= lengths[end] ?? 1) {
      const id = ids[end] ?? this.#unknown;
      if (id !== this.#unknown || tokens.at(-1) !== this.#unknown) tokens.push(id);
    }
    return tokens.toReversed();
  }
}
