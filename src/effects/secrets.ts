import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from "@hpke/core";
import { ed25519 } from "@noble/curves/ed25519.js";
import { concatBytes } from "../protocol/bytes.ts";
import type { Cid } from "../protocol/cid.ts";
import { FailureError } from "../protocol/failure.ts";
import type { SealedSecret } from "../protocol/messages/effect.ts";
import { keyFromPeerId, type PeerId } from "../protocol/peer-id.ts";
import { decodeUtf8, encodeUtf8 } from "../protocol/text.ts";
import { MAX_SECRET_BYTES } from "./limits.ts";

const DOMAIN = "tabmesh/secret/1";

/** HPKE in base mode (RFC 9180): DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. */
function suite(): CipherSuite {
  return new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });
}

/** A secret that was sealed for one place opens in no other. */
function infoOf(context: Cid, name: string): Uint8Array<ArrayBuffer> {
  return concatBytes(...[DOMAIN, context, name].map((part) => encodeUtf8(`${part}\n`)));
}

/**
 * Seals a secret so that one peer alone can open it, and only for one lease or run.
 * @param to the peer's session key, or the relay's mesh key; its X25519 form is used (RFC 7748, by the birational map)
 * @param context CID of the lease, or of the run where the relay is asked
 * @throws RangeError for a value that no header has
 */
export async function sealSecret(
  name: string,
  value: string,
  to: PeerId,
  context: Cid,
): Promise<SealedSecret> {
  const bytes = encodeUtf8(value);
  if (bytes.length > MAX_SECRET_BYTES)
    throw new RangeError(`a secret of more than ${MAX_SECRET_BYTES} bytes`);
  if (!/^[\t\x20-\x7e]*$/u.test(value)) throw new RangeError("a secret with characters that no header has");
  const hpke = suite();
  const recipientPublicKey = await hpke.kem.deserializePublicKey(
    ed25519.utils.toMontgomery(keyFromPeerId(to)),
  );
  const { enc, ct } = await hpke.seal({ recipientPublicKey, info: infoOf(context, name) }, bytes);
  return { name, enc: new Uint8Array(enc), sealed: new Uint8Array(ct) };
}

/**
 * Opens a secret. @param seed of the key that it was sealed to
 * @throws FailureError `bad-signature` when it was sealed to another key, for another place or name, or was changed
 */
export async function openSecret(
  { name, enc, sealed }: SealedSecret,
  seed: Uint8Array,
  context: Cid,
): Promise<string> {
  const hpke = suite();
  try {
    const recipientKey = await hpke.kem.deserializePrivateKey(ed25519.utils.toMontgomerySecret(seed));
    const opened = await hpke.open(
      { recipientKey, enc: enc.slice(), info: infoOf(context, name) },
      sealed.slice(),
    );
    return decodeUtf8(new Uint8Array(opened));
  } catch {
    throw new FailureError("bad-signature", `the secret ${name} was not sealed to this peer for this work`);
  }
}
