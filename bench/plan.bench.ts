/** What carrying out a plan costs besides its work: peers in this process, with real keys, signatures and hashes. */
import { dirname, join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { build } from "vite";
import { avmPeer, drive, openAvm } from "../src/plan/air/avm.contract.ts";
import {
  call,
  coordinator,
  MemoryMesh,
  memoryPeer,
  type MemoryPeer,
  memoryRun,
  rawCid,
} from "../src/plan/memory-peers.contract.ts";
import type { Graph, Plan, PlanNode, Source } from "../src/plan/plan.ts";
import { RunState } from "../src/plan/state/run-state.ts";
import { StateLink } from "../src/plan/state/state-link.ts";
import type { PeerId } from "../src/protocol/peer-id.ts";
import { encodeUtf8 } from "../src/protocol/text.ts";
import { leasePair } from "../src/sdk/lease-pair.contract.ts";
import { ECHO } from "../e2e/support/functions.ts";
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
const SEED: Uint8Array = new Uint8Array(32).fill(8);
const same = (input: Uint8Array): Uint8Array => input;

function planOf(
  nodes: Readonly<Record<string, PlanNode>>,
  result: string,
  params: Graph["params"] = {},
): Plan {
  return { v: 1, name: "bench", graph: { params, nodes, result: node(result) } };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** Two pieces of work by turns, so that what else the machine does meets both. @returns medians, milliseconds */
async function byTurns(
  rounds: number,
  one: () => Promise<unknown>,
  other: () => Promise<unknown>,
): Promise<readonly [one: number, other: number]> {
  const each: [number[], number[]] = [[], []];
  for (let i = 0; i < rounds + WARM; i += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const times = [await timed(one), await timed(other)] as const;
    if (i < WARM) continue;
    each[0].push(times[0]);
    each[1].push(times[1]);
  }
  return [median(each[0]), median(each[1])];
}

async function repeated(rounds: number, warm: number, work: () => Promise<unknown>): Promise<number> {
  for (let i = 0; i < warm; i += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await work();
  }
  const each: number[] = [];
  for (let i = 0; i < rounds; i += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
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

/** A step at one peer. */
function at(peer: MemoryPeer, input: Source): PlanNode {
  return call("same", { input, place: { at: "peer", peer: peer.root } });
}

/** What a task gives by itself, at a peer with which a lease is open: the real session, sandbox and receipts. */
type Tasks = ReadonlyMap<PeerId, (input: Uint8Array) => Promise<Uint8Array>>;

async function leases(
  peers: readonly MemoryPeer[],
): Promise<{ readonly tasks: Tasks; readonly stop: () => void }> {
  const pairs = await Promise.all(
    peers.map(async (_, place) => leasePair({ module: ECHO, seeds: [10 + 2 * place, 11 + 2 * place] })),
  );
  const tasks = peers.map(({ root }, place): [PeerId, (input: Uint8Array) => Promise<Uint8Array>] => [
    root,
    async (input) => {
      const pair = pairs[place];
      if (pair === undefined) throw new Error("a lease for each peer");
      const bytes = new Uint8Array(input);
      const sent = pair.requester.send({ bytes, cid: rawCid(bytes), seed: SEED });
      sent.final.catch(() => undefined);
      const answer = await sent.answer;
      if (answer.kind !== "done") throw new Error(`the task failed with ${answer.code}`);
      return answer.output;
    },
  ]);
  return {
    tasks: new Map(tasks),
    stop: () => {
      for (const pair of pairs) pair.stop();
    },
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
    const two = planOf({ a: at(b, param("x")), r: at(c, node("a")) }, "r", { x: { type: "text" } });
    const one = planOf({ r: at(b, param("x")) }, "r", { x: { type: "text" } });
    await runOf(mesh, initiator, two, { x: small });
    const { tasks, stop } = await leases([b, c]);
    const task = async (peer: MemoryPeer, input: Uint8Array): Promise<Uint8Array> => {
      const made = tasks.get(peer.root);
      if (made === undefined) throw new Error("a lease for each peer");
      return made(input);
    };
    const working = await MemoryMesh.of(2, { same: async (input, _, peer) => task(peer, input) });
    const [directMs, planMs] = await byTurns(
      ROUNDS,
      async () => task(c, await task(b, small)),
      async () => runOf(working, initiator, two, { x: small }),
    );
    stop();
    const avm = avmRound();
    const [oneMs, avmMs] = await byTurns(
      ROUNDS / 2,
      async () => runOf(mesh, initiator, one, { x: small }),
      async () => avm("ab"),
    );
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
  const last = receipts.at(-2);
  const costAfter = (history: number): number => {
    const other = new RunState();
    const link = new StateLink(other);
    for (const receipt of receipts.slice(0, history)) other.add(receipt);
    while (link.isBehind) link.next();
    if (last !== undefined) other.add(last);
    return link.next().reduce((sum, { length }) => sum + length, 0);
  };
  return [
    {
      name: "state sent for one new receipt after a thousand, and after ten",
      value: costAfter(NODES - 1),
      unit: "bytes",
      reference: costAfter(10),
      goal: { ratio: 1.1, better: "lower" },
    },
  ];
}

/** Of what the runner loads a page that has the mesh has these already: the wire format, and what it stands on. */
function isLoaded(id: string): boolean {
  return /\/src\/protocol\/|\/node_modules\//u.test(id);
}

const size: Bench = {
  name: "plan runner in the page",
  async run(): Promise<readonly Measurement[]> {
    const root = join(import.meta.dirname, "..");
    const built = await build({
      root,
      configFile: false,
      logLevel: "error",
      build: {
        write: false,
        target: "es2024",
        rolldownOptions: {
          input: join(root, "src/plan/runner/runner.ts"),
          preserveEntrySignatures: "strict",
          external: (id, importer) =>
            isLoaded(importer === undefined || !id.startsWith(".") ? id : join(dirname(importer), id)),
        },
      },
    });
    if (!("output" in built)) throw new Error("the runner was not built");
    const code = built.output.map((part) => (part.type === "chunk" ? part.code : "")).join("");
    return [
      {
        name: "runner of plans, with the language of expressions, brotli",
        value: brotliCompressSync(code).length / 1_000,
        unit: "kB",
        goal: { value: 30, better: "lower" },
      },
    ];
  },
};

export const benches: readonly Bench[] = [roundTrip, fanOut, overhead, size];
