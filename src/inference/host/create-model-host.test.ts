import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FailureName, failureCode } from "../../protocol/failure-code.ts";
import { equalBytes } from "../../protocol/bytes.ts";
import { cidDigest } from "../../protocol/cid.ts";
import { firstLink } from "../generate/transcript.ts";
import { ModelTokenizer } from "../tokenizer/model-tokenizer.ts";
import { createModelHost } from "./create-model-host.ts";
import type { ModelHost, OpenOutcome } from "./model-host.ts";
import {
  runWhole,
  taskOf,
  type TestModel,
  type Whole,
  WRITER_SHAPE,
  writerModel,
  writerText,
} from "./models.contract.ts";

const host: ModelHost = createModelHost();
let model: TestModel;

function open(which: TestModel, on: ModelHost = host): Promise<OpenOutcome> {
  return on.open(which.cid, which.file, { backend: "wasm" }, () => undefined);
}

beforeAll(async () => {
  model = await writerModel();
  expect(await open(model)).toMatchObject({ kind: "open", backend: "wasm" });
});
afterAll(() => host.close());

function write(
  changes: Parameters<typeof taskOf>[0],
  limits: Parameters<typeof taskOf>[1] = {},
): Promise<Whole> {
  return runWhole(host, taskOf(changes, limits));
}

function expectFailure(whole: Whole, name: FailureName, detail: RegExp = /./u): void {
  expect(whole.result).toMatchObject({ kind: "failed", code: failureCode(name) });
  if (whole.result.kind === "failed") expect(whole.result.detail).toMatch(detail);
}

describe("a stream", () => {
  it("sends its first token at once, never more than 32 together, and counts what it wrote", async () => {
    const { segments, parts, tokens, result } = await write({ maxTokens: 80, temperatureMilli: 900 });
    expect(result.kind).toBe("done");
    expect(segments[0]?.tokens).toHaveLength(1);
    expect(segments.slice(1).every((each) => each.tokens.length <= 32 && each.prompt.length === 0)).toBe(
      true,
    );
    expect(segments.map(({ end }) => end).slice(0, -1)).toEqual(segments.slice(1).map(() => undefined));
    expect(parts.at(-1)?.to).toBe(tokens.length);
    let to = 0;
    for (const [i, part] of parts.entries()) expect(part.to).toBe((to += segments[i]?.tokens.length ?? -1));
    expect(parts.length).toBeGreaterThan(2);
  });

  it("has a hash for each position, the last of them in each part", async () => {
    const { segments, parts } = await write({ maxTokens: 40, temperatureMilli: 900 });
    const [first] = segments;
    expect(first?.links.length).toBe(32 * (first?.prompt.length ?? 0));
    for (const [i, { links }] of segments.entries())
      expect(equalBytes(links.slice(-32), parts[i]?.stateHash ?? new Uint8Array())).toBe(true);
  });

  it("ends at its length, at the context's edge, at an end token and before a stop text", async () => {
    const free = await write({ maxTokens: 30, temperatureMilli: 900 });
    expect(free.tokens).toHaveLength(30);
    expect(free.segments.at(-1)?.end).toBe("length");
    const full = await write({ maxTokens: 60_000, temperatureMilli: 900 });
    const prompt = full.segments[0]?.prompt.length ?? 0;
    expect(full.segments.at(-1)?.end).toBe("length");
    expect(full.tokens).toHaveLength(WRITER_SHAPE.context - prompt + 1);
    // The last token was written behind the last position: there is nothing left to go on with.
    const over = await write({ maxTokens: 60_000, temperatureMilli: 900, written: full.tokens });
    expect([over.tokens.length, over.segments[0]?.end, over.fuel]).toEqual([0, "length", 0n]);
    const ended = await write({ maxTokens: 60, temperatureMilli: 900, written: [5, 2] });
    expect([ended.tokens.length, ended.segments[0]?.end]).toEqual([0, "end-token"]);
    const letter = free.text.slice(3).match(/[a-z]/u)?.[0];
    expect(letter).toBeDefined();
    const stopped = await write({ maxTokens: 30, temperatureMilli: 900, stop: [letter!] });
    expect(stopped.segments.at(-1)?.end).toBe("stop");
    expect(stopped.text).toBe(free.text.slice(0, free.text.indexOf(letter!)));
  });

  it("writes nothing where nothing is asked for", async () => {
    const { result, tokens, parts, fuel } = await write({ maxTokens: 0 });
    expect(result.kind).toBe("done");
    expect([tokens.length, fuel]).toEqual([0, 0n]);
    expect(parts[0]?.stateHash).toEqual(firstLink(cidDigest(model.cid)));
  });
});

/** What a machine has told after so many tokens: all whole characters, but for the longest beginning of a stop text at the end. */
function certain({ tokens, text, segments }: Whole, count: number, stop: readonly string[]): string {
  if (count === tokens.length && segments.at(-1)?.end === "stop") return text;
  const decoder = new ModelTokenizer(writerText()).decoder({ continues: true });
  const end = writerText().endTokens;
  const raw = tokens
    .slice(0, count)
    .map((token) => (end.includes(token) ? "" : decoder.push(token)))
    .join("");
  const beginnings = stop.flatMap((each) => Array.from({ length: each.length }, (_, n) => each.slice(0, n)));
  const held = Math.max(0, ...beginnings.filter((each) => raw.endsWith(each)).map(({ length }) => length));
  return raw.slice(0, raw.length - held);
}

describe("a text that goes on elsewhere", () => {
  it("is the one that was never interrupted, wherever it was cut: tokens, hashes, text and end", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          temperatureMilli: fc.constantFrom(0, 700, 1_500),
          maxTokens: fc.integer({ min: 1, max: 40 }),
          seed: fc.uint8Array({ minLength: 32, maxLength: 32 }),
          stop: fc.array(fc.constantFrom("a", "ab", "\u00e9", "b\u{fffd}", "\u{fffd}\u{fffd}a"), {
            maxLength: 2,
          }),
        }),
        fc.nat(),
        async (changes, cut) => {
          const whole = await write(changes);
          const at = cut % (whole.tokens.length + 1);
          const written = whole.tokens.slice(0, at);
          const rest = await write({ ...changes, written });
          expect(rest.result.kind).toBe("done");
          expect([...written, ...rest.tokens]).toEqual(whole.tokens);
          expect(rest.segments.at(-1)?.end).toBe(whole.segments.at(-1)?.end);
          if (rest.tokens.length > 0) expect(rest.links).toEqual(whole.links);
          expect(certain(whole, at, changes.stop) + rest.text).toBe(whole.text);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("limits", () => {
  it("fuel ends a text at the same token, with all tokens before it, whatever is left", async () => {
    const whole = await write({ maxTokens: 20, temperatureMilli: 900 });
    const steps: bigint[] = [];
    // The fuel up to each token, from texts that end there.
    for (let count = 1; count <= whole.tokens.length; count += 1)
      steps.push((await write({ maxTokens: count, temperatureMilli: 900 })).fuel);
    expect(steps.at(-1)).toBe(whole.fuel);
    for (const [i, fuel] of steps.entries()) {
      for (const limit of [fuel - 1n, fuel]) {
        const short = await write({ maxTokens: 20, temperatureMilli: 900 }, { fuelLimit: limit });
        const reached = limit < fuel ? i : i + 1;
        expect(short.tokens).toEqual(whole.tokens.slice(0, reached));
        expect(short.fuel).toBe(steps[reached - 1] ?? 0n);
        if (reached < whole.tokens.length) expectFailure(short, "out-of-fuel");
      }
    }
  });

  it("a text that takes more output than it may ends at the same token, and pays for it", async () => {
    const whole = await write({ maxTokens: 40, temperatureMilli: 900 });
    const bytes = whole.parts.reduce((sum, { output }) => sum + output.length, 0);
    const short = await write({ maxTokens: 40, temperatureMilli: 900 }, { outputBytes: bytes });
    expectFailure(short, "output-too-large");
    expect(short.parts.reduce((sum, { output }) => sum + output.length, 0)).toBeLessThanOrEqual(bytes);
    expect(short.tokens).toEqual(whole.tokens.slice(0, short.tokens.length));
    const until = await write({ maxTokens: short.tokens.length + 1, temperatureMilli: 900 });
    expect(short.fuel).toBe(until.fuel);
    // With what it is counted as, it is whole.
    const counted = 133 * (whole.tokens.length + 1) + whole.links.length + 4 * whole.text.length + 200;
    expect((await write({ maxTokens: 40, temperatureMilli: 900 }, { outputBytes: counted })).tokens).toEqual(
      whole.tokens,
    );
  });

  it("a prompt beyond the context, one of nothing, and what is no input are refused with a sentence", async () => {
    expectFailure(await write({ text: "a b ".repeat(100) }), "too-large", /room for 96/u);
    const bad = { ...taskOf({}), input: Uint8Array.of(1, 2, 3) };
    expectFailure(await runWhole(host, bad), "malformed");
    expectFailure(await write({ written: [2, 5] }), "malformed", /token 1 of those written/u);
    expectFailure(await write({ written: [9_999] }), "malformed", /token 0/u);
    expectFailure(await write({ written: [3, 3, 3], maxTokens: 2 }), "malformed", /token 2/u);
    expectFailure(await write({}, { entry: "embed" }), "export-missing", /the entry generate/u);
  });
});

describe("stopping", () => {
  it("ends a text between two tokens, and the next task has its own bits", async () => {
    const whole = await write({ maxTokens: 60, temperatureMilli: 900 });
    const running = host.run(taskOf({ maxTokens: 60, temperatureMilli: 900 }), async () => {
      // From within a part that never gets its answer.
      void host.stop();
      await new Promise(() => undefined);
    });
    expect(await running).toMatchObject({ kind: "failed", code: failureCode("cancelled"), fuel: 0n });
    expect((await write({ maxTokens: 60, temperatureMilli: 900 })).links).toEqual(whole.links);
  });

  it("ends a long prompt before it is taken in", async () => {
    const long = await writerModel({
      shape: { context: 6_000, width: 192, inner: 512, layers: 6, heads: 6, keyHeads: 6, headSize: 32 },
    });
    const other = createModelHost();
    await open(long, other);
    let parts = 0;
    const running = other.run(taskOf({ text: "\u0001".repeat(5_000), maxTokens: 1 }), () => {
      parts += 1;
      return Promise.resolve();
    });
    setTimeout(() => void other.stop(), 50);
    expect(await running).toMatchObject({ kind: "failed", code: failureCode("cancelled") });
    expect(parts).toBe(0);
    await other.close();
  });
});

describe("opening", () => {
  it("closes the model before, tells progress, and keeps what is open already", async () => {
    const other = await writerModel({ seed: 4 });
    const second = createModelHost();
    const told: number[] = [];
    expect(
      await second.open(model.cid, model.file, { backend: "wasm" }, (done, total) => told.push(done / total)),
    ).toMatchObject({ kind: "open" });
    expect(told.at(-1)).toBe(1);
    told.length = 0;
    await second.open(model.cid, model.file, { backend: "wasm" }, (done) => told.push(done));
    expect(told).toEqual([]);
    const before = await runWhole(second, taskOf({}));
    await open(other, second);
    expect((await runWhole(second, taskOf({}))).links).not.toEqual(before.links);
    await second.close();
    expect(await second.run(taskOf({}), () => Promise.resolve())).toMatchObject({
      code: failureCode("function-unavailable"),
    });
  });

  it("has the bits of the reference", async () => {
    const second = createModelHost();
    await second.open(model.cid, model.file, { backend: "reference" }, () => undefined);
    const changes = { maxTokens: 10, temperatureMilli: 900 };
    expect((await runWhole(second, taskOf(changes))).links).toEqual((await write(changes)).links);
  });

  it("says what is wrong with a file, and why no graphics card computes", async () => {
    const second = createModelHost();
    const broken = new Blob(["TABMESHM is not all"]);
    expect(await second.open(model.cid, broken, { backend: "auto" }, () => undefined)).toMatchObject({
      kind: "failed",
      code: failureCode("malformed"),
    });
    const auto = await second.open(model.cid, model.file, { backend: "auto" }, () => undefined);
    expect(auto).toMatchObject({ kind: "open", backend: "wasm" });
    expect(auto.kind === "open" ? auto.reason : "").toMatch(/the processor (takes|does)|no WebGPU/u);
    await second.close();
  });
});
