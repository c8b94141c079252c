import fc from "fast-check";
import { expect, test } from "vitest";
import { tries } from "../protocol/tries.contract.ts";
import { checkPlan } from "./check.ts";
import { coordinator, digest, MemoryMesh, memoryRun, verify } from "./memory-peers.contract.ts";
import { parsePlan, printPlan } from "./plan-text.ts";
import type { PlanNode } from "./plan.ts";
import { nodesOf } from "./runner/plan-nodes.ts";
import { TYPED_FUNCTIONS, TYPED_PARAMS, typedPlan } from "./typed-plan.contract.ts";
import { typesOf } from "./types-of.ts";
import { readValue } from "./values.ts";
import { verifyRun } from "./verify/verify-run.ts";

/** Of growth by chance some plans join what has no type in common: those are not sound, and are left out. */
const numbers = fc.array(fc.nat(1_000), { minLength: 20, maxLength: 60 });

test("a sound plan of values of all types never fails for what it says, and its record proves what it came to", async () => {
  let sound = 0;
  const kinds = new Set<PlanNode["kind"]>();
  await fc.assert(
    fc.asyncProperty(numbers, async (grown) => {
      const plan = typedPlan(grown);
      if (checkPlan(plan).length > 0) return;
      sound += 1;
      for (const { node } of nodesOf(plan.graph).values()) kinds.add(node.kind);
      const mesh = await MemoryMesh.of(2, TYPED_FUNCTIONS);
      const run = await memoryRun(mesh, { plan, params: TYPED_PARAMS });
      const { runner } = coordinator(mesh, run);
      const end = await runner.start();
      const text = await printPlan(plan, "yaml");
      expect(end.failure, text).toBeUndefined();
      const { result } = plan.graph;
      const type = result.from === "node" ? typesOf(plan).get(result.node) : undefined;
      if (type !== undefined)
        expect(() => readValue(type, end.result?.bytes ?? new Uint8Array(0)), text).not.toThrow();
      expect((await verifyRun(runner.record(), verify, digest)).problems, text).toEqual([]);
      expect((await parsePlan(text)).plan).toEqual(plan);
    }),
    { numRuns: tries(140), endOnFailure: true },
  );
  expect(sound).toBeGreaterThan(10);
  expect(kinds.size).toBeGreaterThan(10);
});
