import { describe, expect, it } from "vitest";
import { inspectModule } from "../../sandbox/inspect/inspect-module.ts";
import { bytesModule, bytesOf, wasiModule, wat } from "../../sandbox/wat.contract.ts";
import { functionFacts, tookText, verdictSentence } from "./function-words.ts";

async function factsOf(source: string): Promise<ReadonlyMap<string, string>> {
  return new Map(functionFacts(await inspectModule(await wat(source))));
}

describe("words for a function", () => {
  it("say its kind, its size and what it asks for", async () => {
    const facts = await factsOf(bytesModule("i64.const 0"));
    expect(facts.get("Kind")).toBe("bytes in, bytes out");
    expect(facts.get("Asks for")).toBe("nothing from outside");
    expect(facts.get("Functions")).toBe("2");
    expect(facts.get("Memory")).toBe("65.5 kB to start, at most 262 kB");
    expect(facts.get("With its meter")).toMatch(/ k?B$/u);
  });

  it("count imports, and have no size with a meter where it is refused", async () => {
    const facts = await factsOf(
      wasiModule('(import "env" "steal" (func))', "(drop (memory.grow (i32.const 1)))"),
    );
    expect(facts.get("Asks for")).toBe("1 import");
    expect(facts.get("Kind")).toBe("module");
  });

  it("tell a verdict: it fits, it does not, or it is no WebAssembly at all", async () => {
    expect(verdictSentence(await inspectModule(await wat(bytesModule("i64.const 0"))))).toMatch(/^It fits/u);
    expect(verdictSentence(await inspectModule(bytesOf("hello")))).toMatch(/not a WebAssembly file/u);
    const refused = await inspectModule(await wat('(module (import "env" "steal" (func)))'));
    expect(verdictSentence(refused)).toMatch(/stands against it/u);
  });

  it("tell times as a person reads them", () => {
    expect([0.84, 12.4, 999, 3_400].map(tookText)).toEqual(["0.8 ms", "12 ms", "999 ms", "3.4 s"]);
  });
});
