import type { Cid } from "../../protocol/cid.ts";
import type { PeerId } from "../../protocol/peer-id.ts";

/** Every Ed25519 peer id begins with "12D3KooW"; what tells two apart comes after it. */
const PEER_PREFIX_LENGTH = 8;

/** "Kq9xTe…7Yp2Qa": twelve characters that tell one peer from another at a glance. */
export function shortPeer(peer: PeerId): string {
  return `${peer.slice(PEER_PREFIX_LENGTH, PEER_PREFIX_LENGTH + 6)}…${peer.slice(-6)}`;
}

/** "bafk…4xq7me". */
export function shortCid(cid: Cid): string {
  return `${cid.slice(0, 4)}…${cid.slice(-6)}`;
}

/** A CID or another long name, told apart by its end: "bafk…4xq7me". */
export function shortName(name: string): string {
  return name.length <= 16 ? name : `${name.slice(0, 4)}…${name.slice(-6)}`;
}
