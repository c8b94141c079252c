/** What carrying out a plan costs besides its work: peers in this process, with real keys, signatures and hashes. */
import { avmPeer, drive, openAvm } from "../src/plan/air/avm.contract.ts";
import {
  call,
  coordinator,
  digest,
  MemoryMesh,
  memoryPeer,
  type MemoryPeer,
  memoryRun,
  verify,
} from "../src/plan/memory-peers.contract.ts";
import type { Graph, Plan, PlanNode, Source } from "../src/plan/plan.ts";
import type { StepOrder } from "../src/plan/runner-ports.ts";
import { ReceiptReader } from "../src/plan/state/receipt.ts";
import { RunState } from "../src/plan/state/run-state.ts";
import { StateLink } from "../src/plan/state/state-link.ts";
import { encodeUtf8 } from "../src/protocol/text.ts";
import type { Bench, Measurement } from "./bench.ts";
import { median } from "./median.ts";

const WARM = 60;
const ROUNDS = 200;
const LARGE_ROUNDS = 15;
const LARGE_BYTES = 1_000_000;
const FAN = 32;
const NODES = 1_000;

const node = (id: string): Source => ({ from: "node", node: id });
const param = (name: string): Source => ({ from: "param", param: name });
const same = (input: Uint8Array): Uint8Array => input;

function planOf(
  nodes: Readonly<Record<string, PlanNode>>,
  result: string,
  params: Graph["params"] = {},
): Plan {
  return { v: 1, name: "bench", graph: { params, nodes, result: node(result) } };
}

const neverAborted = new AbortController().signal;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

async function repeated(rounds: number, warm: number, work: () => Promise<unknown>): Promise<number> {
  for (let i = 0; i < warm; i += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await work();
  }
  const each: number[] = [];
  for (let i = 0; i < rounds; i += 1) {
    // oxlint-disable-next-line no-await-in-loop
    each.push(await timed(work));
  }
  return median(each);
}

/** One run from its signing to its result, milliseconds. */
async function runOf(
  mesh: MemoryMesh,
  initiator: MemoryPeer,
  plan: Plan,
  params: Readonly<Record<string, Uint8Array>>,
) {
  const run = await memoryRun(mesh, { plan, params, initiator });
  const { runner } = coordinator(mesh, run, initiator);
  const end = await runner.start();
  if (end.result === undefined) throw new Error(`the run failed: ${end.failure?.detail}`);
  return { runner, run };
}

/** The tasks of a chain of two, each by itself: given to a peer, its receipt checked, and its value given to the next. */
async function direct(
  mesh: MemoryMesh,
  initiator: MemoryPeer,
  orders: readonly StepOrder[],
  given: Uint8Array,
): Promise<void> {
  const ports = mesh.ports(initiator);
  const reader = new ReceiptReader(
    { run: mesh.run, issuedAt: 1_700_000_000_000, notAfter: 1_700_003_600_000 },
    verify,
    digest,
  );
  let input = ports.keepValue(given);
  for (const order of orders) {
    // oxlint-disable-next-line no-await-in-loop -- the second takes what the first gives
    const end = await ports.perform({ ...order, input }, neverAborted);
    for (const receipt of end.receipts) {
      // oxlint-disable-next-line no-await-in-loop
      await reader.read(receipt);
    }
    if (end.value === undefined) throw new Error("no value");
    input = end.value;
  }
}

function orderOf(name: string, peer: MemoryPeer): StepOrder {
  const { callee, limits, provenance } = call("same", { input: param("x") });
  return {
    node: name,
    iteration: "",
    attempt: 0,
    what: { kind: "call", callee },
    place: { at: "peer", peer: peer.root },
    provenance,
    limits,
    input: { cid: callee.cid, size: 0, holders: [] },
    parents: [],
    peers: [],
    hold: false,
    expected: 1,
  };
}

/** The same round trip in Fluence's interpreter: the initiator's value to the peer, the peer's answer back. */
function avmRound(): (payload: string) => void {
  const [a, b] = [avmPeer(), avmPeer()];
  const avms = new Map([
    [a.id, openAvm()],
    [b.id, openAvm()],
  ]);
  const air = `(seq (call %init_peer_id% ("data" "x") [] x) (seq (call "${b.id}" ("calc" "same") [x] y) (call %init_peer_id% ("back" "response") [y])))`;
  return (payload) => {
    let answer: unknown;
    drive(
      avms,
      [a, b],
      { id: crypto.randomUUID(), init: a.id, air, at: Date.now(), ttlMs: 60_000 },
      (_, { service, args }) => {
        if (service === "data") return { value: payload };
        if (service === "calc") return { value: args[0] };
        [answer] = args;
        return { value: null };
      },
    );
    if (answer !== payload) throw new Error("the interpreter gave another answer");
  };
}

const roundTrip: Bench = {
  name: "round trip of a plan",
  async run(): Promise<readonly Measurement[]> {
    const mesh = await MemoryMesh.of(2, { same });
    const initiator = await memoryPeer(1);
    const [b, c] = mesh.peers;
    if (b === undefined || c === undefined) throw new Error("two peers");
    const small = encodeUtf8("ab");
    const at = (peer: MemoryPeer, input: Source): PlanNode =>
      call("same", { input, place: { at: "peer", peer: peer.root } });
    const two = planOf({ a: at(b, param("x")), r: at(c, node("a")) }, "r", { x: { type: "text" } });
    const one = planOf({ r: at(b, param("x")) }, "r", { x: { type: "text" } });
    await runOf(mesh, initiator, two, { x: small });
    const orders = [orderOf("a", b), orderOf("r", c)];
    const directMs = await repeated(ROUNDS, WARM, async () => direct(mesh, initiator, orders, small));
    const planMs = await repeated(ROUNDS, WARM, async () => runOf(mesh, initiator, two, { x: small }));
    const oneMs = await repeated(ROUNDS, WARM, async () => runOf(mesh, initiator, one, { x: small }));
    const avm = avmRound();
    const avmMs = await repeated(ROUNDS / 2, WARM / 2, async () => avm("ab"));
    const text = "ab".repeat(LARGE_BYTES / 2);
    const large = encodeUtf8(text);
    const largeMs = await repeated(LARGE_ROUNDS, 5, async () => runOf(mesh, initiator, one, { x: large }));
    const avmLargeMs = await repeated(5, 1, async () => avm(text));
    return [
      {
        name: "plan of two steps at two peers, and the two tasks made directly",
        value: planMs,
        unit: "ms",
        reference: directMs,
        goal: { ratio: 1.5, better: "lower" },
      },
      {
        name: "AquaVM's round trip between two peers, and a plan's",
        value: avmMs,
        unit: "ms",
        reference: oneMs,
        goal: { ratio: 3, better: "higher" },
      },
      {
        name: "the same with a value of 1 MB",
        value: avmLargeMs,
        unit: "ms",
        reference: largeMs,
        goal: { ratio: 10, better: "higher" },
      },
    ];
  },
};

const fanOut: Bench = {
  name: "plan that fans out",
  async run(): Promise<readonly Measurement[]> {
    const mesh = await MemoryMesh.of(FAN, { same });
    const initiator = await memoryPeer(1);
    const plan = planOf(
      {
        all: {
          kind: "map",
          over: param("words"),
          with: {},
          max: FAN,
          parallel: FAN,
          graph: {
            params: { item: { type: "text" } },
            nodes: { one: call("same", { input: param("item") }) },
            result: node("one"),
          },
        },
        joined: {
          kind: "expr",
          expression: {
            op: "call",
            name: "join",
            args: [
              { op: "name", name: "all" },
              { op: "constant", json: '"-"' },
            ],
          },
          with: { all: node("all") },
        },
      },
      "joined",
      { words: { type: "list", of: { type: "text" } } },
    );
    const words = encodeUtf8(JSON.stringify(Array.from({ length: FAN }, (_, place) => `word ${place}`)));
    const value = await repeated(30, 10, async () => runOf(mesh, initiator, plan, { words }));
    return [
      { name: `fan-out to ${FAN} peers and join`, value, unit: "ms", goal: { value: 100, better: "lower" } },
    ];
  },
};

/** Expressions that follow from each other, four abreast: what the runner itself does for a node. */
function wide(): Plan {
  const nodes: Record<string, PlanNode> = {};
  for (let i = 0; i < NODES; i += 1)
    nodes[`n${i}`] = {
      kind: "expr",
      expression: {
        op: "call",
        name: "+",
        args: [
          { op: "name", name: "x" },
          { op: "constant", json: "1" },
        ],
      },
      with: { x: i < 4 ? { from: "constant", json: "0" } : node(`n${i - 4}`) },
    };
  return planOf(nodes, `n${NODES - 1}`);
}

const overhead: Bench = {
  name: "plan of a thousand nodes",
  async run(): Promise<readonly Measurement[]> {
    const mesh = await MemoryMesh.of(1, { same });
    const initiator = await memoryPeer(1);
    const plan = wide();
    const whole = await repeated(9, 3, async () => runOf(mesh, initiator, plan, {}));
    const { runner } = await runOf(mesh, initiator, plan, {});
    return [
      {
        name: "runner, for one of a thousand nodes, its receipt signed",
        value: whole / NODES,
        unit: "ms",
        goal: { value: 0.2, better: "lower" },
      },
      ...deltas(runner.state),
    ];
  },
};

/** What a link carries when one receipt is new: after ten, and after a thousand. */
function deltas(state: RunState): readonly Measurement[] {
  const receipts = state.since(0);
  const costAfter = (history: number): number => {
    const other = new RunState();
    const link = new StateLink(other);
    for (const receipt of receipts.slice(0, history)) other.add(receipt);
    while (link.isBehind) link.next();
    const [last] = receipts.slice(history);
    if (last !== undefined) other.add(last);
    return link.next().reduce((sum, { length }) => sum + length, 0);
  };
  return [
    {
      name: "state sent for one new receipt after a thousand, and after ten",
      value: costAfter(1_000),
      unit: "bytes",
      reference: costAfter(10),
      goal: { ratio: 1.1, better: "lower" },
    },
  ];
}

export const benches: readonly Bench[] = [roundTrip, fanOut, overhead];
