import { FrameStream } from "../../mesh/frame-stream.ts";
import type { MeshStream } from "../../mesh/mesh.ts";
import { type Cid, CID_BYTES, cidBytes, cidFromBytes } from "../../protocol/cid.ts";
import { FailureError } from "../../protocol/failure.ts";
import { FRAME } from "../../protocol/work-frame.ts";
import { HELLO_TIMEOUT_MS, MAX_WATCHED_LEASES } from "../limits.ts";
import type { LeaseWatch } from "./lease-watch.ts";

/**
 * One requester's watch stream: it names its leases, and is told which of their providers are not heard any more. The
 * connection's own key says who it is.
 */
export class WatchStream {
  readonly #frames: FrameStream;
  readonly #watch: LeaseWatch;
  readonly #leaving = new Map<Cid, () => void>();
  readonly #timer: ReturnType<typeof setTimeout>;

  constructor(stream: MeshStream, watch: LeaseWatch) {
    this.#watch = watch;
    this.#frames = new FrameStream(stream, { maxBytes: () => CID_BYTES });
    this.#timer = setTimeout(
      () => this.#frames.abort(new FailureError("timed-out", "no lease of this key was named")),
      HELLO_TIMEOUT_MS,
    );
    this.#frames.onFrame(
      (kind, payload) => this.#frame(kind, payload),
      () => this.#end(),
    );
  }

  #frame(kind: number, payload: Uint8Array): void {
    if (kind !== FRAME.watch)
      throw new FailureError("malformed-frame", `a frame of kind ${kind} has no place here`);
    const lease = cidFromBytes(payload);
    if (this.#leaving.has(lease)) return;
    const leave = this.#watch.watch(lease, this.#frames.stream.remotePeer, () => this.#tell(lease));
    if (leave === undefined) return;
    clearTimeout(this.#timer);
    this.#leaving.set(lease, leave);
    this.#forgetOldest();
  }

  #tell(lease: Cid): void {
    this.#frames.sendFrame(FRAME.quiet, cidBytes(lease)).catch(() => undefined);
  }

  /** Who has had so many leases has done with the first of them. */
  #forgetOldest(): void {
    if (this.#leaving.size <= MAX_WATCHED_LEASES) return;
    const [[oldest, leave] = []] = this.#leaving;
    if (oldest === undefined) return;
    this.#leaving.delete(oldest);
    leave?.();
  }

  #end(): void {
    clearTimeout(this.#timer);
    for (const leave of this.#leaving.values()) leave();
    this.#leaving.clear();
    this.#frames.close().catch(() => undefined);
  }
}
