import { FailureError } from "../protocol/failure.ts";
import type { Mesh } from "./mesh.ts";
import { createPeerMesh, type PeerMeshOptions } from "./peer-mesh.ts";
import { boundInitChannelClose } from "./webrtc-dial.ts";
import { pageObstacle, webRtcObstacle } from "./why-unreachable.ts";

/**
 * The mesh of a browser tab. A page without WebRTC may join, but is reached through the relay only, and `dial` with
 * `direct` says why.
 * @throws FailureError `unreachable` when the page cannot join at all, with the reason for the person in front of it.
 */
export async function createTabMesh(options: PeerMeshOptions): Promise<Mesh> {
  const obstacle = pageObstacle();
  if (obstacle !== undefined) throw new FailureError("unreachable", obstacle);
  boundInitChannelClose();
  return await createPeerMesh(options, webRtcObstacle);
}
