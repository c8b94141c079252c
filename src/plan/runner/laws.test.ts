import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tries } from "../../protocol/tries.contract.ts";
import { microCredits } from "../../protocol/units.ts";
import { boundsOf } from "../bounds.ts";
import { checkPlan } from "../check.ts";
import {
  call,
  type Conduct,
  coordinator,
  digest,
  MemoryMesh,
  memoryPeer,
  memoryRun,
  STEP_COST,
  verify,
} from "../memory-peers.contract.ts";
import type { Graph, Plan, PlanNode, Source } from "../plan.ts";
import { type Receipt, ReceiptReader } from "../state/receipt.ts";
import { RunState } from "../state/run-state.ts";
import { StateLink } from "../state/state-link.ts";
import { verifyRun } from "../verify/verify-run.ts";
import { nodesOf } from "./plan-nodes.ts";
import { constant, expr, FUNCTIONS, node, param, TEXT } from "./scene.contract.ts";

/** What a random graph is grown from: numbers that are read one after the other. */
class Chance {
  readonly #numbers: readonly number[];
  #at = 0;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  below(count: number): number {
    const number = this.#numbers[this.#at % this.#numbers.length] ?? 0;
    this.#at += 1;
    return (number + this.#at) % count;
  }
}

/** A graph of texts: each node takes something that is there already. */
class Grown {
  readonly #chance: Chance;
  #ids = 0;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  graph(size: number, depth: number, params: readonly string[]): Graph {
    const there: Source[] = [constant("ab"), ...params.map(param)];
    const nodes: Record<string, PlanNode> = {};
    let last: Source = constant("none");
    for (let i = 0; i < size; i += 1) {
      const id = `n${(this.#ids += 1)}`;
      nodes[id] = this.#node(this.#of(there), this.#of(there), depth);
      last = node(id);
      there.push(last);
    }
    return { params: Object.fromEntries(params.map((name) => [name, TEXT])), nodes, result: last };
  }

  #of(sources: readonly Source[]): Source {
    return sources[this.#chance.below(sources.length)] ?? constant("");
  }

  #inner(depth: number, params: readonly string[]): Graph {
    return this.graph(1 + this.#chance.below(2), depth - 1, params);
  }

  #node(a: Source, b: Source, depth: number): PlanNode {
    const kind = this.#chance.below(depth > 0 ? 10 : 3);
    const given = { x: a };
    switch (kind) {
      case 0:
        return call("upper", { input: a });
      case 1:
        return call("same", { input: a, place: { at: "any" } });
      case 2:
        return expr('a ++ "-" ++ b', { a, b });
      case 3:
        return { kind: "subplan", with: given, graph: this.#inner(depth, ["x"]) };
      case 4:
        return {
          kind: "attempt",
          with: given,
          graph: this.#inner(depth, ["x"]),
          fallback: this.#inner(depth, ["x"]),
        };
      case 5:
        return {
          kind: "retry",
          with: given,
          graph: this.#inner(depth, ["x"]),
          attempts: 2,
          backoffMs: 0,
        };
      case 6:
        return {
          kind: "reduce",
          over: constant(["p", "q"]),
          initial: a,
          with: {},
          graph: this.#inner(depth, ["accumulated", "item"]),
          max: 3,
        };
      case 7:
        return {
          kind: "select",
          with: given,
          of: [this.#inner(depth, ["x"]), this.#inner(depth, ["x"])],
          rule: "first",
          k: 1,
        };
      case 8:
        return {
          kind: "branch",
          condition: constant(this.#chance.below(2) === 0),
          with: given,
          then: this.#inner(depth, ["x"]),
          otherwise: this.#inner(depth, ["x"]),
        };
      default:
        return { kind: "timeout", with: given, graph: this.#inner(depth, ["x"]), ms: 60_000 };
    }
  }
}

function grownPlan(numbers: readonly number[]): Plan {
  const chance = new Chance(numbers);
  return { v: 1, name: "grown", graph: new Grown(chance).graph(3 + chance.below(4), 2, []) };
}

const someNumbers = fc.array(fc.nat(1_000), { minLength: 20, maxLength: 60 });

/** What peers do, by a number for each order: some are lost, some fail. */
function conducts(numbers: readonly number[], worst: number): () => Conduct {
  const chance = new Chance(numbers);
  return () => {
    const number = chance.below(100);
    if (number < worst) return { lose: "closed" };
    return number < worst + 5 ? { fail: "trap-unreachable" } : {};
  };
}

describe("a random plan", () => {
  it("is carried out to an end that its record proves, whatever peers do, and costs no more than its bound", async () => {
    await fc.assert(
      fc.asyncProperty(someNumbers, fc.nat(40), async (numbers, worst) => {
        const plan = grownPlan(numbers);
        expect(checkPlan(plan)).toEqual([]);
        const mesh = await MemoryMesh.of(3, FUNCTIONS);
        const conduct = conducts(numbers, worst);
        for (const peer of mesh.peers) peer.conduct = conduct;
        const run = await memoryRun(mesh, { plan });
        const ports = { ...mesh.ports(run.initiator), pause: quick };
        const { runner } = coordinator(mesh, run, run.initiator, {}, ports);
        await runner.start();
        const check = await verifyRun(runner.record(), verify, digest);
        expect(check.problems).toEqual([]);
        const price = {
          perGfuel: microCredits(0),
          perTask: microCredits(STEP_COST),
          perKiB: microCredits(0),
          perInstantiation: microCredits(0),
        };
        const bounds = boundsOf(plan, { tariff: price });
        const given = mesh.peers.reduce((sum, { orders }) => sum + orders.length, 0);
        expect(given).toBeLessThanOrEqual(Number(bounds.tasks));
        expect(runner.spent <= bounds.cost).toBe(true);
      }),
      { numRuns: tries(120), endOnFailure: true },
    );
  });

  it("comes to the same value whoever carries it out, from whichever part of its receipts, where nothing is lost", async () => {
    await fc.assert(
      fc.asyncProperty(someNumbers, fc.infiniteStream(fc.boolean()), async (numbers, isKnown) => {
        const plan = grownPlan(numbers);
        fc.pre(!hasKind(plan.graph, "select"));
        const mesh = await MemoryMesh.of(3, FUNCTIONS);
        const holder = await memoryPeer(50);
        const run = await memoryRun(mesh, { plan, holders: [holder] });
        const first = coordinator(mesh, run);
        const wanted = await first.runner.start();
        const steps = first.runner.state
          .since(0)
          .filter(({ step }) => step.node !== "" && isKnown.next().value === true);
        const second = coordinator(mesh, run, holder, { steps: steps.map(({ envelope }) => envelope) });
        const end = await second.runner.start();
        expect(end.result?.cid).toBe(wanted.result?.cid);
        expect((await verifyRun(second.runner.record(), verify, digest)).problems).toEqual([]);
        // Receipts of both together are as sound as those of one.
        await second.runner.learn(first.runner.record().steps);
        expect((await verifyRun(second.runner.record(), verify, digest)).problems).toEqual([]);
      }),
      { numRuns: tries(48), endOnFailure: true },
    );
  });
});

/** Which of two comes first is chance, so another coordinator may rightly take the other. */
function hasKind(graph: Graph, kind: PlanNode["kind"]): boolean {
  return [...nodesOf(graph).values()].some((place) => place.node.kind === kind);
}

/** Waits for nothing short; what is long ends when it is not needed any more. */
async function quick(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (ms < 20_000) return;
  const { promise, reject } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  await promise;
}

/** Receipts of a few runs' worth of peers: some of one step, some that contradict each other. */
async function someReceipts(count: number): Promise<readonly Receipt[]> {
  const mesh = await MemoryMesh.of(4, FUNCTIONS);
  const plan = grownPlan([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4]);
  const run = await memoryRun(mesh, { plan });
  const { runner } = coordinator(mesh, run);
  await runner.start();
  const all = [...runner.state.since(0)];
  const reader = new ReceiptReader({ ...run.open.body, run: run.open.id }, verify, digest);
  const ports = mesh.peers.map((peer) => mesh.ports(peer));
  for (const [place, { step }] of all.slice(0, 8).entries()) {
    const result = step.result === undefined ? undefined : step.args;
    const story = { ...step, ...(result === undefined ? {} : { result }) };
    for (const port of [ports[place % 4], ports[(place + 1) % 4]])
      // oxlint-disable-next-line no-await-in-loop -- few
      if (port !== undefined)
        all.push(await reader.read(await port.signStep(story)), await reader.read(await port.signStep(step)));
  }
  return all.slice(0, count);
}

function fingerprint(state: RunState): string {
  return JSON.stringify([
    state.sorted().map(({ id, key }) => [id, key]),
    [...state.proofs.keys()].toSorted(),
  ]);
}

describe("merging", () => {
  it("is the union of sets: in any order, how often, and by whichever way", async () => {
    const receipts = await someReceipts(40);
    const whole = new RunState();
    for (const receipt of receipts) whole.add(receipt);
    expect(whole.proofs.size).toBeGreaterThan(0);
    fc.assert(
      fc.property(
        fc.shuffledSubarray([...receipts, ...receipts], { minLength: receipts.length * 2 }),
        fc.array(fc.nat(2), { minLength: 20, maxLength: 200 }),
        (order, ways) => {
          // Three peers get receipts in different parts, and tell each other over links until nothing is new.
          const states = [new RunState(), new RunState(), new RunState()];
          for (const [place, receipt] of order.entries())
            states[ways[place % ways.length] ?? 0]?.add(receipt);
          exchange(states, receipts);
          for (const state of states) expect(fingerprint(state)).toBe(fingerprint(whole));
        },
      ),
      { numRuns: tries(200) },
    );
  });

  it("sends nothing twice over a link, and nothing back to where it came from", async () => {
    const receipts = await someReceipts(40);
    const state = new RunState();
    const link = new StateLink(state);
    const [first, second, ...rest] = receipts;
    if (first === undefined || second === undefined) throw new Error("some receipts");
    state.add(first);
    expect(link.next()).toEqual([first.envelope]);
    expect(link.next()).toEqual([]);
    state.add(second);
    link.heard([second.id]);
    expect(link.next()).toEqual([]);
    for (const receipt of rest) state.add(receipt);
    const sent: Uint8Array[] = [];
    while (link.isBehind) sent.push(...link.next());
    expect(sent).toEqual(state.since(2).map(({ envelope }) => envelope));
  });
});

/** Links each way between all, until nothing is new. */
function exchange(states: readonly RunState[], receipts: readonly Receipt[]): void {
  const byEnvelope = new Map(receipts.map((receipt) => [receipt.envelope, receipt]));
  const links = states.flatMap((from) =>
    states.filter((to) => to !== from).map((to) => ({ link: new StateLink(from), to })),
  );
  for (let open = true; open;) {
    open = false;
    for (const { link, to } of links)
      for (const envelope of link.next()) {
        const receipt = byEnvelope.get(envelope);
        if (receipt !== undefined && to.add(receipt) === "new") open = true;
      }
  }
}
