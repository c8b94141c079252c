import type { Logger } from "pino";
import { FrameStream } from "../../mesh/frame-stream.ts";
import type { MeshStream } from "../../mesh/mesh.ts";
import { FailureError } from "../../protocol/failure.ts";
import { failureKind } from "../../protocol/failure-code.ts";
import { greet } from "../../protocol/greeting.ts";
import { MAX_TEXT_BYTES, WIRE_VERSION } from "../../protocol/limits.ts";
import { challengeAnswerMessage } from "../../protocol/messages/capability.ts";
import { helloMessage, type Offer, offerMessage } from "../../protocol/messages/session.ts";
import { isPeerId, type PeerId } from "../../protocol/peer-id.ts";
import { decode, encode } from "../../protocol/schema.ts";
import type { Signer } from "../../protocol/signature.ts";
import { failureSchema, FRAME, type PeerLink, pongSchema } from "../../protocol/work-frame.ts";
import type { Authentic, Authentication } from "../authenticate.ts";
import type { Candidate } from "../../market/match-job.ts";
import type { Books } from "../books.ts";
import type { Interview, Interviewed } from "../capability/interview.ts";
import { HELLO_TIMEOUT_MS, MAX_OFFER_FRAME_BYTES, MISSED_PINGS } from "../limits.ts";
import type { RelayMetrics } from "../metrics.ts";
import type { RateLimit } from "../rate-limit.ts";
import type { LiveOffers } from "./live-offers.ts";

export interface OfferParts {
  readonly books: Books;
  readonly authentication: Authentication;
  readonly offers: LiveOffers;
  /** Signs the relay's hello; the key of its identity in the mesh. */
  readonly signer: Signer;
  /** Offers per instance. */
  readonly limit: RateLimit;
  readonly metrics: RelayMetrics;
  readonly log: Logger;
  /** Time between two pings, milliseconds. */
  readonly pingMs: number;
  /** Takes note of who offers, and from where. @throws FailureError `rate-limited` for one new identity too many */
  readonly admit?: (offer: Offer) => void;
  /** Told at each ping that finds the one before unanswered, and when the last stream of an instance is over. */
  readonly onQuiet?: (instance: PeerId) => void;
  /** Told of each answer to a ping: how long it took, in milliseconds, and over what the provider is connected, if it says so. */
  readonly onPong?: (instance: PeerId, ms: number, links: readonly PeerLink[] | undefined) => void;
  /** Begins to measure a provider; without it none is. */
  readonly interview?: (other: Interviewed) => Interview;
}

/**
 * One provider's offer stream: hello both ways, then its offers one way and pings the other. Its offer stands as long as
 * it answers pings. What the relay does not accept it refuses with a failure, after which nothing follows.
 */
export class OfferStream {
  readonly #parts: OfferParts;
  readonly #frames: FrameStream;
  readonly #instance: PeerId;
  #greeted = false;
  #unanswered = 0;
  #pingedAt = 0;
  #interview: Interview | undefined;
  #over = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @throws FailureError `malformed` when the peer's key is not Ed25519. */
  constructor(stream: MeshStream, parts: OfferParts) {
    if (!isPeerId(stream.remotePeer)) throw new FailureError("malformed", "identities are Ed25519 keys");
    this.#instance = stream.remotePeer;
    this.#parts = parts;
    this.#frames = new FrameStream(stream, { maxBytes: () => MAX_OFFER_FRAME_BYTES });
  }

  /** Resolves when hello is sent; the stream lives on until either side ends it. */
  async start(): Promise<void> {
    this.#timer = setTimeout(() => {
      this.#refuse(new FailureError("timed-out", `no hello within ${HELLO_TIMEOUT_MS} ms`));
    }, HELLO_TIMEOUT_MS);
    this.#frames.onFrame(
      (kind, payload) => this.#frame(kind, payload),
      () => this.#leave(),
    );
    await this.#frames.sendFrame(FRAME.hello, await this.#hello());
  }

  async #hello(): Promise<Uint8Array> {
    const { books, signer } = this.#parts;
    return greet("relay", books, signer, await books.checkpoint());
  }

  #frame(kind: number, payload: Uint8Array): void {
    if (this.#over) return;
    try {
      if (kind === FRAME.pong) this.#pong(payload);
      else if (kind === FRAME.hello && !this.#greeted) this.#greet(payload);
      else if (kind === FRAME.offer && this.#greeted) this.#offer(payload);
      else if (kind === FRAME.challengeAnswer && this.#interview !== undefined)
        this.#answer(payload, this.#interview);
      else if (kind === FRAME.challengeData && this.#interview !== undefined) this.#interview.data(payload);
      else throw new FailureError("malformed-frame", `a frame of kind ${kind} has no place here`);
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      this.#refuse(error);
    }
  }

  #greet(payload: Uint8Array): void {
    const authentic = this.#parts.authentication.open(helloMessage, payload);
    this.#requireOwn(authentic, authentic.message.body.instance);
    const { role, versions } = authentic.message.body;
    if (role !== "provider") throw new FailureError("malformed", `a ${role} makes no offers`);
    if (!versions.includes(WIRE_VERSION))
      throw new FailureError("version-mismatch", `this relay speaks version ${WIRE_VERSION}`);
    this.#greeted = true;
    clearTimeout(this.#timer);
    this.#timer = setInterval(() => this.#ping(), this.#parts.pingMs);
  }

  #offer(payload: Uint8Array): void {
    this.#parts.limit.take(this.#instance);
    const authentic = this.#parts.authentication.open(offerMessage, payload);
    const offer = authentic.message.body;
    const { root } = this.#requireOwn(authentic, offer.instance);
    if (root !== offer.provider)
      throw new FailureError("bad-signature", "offer: signed for another provider");
    this.#parts.admit?.(offer);
    this.#parts.offers.put(offer, this);
    this.#interview ??= this.#parts.interview?.({
      provider: offer.provider,
      instance: this.#instance,
      workers: () => this.#standing?.offer.workers ?? 0,
      isIdle: () => this.#standing?.free === this.#standing?.offer.workers,
      send: (challenge) => this.#frames.sendFrame(FRAME.challenge, challenge),
    });
    this.#interview?.offered(offer);
  }

  get #standing(): Candidate | undefined {
    return this.#over ? undefined : this.#parts.offers.find(this.#instance);
  }

  #answer(payload: Uint8Array, interview: Interview): void {
    const arrivedAt = performance.now();
    const authentic = this.#parts.authentication.open(challengeAnswerMessage, payload);
    const answer = authentic.message.body;
    this.#requireOwn(authentic, answer.instance);
    interview.answer(answer, arrivedAt);
  }

  #pong(payload: Uint8Array): void {
    const ms = performance.now() - this.#pingedAt;
    // A pong that answers none of the pings says nothing of the line.
    const isAnswer = this.#unanswered > 0;
    this.#unanswered = 0;
    this.#interview?.delayed(ms);
    if (!isAnswer) return;
    const links = payload.length === 0 ? undefined : decode(pongSchema, payload).links;
    this.#parts.onPong?.(this.#instance, ms, links);
  }

  /** Signed by the key of this connection alone, which is the instance it speaks of. */
  #requireOwn({ by }: Authentic<unknown>, instance: PeerId): Authentic<unknown>["by"][number] {
    const [signatory] = by;
    if (by.length !== 1 || signatory === undefined || signatory.session !== this.#instance)
      throw new FailureError("wrong-peer", "not signed by the key of this connection");
    if (instance !== this.#instance) throw new FailureError("wrong-peer", "made by another instance");
    return signatory;
  }

  #ping(): void {
    if (this.#unanswered >= MISSED_PINGS) {
      const failure = new FailureError("heartbeat-lost", `${MISSED_PINGS} pings without an answer`);
      this.#parts.metrics.heartbeatLost();
      this.#tellOperator(failure);
      this.#end();
      this.#frames.abort(failure);
      return;
    }
    if (this.#unanswered > 0) this.#parts.onQuiet?.(this.#instance);
    this.#unanswered += 1;
    this.#pingedAt = performance.now();
    this.#frames.sendFrame(FRAME.ping).catch(() => this.#end());
    this.#interview?.turn().catch((error: unknown) => {
      this.#parts.log.error({ peer: this.#instance, error: String(error) }, "a provider cannot be measured");
    });
  }

  #refuse(failure: FailureError): void {
    if (this.#over) return;
    this.#tellOperator(failure);
    this.#parts.metrics.refused(failureKind(failure.code).name);
    this.#end();
    const detail = failure.detail.slice(0, MAX_TEXT_BYTES / 4);
    void this.#sayAndClose(encode(failureSchema, { code: failure.code, detail }), failure);
  }

  async #sayAndClose(refusal: Uint8Array, failure: FailureError): Promise<void> {
    try {
      await this.#frames.sendFrame(FRAME.refuse, refusal);
      await this.#frames.close();
      // A peer that does not close its side holds the stream no longer than this.
      setTimeout(() => this.#frames.abort(failure), this.#parts.pingMs).unref();
    } catch {
      this.#frames.abort(failure);
    }
  }

  #tellOperator({ code, detail }: FailureError): void {
    const { name } = failureKind(code);
    this.#parts.log.info({ peer: this.#instance, code, name, detail }, "provider refused");
  }

  /** The provider has closed its side, or is gone. */
  #leave(): void {
    this.#end();
    this.#frames.close().catch(() => undefined);
  }

  #end(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#interview?.end();
    this.#parts.offers.withdraw(this.#instance, this);
    if (this.#parts.offers.find(this.#instance) === undefined) this.#parts.onQuiet?.(this.#instance);
  }
}
