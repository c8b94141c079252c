import { expect, it } from "vitest";
import { answerOf } from "./build-component.contract.ts";
import { compileComponent } from "./compile-component.ts";
import { compileJavaScript } from "../../../examples/compile-javascript.ts";
import { summarise } from "../../../examples/component-javascript/summarise.js";

const BUILDING_MS = 240_000;

const TEXTS = [
  "",
  " \t\n",
  "one",
  "the quick brownish fox",
  "déjà vu, 😀😀😀 and 漢字\n",
  "ab ".repeat(20_000),
];

const at = (path: string): URL => new URL(`../../../examples/component-javascript/${path}`, import.meta.url);

it(
  "component-javascript says in its component what it says outside",
  async () => {
    const compiled = await compileComponent(await compileJavaScript(at("summarise.js"), at("text.wit")));
    const limits = { fuel: 20_000_000_000n, memoryBytes: 2 ** 28, outputBytes: 2 ** 24 };
    for (const text of TEXTS)
      expect(JSON.parse(answerOf(compiled, "summarise", JSON.stringify([text]), { limits }))).toEqual(
        summarise(text),
      );
  },
  BUILDING_MS,
);
