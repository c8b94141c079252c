import { concatBytes } from "./bytes.ts";
import { type PeerId, peerIdFromKey } from "./peer-id.ts";
import type { Signer, Verify } from "./signature.ts";

/**
 * Ed25519 by the runtime's WebCrypto, which is given as an argument: this room stays free of ambient powers, and a
 * browser and Node are served alike. Keys are 32-byte seeds (RFC 8032) at rest.
 */
export interface Ed25519Runtime {
  importKey(
    format: "pkcs8" | "raw",
    data: Uint8Array<ArrayBuffer>,
    algorithm: "Ed25519",
    extractable: boolean,
    usages: ("sign" | "verify")[],
  ): Promise<RuntimeKey>;
  exportKey(format: "jwk", key: RuntimeKey): Promise<{ x?: string }>;
  sign(algorithm: "Ed25519", key: RuntimeKey, data: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer>;
  verify(
    algorithm: "Ed25519",
    key: RuntimeKey,
    signature: Uint8Array<ArrayBuffer>,
    data: Uint8Array<ArrayBuffer>,
  ): Promise<boolean>;
}

/** An imported key; opaque here. WebCrypto calls it CryptoKey. */
export interface RuntimeKey {
  readonly type: "public" | "private" | "secret";
  readonly extractable: boolean;
  // oxlint-disable-next-line typescript/no-explicit-any -- WebCrypto's own declaration of these two differs between DOM and Node types
  readonly algorithm: any;
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly usages: any;
}

export const SEED_BYTES = 32;

/** ASN.1 of a PKCS #8 Ed25519 private key up to the seed (RFC 8410 §7). */
const PKCS8_PREFIX = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20);

function base64UrlBytes(text: string): Uint8Array {
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (const character of text) {
    held = (held << 6) | digits.indexOf(character);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((held >> bits) & 0xff);
    }
  }
  return Uint8Array.from(bytes);
}

/** A signer for the key of a seed. @throws RangeError unless the seed has 32 bytes. */
export async function signerFromSeed(
  runtime: Ed25519Runtime,
  seed: Uint8Array,
  delegation?: Uint8Array,
): Promise<Signer> {
  if (seed.length !== SEED_BYTES) throw new RangeError(`a seed has ${SEED_BYTES} bytes, not ${seed.length}`);
  const key = await runtime.importKey("pkcs8", concatBytes(PKCS8_PREFIX, seed), "Ed25519", true, ["sign"]);
  const { x } = await runtime.exportKey("jwk", key);
  const peer = peerIdFromKey(base64UrlBytes(x ?? ""));
  return {
    key: peer,
    ...(delegation === undefined ? {} : { delegation }),
    sign: async (message) => new Uint8Array(await runtime.sign("Ed25519", key, message.slice())),
  };
}

/** Peer id of a seed's key. */
export async function peerIdFromSeed(runtime: Ed25519Runtime, seed: Uint8Array): Promise<PeerId> {
  return (await signerFromSeed(runtime, seed)).key;
}

/** Imported public keys that are kept: a session meets few. */
const KEPT_KEYS = 256;

/** Verification by the runtime. A key that is not on the curve verifies nothing. */
export function verifierOf(runtime: Ed25519Runtime): Verify {
  const imported = new Map<string, Promise<RuntimeKey>>();
  return async (key, message, signature) => {
    const name = String.fromCharCode(...key);
    let known = imported.get(name);
    if (known === undefined) {
      if (imported.size >= KEPT_KEYS) imported.clear();
      known = runtime.importKey("raw", key.slice(), "Ed25519", false, ["verify"]);
      imported.set(name, known);
    }
    try {
      return await runtime.verify("Ed25519", await known, signature.slice(), message.slice());
    } catch {
      return false;
    }
  };
}
