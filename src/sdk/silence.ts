import { FailureError } from "../protocol/failure.ts";
import { STREAM_SILENCE_MS } from "./limits.ts";

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

/** Watches over a stream: whoever falls silent in the middle is left. */
export function silenceOf(session: { fail(failure: FailureError): void }): Silence {
  return new Silence(STREAM_SILENCE_MS, () =>
    session.fail(new FailureError("heartbeat-lost", "the provider fell silent in the middle")),
  );
}
