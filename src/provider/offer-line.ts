import { FrameStream } from "../mesh/frame-stream.ts";
import type { Mesh } from "../mesh/mesh.ts";
import type { Cid } from "../protocol/cid.ts";
import { openEnvelope, seal, verified } from "../protocol/envelope.ts";
import { FailureError } from "../protocol/failure.ts";
import { greet, type Ground, readGreeting } from "../protocol/greeting.ts";
import { header, requireOrigin } from "../protocol/header.ts";
import { challengeAnswerMessage, challengeMessage, type Claim } from "../protocol/messages/capability.ts";
import { type Abi, type Offer, offerMessage } from "../protocol/messages/session.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import { OFFER_PROTOCOL } from "../protocol/protocol-id.ts";
import { decode, encode } from "../protocol/schema.ts";
import type { Signer, Verify } from "../protocol/signature.ts";
import type { Tariff } from "../protocol/tariff.ts";
import { failureSchema, FRAME, type PeerLink, pongSchema } from "../protocol/work-frame.ts";
import type { ChallengeDesk, Computed } from "./challenge-desk.ts";
import { SUPPORTED_PROFILES } from "./check-open.ts";
import { OFFER_INTERVAL_MS, RELAY_SILENCE_MS } from "./limits.ts";

export interface Capacity {
  readonly workers: number;
  readonly free: number;
  /** Memory one function or model may have, bytes. */
  readonly memoryBytes: number;
  /** Interfaces of what runs here. */
  readonly abis: readonly Abi[];
  /** Manifests of models that are here whole, MAX_OFFERED_MODELS at most. */
  readonly models?: readonly Cid[];
  /** Effects that its person allows (Offer.effects); absent where it carries out none. */
  readonly effects?: readonly string[];
  /** What it says of its own speed. */
  readonly claims?: readonly Claim[];
}

export interface OfferLineOptions {
  readonly mesh: Mesh;
  /** Multiaddr of the relay. */
  readonly relay: string;
  readonly ground: Ground;
  readonly root: PeerId;
  readonly signer: Signer;
  readonly verify: Verify;
  readonly tariffMin: Tariff;
  readonly capacity: () => Capacity;
  readonly note: () => string | undefined;
  /** Origin of the page that embeds it. */
  readonly site?: string;
  /** Over what those it works for are connected. */
  readonly links?: () => readonly PeerLink[];
  /** Computes challenges; without it all are declined. */
  readonly challenges?: Pick<ChallengeDesk, "compute">;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** The stream on which the relay learns what this provider can take on, and sees that it lives. */
export class OfferLine {
  readonly #options: OfferLineOptions;
  readonly #frames: FrameStream;
  readonly #ended = Promise.withResolvers<FailureError>();
  readonly #greeted = Promise.withResolvers<void>();
  #seq = 0;
  #cooling: ReturnType<typeof setTimeout> | undefined;
  #silence: ReturnType<typeof setTimeout> | undefined;
  #again = false;
  /** Links in the last pong. */
  #told = 0;

  private constructor(options: OfferLineOptions, frames: FrameStream) {
    this.#options = options;
    this.#frames = frames;
    this.#greeted.promise.catch(() => undefined);
    frames.onFrame(
      (kind, payload) => this.#frame(kind, payload),
      (failure) => this.#finish(failure ?? new FailureError("disconnected", "the relay closed the line")),
    );
  }

  /** Greets and sends the first offer. @throws FailureError when the relay cannot be reached or refuses. */
  static async open(options: OfferLineOptions, signal: AbortSignal): Promise<OfferLine> {
    const stream = await options.mesh.dial(options.relay, OFFER_PROTOCOL, { signal });
    const line = new OfferLine(options, new FrameStream(stream));
    await line.#frames.sendFrame(
      FRAME.hello,
      await greet("provider", options.ground, options.signer, options.note()),
    );
    await line.#greeted.promise;
    await line.#send();
    return line;
  }

  /** Resolves with the reason when the line is lost or the relay refuses this provider. */
  get ended(): Promise<FailureError> {
    return this.#ended.promise;
  }

  /** Capacity or addresses have changed: tells the relay, at most every OFFER_INTERVAL_MS. */
  renew(): void {
    if (this.#cooling !== undefined) {
      this.#again = true;
      return;
    }
    void this.#send().catch(() => undefined);
    this.#cooling = setTimeout(() => {
      this.#cooling = undefined;
      if (!this.#again) return;
      this.#again = false;
      this.renew();
    }, OFFER_INTERVAL_MS);
  }

  async close(): Promise<void> {
    clearTimeout(this.#cooling);
    await this.#frames.close().catch(() => undefined);
    this.#finish(new FailureError("closed", "the provider withdrew its offer"));
  }

  async #send(): Promise<void> {
    const { ground, root, signer, tariffMin, capacity, mesh, site } = this.#options;
    this.#seq += 1;
    const offer: Offer = {
      ...header(ground.origin, ground.asset),
      provider: root,
      instance: signer.key,
      seq: this.#seq,
      ...capacity(),
      profiles: SUPPORTED_PROFILES,
      tariffMin,
      addresses: mesh.addresses().slice(0, 16),
      ...(site === undefined ? {} : { site }),
    };
    await this.#frames.sendFrame(FRAME.offer, await seal(offerMessage, offer, [signer]));
  }

  #frame(kind: number, payload: Uint8Array): void | Promise<void> {
    switch (kind) {
      case FRAME.ping:
        this.#expectPing();
        this.#frames.sendFrame(FRAME.pong, ...this.#pong()).catch(() => undefined);
        return undefined;
      case FRAME.hello:
        return this.#hello(payload);
      case FRAME.challenge:
        // Pings are answered meanwhile.
        void this.#challenge(payload).catch(() => undefined);
        return undefined;
      case FRAME.refuse: {
        const { code, detail } = decode(failureSchema, payload);
        throw new FailureError(code, detail);
      }
      default:
        throw new FailureError("malformed-frame", `frame kind ${kind} is not expected from a relay`);
    }
  }

  /** With what there is to tell, and once more when there is nothing left. */
  #pong(): readonly Uint8Array[] {
    const links = this.#options.links?.() ?? [];
    const before = this.#told;
    this.#told = links.length;
    return links.length === 0 && before === 0 ? [] : [encode(pongSchema, { links })];
  }

  /** What the relay has not signed for this instance is not answered. */
  async #challenge(payload: Uint8Array): Promise<void> {
    const { ground, signer, verify, challenges } = this.#options;
    const { id, body, signedBy } = await verified(openEnvelope(challengeMessage, payload), verify);
    requireOrigin(body, ground.origin, ground.asset);
    if (signedBy[0]?.key !== this.#frames.stream.remotePeer || body.instance !== signer.key) return;
    const computed: Computed =
      challenges === undefined
        ? { declined: "unwilling" }
        : await challenges.compute(body, (bytes) => this.#frames.sendFrame(FRAME.challengeData, bytes));
    const answer = {
      ...header(ground.origin, ground.asset),
      instance: signer.key,
      challenge: id,
      ...computed,
    };
    await this.#frames.sendFrame(FRAME.challengeAnswer, await seal(challengeAnswerMessage, answer, [signer]));
    if (computed.digest !== undefined) this.renew();
  }

  async #hello(payload: Uint8Array): Promise<void> {
    const { ground, now, verify } = this.#options;
    await readGreeting(payload, ground, this.#frames.stream.remotePeer, now(), verify);
    this.#greeted.resolve();
  }

  /** A relay that has pinged and does so no more is gone, whatever the connection says: one whose network was cut stays open for minutes. */
  #expectPing(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(
      () => this.#frames.abort(new FailureError("disconnected", "the relay has fallen silent")),
      RELAY_SILENCE_MS,
    );
  }

  #finish(failure: FailureError): void {
    clearTimeout(this.#silence);
    clearTimeout(this.#cooling);
    this.#greeted.reject(failure);
    this.#ended.resolve(failure);
  }
}
