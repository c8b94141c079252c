import {
  PULSE_CLOGGED_MS,
  PULSE_DOUBT_MS,
  PULSE_LATE_MS,
  PULSE_QUIET_MS,
  PULSE_SILENCE_MS,
} from "./limits.ts";

export interface PulsePorts {
  /** Asks the provider for a word. */
  readonly ask: () => void;
  /** It says nothing for too long: it is frozen, dead or cut off. */
  readonly onLost: () => void;
  /** It may be lost, or is not after all: whether it should get more tasks has changed. */
  readonly onDoubt: () => void;
  /** Bytes that have come from it so far, frames that are not whole yet included. */
  readonly received: () => number;
  /** What is sent waits for the line, so that it hears late what it is asked. */
  readonly isClogged: () => boolean;
  /** Milliseconds from any moment on, never backwards. */
  readonly now?: () => number;
}

/**
 * Whether a provider still lives. Every frame of it is a sign of life; when it is quiet for PULSE_QUIET_MS it is asked, and
 * after PULSE_SILENCE_MS without a word it counts as lost. A connection notices only after some fifteen seconds that the
 * other end has died.
 */
export class Pulse {
  readonly #ports: PulsePorts;
  readonly #now: () => number;
  #heardAt: number;
  #received = 0;
  #isAsked = false;
  #lostAt: number;
  #dueAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #over = false;

  constructor(ports: PulsePorts) {
    this.#ports = ports;
    this.#now = ports.now ?? ((): number => performance.now());
    this.#heardAt = this.#now();
    this.#lostAt = this.#heardAt + PULSE_SILENCE_MS;
    this.#setFor(this.#heardAt + PULSE_QUIET_MS);
  }

  /** It was asked and owes an answer. */
  get isInDoubt(): boolean {
    return this.#isAsked;
  }

  /** A frame has come. Costs nothing but a look at the clock. */
  heard(): void {
    this.#heardAt = this.#now();
    this.#lostAt = this.#heardAt + PULSE_SILENCE_MS;
    this.#received = this.#ports.received();
    if (!this.#isAsked || this.#over) return;
    this.#isAsked = false;
    this.#setFor(this.#heardAt + PULSE_QUIET_MS);
    this.#ports.onDoubt();
  }

  /** Somebody else does not hear it any more: it is asked at once, and has PULSE_DOUBT_MS to answer. */
  doubt(): void {
    const now = this.#now();
    if (this.#over) return;
    this.#lostAt = Math.min(this.#lostAt, now + PULSE_DOUBT_MS);
    if (!this.#isAsked) this.#ask();
    this.#setFor(this.#lostAt);
  }

  end(): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }

  #ask(): void {
    this.#isAsked = true;
    this.#ports.ask();
    this.#ports.onDoubt();
  }

  #setFor(at: number): void {
    clearTimeout(this.#timer);
    this.#dueAt = at;
    this.#timer = setTimeout(() => this.#look(), Math.max(0, at - this.#now()));
  }

  #look(): void {
    const now = this.#now();
    if (now - this.#dueAt > PULSE_LATE_MS) this.#lostAt = now + PULSE_DOUBT_MS;
    if (this.#ports.received() !== this.#received) this.heard();
    if (!this.#isAsked) this.#lookWhileWell(now);
    else if (now >= this.#lostAt && !this.#isExcused(now)) this.#lose();
    else this.#setFor(Math.max(this.#lostAt, now + PULSE_DOUBT_MS / 2));
  }

  /** What has come since the timer was set moves it on. */
  #lookWhileWell(now: number): void {
    const askAt = this.#heardAt + PULSE_QUIET_MS;
    if (now < askAt) {
      this.#setFor(askAt);
      return;
    }
    this.#ask();
    this.#setFor(this.#lostAt);
  }

  /** It cannot answer what has not reached it. */
  #isExcused(now: number): boolean {
    return this.#ports.isClogged() && now - this.#heardAt < PULSE_CLOGGED_MS;
  }

  #lose(): void {
    this.end();
    this.#ports.onLost();
  }
}
