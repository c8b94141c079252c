/** What a token stands for: bytes of text, or none for one that steers the model. */
export type TokenBytes = (token: number) => Uint8Array;

/**
 * Text of tokens as they come. A character whose bytes are spread over several tokens appears with the last of them; bytes
 * that are no UTF-8 become U+FFFD.
 */
export class TokenDecoder {
  readonly #bytesOf: TokenBytes;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #dropSpace: boolean;

  /** @param dropSpace whether a space at the beginning is left out, which the tokenizer has put there */
  constructor(bytesOf: TokenBytes, dropSpace: boolean) {
    this.#bytesOf = bytesOf;
    this.#dropSpace = dropSpace;
  }

  /** Text that is whole with this token, often empty. */
  push(token: number): string {
    let bytes = this.#bytesOf(token);
    if (bytes.length === 0) return "";
    if (this.#dropSpace && bytes[0] === 0x20) bytes = bytes.subarray(1);
    this.#dropSpace = false;
    return this.#decoder.decode(bytes, { stream: true });
  }

  /** What is left: U+FFFD where the last character is not whole. */
  end(): string {
    return this.#decoder.decode();
  }
}
