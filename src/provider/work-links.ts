import type { MeshStream } from "../mesh/mesh.ts";
import { isPeerId } from "../protocol/peer-id.ts";
import { MAX_TOLD_LINKS, type PeerLink } from "../protocol/work-frame.ts";

/** Over what the requesters at work are connected, for the relay's picture of the mesh. */
export class WorkLinks {
  readonly #links = new Map<MeshStream, PeerLink>();

  /** A session began on a stream. @param ended resolves when it is over */
  async follow(stream: MeshStream, ended: Promise<unknown>): Promise<void> {
    let isOver = false;
    const end = ended.finally(() => {
      isOver = true;
      this.#links.delete(stream);
    });
    // The session's own end tells its reason to others.
    end.catch(() => undefined);
    const info = await stream.transport().catch(() => undefined);
    const { remotePeer: peer } = stream;
    if (isOver || info === undefined || !isPeerId(peer)) return;
    if (info.kind === "webrtc" || info.kind === "circuit") this.#links.set(stream, { peer, over: info.kind });
  }

  /** One for each requester. */
  list(): readonly PeerLink[] {
    const byPeer = new Map([...this.#links.values()].map((link) => [link.peer, link]));
    return [...byPeer.values()].slice(0, MAX_TOLD_LINKS);
  }
}
