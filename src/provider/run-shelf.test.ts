import { expect, test } from "vitest";
import { type Cid, cidOf, DAG_CBOR, RAW } from "../protocol/cid.ts";
import { signerFromSeed } from "../protocol/ed25519.ts";
import { seal } from "../protocol/envelope.ts";
import { type Step, stepMessage } from "../protocol/messages/run.ts";
import { encodeUtf8 } from "../protocol/text.ts";
import { fuel } from "../protocol/units.ts";
import { RUN_RECEIPT_BYTES, RUNS_KEPT } from "./limits.ts";
import { RunShelf } from "./run-shelf.ts";

const me = await signerFromSeed(crypto.subtle, new Uint8Array(32).fill(1));
const stranger = await signerFromSeed(crypto.subtle, new Uint8Array(32).fill(2));

function runOf(at: number): Cid {
  return cidOf(DAG_CBOR, encodeUtf8(`run ${at}`));
}

function stepOf(run: Cid, text: string, more: Partial<Step> = {}): Step {
  const about = {
    run,
    node: "fetch",
    iteration: "",
    attempt: 0,
    status: "done",
    profile: 1,
    parents: [],
  } as const;
  const value = {
    args: cidOf(RAW, new Uint8Array()),
    result: cidOf(RAW, encodeUtf8(text)),
    size: text.length,
  };
  return { ...about, ...value, fuel: fuel(0), ...more };
}

function open(): {
  readonly shelf: RunShelf;
  readonly sign: (step: Step) => Promise<Uint8Array | undefined>;
} {
  const shelf = new RunShelf({
    self: me.key,
    // What is kept is looked at here, not who signed it.
    verify: () => Promise.resolve(true),
    coordinators: () => Promise.resolve([]),
    now: () => 0,
  });
  return { shelf, sign: (step) => shelf.sign(step, 1_000, () => seal(stepMessage, step, [me])) };
}

test("a place that was signed is not signed again with other words, also when its run has been forgotten", async () => {
  const { shelf, sign } = open();
  const first = await sign(stepOf(runOf(0), "what the server said first"));
  expect(await sign(stepOf(runOf(0), "what it says now"))).toEqual(first);
  for (let at = 1; at <= RUNS_KEPT; at += 1)
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await sign(stepOf(runOf(at), "other"));
  expect(shelf.since(runOf(0), 0)).toBeUndefined();
  expect(await sign(stepOf(runOf(0), "what it says now"))).toBeUndefined();
  expect(await sign(stepOf(runOf(0), "what it says now", { attempt: 1 }))).toBeDefined();
});

test("receipts of strangers fill half of a run's room, and the provider's own find theirs", async () => {
  const { shelf, sign } = open();
  const run = runOf(0);
  await sign(stepOf(run, "mine"));
  const parents = Array.from({ length: 1_000 }, (_, at) => runOf(at));
  const brought = await Promise.all(
    Array.from({ length: 80 }, (_, attempt) =>
      seal(stepMessage, stepOf(run, "theirs", { attempt, parents }), [stranger]),
    ),
  );
  const all = brought.reduce((sum, { length }) => sum + length, 0);
  expect(all).toBeGreaterThan(RUN_RECEIPT_BYTES / 2);
  await shelf.learn(run, brought);
  const kept = shelf.since(run, 0) ?? [];
  const bytes = kept.reduce((sum, { length }) => sum + length, 0);
  expect(bytes).toBeLessThanOrEqual(RUN_RECEIPT_BYTES / 2);
  expect(kept.length).toBeGreaterThan(1);
  const mine = await sign(stepOf(run, "mine", { attempt: 5_000 }));
  expect(shelf.since(run, kept.length)).toEqual([mine]);
});
