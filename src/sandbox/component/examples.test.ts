import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { answerOf } from "./build-component.contract.ts";
import { compileComponent } from "./compile-component.ts";
import { memberOf, withJco } from "./jco-oracle.contract.ts";
import { readArtefact, sha256 } from "../../../examples/artefact.ts";
import { compileAssemblyScript } from "../../../examples/compile-assemblyscript.ts";
import { compileC, findToolchain } from "../../../examples/compile-c.ts";
import { summarise } from "../../../examples/component-javascript/summarise.js";
import { wrapComponent } from "../../../examples/wrap-component.ts";

const BUILDING_MS = 240_000;

const TEXTS = [
  "",
  " \t\n",
  "one",
  "the quick brownish fox",
  "déjà vu, 😀😀😀 and 漢字\n",
  "ab ".repeat(20_000),
];

const at = (path: string): URL => new URL(`../../../examples/${path}`, import.meta.url);

it.each(["component-c", "component-assemblyscript"])(
  "%s says of a text what jco and JavaScript say",
  async (name) => {
    const { wasm, recordedSha256 } = await readArtefact(at(`${name}/summarise.wasm`));
    expect(sha256(wasm)).toBe(recordedSha256);
    const compiled = await compileComponent(wasm);
    await withJco(wasm, (exports) => {
      const run = memberOf(exports, "summarise");
      if (typeof run !== "function") throw new TypeError("jco exports no summarise");
      for (const text of TEXTS) {
        const ours: unknown = JSON.parse(answerOf(compiled, "", JSON.stringify([text])));
        const theirs: unknown = Reflect.apply(run, undefined, [text]);
        expect(ours).toEqual(summarise(text));
        expect(memberOf(theirs, "longest")).toBe(summarise(text).longest);
        expect(memberOf(theirs, "lengths")).toEqual(Uint32Array.from(summarise(text).lengths));
      }
    });
  },
);

it("component-assemblyscript is what its source makes", async () => {
  const core = await compileAssemblyScript(at("component-assemblyscript/summarise.as.ts"));
  const wasm = await wrapComponent(core, at("component-assemblyscript/text.wit"), "utf16");
  const { recordedSha256 } = await readArtefact(at("component-assemblyscript/summarise.wasm"));
  expect(sha256(wasm)).toBe(recordedSha256);
});

it(
  "component-c is what the recorded compiler makes of its source",
  async ({ skip }) => {
    const recorded = await readFile(at("component-c/summarise.wasm.toolchain"), "utf8");
    const found = await findToolchain("bare");
    if (found !== recorded.trim()) {
      console.log(`component-c not rebuilt: it was made by ${recorded.trim()}, here is ${found ?? "none"}`);
      skip();
    }
    const core = await compileC(at("component-c/summarise.c"), "bare");
    const { recordedSha256 } = await readArtefact(at("component-c/summarise.wasm"));
    expect(sha256(await wrapComponent(core, at("component-c/text.wit"), "utf8"))).toBe(recordedSha256);
  },
  BUILDING_MS,
);
