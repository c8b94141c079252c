import { concatBytes } from "../../protocol/bytes.ts";
import { encodeModelData, generateSegmentSchema, type TextEnd } from "../../protocol/messages/model-task.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import type { GeneratedToken } from "../generate/generate.ts";
import { hostPart } from "./host-part.ts";
import { OUTPUT_RESERVE_BYTES, PROMPT_TOKEN_BYTES, SEGMENT_MS, SEGMENT_TOKENS } from "./limits.ts";
import type { HostPart } from "./model-host.ts";

/** Gathers what is written until it leaves as a segment. How a stream is cut changes nothing of what it is counted as. */
export class SegmentDraft {
  #prompt: readonly number[];
  #tokens: number[] = [];
  #links: Uint8Array[] = [];
  #text = "";
  #fuel = 0n;
  #to = 0;
  #stateHash: Uint8Array;
  #begun = 0;
  /** Bytes that all outputs so far are counted as; they take no more, whatever the cuts. */
  #counted: number;
  readonly #cuts: readonly number[] | undefined;

  /** @param prompt of the whole stream @param link hash before the first position @param cuts see HostTask */
  constructor(prompt: readonly number[], link: Uint8Array, cuts?: readonly number[]) {
    this.#cuts = cuts;
    this.#prompt = prompt;
    this.#stateHash = link;
    this.#counted = OUTPUT_RESERVE_BYTES + PROMPT_TOKEN_BYTES * prompt.length;
  }

  /** What a token and its text would be counted as, with all before. */
  countedWith({ links }: Pick<GeneratedToken, "links">, text: string): number {
    return this.#counted + OUTPUT_RESERVE_BYTES + 32 * links.length + encodeUtf8(text).length;
  }

  /** @param text that is certain with it */
  add(each: GeneratedToken, text: string): void {
    this.#counted = this.countedWith(each, text);
    this.#tokens.push(each.token);
    this.#links.push(...each.links);
    this.#text += text;
    this.#fuel += each.fuel;
    this.#to += 1;
    this.#stateHash = each.links.at(-1) ?? this.#stateHash;
  }

  get isEmpty(): boolean {
    return this.#tokens.length === 0;
  }

  /** The first token leaves at once, those after it together. */
  get isDue(): boolean {
    if (this.#cuts !== undefined) return this.#cuts.includes(this.#to);
    return (
      this.#to === 1 || this.#tokens.length >= SEGMENT_TOKENS || performance.now() - this.#begun >= SEGMENT_MS
    );
  }

  /** What was gathered, and nothing from here on. @param rest text behind it, where nothing was gathered */
  take(end?: TextEnd, rest = ""): HostPart {
    const segment = {
      prompt: this.#prompt,
      tokens: this.#tokens,
      text: this.#text + rest,
      links: concatBytes(...this.#links),
      ...(end === undefined ? {} : { end }),
    };
    const part = hostPart({
      output: encodeModelData(generateSegmentSchema, segment),
      fuel: this.#fuel,
      to: this.#to,
      stateHash: this.#stateHash,
      tokens: this.#tokens.length,
    });
    this.#prompt = [];
    this.#tokens = [];
    this.#links = [];
    this.#text = "";
    this.#fuel = 0n;
    this.#begun = performance.now();
    return part;
  }
}
