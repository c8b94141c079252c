import { createHash, type Hash } from "node:crypto";
import type { Question } from "../../market/capability.ts";
import { equalBytes } from "../../protocol/bytes.ts";
import { challengeDigest } from "../../protocol/challenge/challenge-work.ts";
import type { Cid } from "../../protocol/cid.ts";
import { bodyId, seal } from "../../protocol/envelope.ts";
import { FailureError } from "../../protocol/failure.ts";
import { header } from "../../protocol/header.ts";
import { MAX_CHALLENGE_LANES } from "../../protocol/limits.ts";
import {
  type Challenge,
  type ChallengeAnswer,
  challengeMessage,
  NONCE_BYTES,
} from "../../protocol/messages/capability.ts";
import { type Property } from "../../protocol/property.ts";
import type { Offer } from "../../protocol/messages/session.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { Signer } from "../../protocol/signature.ts";
import { type ChallengeBank, type PreparedLane, workOf } from "./challenge-bank.ts";
import type { CapabilityDesk } from "./capability-desk.ts";
import { ANSWER_MS, KEPT_DELAYS, LEAST_COMPUTING_SHARE } from "./limits.ts";

export interface InterviewParts {
  readonly desk: CapabilityDesk;
  readonly bank: ChallengeBank;
  readonly ground: { readonly origin: string; readonly asset: string };
  /** The key of the relay's identity in the mesh. */
  readonly signer: Signer;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  /** Milliseconds of a clock that only goes forward. */
  readonly elapsedMs: () => number;
  readonly random: (count: number) => Uint8Array;
}

/** The provider at the other end. */
export interface Interviewed {
  readonly provider: PeerId;
  readonly instance: PeerId;
  /** Threads in all, as it says. */
  workers(): number;
  /** Whether it has no work, as far as the relay knows. */
  isIdle(): boolean;
  send(challenge: Uint8Array): Promise<void>;
}

/** A challenge that waits for its answer. */
interface Asked {
  readonly id: Cid;
  readonly question: Question;
  readonly digest: Uint8Array;
  readonly lanes: readonly PreparedLane[];
  readonly sentAt: number;
  /** Of the bytes that came upstream. */
  readonly hash: Hash;
  bytes: number;
  /** Its time is over: what comes now counts for nothing. */
  isLate: boolean;
}

/**
 * Asks one provider, one challenge at a time, for as long as its offer stream lives. `turn` is called every few seconds; it asks at most
 * once, and only who is idle. The clock is the relay's own: from the sending to the arrival.
 */
export class Interview {
  readonly #parts: InterviewParts;
  readonly #other: Interviewed;
  #delays: number[] = [];
  #asked: Asked | undefined;
  #asking = false;
  #isOver = false;

  constructor(parts: InterviewParts, other: Interviewed) {
    this.#parts = parts;
    this.#other = other;
  }

  /** It has told the relay what it can take on, and what it says of itself. */
  offered(offer: Offer): void {
    this.#parts.desk.offered(offer);
  }

  /** A ping has come back. @param ms from sending to arrival */
  delayed(ms: number): void {
    this.#delays = [...this.#delays, ms].slice(-KEPT_DELAYS);
  }

  async turn(): Promise<void> {
    const { desk } = this.#parts;
    const { instance } = this.#other;
    if (this.#asked !== undefined) this.#expire(this.#asked);
    if (this.#asked !== undefined || this.#asking || this.#isOver || !this.#other.isIdle()) return;
    const question = desk.question(instance);
    const lanes = question && this.#lanes(question);
    if (question === undefined || lanes === undefined) return;
    this.#asking = true;
    try {
      await this.#ask(question, lanes);
    } catch {
      // The stream is gone, and whoever reads it notices.
      this.#asked = undefined;
    } finally {
      this.#asking = false;
    }
  }

  /** Next bytes of an `upstream` challenge. @throws FailureError `malformed-frame` where none is asked for, or no more */
  data(bytes: Uint8Array): void {
    const asked = this.#asked;
    if (asked === undefined || asked.question.property !== "upstream")
      throw new FailureError("malformed-frame", "nobody has asked for these bytes");
    asked.bytes += bytes.length;
    if (asked.bytes > asked.question.amount)
      throw new FailureError("malformed-frame", `more than the ${asked.question.amount} bytes asked for`);
    asked.hash.update(bytes);
  }

  /** @param arrivedAt by `elapsedMs` @throws FailureError `malformed` for an answer to something else */
  answer({ challenge, digest, device, declined }: ChallengeAnswer, arrivedAt: number): void {
    const { desk } = this.#parts;
    const { instance } = this.#other;
    const asked = this.#asked;
    if (asked === undefined || asked.id !== challenge)
      throw new FailureError("malformed", "challenge-answer: to no challenge that waits");
    this.#asked = undefined;
    if (asked.isLate) return;
    const { property, amount } = asked.question;
    if (digest === undefined) desk.declined(instance, asked.question, declined);
    else if (!isRight(asked, digest)) desk.contradict(instance, property);
    else {
      const elapsedMs = Math.max(1, arrivedAt - asked.sentAt);
      const computingMs = Math.max(1, elapsedMs - Math.max(0, ...this.#delays));
      desk.measured(instance, asked.question, {
        amount,
        computingMs,
        value: valueOf(asked, elapsedMs),
        most: valueOf(asked, Math.max(computingMs, elapsedMs * LEAST_COMPUTING_SHARE)),
        conceivable: valueOf(asked, computingMs),
        atMs: this.#parts.nowMs(),
        isSoftware: device === "software",
      });
    }
  }

  end(): void {
    this.#isOver = true;
    this.#asked = undefined;
  }

  #expire(asked: Asked): void {
    if (asked.isLate || this.#parts.elapsedMs() - asked.sentAt < ANSWER_MS) return;
    asked.isLate = true;
    this.#parts.desk.declined(this.#other.instance, asked.question, undefined);
  }

  #lanes({ property, amount }: Question): readonly PreparedLane[] | undefined {
    const { provider } = this.#other;
    const count =
      property === "fuel-all" ? Math.max(1, Math.min(this.#other.workers(), MAX_CHALLENGE_LANES)) : 1;
    return this.#parts.bank.take(property, amount, count, provider);
  }

  async #ask(question: Question, lanes: readonly PreparedLane[]): Promise<void> {
    const { ground, signer, random, elapsedMs } = this.#parts;
    const { instance } = this.#other;
    const nonce = random(NONCE_BYTES);
    const challenge: Challenge = {
      ...header(ground.origin, ground.asset),
      instance,
      nonce,
      property: question.property,
      amount: question.amount,
      seeds: lanes.map(({ seed }) => seed),
    };
    const envelope = await seal(challengeMessage, challenge, [signer]);
    // Work may have come while it was signed.
    if (this.#isOver || !this.#other.isIdle()) return;
    this.#asked = {
      id: bodyId(challengeMessage, challenge),
      question,
      lanes,
      digest: challengeDigest(
        nonce,
        lanes.map(({ output }) => output),
      ),
      sentAt: elapsedMs(),
      hash: createHash("sha256"),
      bytes: 0,
      isLate: false,
    };
    await this.#other.send(envelope);
  }
}

/** Of bytes that are to come upstream it is not enough to know them. */
function isRight({ digest, question, lanes, hash, bytes }: Asked, answered: Uint8Array): boolean {
  if (!equalBytes(digest, answered)) return false;
  if (workOf(question.property) !== "upstream") return true;
  return bytes === question.amount && equalBytes(hash.digest(), lanes[0]?.output ?? new Uint8Array());
}

/** In the property's unit. */
function valueOf({ question: { property, amount }, lanes }: Asked, ms: number): number {
  const fuel = Number(lanes.reduce((sum, lane) => sum + lane.fuel, 0n));
  return PER_SECOND[property](fuel, amount, 1_000 / ms);
}

type Value = (fuel: number, amount: number, perSecond: number) => number;
const byFuel: Value = (fuel, _amount, perSecond) => Math.floor(fuel * perSecond);
/** A multiply-add is two operations. */
const byOperations: Value = (fuel, _amount, perSecond) => Math.floor(2 * fuel * perSecond);

const PER_SECOND: Readonly<Record<Property, Value>> = {
  fuel: byFuel,
  "fuel-all": byFuel,
  memory: (_fuel, amount) => amount * 1024 * 1024,
  "wasm-rows": byOperations,
  "wasm-row": byOperations,
  "webgpu-rows": byOperations,
  "webgpu-row": byOperations,
  upstream: (_fuel, amount, perSecond) => Math.floor(amount * perSecond),
};
