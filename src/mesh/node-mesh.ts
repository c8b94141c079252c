import type { Mesh } from "./mesh.ts";
import { createPeerMesh, type PeerMeshOptions } from "./peer-mesh.ts";

/** The mesh of a Node process: a requester, or a provider without a browser. WebRTC comes with node-datachannel. */
export async function createNodeMesh(options: PeerMeshOptions): Promise<Mesh> {
  return await createPeerMesh(options, () => undefined);
}
