import { burnFunction, burnInput, burnMemory } from "../../protocol/challenge/challenge-work.ts";
import type { SandboxThread } from "../sandbox-thread.ts";
import { CALIBRATE_ROUNDS, CALIBRATE_STEPS } from "./limits.ts";

const SEED = new Uint8Array(32);

/**
 * How long the calibration kernel takes on a thread that has nothing else to do, milliseconds: the function that challenges
 * burn fuel with, the same steps every time. The quickest of a few runs: what interrupted the others says nothing of the
 * processor.
 * @returns undefined where the thread cannot run it
 */
export async function measureThread(
  thread: Pick<SandboxThread, "load" | "runAll">,
  clock: () => number,
): Promise<number | undefined> {
  const { cid, module } = burnFunction();
  await thread.load(cid, module);
  const request = {
    function: { cid, abi: "bytes-1", entry: "burn" },
    args: { args: [], env: {}, files: [] },
    input: burnInput(SEED, CALIBRATE_STEPS),
    seed: SEED,
    limits: { fuel: 1n << 60n, memoryBytes: burnMemory("burn", CALIBRATE_STEPS), outputBytes: 32 },
  } as const;
  let quickest = Number.POSITIVE_INFINITY;
  for (let round = 0; round < CALIBRATE_ROUNDS; round += 1) {
    const begun = clock();
    // oxlint-disable-next-line no-await-in-loop -- one after the other, or they would measure each other
    const [result] = await thread.runAll([request]);
    if (result?.kind !== "done") return undefined;
    quickest = Math.min(quickest, clock() - begun);
  }
  return quickest;
}
