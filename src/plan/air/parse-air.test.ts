import { describe, expect, test } from "vitest";
import { cidOf, RAW } from "../../protocol/cid.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import type { Callee, Plan } from "../plan.ts";
import { importAir } from "./import-air.ts";

function bound(service: string, name: string): Callee | undefined {
  if (service !== "s") return undefined;
  return { kind: "function", cid: cidOf(RAW, encodeUtf8(name)), entry: name, abi: "bytes-1", args: [] };
}

function imported(air: string): Plan {
  return importAir(air, "test", bound);
}

const CALL = `(call %init_peer_id% ("s" "f") [] `;

describe("a program in AIR", () => {
  test("keeps the order of seq, the data between calls, and where they run", () => {
    const { graph } = imported(`(seq ${CALL}x) (call %init_peer_id% ("s" "g") [x.$.a.[1] "two" 3] y))`);
    const calls = Object.entries(graph.nodes).filter(([, { kind }]) => kind === "call");
    expect(calls).toHaveLength(2);
    const [[first] = [], [, second] = []] = calls;
    expect(second).toMatchObject({ place: { at: "initiator" }, after: [first], callee: { entry: "g" } });
  });

  test("takes parameters from Aqua's clients, gives the result to them, and needs no handler of errors", () => {
    const { graph } = imported(
      `(xor (seq (seq (call %init_peer_id% ("getDataSrv" "-relay-") [] -relay-)
                      (call %init_peer_id% ("getDataSrv" "name") [] -name-arg-))
                 (call %init_peer_id% ("callbackSrv" "response") [-name-arg-]))
            (call %init_peer_id% ("errorHandlingSrv" "error") [:error: 0]))`,
    );
    expect(Object.keys(graph.params)).toEqual(["name"]);
  });

  test.each([
    ["(seq\n  (null)\n  (embed))", `line 3, column 3: "embed" is no instruction that can be imported`],
    [`(call %init_peer_id% ("s" "f") [x])`, "line 1, column 33: x is read before anything sets it"],
    [`(call %init_peer_id% ("t" "f") [])`, `line 1, column 1: no function is bound to ("t" "f")`],
    [
      `(call p ("s" "f") [])`,
      "line 1, column 7: a peer is named by a text, so that it is known what will run",
    ],
    [`(call "nobody" ("s" "f") [])`, `line 1, column 7: "nobody" is no peer`],
    [`(seq ${CALL}x) ${CALL}x))`, "line 1, column 43: x is set a second time"],
    [
      `(seq (xor ${CALL}x) (null)) (ap x y))`,
      "line 1, column 60: x is set by one branch only, so it may be missing here",
    ],
    ["(never)", "line 1, column 1: (never) outside of a par would wait for ever; a run always ends"],
    [
      `(call %init_peer_id% ("s" "f) [])`,
      "line 1, column 27: a text that begins here does not end on its line",
    ],
    ["(null) (null)", "line 1, column 8: one instruction was expected, and here is more"],
    ["(seq (null) (null)", "line 1, column 19: a closing bracket was expected here"],
    ["(next i)", "line 1, column 1: (next i) stands where no fold can go on"],
    ["(ap %init_peer_id% x)", "line 1, column 5: %init_peer_id% can say where a call goes, and is no value"],
    [
      `(seq ${CALL}x) (fold x i (xor (next i) (null))))`,
      "line 1, column 53: (next i) has to be the first or last thing a fold does in a seq or par",
    ],
    [
      `(seq ${CALL}x) (fold x i (seq (seq (ap i $s) (canon %init_peer_id% $s #c)) (next i))))`,
      "line 1, column 73: $s is also added to outside, so what it holds here is not fixed",
    ],
  ])("is refused with the place and the reason: %s", (air, why) => {
    expect(() => imported(air)).toThrow(why);
  });

  test("that nests without end is refused", () => {
    expect(() => imported(`${"(seq (null) ".repeat(500)}(null)${")".repeat(500)}`)).toThrow(
      "nest deeper than 200",
    );
  });
});
