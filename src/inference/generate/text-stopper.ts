/**
 * Ends a text before one of some stop texts, and holds back what may be the beginning of one. Of several it is the one that
 * is complete first, the longest of those: so it does not matter in what pieces the text comes.
 */
export class TextStopper {
  readonly #stop: readonly string[];
  #held = "";
  /** All that was certain so far. */
  text = "";
  /** A stop text was found; nothing follows. */
  isStopped = false;

  constructor(stop: readonly string[]) {
    this.#stop = stop.filter((each) => each !== "");
  }

  /** @returns text that is certain now */
  push(piece: string): string {
    const all = this.#held + piece;
    const at = firstComplete(all, this.#stop);
    this.isStopped = at !== undefined;
    const sure = at ?? all.length - this.#possible(all);
    this.#held = this.isStopped ? "" : all.slice(sure);
    return this.#tell(all.slice(0, sure));
  }

  /** @returns the rest, with a last piece */
  end(piece: string): string {
    if (this.isStopped) return "";
    const sure = this.push(piece);
    return this.isStopped ? sure : sure + this.#tell(this.#held);
  }

  #tell(sure: string): string {
    this.text += sure;
    return sure;
  }

  /** Characters at the end that a stop text may begin with. */
  #possible(text: string): number {
    let most = 0;
    for (const each of this.#stop)
      for (let length = Math.min(each.length - 1, text.length); length > most; length -= 1)
        if (text.endsWith(each.slice(0, length))) most = length;
    return most;
  }
}

/** Where the stop text begins that is complete first. */
function firstComplete(text: string, stop: readonly string[]): number | undefined {
  const [first] = stop
    .map((each) => ({ from: text.indexOf(each), length: each.length }))
    .filter(({ from }) => from >= 0)
    .toSorted((a, b) => a.from + a.length - (b.from + b.length) || a.from - b.from);
  return first?.from;
}
