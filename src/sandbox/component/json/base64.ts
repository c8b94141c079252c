const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const VALUES: ReadonlyMap<string, number> = new Map(Array.from(ALPHABET, (letter, i) => [letter, i]));

/** Base64 with the usual alphabet and padding. Written out because the sandbox's thread has no `btoa`. */
export function encodeBase64(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += 3) {
    const [a = 0, b = 0, c = 0] = bytes.subarray(at, at + 3);
    const bits = (a << 16) | (b << 8) | c;
    const letters = [bits >> 18, (bits >> 12) & 63, (bits >> 6) & 63, bits & 63].map((i) => ALPHABET[i]);
    const given = Math.min(3, bytes.length - at);
    parts.push(`${letters.slice(0, given + 1).join("")}${"=".repeat(3 - given)}`);
  }
  return parts.join("");
}

/** @returns undefined when it is not base64 as encodeBase64 writes it */
export function decodeBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined;
  const body = text.replace(/={1,2}$/u, "");
  const bytes = new Uint8Array((body.length * 3) >> 2);
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const letter of body) {
    const value = VALUES.get(letter);
    if (value === undefined) return undefined;
    bits = ((bits << 6) | value) & 0xff_ffff;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes[at] = (bits >> held) & 0xff;
    at += 1;
  }
  // What is left over of the last letter must be zero, so that there is one way to write the same bytes.
  return (bits & (2 ** held - 1)) === 0 ? bytes : undefined;
}
