import type { PeerId } from "../../protocol/peer-id.ts";
import { shortPeer } from "../words/short-id.ts";

/** Six letters that tell the tabs of one run apart. */
export function nickname(peer: PeerId): string {
  return shortPeer(peer).slice(0, 6);
}
