import { expect, it } from "vitest";
import { type CompiledFunction, compileFunction } from "./compile-function.ts";
import { FunctionStore, heldBytes } from "./function-store.ts";
import { bytesModule, wat } from "./wat.contract.ts";

async function compiled(): Promise<CompiledFunction> {
  return compileFunction(new Uint8Array(await wat(bytesModule("i64.const 0"))));
}

it("lets go of the function unused for longest", async () => {
  const one = await compiled();
  const store = new FunctionStore(heldBytes(one) * 2);
  store.set("a", one);
  store.set("b", one);
  store.get("a");
  store.set("c", one);
  expect(["a", "b", "c"].map((cid) => store.get(cid) !== undefined)).toEqual([true, false, true]);
});

it("holds a function that is larger than its limit, alone", async () => {
  const one = await compiled();
  const store = new FunctionStore(1);
  store.set("a", one);
  store.set("b", one);
  expect(["a", "b"].map((cid) => store.get(cid) !== undefined)).toEqual([false, true]);
});

it("counts a function once that is set twice", async () => {
  const one = await compiled();
  const store = new FunctionStore(heldBytes(one) * 2);
  store.set("a", one);
  store.set("a", one);
  store.set("b", one);
  expect(store.get("a")).toBe(one);
});
