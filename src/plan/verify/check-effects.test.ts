import { expect, test } from "vitest";
import { followEffect } from "../../cli/plan/follow-effect.ts";
import { type Capability, capabilityCid } from "../../protocol/messages/effect.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import {
  coordinator,
  digest,
  LIMITS,
  MemoryMesh,
  memoryPeer,
  memoryRun,
  verify,
} from "../memory-peers.contract.ts";
import type { EffectNode } from "../plan.ts";
import type { RunRecord } from "../run-record.ts";
import { constant, node, planOf } from "../runner/scene.contract.ts";
import { verifyRun } from "./verify-run.ts";

/** A run whose one effect a tab has signed for, with a value that it chose. */
async function chosenBy(
  kind: Capability["kind"],
  chosen: string,
  at: "any" | "relay",
): Promise<{ readonly record: RunRecord; readonly refused: string }> {
  const capability: Capability = {
    kind,
    origins: [],
    methods: [],
    namespace: "",
    chains: [],
    secrets: [],
    maxBytes: 1_000,
    timeoutMs: 1_000,
  };
  const mesh = await MemoryMesh.of(1, {});
  mesh.effects.set(capabilityCid(capability), () => encodeUtf8(chosen));
  const draw: EffectNode = {
    kind: "effect",
    capability,
    request: constant(kind === "random" ? { bytes: 4 } : {}),
    output: { type: "json" },
    place: { at },
    provenance: { check: "replay" },
    limits: LIMITS,
  };
  const run = await memoryRun(mesh, { plan: planOf({ draw }, node("draw")) });
  const { runner } = coordinator(mesh, run);
  await runner.start();
  const relay = run.initiator.root;
  const pinned = coordinator(mesh, run, run.initiator, { relay, attempts: 1 }).runner;
  const { failure } = await pinned.start();
  return { record: runner.record(), refused: failure?.detail ?? "" };
}

test.each([
  ["random", '"deadbeef"', "random bytes are not those of its step"],
  ["time", "12345", "not the time of its record"],
] as const)(
  "%s that somebody chose does not verify where effects are followed, and is named as unchecked elsewhere",
  async (kind, chosen, why) => {
    const { record } = await chosenBy(kind, chosen, "any");
    const { ok, problems } = await verifyRun(record, verify, digest, { follow: followEffect });
    expect(ok).toBe(false);
    expect(problems.map(({ message }) => message).join("; ")).toContain(why);
    const blind = await verifyRun(record, verify, digest);
    expect(blind.unchecked).toMatchObject([
      { where: "draw", message: expect.stringContaining("not computed again") },
    ]);
  },
);

test("what a plan places at the relay counts from the relay alone, for who coordinates and who checks", async () => {
  const { record, refused } = await chosenBy("time", "12345", "relay");
  expect(refused).toContain("it is not of the relay");
  const { root: relay } = await memoryPeer(900);
  const { ok, problems } = await verifyRun(record, verify, digest, { relay });
  expect(ok).toBe(false);
  expect(problems.map(({ message }) => message).join("; ")).toContain("it is not of the relay");
  const { unchecked } = await verifyRun(record, verify, digest);
  expect(unchecked.map(({ message }) => message).join("; ")).toContain("who that is was not said");
});
