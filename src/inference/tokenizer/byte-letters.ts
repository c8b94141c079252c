/**
 * The letters that GPT-2's vocabularies write bytes with: printable ones of Latin-1 stand for themselves, the 68 others for
 * U+0100 to U+0143 in order.
 */
const LETTERS: readonly string[] = byteLetters();

const BYTES: ReadonlyMap<string, number> = new Map(LETTERS.map((letter, byte) => [letter, byte]));

function byteLetters(): string[] {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    const letter = String.fromCharCode(printable ? byte : next);
    if (!printable) next += 1;
    return letter;
  });
}

/** The letter that stands for a byte. */
export function letterOf(byte: number): string {
  return LETTERS[byte] ?? "";
}

/** The bytes of a token; letters that stand for none are taken as text. */
export function bytesOfLetters(token: string): Uint8Array {
  const bytes: number[] = [];
  const encoder = new TextEncoder();
  for (const letter of token) {
    const byte = BYTES.get(letter);
    if (byte === undefined) bytes.push(...encoder.encode(letter));
    else bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}
