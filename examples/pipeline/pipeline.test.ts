import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readArtefact, sha256 } from "../artefact.ts";
import { compileAssemblyScript } from "../compile-assemblyscript.ts";
import { compileC, findToolchain } from "../compile-c.ts";
import { loadBytesFunction } from "../run-bytes.ts";

/** Compiling takes seconds; on a machine that does other things besides, a minute. */
const COMPILING_MS = 120_000;

const split = new URL("split.wasm", import.meta.url);
const rank = new URL("rank.wasm", import.meta.url);
const mind = new URL("mind.wasm", import.meta.url);

/** Passages of each input. Under Node's own WASI, in a process of its own, for it reads file descriptor 0. */
function passagesOf(...inputs: readonly (string | Uint8Array)[]): readonly (readonly string[])[] {
  const program = `
    import { WASI } from "node:wasi";
    import { openSync, readFileSync, writeFileSync, mkdtempSync } from "node:fs";
    import { join } from "node:path";
    import { tmpdir } from "node:os";
    const folder = mkdtempSync(join(tmpdir(), "tabmesh-split-"));
    const module = new WebAssembly.Module(readFileSync(process.argv[1]));
    const outputs = JSON.parse(readFileSync(0, "utf8")).map((input, index) => {
      const [from, to] = ["in", "out"].map((name) => join(folder, name + index));
      writeFileSync(from, Buffer.from(input, "base64"));
      const wasi = new WASI({ version: "preview1", stdin: openSync(from), stdout: openSync(to, "w") , returnOnExit: true });
      const exit = wasi.start(new WebAssembly.Instance(module, wasi.getImportObject()));
      return exit === 0 ? readFileSync(to).toString("base64") : null;
    });
    process.stdout.write(JSON.stringify(outputs));`;
  const flags = ["--no-warnings", "--input-type=module", "--eval", program, fileURLToPath(split)];
  const input = JSON.stringify(inputs.map((each) => Buffer.from(each).toString("base64")));
  const outputs = JSON.parse(execFileSync(process.execPath, flags, { input, encoding: "utf8" })) as string[];
  return outputs.map((output) => {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(output, "base64"));
    const passages = JSON.parse(text) as string[];
    // Canonical: the next step's input is the same bytes whoever writes it down.
    expect(text).toBe(JSON.stringify(passages));
    return passages;
  });
}

describe("split.wasm", () => {
  it("keeps what a reader of the page sees, a passage for each block", () => {
    const [passages] = passagesOf(readFileSync(new URL("documents/returns.html", import.meta.url)));
    expect(passages).toEqual([
      "You can return anything within 30 days of its arrival, as long as it has not been ridden on the road.",
      "We pay back the full price to the card you paid with, usually within five working days after the parcel has reached our workshop.",
      "If an item arrives broken, send us a photograph. We refund it at once & you keep the broken one.",
    ]);
  });

  it("ends a long passage at the end of a sentence, and leaves out what says nothing", () => {
    const sentence = "This sentence has fifty characters, and it says so. ";
    const [long, short, plain] = passagesOf(
      `<p>${sentence.repeat(9)}</p>`,
      "<p>Menu</p><td>12</td>",
      "First of two plain paragraphs.\n\nThe second \t one, with\nlines in it.",
    );
    expect(long?.map((passage) => passage.length)).toEqual([259, 207]);
    expect(short).toEqual([]);
    expect(plain).toEqual(["First of two plain paragraphs.", "The second one, with lines in it."]);
  });

  it("writes JSON whatever it reads", () => {
    const [quotes, broken, open, nothing] = passagesOf(
      'A "quote", a \\ backslash and a \u0001 control, é, 漢字, 🙂 and a\u007f delete.',
      Buffer.concat([
        Buffer.from("Not all of this is UTF-8: "),
        Buffer.from([0xc0, 0xaf, 0xed, 0xa0, 0x80, 0xff]),
      ]),
      "<p>An open tag and a comment that never ends <!-- <script",
      "",
    );
    expect(quotes).toEqual(['A "quote", a \\ backslash and a control, é, 漢字, 🙂 and a delete.']);
    expect(broken).toEqual([`Not all of this is UTF-8: ${"\ufffd".repeat(6)}`]);
    expect(open).toEqual(["An open tag and a comment that never ends"]);
    expect(nothing).toEqual([]);
    const inputs = fc.sample(fc.uint8Array({ maxLength: 300 }), 200);
    expect(passagesOf(...inputs)).toHaveLength(200);
  });
});

type BytesFunction = (input: Uint8Array) => Uint8Array;

interface Ranked {
  readonly again: number;
  readonly score: number;
  readonly text: string;
  readonly url: string;
}

function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
  return dot / (Math.hypot(...a) * Math.hypot(...b));
}

function asked(input: unknown, run: BytesFunction): readonly Ranked[] {
  const text = new TextDecoder().decode(run(new TextEncoder().encode(JSON.stringify(input))));
  const ranked = JSON.parse(text) as readonly Ranked[];
  expect(text).toBe(JSON.stringify(ranked));
  return ranked;
}

async function load(): Promise<BytesFunction> {
  return loadBytesFunction((await readArtefact(rank)).wasm);
}

describe("rank.wasm", () => {
  it("puts the nearest first, folds what says the same, and tells where it stands", async () => {
    const documents = [
      {
        url: "a",
        passages: ["far", 'near "quoted"'],
        vectors: [
          [0.1, 1],
          [1, 0.6],
        ],
        more: [{ x: "]" }, -1.5, null],
      },
      { url: "b", passages: [], vectors: [] },
      {
        passages: ["nearest", "opposite", "as near"],
        url: "c",
        vectors: [
          [5, 0],
          [-1, 0],
          [2.5e1, 1],
        ],
      },
    ];
    expect(asked({ documents, query: [1, 0] }, await load())).toEqual([
      { again: 2, score: 1000, text: "nearest", url: "c" },
      { again: 0, score: 100, text: "far", url: "a" },
      { again: 0, score: -1000, text: "opposite", url: "c" },
    ]);
    expect(asked({ documents: [], query: [1] }, await load())).toEqual([]);
  });

  it("gives the scores that a slow reference gives, and every passage once", async () => {
    const run = await load();
    const value = fc.integer({ min: -32_768, max: 32_767 });
    const inputs = fc
      .integer({ min: 1, max: 6 })
      .chain((size) =>
        fc.record({
          query: fc.array(value, { minLength: size, maxLength: size }),
          vectors: fc.array(fc.array(value, { minLength: size, maxLength: size }), { maxLength: 12 }),
          cut: fc.nat(12),
        }),
      )
      .filter((given) => [given.query, ...given.vectors].every((vector) => Math.hypot(...vector) > 0));
    fc.assert(
      fc.property(inputs, ({ query, vectors, cut }) => {
        const passages = vectors.map((_, place) => String(place));
        const documents = [
          { url: "first", passages: passages.slice(0, cut), vectors: vectors.slice(0, cut) },
          { url: "second", passages: passages.slice(cut), vectors: vectors.slice(cut) },
        ];
        const ranked = asked({ documents, query }, run);
        expect(ranked.reduce((sum, { again }) => sum + 1 + again, 0)).toBe(vectors.length);
        for (const { score, text, url } of ranked) {
          expect(url).toBe(Number(text) < cut ? "first" : "second");
          expect(Math.abs(score - 1_000 * cosine(query, vectors[Number(text)] ?? []))).toBeLessThanOrEqual(
            0.501,
          );
        }
        const scores = ranked.map(({ score }) => score);
        expect(scores).toEqual(scores.toSorted((a, b) => b - a));
      }),
    );
  });

  it.each([
    ["no JSON", "nothing"],
    ["no question", '{"documents":[]}'],
    ["fewer vectors than passages", '{"documents":[{"passages":["a"],"url":"u","vectors":[]}],"query":[1]}'],
    ["vectors of two lengths", '{"documents":[{"passages":["a"],"url":"u","vectors":[[1,2]]}],"query":[1]}'],
    ["a document from nowhere", '{"documents":[{"passages":["a"],"vectors":[[1]]}],"query":[1]}'],
    ["an end too early", '{"documents":[{"passages":["a'],
    ["something behind the end", '{"documents":[],"query":[1]}]'],
  ])("%s: traps", async (_, input) => {
    const run = await load();
    expect(() => run(new TextEncoder().encode(input))).toThrow(WebAssembly.RuntimeError);
  });
});

it.each([split, rank, mind])("%s is what its SHA-256 says", async (target) => {
  const { wasm, recordedSha256 } = await readArtefact(target);
  expect(sha256(wasm)).toBe(recordedSha256);
});

it.each([
  ["rank.wasm", rank, new URL("rank.as.ts", import.meta.url)],
  ["mind.wasm", mind, new URL("mind.as.ts", import.meta.url)],
])(
  "%s is what the compiler makes of its source",
  async (_, target, source) => {
    const { recordedSha256 } = await readArtefact(target);
    expect(sha256(await compileAssemblyScript(source))).toBe(recordedSha256);
  },
  COMPILING_MS,
);

describe("mind.wasm", () => {
  const task = { url: "https://example.org/a", word: "Frame" };
  const tools = [{ about: "", name: "read" }];
  const read = { input: {}, result: "<p>One.</p>", tool: "read" };
  const cutUp = { input: "", result: ["The frame holds.", "A fork.", 'Fork and "FRAME".'], tool: "cut" };
  const gone = { failure: { detail: "answered 404", name: "effect-failed" }, input: {}, tool: "read" };

  it.each([
    ["reads first", [], { tool: "read", input: { as: "text", url: task.url } }],
    ["then cuts", [read], { tool: "cut", input: "<p>One.</p>" }],
    ["then answers", [read, cutUp], { answer: ["The frame holds.", 'Fork and "FRAME".'] }],
    ["says why where a tool failed", [gone], { answer: ["answered 404"] }],
  ])("%s", async (_, steps, decision) => {
    const decide = await loadBytesFunction((await readArtefact(mind)).wasm);
    const input = new TextEncoder().encode(JSON.stringify({ rules: "", steps, task, tools }));
    expect(JSON.parse(new TextDecoder().decode(decide(input)))).toEqual(decision);
    expect(() => decide(input.subarray(0, 30))).toThrow(WebAssembly.RuntimeError);
  });
});

it(
  "split.wasm is what the recorded compiler makes of its source",
  async ({ skip }) => {
    const recorded = await readFile(new URL("split.wasm.toolchain", import.meta.url), "utf8");
    const found = await findToolchain("wasi");
    if (found !== recorded.trim()) {
      console.log(`split.wasm not rebuilt: it was made by ${recorded.trim()}, here is ${found ?? "none"}`);
      skip();
    }
    const { recordedSha256 } = await readArtefact(split);
    expect(sha256(await compileC(new URL("split.c", import.meta.url), "wasi"))).toBe(recordedSha256);
  },
  COMPILING_MS,
);
