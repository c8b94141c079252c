import { provenEscrow, type RelayContact, type RelaySource } from "../ledger/relay-contact.ts";
import { FrameStream } from "../mesh/frame-stream.ts";
import type { Mesh, MeshStream } from "../mesh/mesh.ts";
import type { Cid } from "../protocol/cid.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import { greet, readGreeting } from "../protocol/greeting.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import { WORK_PROTOCOL } from "../protocol/protocol-id.ts";
import { encode } from "../protocol/schema.ts";
import { failureSchema, FRAME } from "../protocol/work-frame.ts";
import { decideAdmission } from "./admission.ts";
import { checkOpen, type ProviderIdentity, type WorkOrder } from "./check-open.ts";
import type { EffectDesk } from "./effects/effect-desk.ts";
import type { DrainReason, SuddenEnd } from "./farewell.ts";
import { OPEN_TIMEOUT_MS } from "./limits.ts";
import type { SessionPorts } from "./session-ports.ts";
import type { WorkLinks } from "./work-links.ts";
import { WorkSession } from "./work-session.ts";

export interface WorkDeskOptions {
  readonly mesh: Mesh;
  readonly contact: RelayContact;
  readonly source: RelaySource;
  readonly root: PeerId;
  /** The ports of a session with one requester. */
  readonly ports: (remote: string) => SessionPorts;
  /** Memory one function or model may have now, bytes. */
  readonly memory: () => number;
  /** Whether models run here. */
  readonly hasModels: boolean;
  /** Carries out effects; absent where none are. */
  readonly effects?: Pick<EffectDesk, "admit"> | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Told of each session's connection. */
  readonly links?: WorkLinks;
  /** Sessions have begun or ended. */
  readonly onChange: () => void;
}

/** Answers requesters: hello, order, and then a session for each lease. */
export class WorkDesk {
  readonly #options: WorkDeskOptions;
  readonly #sessions = new Set<WorkSession>();
  /** Grows with the leases of one session, about a hundred bytes each. */
  readonly #accepted = new Set<Cid>();
  #stopAnswering: (() => void) | undefined;
  #pausedFor: DrainReason | undefined;
  #departedFor: SuddenEnd | undefined;

  constructor(options: WorkDeskOptions) {
    this.#options = options;
  }

  get sessions(): ReadonlySet<WorkSession> {
    return this.#sessions;
  }

  start(): void {
    this.#stopAnswering ??= this.#options.mesh.handle(WORK_PROTOCOL, (stream) => this.#serve(stream));
  }

  /** Takes no more leases and drains those at work. */
  async drain(reason: DrainReason): Promise<void> {
    this.#stopAnswering?.();
    this.#stopAnswering = undefined;
    await this.#drainAll(reason);
  }

  /** Orders are refused, and leases at work drained, until `takeWork`. */
  async pause(reason: DrainReason): Promise<void> {
    this.#pausedFor = reason;
    await this.#drainAll(reason);
  }

  /** The page's code stops now: all leases are told within this turn of the event loop. Orders are refused until `comeBack`. */
  depart(reason: SuddenEnd): void {
    this.#departedFor = reason;
    for (const session of this.#sessions) session.depart(reason);
  }

  takeWork(): void {
    this.#pausedFor = undefined;
  }

  comeBack(): void {
    this.#departedFor = undefined;
  }

  /** Why orders are refused for now. */
  get pausedFor(): DrainReason | undefined {
    return this.#departedFor ?? this.#pausedFor;
  }

  async #drainAll(reason: DrainReason): Promise<void> {
    await Promise.all([...this.#sessions].map((session) => session.drain(reason)));
  }

  #serve(stream: MeshStream): void {
    const frames = new FrameStream(stream);
    const visit = new Visit(frames, this.#options, {
      sessions: this.#sessions,
      accepted: this.#accepted,
      pausedFor: () => this.pausedFor,
    });
    frames.onFrame(
      (kind, payload) => visit.frame(kind, payload),
      (failure) => visit.ended(failure),
    );
  }
}

/** What a visit shares with all others. */
interface Desk {
  readonly sessions: Set<WorkSession>;
  readonly accepted: Set<Cid>;
  readonly pausedFor: () => DrainReason | undefined;
}

/** One requester's stream, from hello to the session it becomes. */
class Visit {
  readonly #frames: FrameStream;
  readonly #options: WorkDeskOptions;
  readonly #sessions: Set<WorkSession>;
  readonly #accepted: Set<Cid>;
  readonly #pausedFor: Desk["pausedFor"];
  readonly #timer: ReturnType<typeof setTimeout>;
  #greeted = false;
  /** The stream has ended, or was refused. */
  #gone = false;
  #session: WorkSession | undefined;

  constructor(frames: FrameStream, options: WorkDeskOptions, desk: Desk) {
    this.#frames = frames;
    this.#options = options;
    this.#sessions = desk.sessions;
    this.#accepted = desk.accepted;
    this.#pausedFor = desk.pausedFor;
    this.#timer = setTimeout(
      () => this.#refuse(new FailureError("timed-out", "no order came")),
      OPEN_TIMEOUT_MS,
    );
  }

  frame(kind: number, payload: Uint8Array): void | Promise<void> {
    if (this.#session !== undefined) return this.#work(this.#session, kind, payload);
    if (!this.#greeted && kind === FRAME.hello)
      return this.#hello(payload).catch((error: unknown) => this.#refuse(error));
    if (this.#greeted && kind === FRAME.open)
      return this.#open(payload).catch((error: unknown) => this.#refuse(error));
    return this.#refuse(new FailureError("malformed-frame", `frame kind ${kind} is not expected here`));
  }

  ended(failure: FailureError | undefined): void {
    clearTimeout(this.#timer);
    this.#gone = true;
    this.#session?.disconnected(failure);
  }

  #work(session: WorkSession, kind: number, payload: Uint8Array): void {
    try {
      session.frame(kind, payload);
    } catch (error) {
      session.fail(asFailure(error));
    }
  }

  async #hello(payload: Uint8Array): Promise<void> {
    const { contact, now } = this.#options;
    const { remotePeer } = this.#frames.stream;
    const ports = this.#options.ports(remotePeer);
    const greeting = await readGreeting(payload, contact.info, remotePeer, now(), ports.verify);
    if (greeting.checkpoint !== undefined) await observe(contact, greeting.checkpoint);
    this.#greeted = true;
    await this.#frames.sendFrame(
      FRAME.hello,
      await greet("provider", contact.info, ports.signer, contact.note()),
    );
  }

  async #open(payload: Uint8Array): Promise<void> {
    const { contact, source, root, memory, hasModels, effects, now } = this.#options;
    const { remotePeer } = this.#frames.stream;
    const ports = this.#options.ports(remotePeer);
    const me: ProviderIdentity = {
      origin: contact.info.origin,
      asset: contact.info.asset,
      leaseKey: contact.keys.lease,
      root,
      instance: ports.signer.key,
    };
    const order = await checkOpen(payload, me, remotePeer, now(), ports.verify);
    this.#requireWilling();
    decideAdmission(order, {
      memoryBytes: memory(),
      hasModels,
      ...(effects === undefined ? {} : { admitEffect: (offered) => effects.admit(offered) }),
      atWork: this.#sessions.size,
      accepted: this.#accepted,
    });
    // Marked before the check, so that two streams that show one lease at once do not both pass.
    this.#accepted.add(order.lease.id);
    try {
      await this.#checkEscrow(order, source);
      if (this.#gone)
        throw new FailureError("disconnected", "the requester left before its escrow was checked");
      this.#requireWilling();
    } catch (error) {
      // Nothing was signed yet: the requester may try again.
      this.#accepted.delete(order.lease.id);
      throw error;
    }
    clearTimeout(this.#timer);
    const session = new WorkSession(this.#frames, order, ports);
    this.#session = session;
    this.#sessions.add(session);
    this.#options.onChange();
    void this.#options.links?.follow(this.#frames.stream, session.ended);
    void this.#forgetWhenEnded(session);
    void session.start();
  }

  /** @throws FailureError while the provider pauses, with the reason */
  #requireWilling(): void {
    const reason = this.#pausedFor();
    if (reason !== undefined) throw new FailureError(reason, "this provider takes no work now");
  }

  async #checkEscrow(order: WorkOrder, source: RelaySource): Promise<void> {
    const escrow = await provenEscrow(source, this.#options.contact.log, order.lease.body.escrowIndex);
    if (escrow.job !== order.job.id || escrow.amount < order.lease.body.budget) {
      throw new FailureError("insufficient-funds", "the escrow in the log does not cover the lease");
    }
  }

  async #forgetWhenEnded(session: WorkSession): Promise<void> {
    await session.ended;
    this.#sessions.delete(session);
    this.#options.onChange();
  }

  #refuse(error: unknown): void {
    clearTimeout(this.#timer);
    this.#gone = true;
    const { code, detail } = asFailure(error);
    this.#frames
      .sendFrame(FRAME.refuse, encode(failureSchema, { code, detail: detail.slice(0, 300) }))
      .catch(() => undefined);
    void this.#frames.close().catch(() => undefined);
  }
}

/** A peer's note that the log did not sign says nothing against the relay, and nothing for it. */
async function observe(contact: RelayContact, note: string): Promise<void> {
  try {
    await contact.log.observe(note);
  } catch (error) {
    if (!(error instanceof FailureError) || error.code !== failureCode("bad-signature")) throw error;
  }
}

function asFailure(error: unknown): FailureError {
  return error instanceof FailureError
    ? error
    : new FailureError("declined", "the provider failed while reading the request", { cause: error });
}
