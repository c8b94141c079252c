import { base64 } from "multiformats/bases/base64";

/** Standard base64 with padding (RFC 4648 §4), as notes and proofs of logs have it. */
export function toBase64(bytes: Uint8Array): string {
  const text = base64.baseEncode(bytes);
  return text.padEnd(Math.ceil(text.length / 4) * 4, "=");
}

/** `undefined` for anything but the one spelling that `toBase64` gives. */
export function fromBase64(text: string): Uint8Array | undefined {
  try {
    const bytes = base64.baseDecode(text.replace(/=+$/u, ""));
    return toBase64(bytes) === text ? bytes : undefined;
  } catch {
    return undefined;
  }
}
