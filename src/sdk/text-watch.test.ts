import { sha256 } from "@noble/hashes/sha2.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { quantiseLlama } from "../inference/convert/float-llama.ts";
import { generate } from "../inference/generate/generate.ts";
import { firstLink } from "../inference/generate/transcript.ts";
import { verifyTranscript } from "../inference/generate/verify.ts";
import { randomLlama, SMALL_SHAPE } from "../inference/model/random-llama.contract.ts";
import { referenceBackend } from "../inference/reference/reference-backend.ts";
import { concatBytes } from "../protocol/bytes.ts";
import { cidOf, RAW } from "../protocol/cid.ts";
import { failureCode } from "../protocol/failure-code.ts";
import {
  decodeModelData,
  encodeModelData,
  type GenerateInput,
  generateInputSchema,
  type GenerateSegment,
  generateSegmentSchema,
} from "../protocol/messages/model-task.ts";
import type { OutcomeLeaf } from "../protocol/messages/task.ts";
import { signerFromSeed } from "../protocol/ed25519.ts";
import { fuel } from "../protocol/units.ts";
import { seed } from "./lease-pair.contract.ts";
import type { GenerationPiece } from "./model-options.ts";
import type { FinalSegment } from "./task-answers.ts";
import type { TaskAttempt } from "./task-watch.ts";
import { TextWatch } from "./text-watch.ts";

const MODEL = quantiseLlama(randomLlama(SMALL_SHAPE, 11), 8);
const LINK = firstLink(sha256(new Uint8Array(3)));
const PROMPT = [1, 5, 9];
const PROVIDERS = (
  await Promise.all([1, 2, 3, 4].map((fill) => signerFromSeed(crypto.subtle, seed(fill))))
).map(({ key }) => key);
const CID = cidOf(RAW, Uint8Array.of(1));

const INPUT: GenerateInput = {
  text: "three tokens",
  written: [],
  maxTokens: 12,
  temperatureMilli: 900,
  topK: 0,
  topPMilli: 1_000,
  seed: seed(7),
  stop: [],
};

interface Written {
  readonly token: number;
  readonly links: readonly Uint8Array[];
}

/** What an honest provider computes for what it is sent. */
async function computed(sent: Uint8Array): Promise<readonly Written[]> {
  const input = decodeModelData(generateInputSchema, sent);
  const tokens: Written[] = [];
  const request = {
    prompt: [...PROMPT, ...input.written],
    most: input.maxTokens - input.written.length,
    sampling: input,
    endTokens: [],
    link: LINK,
  };
  for await (const each of generate(await referenceBackend.open(MODEL), request)) tokens.push(each);
  return tokens;
}

/** A segment as a provider sends it. */
function segmentOf(
  tokens: readonly Written[],
  segment: number,
  from: number,
  isLast: boolean,
  changes: Partial<GenerateSegment> = {},
): FinalSegment {
  const links = tokens.flatMap((each) => each.links);
  const body: GenerateSegment = {
    prompt: segment === 0 ? PROMPT : [],
    tokens: tokens.map(({ token }) => token),
    text: tokens.map(({ token }) => `${token} `).join(""),
    links: concatBytes(...links),
    ...(isLast ? { end: "length" } : {}),
    ...changes,
  };
  const output = encodeModelData(generateSegmentSchema, body);
  return {
    output,
    outcome: outcomeOf({ segment, from, to: from + tokens.length, end: isLast }, links.at(-1) ?? LINK),
  };
}

function outcomeOf(
  place: Pick<OutcomeLeaf, "segment" | "from" | "to" | "end">,
  stateHash: Uint8Array,
): OutcomeLeaf {
  return {
    lease: CID,
    seq: 0,
    inputCid: CID,
    salt: new Uint8Array(16),
    status: "done",
    outputCid: CID,
    size: 0,
    fuel: fuel(1),
    stateHash,
    ...place,
  };
}

function hear(attempt: TaskAttempt, segment: FinalSegment): void {
  attempt.check(segment.output, segment.outcome);
  attempt.segment?.(segment);
}

interface Heard {
  readonly watch: TextWatch;
  readonly pieces: readonly GenerationPiece[];
}

/** A text over several providers. @param parts of each provider: tokens of its segments, after which it leaves */
async function written(parts: readonly (readonly number[])[]): Promise<Heard> {
  const pieces: GenerationPiece[] = [];
  const watch = new TextWatch({
    input: INPUT,
    context: SMALL_SHAPE.context,
    onPiece: (piece) => pieces.push(piece),
  });
  for (const [i, sizes] of [...parts, [3, INPUT.maxTokens]].entries()) {
    const attempt = watch.attempt(0, new Uint8Array(), PROVIDERS[i]!);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const tokens = await computed(attempt.input);
    let at = 0;
    for (const [segment, size] of sizes.entries()) {
      const part = tokens.slice(at, at + size);
      hear(attempt, segmentOf(part, segment, at, at + size >= tokens.length));
      at += part.length;
      if (watch.end !== undefined) return { watch, pieces };
    }
    attempt.leave();
  }
  return { watch, pieces };
}

const WHOLE = await written([]);

describe("a text over several providers", () => {
  it("has the same tokens, text and hashes wherever they leave, and its transcript holds", async () => {
    const parts = fc.array(fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 2 }), {
      maxLength: 3,
    });
    await fc.assert(
      fc.asyncProperty(parts, async (sizes) => {
        const { watch, pieces } = await written(sizes);
        expect(watch.tokens).toEqual(WHOLE.watch.tokens);
        expect(watch.text).toBe(WHOLE.watch.text);
        expect(watch.links).toEqual(WHOLE.watch.links);
        expect(watch.end).toBe("length");
        expect(pieces.map(({ text }) => text).join("")).toBe(WHOLE.watch.text);
      }),
      { numRuns: 20 },
    );
    const { watch } = WHOLE;
    const transcript = {
      tokens: [...watch.prompt, ...watch.tokens],
      promptTokens: PROMPT.length,
      sampling: INPUT,
      links: watch.links,
    };
    expect(await verifyTranscript(await referenceBackend.open(MODEL), transcript, LINK)).toEqual({
      kind: "holds",
      positions: 14,
    });
    const links = transcript.links.with(4, sha256(transcript.links[4]!));
    expect(
      await verifyTranscript(await referenceBackend.open(MODEL), { ...transcript, links }, LINK),
    ).toMatchObject({
      kind: "differs",
      position: 4,
    });
  });

  it("names those that wrote it, in their order", async () => {
    const { watch } = await written([[2], [1, 1]]);
    expect(watch.providers).toEqual(PROVIDERS.slice(0, 3));
    expect(
      decodeModelData(generateInputSchema, watch.attempt(0, new Uint8Array(), PROVIDERS[0]!).input).written,
    ).toEqual(watch.tokens);
  });

  it("hears nothing from a provider that has left", async () => {
    const { watch } = await written([]);
    const fresh = new TextWatch({ input: INPUT, context: SMALL_SHAPE.context, onPiece: () => undefined });
    const attempt = fresh.attempt(0, new Uint8Array(), PROVIDERS[0]!);
    const tokens = await computed(attempt.input);
    hear(attempt, segmentOf(tokens.slice(0, 2), 0, 0, false));
    expect(attempt.leave()).toBe(true);
    attempt.segment?.(segmentOf(tokens.slice(2, 4), 1, 2, false));
    expect(fresh.tokens).toEqual(watch.tokens.slice(0, 2));
  });
});

describe("nonsense from a provider", () => {
  type Lie = (tokens: readonly Written[]) => FinalSegment;
  const forged = sha256(Uint8Array.of(9));
  const lies: readonly (readonly [string, Lie])[] = [
    [
      "bytes that are no segment",
      (tokens) => ({ ...segmentOf(tokens, 0, 0, false), output: Uint8Array.of(0xff) }),
    ],
    ["fewer tokens than its outcome says", (tokens) => segmentOf(tokens, 0, 0, false, { tokens: [1] })],
    ["no prompt", (tokens) => segmentOf(tokens, 0, 0, false, { prompt: [] })],
    ["half a hash", (tokens) => segmentOf(tokens, 0, 0, false, { links: new Uint8Array(33) })],
    ["an end on the way", (tokens) => segmentOf(tokens, 0, 0, false, { end: "length" })],
    [
      "another state than its hashes",
      (tokens) => {
        const segment = segmentOf(tokens, 0, 0, false);
        return { ...segment, outcome: { ...segment.outcome, stateHash: forged } };
      },
    ],
    [
      "one hash too few",
      ([first, ...rest]) => segmentOf([{ ...first!, links: first!.links.slice(1) }, ...rest], 0, 0, false),
    ],
    ["a shorter prompt than it has hashes for", (tokens) => segmentOf(tokens, 0, 0, false, { prompt: [1] })],
    ["an end for its length when it is short", (tokens) => segmentOf(tokens, 0, 0, true)],
    ["a stop text that nobody named", (tokens) => segmentOf(tokens, 0, 0, true, { end: "stop" })],
    [
      "more tokens than wanted",
      (tokens) => segmentOf([...tokens, ...tokens, ...tokens, ...tokens], 0, 0, false),
    ],
  ];

  it.each(lies)("%s: is refused and not shown", async (_, lie) => {
    const pieces: GenerationPiece[] = [];
    const watch = new TextWatch({
      input: INPUT,
      context: SMALL_SHAPE.context,
      onPiece: (piece) => pieces.push(piece),
    });
    const attempt = watch.attempt(0, new Uint8Array(), PROVIDERS[0]!);
    const honest = (await computed(attempt.input)).slice(0, 4);
    expect(() => hear(attempt, lie(honest))).toThrow(
      expect.objectContaining({ code: failureCode("content-mismatch") }),
    );
    expect(pieces).toEqual([]);
    expect(attempt.leave()).toBe(false);
  });

  it("another state for a position that is known: is refused, and the text goes on with another provider", async () => {
    const watch = new TextWatch({ input: INPUT, context: SMALL_SHAPE.context, onPiece: () => undefined });
    const first = watch.attempt(0, new Uint8Array(), PROVIDERS[0]!);
    hear(first, segmentOf((await computed(first.input)).slice(0, 3), 0, 0, false));
    first.leave();
    const second = watch.attempt(0, new Uint8Array(), PROVIDERS[1]!);
    const [head, ...rest] = await computed(second.input);
    const links = head!.links.with(1, forged);
    expect(() => hear(second, segmentOf([{ ...head!, links }, ...rest], 0, 0, true))).toThrow(
      "another state at position 1",
    );
    second.leave();
    const third = watch.attempt(0, new Uint8Array(), PROVIDERS[2]!);
    hear(third, segmentOf(await computed(third.input), 0, 0, true));
    expect(watch.tokens).toEqual(WHOLE.watch.tokens);
    expect(watch.providers).toEqual([PROVIDERS[0], PROVIDERS[2]]);
  });
});
