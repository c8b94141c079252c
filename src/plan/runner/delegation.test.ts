import { expect, it } from "vitest";
import { encodeUtf8 } from "../../protocol/text.ts";
import {
  call,
  coordinator,
  digest,
  MemoryMesh,
  memoryPeer,
  type MemoryPeer,
  type MemoryRun,
  memoryRun,
  verify,
} from "../memory-peers.contract.ts";
import type { RunEvent, StepKey } from "../runner-ports.ts";
import { StateLink } from "../state/state-link.ts";
import { verifyRun } from "../verify/verify-run.ts";
import { expr, FUNCTIONS, node, param, planOf, TEXT } from "./scene.contract.ts";
import type { Runner } from "./runner.ts";

/** Two coordinators that tell each other what is new, as peers of a run do. */
function linked(
  mesh: MemoryMesh,
  run: MemoryRun,
  peers: readonly [MemoryPeer, MemoryPeer],
  mine: readonly [(key: StepKey) => boolean, (key: StepKey) => boolean],
): {
  readonly runners: readonly [Runner, Runner];
  readonly sent: { bytes: number };
  readonly events: readonly RunEvent[];
} {
  const sent = { bytes: 0 };
  const telling: (() => void)[] = [];
  const told = (): void => {
    for (const tell of telling) tell();
  };
  const made = peers.map((self, place) =>
    coordinator(mesh, run, self, {
      mine: mine[place] ?? ((): boolean => true),
      onEvent: () => queueMicrotask(told),
    }),
  );
  const [one, two] = made;
  if (one === undefined || two === undefined) throw new Error("two coordinators");
  for (const [from, to] of [
    [one.runner, two.runner],
    [two.runner, one.runner],
  ] as const) {
    const link = new StateLink(from.state);
    telling.push(() => {
      const steps = link.next();
      if (steps.length === 0) return;
      sent.bytes += steps.reduce((sum, { length }) => sum + length, 0);
      void to.learn(steps);
    });
  }
  return { runners: [one.runner, two.runner], sent, events: one.events };
}

const plan = planOf(
  {
    a: call("upper", { input: param("word") }),
    b: call("twice", { input: node("a") }),
    c: call("same", { input: node("b") }),
    d: expr('c ++ "."', { c: node("c") }),
  },
  node("d"),
  { word: TEXT },
);

it("lets a holder coordinate what follows from its own step: values and orders do not go back", async () => {
  const mesh = await MemoryMesh.of(3, FUNCTIONS);
  const holder = await memoryPeer(50);
  const run = await memoryRun(mesh, { plan, params: { word: encodeUtf8("ab") }, holders: [holder] });
  const { runners } = linked(
    mesh,
    run,
    [run.initiator, holder],
    [({ node: id }) => id === "a", ({ node: id }) => id !== "a"],
  );
  const ends = await Promise.all(runners.map(async (runner) => runner.start()));
  expect(ends.map(({ result }) => new TextDecoder().decode(result?.bytes))).toEqual(["ABAB.", "ABAB."]);
  const orders = mesh.peers.flatMap(({ orders: each }) => each);
  expect(orders.map(({ node: id, attempt }) => `${id} ${attempt}`).toSorted()).toEqual([
    "a 0",
    "b 1000",
    "c 1000",
  ]);
  for (const runner of runners)
    // oxlint-disable-next-line no-await-in-loop -- two
    expect(await verifyRun(runner.record(), verify, digest)).toMatchObject({
      ok: true,
      problems: [],
      unchecked: [],
    });
});

it("lets two coordinators who know nothing of each other's work end alike when they meet", async () => {
  const mesh = await MemoryMesh.of(3, FUNCTIONS);
  const holder = await memoryPeer(50);
  const run = await memoryRun(mesh, { plan, params: { word: encodeUtf8("ab") }, holders: [holder] });
  const all = [coordinator(mesh, run), coordinator(mesh, run, holder)];
  const ends = await Promise.all(all.map(async ({ runner }) => runner.start()));
  expect(new Set(ends.map(({ result }) => result?.cid)).size).toBe(1);
  const records = all.map(({ runner }) => runner.record().steps);
  for (const { runner } of all) {
    // oxlint-disable-next-line no-await-in-loop -- two
    for (const steps of records) expect(await runner.learn(steps)).toEqual([]);
    expect(runner.state.proofs.size).toBe(0);
    // oxlint-disable-next-line no-await-in-loop
    expect(await verifyRun(runner.record(), verify, digest)).toMatchObject({ ok: true, problems: [] });
  }
  const [one, two] = all.map(({ runner }) => runner.state.sorted().map(({ id, key }) => `${id} ${key}`));
  expect(one).toEqual(two);
});
