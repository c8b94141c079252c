import { expect, test } from "vitest";
import { checkPlan } from "../../plan/check.ts";
import { describeProblem } from "../../plan/plan-error.ts";
import { EFFECT_KINDS, type Callee } from "../../plan/plan.ts";
import { cidOf, RAW } from "../../protocol/cid.ts";
import { blankNode } from "./blank-nodes.ts";
import { kindWith, usualEffect } from "./usual-effects.ts";
import { addNode, emptyPlan } from "./plan-edits.ts";

const CALLEE: Callee = {
  kind: "function",
  cid: cidOf(RAW, Uint8Array.of(1)),
  entry: "run",
  abi: "bytes-1",
  args: [],
};

test.each(EFFECT_KINDS)("an effect of kind %s is sound as soon as it is chosen", (kind) => {
  const node = blankNode("effect", CALLEE);
  if (node.kind !== "effect") throw new Error("not an effect");
  const chosen = {
    ...node,
    capability: kindWith(kind, node.capability),
    ...usualEffect(kind),
    place: kind.startsWith("kv-") ? ({ at: "relay" } as const) : node.place,
  };
  const plan = addNode(emptyPlan("effects"), undefined, "effect", chosen);
  expect(checkPlan(plan).map(describeProblem)).toEqual([]);
});
