import type { KeyRotateBody, RelayKeys } from "./messages/entry.ts";
import { keyFromPeerId, type PeerId } from "./peer-id.ts";
import { encode, oneOf, peer, record, type Schema, text } from "./schema.ts";
import { isSoundSignature, signedBytes, type Verify } from "./signature.ts";

/** What the old key signs when the relay replaces it: for which log, which of its keys, by which. */
interface Rotation {
  readonly origin: string;
  readonly purpose: keyof RelayKeys;
  readonly next: PeerId;
}

const rotationSchema: Schema<Rotation> = record<Rotation>({
  origin: text(128),
  purpose: oneOf(["log", "lease", "draw"]),
  next: peer,
});

/** The bytes under `proof` of a key-rotate entry, framed like every signed message. */
export function rotationMessage(
  origin: string,
  purpose: keyof RelayKeys,
  next: PeerId,
): Uint8Array<ArrayBuffer> {
  return signedBytes("key-rotate", encode(rotationSchema, { origin, purpose, next }));
}

/** Whether the key that is replaced has signed the replacement. */
export async function rotationHolds(origin: string, body: KeyRotateBody, verify: Verify): Promise<boolean> {
  const key = keyFromPeerId(body.previous);
  const message = rotationMessage(origin, body.purpose, body.next);
  return isSoundSignature(key, body.proof) && verify(key, message, body.proof);
}
