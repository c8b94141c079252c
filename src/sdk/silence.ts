/** Tells when who has begun to speak says nothing for too long. Before the first word it waits for ever. */
export class Silence {
  readonly #mostMs: number;
  readonly #onSilent: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #over = false;

  /** @param mostMs between two words, milliseconds */
  constructor(mostMs: number, onSilent: () => void) {
    this.#mostMs = mostMs;
    this.#onSilent = onSilent;
  }

  heard(): void {
    clearTimeout(this.#timer);
    if (!this.#over) this.#timer = setTimeout(() => this.#onSilent(), this.#mostMs);
  }

  /** Nothing more is waited for. */
  end(): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }
}
