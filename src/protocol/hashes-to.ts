import { equalBytes } from "./bytes.ts";
import { type Cid, cidDigest } from "./cid.ts";

/** The runtime's WebCrypto, which hashes off the thread; given as an argument, as in ed25519.ts. */
export interface DigestRuntime {
  digest(algorithm: "SHA-256", data: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer>;
}

/** Whether bytes that somebody sent or kept are the content of a CID. */
export async function hashesTo(
  runtime: DigestRuntime,
  cid: Cid,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  return equalBytes(new Uint8Array(await runtime.digest("SHA-256", bytes)), cidDigest(cid));
}
