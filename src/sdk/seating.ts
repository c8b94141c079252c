import { MAX_SEALED_BYTES } from "../protocol/limits.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import { type Ballot, providerOf } from "./ballot.ts";
import type { LeaseCrew, Member } from "./lease-crew.ts";
import type { RequesterSession } from "./requester-session.ts";

/** Who is at work. */
export type Crew = Pick<LeaseCrew, "members">;

export interface SeatingPorts {
  /** Leases that the job may have at a time. */
  readonly parallel: number;
  readonly signal: AbortSignal;
  readonly onChange: (note?: string) => void;
}

/** An input that waits for one more provider. */
interface Waiting {
  readonly ballot: Ballot;
  readonly seat: (member: Member | undefined) => void;
}

/** Who computes the next replica: providers with room, of each input no provider twice, and no proven liar. */
export class Seating {
  readonly #ports: SeatingPorts;
  readonly #waiting = new Set<Waiting>();
  /** Their budget covers no further task. */
  readonly #spent = new WeakSet<RequesterSession>();
  /** Proven to have lied: what else they said counts no more. */
  readonly #liars = new Set<PeerId>();
  #crew: Crew | undefined;

  constructor(ports: SeatingPorts) {
    this.#ports = ports;
  }

  /** Some input waits for one more provider. */
  get wants(): boolean {
    return this.#waiting.size > 0;
  }

  isLiar(provider: PeerId): boolean {
    return this.#liars.has(provider);
  }

  expel(provider: PeerId): void {
    this.#liars.add(provider);
  }

  /** Inputs that wait for one more provider come before new ones. */
  seatWaiting(crew: Crew): void {
    this.#crew = crew;
    for (const waiting of this.#waiting) {
      const [member] = this.free(waiting.ballot.asked);
      if (member === undefined) continue;
      this.#waiting.delete(waiting);
      waiting.ballot.asked.add(providerOf(member));
      waiting.seat(member);
    }
  }

  /** Members of distinct providers with room for one more task, the idlest first. */
  free(but: ReadonlySet<PeerId> = new Set()): readonly Member[] {
    const members = (this.#crew?.members ?? [])
      .filter((member) => !but.has(providerOf(member)) && !this.#liars.has(providerOf(member)))
      .filter((member) => this.#hasRoom(member))
      .toSorted((a, b) => a.session.channel.unanswered - b.session.channel.unanswered);
    const seen = new Set<PeerId>();
    return members.filter((member) => {
      const provider = providerOf(member);
      return !seen.has(provider) && seen.add(provider);
    });
  }

  /** Sealed outcomes are kept at the provider, so there may be no more of them than fit there, nor than it risks. */
  #hasRoom({ session, pace }: Member): boolean {
    const { lease, job } = session.channel.held;
    const kept = Math.max(1, Math.floor(MAX_SEALED_BYTES / Math.max(1, job.body.limits.output)));
    const most = Math.min(pace.limit, lease.body.windowMax, kept);
    return session.hasRoom && !this.#spent.has(session) && session.channel.unanswered < most;
  }

  /** One more provider for an input; nothing when none came in time. */
  async seat(ballot: Ballot, ms: number): Promise<Member | undefined> {
    const { promise, resolve } = Promise.withResolvers<Member | undefined>();
    const waiting: Waiting = { ballot, seat: resolve };
    const { signal, onChange } = this.#ports;
    const leave = (): void => {
      this.#waiting.delete(waiting);
      resolve(undefined);
    };
    const timer = setTimeout(leave, ms);
    signal.addEventListener("abort", leave, { once: true });
    this.#waiting.add(waiting);
    onChange();
    const member = await promise;
    clearTimeout(timer);
    signal.removeEventListener("abort", leave);
    signal.throwIfAborted();
    return member;
  }

  /** Its lease is closed when what it still computes is done, and becomes part of a new one. */
  retire({ session }: Member): void {
    this.#spent.add(session);
    if (session.channel.unanswered === 0) void session.close();
  }

  /** To be called when a replica of its is over. */
  retireIfSpent(member: Member): void {
    if (this.#spent.has(member.session)) this.retire(member);
  }

  /** The job has as many leases as it may, and all of their providers have been asked. */
  isHopeless({ asked }: Ballot): boolean {
    const crew = this.#crew;
    if (crew === undefined || crew.members.length < this.#ports.parallel) return false;
    return crew.members.every((member) => asked.has(providerOf(member)));
  }
}
