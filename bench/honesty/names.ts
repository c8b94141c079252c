import { type Cid, cidFromDigest, DAG_CBOR } from "../../src/protocol/cid.ts";
import { type PeerId, peerIdFromKey } from "../../src/protocol/peer-id.ts";

/** Names that nobody has used before: nothing is signed or hashed here, but every name has the form of a real one. */
export class Names {
  #count = 0;

  #bytes(): Uint8Array {
    this.#count += 1;
    const bytes = new Uint8Array(32);
    new DataView(bytes.buffer).setUint32(0, Math.imul(this.#count, 0x9e3779b1) >>> 0);
    new DataView(bytes.buffer).setUint32(28, this.#count);
    return bytes;
  }

  peer(): PeerId {
    return peerIdFromKey(this.#bytes());
  }

  cid(): Cid {
    return cidFromDigest(DAG_CBOR, this.#bytes());
  }
}
