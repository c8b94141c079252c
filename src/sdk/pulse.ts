import type { FrameStream } from "../mesh/frame-stream.ts";
import { FRAME } from "../protocol/work-frame.ts";
import {
  PULSE_CLOGGED_MS,
  PULSE_DOUBT_MS,
  PULSE_LATE_MS,
  PULSE_LOST_MS,
  PULSE_QUIET_MS,
  PULSE_SILENCE_MS,
} from "./limits.ts";

export interface PulsePorts {
  /** Asks the provider for a word. */
  readonly ask: () => void;
  /** It does not come back: it is dead. */
  readonly onLost: () => void;
  /** It may be lost, or is not after all: whether it should get more tasks, or others its own, has changed. */
  readonly onDoubt: () => void;
  /** Bytes that have come from it so far, frames that are not whole yet included. */
  readonly received: () => number;
  /** What is sent waits for the line, so that it hears late what it is asked. */
  readonly isClogged: () => boolean;
  /** Milliseconds from any moment on, never backwards. */
  readonly now?: () => number;
}

/**
 * Whether a provider still lives. Every frame of it is a sign of life; when it is quiet for PULSE_QUIET_MS it is asked, after
 * PULSE_SILENCE_MS without a word others do its work as well, and after PULSE_LOST_MS it is left: a busy machine may take
 * seconds to answer, and who was only slow goes on. A connection notices only after some fifteen seconds that the other end
 * has died.
 */
export class Pulse {
  readonly #ports: PulsePorts;
  readonly #now: () => number;
  #heardAt: number;
  #received = 0;
  #isAsked = false;
  #isSilent = false;
  #silentAt: number;
  #lostAt: number;
  #dueAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #over = false;

  constructor(ports: PulsePorts) {
    this.#ports = ports;
    this.#now = ports.now ?? ((): number => performance.now());
    this.#heardAt = this.#now();
    this.#silentAt = this.#heardAt + PULSE_SILENCE_MS;
    this.#lostAt = this.#heardAt + PULSE_LOST_MS;
    this.#setFor(this.#heardAt + PULSE_QUIET_MS);
  }

  /** It was asked and owes an answer. */
  get isInDoubt(): boolean {
    return this.#isAsked;
  }

  /** It has said nothing for too long: others are to do its work. */
  get isSilent(): boolean {
    return this.#isSilent;
  }

  /** A frame has come. Costs nothing but a look at the clock. */
  heard(): void {
    this.#heardAt = this.#now();
    this.#silentAt = this.#heardAt + PULSE_SILENCE_MS;
    this.#lostAt = this.#heardAt + PULSE_LOST_MS;
    this.#received = this.#ports.received();
    if (!this.#isAsked || this.#over) return;
    this.#isAsked = false;
    this.#isSilent = false;
    this.#setFor(this.#heardAt + PULSE_QUIET_MS);
    this.#ports.onDoubt();
  }

  /** Somebody else does not hear it any more: it is asked at once, and has PULSE_DOUBT_MS until it counts as silent. */
  doubt(): void {
    const now = this.#now();
    if (this.#over) return;
    this.#silentAt = Math.min(this.#silentAt, now + PULSE_DOUBT_MS);
    if (!this.#isAsked) this.#ask();
    if (!this.#isSilent) this.#setFor(this.#silentAt);
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
    if (now - this.#dueAt > PULSE_LATE_MS) this.#forgive(now);
    if (this.#ports.received() !== this.#received) this.heard();
    if (!this.#isAsked) this.#lookWhileWell(now);
    else if (this.#isExcused(now)) this.#setFor(now + PULSE_DOUBT_MS / 2);
    else if (now >= this.#lostAt) this.#lose();
    else this.#lookWhileAsked(now);
  }

  /** This side was asleep itself. */
  #forgive(now: number): void {
    this.#silentAt = now + PULSE_DOUBT_MS;
    this.#lostAt = now + PULSE_SILENCE_MS;
  }

  #lookWhileAsked(now: number): void {
    if (now < this.#silentAt) {
      this.#setFor(this.#silentAt);
      return;
    }
    this.#setFor(this.#lostAt);
    if (this.#isSilent) return;
    this.#isSilent = true;
    this.#ports.onDoubt();
  }

  /** What has come since the timer was set moves it on. */
  #lookWhileWell(now: number): void {
    const askAt = this.#heardAt + PULSE_QUIET_MS;
    if (now < askAt) {
      this.#setFor(askAt);
      return;
    }
    this.#ask();
    this.#setFor(this.#silentAt);
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

/** Of the peer at the other end of a stream of frames. @param onDoubt it is asked for a word */
export function pulseOf(frames: FrameStream, onLost: () => void, onDoubt: () => void): Pulse {
  return new Pulse({
    ask: () => void frames.sendFrame(FRAME.ping).catch(() => undefined),
    onLost,
    onDoubt,
    received: () => frames.receivedBytes,
    isClogged: () => frames.isClogged,
  });
}
