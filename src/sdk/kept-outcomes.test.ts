import { expect, test } from "vitest";
import { cidOf, RAW } from "../protocol/cid.ts";
import { KeptOutcomes } from "./kept-outcomes.ts";
import type { OutcomeWithInput } from "./lay-open.ts";
import { leasePair } from "./lease-pair.contract.ts";

const NO_MODULE = new Uint8Array(8);

/** One lease, and outcomes as if they were its own. */
async function outcomes(): Promise<(index: number, inputBytes: number) => OutcomeWithInput> {
  const pair = await leasePair({ module: NO_MODULE });
  const { channel } = pair.requester;
  pair.stop();
  return (index, inputBytes) => {
    const bytes = new Uint8Array(inputBytes);
    const shown = { leaf: new Uint8Array(200), task: new Uint8Array(150), index, seq: index };
    return { channel, shown, input: { bytes, cid: cidOf(RAW, bytes) } };
  };
}

/** Numbers in [0, 1) that look random and are the same each time: the middle of a linear congruence. */
function lots(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const MOST = 64 * 1024;
const EVERY = Array.from({ length: 4_000 }, (_, i) => i);

test("all outcomes are kept while there is room", async () => {
  const outcome = await outcomes();
  const kept = new KeptOutcomes(MOST, lots());
  expect(kept.isEmpty).toBe(true);
  for (let i = 0; i < 50; i += 1) kept.keep(outcome(i, 100));
  const { lease } = outcome(0, 0).channel;
  expect(kept.of(lease, EVERY)).toHaveLength(50);
  expect(kept.of(lease, [7, 9, 70]).map(({ shown }) => shown.index)).toEqual([7, 9]);
  expect(kept.of("another lease", EVERY)).toEqual([]);
});

test("beyond that a share of them is left, early ones as well as late ones, and never more than there is room for", async () => {
  const outcome = await outcomes();
  const kept = new KeptOutcomes(MOST, lots());
  for (const i of EVERY) {
    kept.keep(outcome(i, 100));
    expect(kept.bytes).toBeLessThanOrEqual(MOST);
  }
  const { lease } = outcome(0, 0).channel;
  const early = kept.of(lease, EVERY.slice(0, 2_000)).length;
  const late = kept.of(lease, EVERY.slice(2_000)).length;
  // Of 92 places between 23 and 92 are taken.
  expect(early + late).toBeGreaterThan(20);
  expect(Math.min(early, late)).toBeGreaterThan((early + late) / 4);
});

test("an input without room is left out, and drives nothing else away", async () => {
  const outcome = await outcomes();
  const kept = new KeptOutcomes(MOST, lots());
  kept.keep(outcome(0, 100));
  kept.keep(outcome(1, MOST));
  const { lease } = outcome(0, 0).channel;
  expect(kept.of(lease, EVERY).map(({ shown }) => shown.index)).toEqual([0]);
  kept.clear();
  expect(kept.isEmpty).toBe(true);
});
