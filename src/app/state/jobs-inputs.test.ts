import { describe, expect, it } from "vitest";
import { type InputList, inputsOf, type JobInput, MOST_INPUTS, readAll, sizesOf } from "./jobs-inputs.ts";

function inputsIn(list: InputList): readonly JobInput[] {
  if (list.kind !== "ready") throw new Error(JSON.stringify(list));
  return list.inputs;
}

async function textsOf(inputs: readonly JobInput[]): Promise<readonly string[]> {
  const texts: string[] = [];
  for await (const bytes of readAll(inputs)) texts.push(new TextDecoder().decode(bytes));
  return texts;
}

/** Only files of a browser have a place in a folder; "" says that they were chosen one by one. */
function placed(text: string, path: string): File {
  return Object.defineProperty(new File([text], "a.txt"), "webkitRelativePath", { value: path });
}

describe("inputs of a job", () => {
  it("lines with text in them are inputs, each under its number in the text", async () => {
    const inputs = inputsIn(inputsOf({ kind: "lines", text: "one\r\n\n  \n  vier \n" }));
    expect(inputs.map(({ name }) => name)).toEqual(["line 1", "line 4"]);
    expect(await textsOf(inputs)).toEqual(["one", "  vier "]);
  });

  it("numbers go from the first to the last, both included, as text", async () => {
    const inputs = inputsIn(inputsOf({ kind: "numbers", from: "-1", to: " 2 " }));
    expect(await textsOf(inputs)).toEqual(["-1", "0", "1", "2"]);
    expect(inputs[0]?.name).toBe("number -1");
  });

  it("files are read when they are asked for, and keep their folder's name", async () => {
    const [file, nested] = [placed("ab", ""), placed("c", "x/a.txt")];
    const inputs = inputsIn(inputsOf({ kind: "files", files: [file, nested] }));
    expect(inputs.map(({ name }) => name)).toEqual(["a.txt", "x/a.txt"]);
    expect(await textsOf(inputs)).toEqual(["ab", "c"]);
    expect(sizesOf(inputs)).toEqual({ total: 3, largest: 2 });
  });

  it("nothing is one empty input", () => {
    expect(inputsIn(inputsOf({ kind: "nothing" })).map(({ size }) => size)).toEqual([0]);
  });

  it.each([
    ["no lines", { kind: "lines", text: " \n" }, "empty"],
    ["no files", { kind: "files", files: [] }, "empty"],
    ["a number that is missing", { kind: "numbers", from: "1", to: "" }, "empty"],
    ["a fraction", { kind: "numbers", from: "1", to: "2.5" }, "wrong"],
    ["an end before the beginning", { kind: "numbers", from: "3", to: "1" }, "wrong"],
    ["more numbers than a page can hold", { kind: "numbers", from: "0", to: `${MOST_INPUTS}` }, "wrong"],
    ["more lines than a page can hold", { kind: "lines", text: "x\n".repeat(MOST_INPUTS + 1) }, "wrong"],
    [
      "a file beyond what one task may have",
      { kind: "files", files: [new File([new Uint8Array(33 * 2 ** 20)], "large")] },
      "wrong",
    ],
  ] as const)("%s is said before anything runs", (_what, source, kind) => {
    const list = inputsOf(source);
    expect(list.kind).toBe(kind);
    expect(list.kind === "wrong" ? list.problem : list.kind === "empty" ? list.hint : "").toMatch(/\.$/u);
  });
});
