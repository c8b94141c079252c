import { sha256 } from "@noble/hashes/sha2.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Decoder } from "../backend.ts";
import { quantiseLlama } from "../convert/float-llama.ts";
import { randomLlama, SMALL_SHAPE } from "../model/random-llama.contract.ts";
import { referenceBackend } from "../reference/reference-backend.ts";
import { forwardFuel } from "./fuel.ts";
import { generate } from "./generate.ts";
import { drawToken, GREEDY, type Sampling } from "./sampling.ts";
import { firstLink } from "./transcript.ts";
import { type Transcript, verifyTranscript } from "./verify.ts";

const MODEL = quantiseLlama(randomLlama(SMALL_SHAPE, 11), 8);
const LINK = firstLink(sha256(new Uint8Array(3)));
const WARM: Sampling = { temperatureMilli: 800, topK: 0, topPMilli: 1_000, seed: new Uint8Array(32).fill(5) };

async function open(): Promise<Decoder> {
  return referenceBackend.open(MODEL);
}

async function write(
  sampling: Sampling,
  changes: { most?: number; endTokens?: number[]; prompt?: number[] } = {},
): Promise<Transcript & { fuel: bigint }> {
  const prompt = changes.prompt ?? [1, 5, 9];
  const tokens = [...prompt];
  const links: Uint8Array[] = [];
  let fuel = 0n;
  const request = {
    prompt,
    most: changes.most ?? 12,
    sampling,
    endTokens: changes.endTokens ?? [],
    link: LINK,
  };
  for await (const each of generate(await open(), request)) {
    tokens.push(each.token);
    links.push(...each.links);
    fuel += each.fuel;
  }
  return { tokens, promptTokens: prompt.length, sampling, links, fuel };
}

describe("generation", () => {
  it("gives the same text and hashes again, and others for another seed", async () => {
    const first = await write(WARM);
    expect(await write(WARM)).toEqual(first);
    const other = await write({ ...WARM, seed: new Uint8Array(32).fill(6) });
    expect(other.tokens).not.toEqual(first.tokens);
    expect(first.tokens).toHaveLength(15);
    expect(first.links).toHaveLength(14);
  });

  it("ends at an end token, at the end of the context, and when it is told to", async () => {
    const free = await write(GREEDY);
    const end = free.tokens[5]!;
    const stopped = await write(GREEDY, { endTokens: [end] });
    expect(stopped.tokens).toEqual(free.tokens.slice(0, free.tokens.indexOf(end, 3) + 1));
    const full = await write(WARM, { most: 1_000 });
    expect(full.links).toHaveLength(SMALL_SHAPE.context);
    await expect(write(GREEDY, { prompt: Array.from({ length: 25 }, () => 1) })).rejects.toThrow(
      "context 24",
    );
    const stop = new AbortController();
    const request = {
      prompt: [1],
      most: 5,
      sampling: GREEDY,
      endTokens: [],
      link: LINK,
      signal: stop.signal,
    };
    const running = generate(await open(), request);
    await running.next();
    stop.abort(new Error("enough"));
    await expect(running.next()).rejects.toThrow("enough");
  });

  it("costs the multiply-adds of its positions", async () => {
    const { fuel } = await write(GREEDY, { most: 1, prompt: [1] });
    const { width, inner, heads, keyHeads, headSize, vocabulary } = SMALL_SHAPE;
    const layer = width * headSize * 2 * (heads + keyHeads) + 3 * width * inner + 2 * heads * headSize;
    expect(fuel).toBe(BigInt(2 * layer + vocabulary * width));
    expect(forwardFuel(SMALL_SHAPE, 0, 5)).toBe(
      forwardFuel(SMALL_SHAPE, 0, 2) + forwardFuel(SMALL_SHAPE, 2, 3),
    );
  });
});

describe("a transcript", () => {
  it("holds when it is recomputed", async () => {
    const transcript = await write(WARM);
    expect(await verifyTranscript(await open(), transcript, LINK)).toEqual({ kind: "holds", positions: 14 });
  });

  it("tells the position at which it was changed", async () => {
    const transcript = await write(WARM);
    for (const position of [0, 2, 7, 13]) {
      const links = transcript.links.map((link, at) => (at < position ? link : sha256(link)));
      expect(await verifyTranscript(await open(), { ...transcript, links }, LINK)).toEqual({
        kind: "differs",
        position,
        what: "state",
      });
    }
    const tokens = transcript.tokens.with(14, (transcript.tokens.at(-1)! + 1) % SMALL_SHAPE.vocabulary);
    expect(await verifyTranscript(await open(), { ...transcript, tokens }, LINK)).toEqual({
      kind: "differs",
      position: 13,
      what: "token",
    });
    const other = firstLink(sha256(new Uint8Array(4)));
    expect(await verifyTranscript(await open(), transcript, other)).toMatchObject({ position: 0 });
    await expect(verifyTranscript(await open(), { ...transcript, links: [] }, LINK)).rejects.toThrow(
      "do not fit",
    );
  });
});

describe("drawing a token", () => {
  const logits = fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { minLength: 1, maxLength: 50 });

  it("takes the lowest of the most likely when it is greedy, and draws only what is kept", () => {
    fc.assert(
      fc.property(
        logits,
        fc.nat(50),
        fc.integer({ min: 1, max: 1_000 }),
        fc.nat(99),
        (scores, topK, topPMilli, at) => {
          const row = Int32Array.from(scores);
          const best = row.indexOf(Math.max(...scores));
          expect(drawToken(row, GREEDY, at, MODEL.exp2Table)).toBe(best);
          expect(drawToken(row, { ...WARM, topK: 1 }, at, MODEL.exp2Table)).toBe(best);
          const drawn = drawToken(row, { ...WARM, topK, topPMilli }, at, MODEL.exp2Table);
          const better = scores.filter((score) => score > scores[drawn]!).length;
          if (topK > 0) expect(better).toBeLessThan(topK);
        },
      ),
    );
  });

  it("draws as often as the probabilities say", () => {
    // 2^0, 2^-1 and 2^-2 in Q14 natural logarithms.
    const row = Int32Array.from([0, -1, -2], (power) => Math.round(power * Math.LN2 * 2 ** 14));
    const sampling = { ...WARM, temperatureMilli: 1_000 };
    const counts = [0, 0, 0];
    for (let at = 0; at < 7_000; at += 1) counts[drawToken(row, sampling, at, MODEL.exp2Table)]! += 1;
    for (const [token, share] of [4_000, 2_000, 1_000].entries())
      expect(Math.abs(counts[token]! - share)).toBeLessThan(4 * Math.sqrt(share));
    const nucleus = { ...sampling, topPMilli: 571 };
    const drawn = new Set(
      Array.from({ length: 200 }, (_, at) => drawToken(row, nucleus, at, MODEL.exp2Table)),
    );
    expect([...drawn]).toEqual([0]);
  });
});
