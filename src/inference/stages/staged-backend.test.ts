import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { failureCode } from "../../protocol/failure-code.ts";
import { describeBits, oddModel, ODD_SHAPES, someTokens } from "../backend.contract.ts";
import type { Decoder } from "../backend.ts";
import { generate } from "../generate/generate.ts";
import { GREEDY, type Sampling } from "../generate/sampling.ts";
import { firstLink } from "../generate/transcript.ts";
import { type Transcript, verifyTranscript } from "../generate/verify.ts";
import type { LlamaModel } from "../model/llama-model.ts";
import { referenceBackend } from "../reference/reference-backend.ts";
import { createWasmBackend } from "../wasm/wasm-backend.ts";
import type { Line } from "./line.ts";
import { stageHere } from "./line.contract.ts";
import { createStagedBackend, type StagesOptions } from "./staged-backend.ts";

const opened: Decoder[] = [];
afterEach(() => {
  for (const decoder of opened.splice(0)) decoder.close();
});

async function openStages(model: LlamaModel, options: Partial<StagesOptions>): Promise<Decoder> {
  const decoder = await createStagedBackend({ stages: 2, start: stageHere, ...options }).open(model);
  opened.push(decoder);
  return decoder;
}

for (const build of ["baseline", "relaxed"] as const)
  for (const stages of [1, 2, 3])
    describeBits(
      `${stages} stages, ${build}`,
      createStagedBackend({ stages, build, rows: 7, start: stageHere }),
    );

const DEEP = oddModel({ name: "", shape: { layers: 5, context: 60, vocabulary: 90 }, biases: true });

describe("stages of layers", () => {
  it("have the bits of the reference, whatever the cuts, the rows of a batch and the way back", async () => {
    const model = DEEP;
    const tokens = someTokens(model);
    const { width, layers, context } = model.shape;
    const reference = await referenceBackend.open(model);
    const expected = await reference.forward(tokens);
    const scores = await reference.logits(expected);
    const cut = fc.integer({ min: 0, max: layers });
    await fc.assert(
      fc.asyncProperty(
        fc.array(cut, { maxLength: 4 }).map((cuts) => cuts.toSorted((a, b) => a - b)),
        fc.integer({ min: 1, max: 64 }),
        fc.array(fc.tuple(fc.integer({ min: 0, max: context }), fc.integer({ min: 1, max: context }))),
        async (cuts, rows, steps) => {
          const decoder = await openStages(model, { cuts, rows });
          for (const [to, count] of [[0, context] as const, ...steps]) {
            decoder.rewind(to);
            const at = decoder.positions;
            const part = tokens.slice(at, at + count);
            const end = at + part.length;
            const hidden = await decoder.forward(part);
            expect(hidden).toEqual(expected.subarray(at * width, end * width));
            expect(decoder.positions).toBe(end);
          }
          expect(await decoder.logits(expected)).toEqual(scores);
          decoder.close();
        },
      ),
      { numRuns: 30 },
    );
  });

  it.each(ODD_SHAPES)("find the likeliest tokens of one thread: $name", async (odd) => {
    const model = oddModel(odd);
    const one = await createWasmBackend().open(model);
    const decoder = await openStages(model, { rows: 5 });
    const hidden = await decoder.forward(someTokens(model));
    expect(await decoder.likeliest?.(hidden, [])).toEqual(await one.likeliest?.(hidden, []));
  });

  it("take in what comes before the last call has ended, in its order", async () => {
    const tokens = someTokens(DEEP);
    const reference = await referenceBackend.open(DEEP);
    const expected = await reference.forward(tokens);
    const decoder = await openStages(DEEP, { stages: 3, rows: 4 });
    const parts = [tokens.slice(0, 9), tokens.slice(9, 10), tokens.slice(10, 40), tokens.slice(40)];
    const streams = await Promise.all(parts.map((part) => decoder.forward(part)));
    expect(Int32Array.from(streams.flatMap((stream) => Array.from(stream)))).toEqual(expected);
    expect(decoder.positions).toBe(tokens.length);
  });

  it("hold all weights once, and keys and values of their own layers", async () => {
    const model = oddModel({ name: "", shape: { layers: 4, width: 96, inner: 300, vocabulary: 4_000 } });
    const one = await createWasmBackend().open(model);
    const empty = await createWasmBackend().open(
      oddModel({ name: "", shape: { layers: 0, width: 96, inner: 300, vocabulary: 1 } }),
    );
    const decoder = await openStages(model, { stages: 3 });
    // Each has buffers for a batch of its own, and its memory ends with a page.
    expect(decoder.memoryBytes).toBeLessThan(one.memoryBytes + 3 * (empty.memoryBytes + 65_536));
    decoder.close();
    expect(decoder.memoryBytes).toBe(0);
  });

  it("have room for fewer positions than the context, if told so", async () => {
    const decoder = await openStages(DEEP, { mostPositions: 9 });
    expect(decoder.model.shape.context).toBe(9);
    await expect(decoder.forward(someTokens(DEEP, 10))).rejects.toThrow("9 positions");
    expect((await decoder.forward(someTokens(DEEP, 9))).length).toBe(9 * DEEP.shape.width);
  });
});

describe("a call that is given up", () => {
  it("is not computed to its end by any stage", async () => {
    const model = oddModel({ name: "", shape: { layers: 2, context: 4_096, headSize: 40 } });
    const answered = [0, 0];
    const counting = (): Line => {
      const line = stageHere();
      const stage = started;
      started += 1;
      return {
        ...line,
        listen: (onMessage, onLost) =>
          line.listen((message) => {
            answered[stage] = (answered[stage] ?? 0) + 1;
            onMessage(message);
          }, onLost),
      };
    };
    let started = 0;
    const decoder = await openStages(model, { start: counting, rows: 8 });
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error("paused")), 1);
    await expect(decoder.forward(someTokens(model), controller.signal)).rejects.toThrow("paused");
    // What comes next is computed behind whatever has not been given up.
    await decoder.forward([1]);
    for (const count of answered) expect(count).toBeLessThan(model.shape.context / 8 / 2);
  });

  it("takes with it all that are under way, and what comes next is as if they had not been", async () => {
    const tokens = someTokens(DEEP);
    const expected = await (await referenceBackend.open(DEEP)).forward(tokens);
    const { width } = DEEP.shape;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 12 }),
        fc.integer({ min: 1, max: 9 }),
        async (turns, rows) => {
          const decoder = await openStages(DEEP, { stages: 3, rows });
          await decoder.forward(tokens.slice(0, 5));
          const controller = new AbortController();
          const told = new Error("paused");
          const wrong = tokens.map((token) => (token + 1) % DEEP.shape.vocabulary);
          const calls = [
            decoder.forward(wrong.slice(0, 20), controller.signal),
            decoder.forward(wrong.slice(0, 20)),
          ];
          const ends = Promise.allSettled(calls);
          for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
          const isUnderWay = decoder.positions > 5;
          controller.abort(told);
          const [first, second] = await ends;
          const positions = [first, second].filter((end) => end?.status === "fulfilled").length * 20 + 5;
          expect(isUnderWay).toBe(true);
          for (const end of [first, second]) if (end?.status === "rejected") expect(end.reason).toBe(told);
          expect(decoder.positions).toBe(positions);
          decoder.rewind(5);
          expect(await decoder.forward(tokens.slice(5))).toEqual(expected.subarray(5 * width));
          decoder.close();
        },
      ),
      { numRuns: 30 },
    );
  });
});

/** Stages of which one can be made to end by itself, after so many answers. */
function mortal(which: number): {
  readonly start: () => Line;
  readonly killAfter: (answers: number) => void;
  readonly closed: number[];
} {
  const closed: number[] = [];
  let started = 0;
  let left = Infinity;
  let lose: ((reason: string) => void) | undefined;
  const die = (): void => {
    if (left <= 0) lose?.("out of memory");
  };
  return {
    closed,
    killAfter(answers) {
      left = answers;
      die();
    },
    start() {
      const number = started;
      started += 1;
      const line = stageHere(() => closed.push(number));
      if (number !== which) return line;
      return {
        ...line,
        listen(onMessage, onLost) {
          lose = onLost;
          line.listen((message) => {
            onMessage(message);
            left -= 1;
            die();
          }, onLost);
        },
      };
    },
  };
}

describe("a stage that is lost", () => {
  it.each([
    [0, 0],
    [0, 3],
    [1, 0],
    [1, 5],
    [2, 1],
    [2, 7],
  ])("fails what is under way and all that follows: stage %i, after %i batches", async (which, answers) => {
    const { start, killAfter, closed } = mortal(which);
    const decoder = await openStages(DEEP, { stages: 3, start, rows: 4 });
    await decoder.forward([1, 2]);
    const under = decoder.forward(someTokens(DEEP, 30));
    const lost = { code: failureCode("worker-lost"), detail: expect.stringContaining("out of memory") };
    killAfter(answers);
    await expect(under).rejects.toMatchObject(lost);
    await expect(decoder.forward([1])).rejects.toMatchObject(lost);
    await expect(decoder.logits(new Int32Array(DEEP.shape.width))).rejects.toMatchObject(lost);
    expect(decoder.positions).toBe(2);
    expect(closed.toSorted((a, b) => a - b)).toEqual([0, 1, 2]);
    expect(decoder.memoryBytes).toBe(0);
  });

  it("or cannot be started ends those before it", async () => {
    let ended = 0;
    const start = vi
      .fn<() => Line>()
      .mockImplementationOnce(() => stageHere(() => (ended += 1)))
      .mockImplementation(() => {
        throw new Error("no threads here");
      });
    await expect(openStages(DEEP, { stages: 3, start })).rejects.toThrow("no threads here");
    expect(ended).toBe(1);
  });

  it("before it has its layers, fails the opening and ends the others", async () => {
    const { start, killAfter, closed } = mortal(1);
    const opening = openStages(DEEP, { stages: 3, start });
    killAfter(0);
    await expect(opening).rejects.toMatchObject({ code: failureCode("worker-lost") });
    expect(closed.toSorted((a, b) => a - b)).toEqual([0, 1, 2]);
  });

  it.each([
    { call: 0, answer: { kind: "values", values: [1] } },
    { call: 0, answer: { kind: "failed", code: 1, detail: "" } },
    "nonsense",
  ])("and one that answers what is no answer is: %j", async (message) => {
    const { port1, port2 } = new MessageChannel();
    port2.addEventListener("message", () => port2.postMessage(message));
    port2.start();
    const start = (): Line => ({
      post: (sent, transfer = []) => port1.postMessage(sent, [...transfer]),
      listen: (onMessage) => {
        port1.addEventListener("message", ({ data }) => onMessage(data));
        port1.start();
      },
      close: () => port1.close(),
    });
    await expect(openStages(DEEP, { stages: 1, start })).rejects.toMatchObject({
      code: failureCode("worker-lost"),
    });
  });
});

const LINK = firstLink(new Uint8Array(32));

async function written(
  model: LlamaModel,
  sampling: Sampling,
  prompt: readonly number[],
): Promise<Transcript> {
  const decoder = await createWasmBackend().open(model);
  const tokens = [...prompt];
  const links: Uint8Array[] = [];
  const request = { prompt, most: 1_000, sampling, endTokens: [], link: LINK };
  for await (const each of generate(decoder, request)) {
    tokens.push(each.token);
    links.push(...each.links);
  }
  return { tokens, promptTokens: prompt.length, sampling, links };
}

describe.each([
  ["greedy", GREEDY],
  ["drawn", { temperatureMilli: 900, topK: 20, topPMilli: 950, seed: new Uint8Array(32).fill(3) }],
] as const)("a text checked by stages, %s", (_, sampling) => {
  const model = oddModel({ name: "", shape: { layers: 4, context: 150, vocabulary: 90 } });

  it("holds, and goes on from a prompt that stages have taken in", async () => {
    const transcript = await written(model, sampling, someTokens(model, 40));
    const decoder = await openStages(model, { stages: 3, rows: 8 });
    expect(await verifyTranscript(decoder, transcript, LINK)).toEqual({ kind: "holds", positions: 150 });
    decoder.rewind(0);
    const prompt = someTokens(model, 40);
    const links: Uint8Array[] = [];
    const request = { prompt, most: 3, sampling, endTokens: [], link: LINK };
    for await (const each of generate(decoder, request)) links.push(...each.links);
    expect(links).toEqual(transcript.links.slice(0, 42));
  });

  it("differs where one thread finds it to, and the stages are free for the next text", async () => {
    const transcript = await written(model, sampling, [5]);
    const one = await createWasmBackend().open(model);
    const decoder = await openStages(model, { stages: 3, rows: 8 });
    for (const position of [0, 7, 8, 70, 148]) {
      const tokens = transcript.tokens.with(position + 1, (transcript.tokens[position + 1]! + 1) % 90);
      const links = transcript.links.with(position, new Uint8Array(32));
      for (const changed of [
        { ...transcript, tokens },
        { ...transcript, links },
      ]) {
        one.rewind(0);
        decoder.rewind(0);
        const verdict = await verifyTranscript(decoder, changed, LINK);
        expect(verdict).toEqual(await verifyTranscript(one, changed, LINK));
        expect(verdict).toMatchObject({ kind: "differs", position });
      }
    }
    decoder.rewind(0);
    expect(await verifyTranscript(decoder, transcript, LINK)).toMatchObject({ kind: "holds" });
  });

  it("is left when told so", async () => {
    const transcript = await written(model, sampling, [5]);
    const decoder = await openStages(model, { stages: 2, rows: 8 });
    const controller = new AbortController();
    const told = new Error("paused");
    const checking = verifyTranscript(decoder, transcript, LINK, controller.signal);
    controller.abort(told);
    await expect(checking).rejects.toBe(told);
    expect(decoder.positions).toBe(0);
  });
});
