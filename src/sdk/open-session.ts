import type { RelayContact } from "../ledger/relay-contact.ts";
import { FrameStream } from "../mesh/frame-stream.ts";
import type { Mesh } from "../mesh/mesh.ts";
import { openEnvelope, type Verified, verified } from "../protocol/envelope.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import { greet, readGreeting } from "../protocol/greeting.ts";
import { requireOrigin } from "../protocol/header.ts";
import { sealedSecretsSchema } from "../protocol/messages/effect.ts";
import { acceptMessage, type Lease, type LeaseGrant, leaseMessage } from "../protocol/messages/lease.ts";
import { WORK_PROTOCOL } from "../protocol/protocol-id.ts";
import { decode, encode } from "../protocol/schema.ts";
import { tariffCid } from "../protocol/tariff.ts";
import { failureSchema, FRAME, openSchema } from "../protocol/work-frame.ts";
import { ACCEPT_TIMEOUT_MS, DIAL_TIMEOUT_MS } from "./limits.ts";
import type { MadeJob } from "./make-job.ts";
import { RequesterSession, type RequesterPorts } from "./requester-session.ts";

/** A lease as the relay granted it, verified. */
export interface VerifiedGrant {
  readonly lease: Verified<Lease>;
  readonly grant: LeaseGrant;
}

/** @throws FailureError `bad-signature` or `malformed` unless it is a lease of this relay for this job and key. */
export async function verifyGrant(
  grant: LeaseGrant,
  job: MadeJob,
  contact: RelayContact,
  ports: RequesterPorts,
): Promise<VerifiedGrant> {
  const lease = await verified(openEnvelope(leaseMessage, grant.lease), ports.verify);
  requireOrigin(lease.body, contact.info.origin, contact.info.asset);
  const [by] = lease.signedBy;
  if (lease.signedBy.length !== 1 || by?.key !== contact.keys.lease) {
    throw new FailureError("bad-signature", "lease: not signed by the relay's lease key");
  }
  if (lease.body.job !== job.id || lease.body.requesterKey !== ports.signer.key) {
    throw new FailureError("malformed", "lease: for another job or key");
  }
  if (tariffCid(grant.tariff) !== lease.body.tariff)
    throw new FailureError("malformed", "lease: its tariff is not the one it names");
  return { lease, grant };
}

export interface OpenSessionOptions {
  readonly mesh: Mesh;
  readonly contact: RelayContact;
  readonly job: MadeJob;
  readonly granted: VerifiedGrant;
  readonly ports: RequesterPorts;
  readonly signal: AbortSignal;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Dials a provider directly, greets, shows job and lease, and waits until it accepts.
 * @throws FailureError `unreachable` with the reason in words, or why the provider refused.
 */
export async function openSession(options: OpenSessionOptions): Promise<RequesterSession> {
  const { mesh, granted, signal } = options;
  const dialling = AbortSignal.any([signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)]);
  const stream = await mesh.dial(granted.grant.addresses, WORK_PROTOCOL, { signal: dialling, direct: true });
  const frames = new FrameStream(stream);
  const opening = new Opening(frames, options);
  const timer = setTimeout(
    () => frames.abort(new FailureError("timed-out", "the provider did not accept in time")),
    ACCEPT_TIMEOUT_MS,
  );
  const abort = (): void => frames.abort(new FailureError("cancelled", "cancelled while connecting"));
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await opening.session();
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}

/** The conversation before the first task. */
class Opening {
  readonly #frames: FrameStream;
  readonly #options: OpenSessionOptions;
  readonly #accepted = Promise.withResolvers<RequesterSession>();
  #greeted = false;
  #hasPulse = false;
  #session: RequesterSession | undefined;

  constructor(frames: FrameStream, options: OpenSessionOptions) {
    this.#frames = frames;
    this.#options = options;
    this.#accepted.promise.catch(() => undefined);
    frames.onFrame(
      (kind, payload) => this.#frame(kind, payload),
      (failure) => this.#ended(failure),
    );
  }

  async session(): Promise<RequesterSession> {
    const { contact, ports } = this.#options;
    await this.#frames.sendFrame(
      FRAME.hello,
      await greet("requester", contact.info, ports.signer, contact.note()),
    );
    return this.#accepted.promise;
  }

  #frame(kind: number, payload: Uint8Array): void | Promise<void> {
    if (this.#session !== undefined) {
      try {
        this.#session.frame(kind, payload);
      } catch (error) {
        this.#session.fail(
          error instanceof FailureError
            ? error
            : new FailureError("malformed-frame", "a frame could not be read", { cause: error }),
        );
      }
      return undefined;
    }
    switch (kind) {
      case FRAME.hello:
        return this.#hello(payload);
      case FRAME.accept:
        return this.#accept(payload);
      case FRAME.refuse: {
        const { code, detail } = decode(failureSchema, payload);
        throw new FailureError(code, detail);
      }
      default:
        throw new FailureError("malformed-frame", `frame kind ${kind} is not expected here`);
    }
  }

  async #hello(payload: Uint8Array): Promise<void> {
    const { contact, ports, granted, job, now } = this.#options;
    const { remotePeer } = this.#frames.stream;
    const greeting = await readGreeting(payload, contact.info, remotePeer, now(), ports.verify);
    if (greeting.root !== granted.lease.body.provider || greeting.instance !== granted.lease.body.instance) {
      throw new FailureError("wrong-peer", "the provider is not the one the lease names");
    }
    if (greeting.checkpoint !== undefined) await this.#observe(greeting.checkpoint);
    this.#greeted = true;
    this.#hasPulse = greeting.hasPulse;
    const open = {
      job: job.envelope,
      lease: granted.lease.bytes,
      tariff: granted.grant.tariff,
      args: job.args,
    };
    await this.#frames.sendFrame(FRAME.open, encode(openSchema, open));
  }

  /** A note that the log did not sign says nothing; one that contradicts what is known convicts the relay. */
  async #observe(note: string): Promise<void> {
    try {
      await this.#options.contact.log.observe(note);
    } catch (error) {
      if (!(error instanceof FailureError) || error.code !== failureCode("bad-signature")) throw error;
    }
  }

  async #accept(payload: Uint8Array): Promise<void> {
    const { granted, job, ports } = this.#options;
    const accept = await verified(openEnvelope(acceptMessage, payload), ports.verify);
    if (
      !this.#greeted ||
      accept.body.lease !== granted.lease.id ||
      accept.signedBy[0]?.key !== granted.lease.body.instance
    ) {
      throw new FailureError("malformed", "accept: of another lease or key");
    }
    await this.#sealSecrets(job.secrets ?? {});
    this.#session = new RequesterSession(
      this.#frames,
      { job, lease: granted.lease, tariff: granted.grant.tariff },
      ports,
      this.#hasPulse,
    );
    this.#accepted.resolve(this.#session);
  }

  /** What an effect's headers need, readable by this provider's session key alone, for this lease alone. */
  async #sealSecrets(secrets: Readonly<Record<string, string>>): Promise<void> {
    const names = Object.entries(secrets);
    if (names.length === 0) return;
    const { lease } = this.#options.granted;
    const { sealSecret } = await import("../effects/secrets.ts");
    const sealed = await Promise.all(
      names.map(([name, value]) => sealSecret(name, value, lease.body.instance, lease.id)),
    );
    await this.#frames.sendFrame(FRAME.secrets, encode(sealedSecretsSchema, sealed));
  }

  #ended(failure: FailureError | undefined): void {
    this.#session?.disconnected(failure);
    this.#accepted.reject(failure ?? new FailureError("disconnected", "the provider closed the stream"));
  }
}
