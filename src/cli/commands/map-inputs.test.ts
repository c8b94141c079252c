import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { EXIT, PlainError } from "../plain-error.ts";
import { commonFolder, fileTasks, inputsOf, lineTasks, outputName } from "./map-inputs.ts";

let folder = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tabmesh-map-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function put(path: string, text: string): Promise<void> {
  await mkdir(join(folder, path, ".."), { recursive: true });
  await writeFile(join(folder, path), text);
}

describe("files as inputs", () => {
  test("are taken in the order of their names and keep their folders", async () => {
    await put("b/two.txt", "2");
    await put("a/one.txt", "1");
    await put("a/skip.md", "no");
    const tasks = await fileTasks(join(folder, "**/*.txt"), ".wav");
    expect(tasks.map(({ name, output }) => [name, output])).toEqual([
      ["a/one.txt", "a/one.wav"],
      ["b/two.txt", "b/two.wav"],
    ]);
    const read = await Array.fromAsync(inputsOf(tasks), (bytes) => new TextDecoder().decode(bytes));
    expect(read).toEqual(["1", "2"]);
  });

  test("are refused when two would be written to one file", async () => {
    await put("one.txt", "1");
    await put("one.md", "1");
    await expect(fileTasks(join(folder, "one.*"), ".wav")).rejects.toMatchObject({
      what: "one.md and one.txt would both be written to one.wav.",
      exit: EXIT.usage,
    });
  });

  test("are refused when there are none", async () => {
    await expect(fileTasks(join(folder, "*.txt"), undefined)).rejects.toThrow(PlainError);
  });

  test("a file that is gone by its turn is an error then, not before", async () => {
    await put("one.txt", "1");
    const tasks = await fileTasks(join(folder, "*.txt"), undefined);
    await rm(join(folder, "one.txt"));
    await expect(Array.fromAsync(inputsOf(tasks))).rejects.toThrow(/ENOENT/u);
  });
});

describe("lines as inputs", () => {
  test("are numbered as in the file, and empty ones are left out", () => {
    const tasks = lineTasks("one\r\n\n  \nfour\n", "wav");
    expect(tasks.map(({ name, output }) => [name, output])).toEqual([
      ["line 1", "001.wav"],
      ["line 4", "004.wav"],
    ]);
  });

  test("sort by name as they stand, however many there are", () => {
    const outputs = lineTasks("x\n".repeat(1_200), undefined).map(({ output }) => output);
    expect(outputs[0]).toBe("0001.out");
    expect(outputs.toSorted()).toEqual(outputs);
  });
});

test("an output takes its input's name", () => {
  expect(outputName("a/b.txt", undefined)).toBe("a/b.txt.out");
  expect(outputName("a/b.txt", "wav")).toBe("a/b.wav");
  expect(outputName("a/b.tar.gz", ".zst")).toBe("a/b.tar.zst");
});

test("files of one folder have that folder in common", () => {
  expect(commonFolder(["/a/b/c.txt", "/a/b/d.txt"])).toBe("/a/b");
  expect(commonFolder(["/a/b/c.txt", "/a/bb/d.txt"])).toBe("/a");
  expect(commonFolder(["/x.txt", "/a/d.txt"])).toBe("/");
});
