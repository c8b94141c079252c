import { FailureError } from "../../protocol/failure.ts";
import { SESSION_LIFETIME_MS } from "../../protocol/session-identity.ts";
import type { GatewayGround } from "../../relay/gateway/gateway-requester.ts";
import { connect, type Tabmesh } from "../../sdk/index.ts";

/** A session key signs for a week; after half of it a new one begins, so that no request outlives its key. */
const RENEW_MS: number = SESSION_LIFETIME_MS / 2;

/** One time of being in the mesh, and how many requests use it. */
interface Stay {
  readonly joined: Promise<Tabmesh>;
  /** By performance.now(). */
  readonly since: number;
  users: number;
}

/** Joins the mesh at the first request, again when that failed, and anew before the session key ends. */
export class Membership {
  readonly #ground: Pick<GatewayGround, "relay" | "seed">;
  readonly #stays = new Set<Stay>();
  #newest: Stay | undefined;
  #closed = false;

  constructor(ground: Pick<GatewayGround, "relay" | "seed">) {
    this.#ground = ground;
  }

  /** @returns the way into the mesh, and what is to be called when it is needed no more. @throws FailureError */
  async enter(): Promise<{ readonly mesh: Tabmesh; readonly done: () => void }> {
    if (this.#closed) throw new FailureError("draining", "the gateway is stopping");
    const stay = this.#current();
    stay.users += 1;
    try {
      const mesh = await stay.joined;
      return { mesh, done: () => this.#leave(stay) };
    } catch (error) {
      this.#leave(stay);
      if (this.#newest === stay) this.#newest = undefined;
      this.#stays.delete(stay);
      throw error;
    }
  }

  #current(): Stay {
    const now = performance.now();
    const { relay, seed } = this.#ground;
    if (this.#newest === undefined || now - this.#newest.since > RENEW_MS) {
      const before = this.#newest;
      this.#newest = { joined: connect({ relay, seed }), since: now, users: 0 };
      this.#stays.add(this.#newest);
      if (before !== undefined) this.#endIfUnused(before);
    }
    return this.#newest;
  }

  #leave(stay: Stay): void {
    stay.users -= 1;
    this.#endIfUnused(stay);
  }

  #endIfUnused(stay: Stay): void {
    if (stay === this.#newest || stay.users > 0 || !this.#stays.delete(stay)) return;
    void stay.joined.then((mesh) => mesh.close()).catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const stays = [...this.#stays];
    this.#stays.clear();
    await Promise.allSettled(stays.map(async ({ joined }) => (await joined).close()));
  }
}
