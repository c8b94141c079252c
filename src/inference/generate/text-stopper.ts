/** Ends a text before the first of some stop texts, and holds back what may be the beginning of one. */
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
    const found = this.#stop.map((each) => all.indexOf(each)).filter((at) => at >= 0);
    this.isStopped = found.length > 0;
    const sure = this.isStopped ? Math.min(...found) : all.length - this.#possible(all);
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
