import type { Mesh } from "../../mesh/mesh.ts";
import type { RelayClient } from "../../mesh/relay-client.ts";
import type { Cid } from "../../protocol/cid.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { RelayInfo } from "../../protocol/relay-api.ts";
import type { Signer, Verify } from "../../protocol/signature.ts";
import type { MicroCredits } from "../../protocol/units.ts";
import type { PerformerPorts } from "./run-performer.ts";

/** What runs need from the requester around them. */
export interface RunGround {
  readonly client: RelayClient;
  readonly info: RelayInfo;
  readonly mesh: Mesh;
  /** Multiaddr of the relay. */
  readonly relay: string;
  /** Root identity of this requester, and its session key. */
  readonly root: PeerId;
  readonly signer: Signer;
  readonly verify: Verify;
  readonly performer: PerformerPorts;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** What can be set aside; absent where the account is new. */
  available(): Promise<MicroCredits | undefined>;
  /** Answers peers that ask for values, as long as the run goes on. @returns a function that stops */
  serve(find: (cid: Cid) => Uint8Array | undefined): () => void;
}
