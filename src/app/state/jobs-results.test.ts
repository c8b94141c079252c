import { describe, expect, it } from "vitest";
import { cidOf, RAW } from "../../protocol/cid.ts";
import { failureCode } from "../../protocol/failure-code.ts";
import { suffixOf } from "./jobs-output.ts";
import {
  outputName,
  recordsAt,
  recordsInOrder,
  resultsArchive,
  resultsLines,
  type Served,
} from "./jobs-results.ts";
import type { TaskRecord } from "./jobs-work.ts";

function done(index: number, output: Uint8Array<ArrayBuffer>): TaskRecord {
  const outputCid = cidOf(RAW, output);
  const end = { kind: "done", output, suffix: suffixOf(output), outputCid } as const;
  return { index, fuel: 7n, end };
}

function failed(index: number): TaskRecord {
  return { index, fuel: 3n, end: { kind: "failed", code: failureCode("exit-code"), detail: "2" } };
}

/** Records in the order in which they came. */
function served(names: readonly string[], records: readonly TaskRecord[]): Served {
  return {
    order: { inputs: names.map((name) => ({ name })) },
    records: new Map(records.map((record) => [record.index, record])),
  };
}

const TEXT = new TextEncoder().encode("Grüße\n");
const PNG = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const BYTES = Uint8Array.from({ length: 50_000 }, (_, at) => at % 256);

describe("results to keep", () => {
  it("are in the order of their inputs, however they came", () => {
    const work = served(["a", "b", "c"], [failed(2), done(0, TEXT), done(1, PNG)]);
    expect(recordsInOrder(work).map(({ index }) => index)).toEqual([0, 1, 2]);
  });

  it("some of them are found without the others, also where some are not there yet", () => {
    const work = served(["a", "b", "c", "d"], [failed(3), done(0, TEXT), failed(2)]);
    const indices = (from: number, count: number, all = true): readonly number[] =>
      recordsAt(work, ({ end }) => all || end.kind === "failed", from, count).map(({ index }) => index);
    expect(indices(0, 2)).toEqual([0, 2]);
    expect(indices(2, 2)).toEqual([3]);
    expect(indices(0, 9, false)).toEqual([2, 3]);
  });

  it("are called after their input and what they are", () => {
    const work = served(["scan.ppm", "line 2", "x/y.txt"], []);
    expect(outputName(work, 0, suffixOf(PNG))).toBe("scan.ppm.png");
    expect(outputName(work, 1, suffixOf(TEXT))).toBe("002.txt");
    expect(outputName(work, 2, suffixOf(BYTES))).toBe("x/y.txt.out");
  });

  it("as lines of JSON hold every output to the byte, and every failure with its code", async () => {
    const lines = await (
      await resultsLines(served(["a", "b", "c"], [done(1, BYTES), failed(2), done(0, TEXT)]))
    ).text();
    const [first, second, third] = lines
      .trimEnd()
      .split("\n")
      .map((line): Record<string, unknown> => JSON.parse(line));
    expect(first).toMatchObject({ index: 0, input: "a", ok: true, output: "Grüße\n", fuel: "7" });
    expect(Buffer.from(String(second?.["base64"]), "base64").equals(BYTES)).toBe(true);
    expect(second?.["outputCid"]).toBe(cidOf(RAW, BYTES));
    expect(third).toEqual({
      index: 2,
      input: "c",
      fuel: "3",
      ok: false,
      code: failureCode("exit-code"),
      name: "exit-code",
      detail: "2",
    });
  });

  it("as an archive hold what is done, and nothing of what failed", async () => {
    const archive = resultsArchive(served(["a.txt", "b"], [done(0, TEXT), failed(1)]), 0);
    const text = await archive.text();
    // One header, one block of content, and the two empty blocks at the end.
    expect(archive.size).toBe(4 * 512);
    expect(text.startsWith("a.txt.txt\0")).toBe(true);
    expect(text).toContain("Grüße\n");
  });
});
