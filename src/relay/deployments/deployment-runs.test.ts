import { expect, test } from "vitest";
import { FailureError } from "../../protocol/failure.ts";
import { type DeploymentRunsScene, openDeploymentRuns, runOf } from "./deployment-runs-scene.contract.ts";
import type { RunOrder } from "./deployment-runs.ts";

const NEVER = new AbortController().signal;
const STOPS = new FailureError("draining", "the relay stops");

function orderOf(scene: DeploymentRunsScene, nonce: number): RunOrder {
  const { deployment, version, clock } = scene;
  return {
    deployment,
    version,
    input: {},
    why: "a test",
    nonce: new Uint8Array(16).fill(nonce),
    issuedAt: clock.now,
  };
}

/** A run that has cost so much when the relay stops, and is left to the next start. */
async function left(scene: DeploymentRunsScene, cost: bigint): Promise<void> {
  const stop = new AbortController();
  const spent = Promise.withResolvers<bigint>();
  scene.start = async () => runOf("left", spent.promise);
  await scene.runs.start(orderOf(scene, 1), stop.signal);
  stop.abort(STOPS);
  spent.resolve(cost);
  await scene.runs.settled();
}

test("a run that is left when the relay stops counts for all it may cost until it has ended", async () => {
  const scene = await openDeploymentRuns();
  const { runs } = scene;
  await left(scene, 0n);
  expect(runs.today("d")).toBe(100n);
  // Before anybody goes on with it, and while it goes on.
  await expect(runs.start(orderOf(scene, 2), NEVER)).rejects.toThrow(/insufficient-funds/u);
  const spent = Promise.withResolvers<bigint>();
  scene.start = async () => runOf("left", spent.promise);
  await runs.start({ ...orderOf(scene, 1), continues: runOf("left", spent.promise).run }, NEVER);
  await expect(runs.start(orderOf(scene, 2), NEVER)).rejects.toThrow(/insufficient-funds/u);
  spent.resolve(40n);
  await runs.settled();
  expect(runs.today("d")).toBe(40n);
});

test("a run that cannot be gone on with does not lose what it has cost, one that never began costs nothing", async () => {
  const scene = await openDeploymentRuns();
  const { runs } = scene;
  const refused = new FailureError("malformed", "what is kept of it cannot be read");
  scene.start = async () => Promise.reject(refused);
  await expect(runs.start(orderOf(scene, 2), NEVER)).rejects.toThrow(refused);
  expect(runs.today("d")).toBe(0n);
  await left(scene, 60n);
  scene.start = async () => Promise.reject(refused);
  const { run } = runOf("left", Promise.resolve(0n));
  await expect(runs.start({ ...orderOf(scene, 1), continues: run }, NEVER)).rejects.toThrow(refused);
  expect(runs.today("d")).toBeGreaterThanOrEqual(60n);
});
