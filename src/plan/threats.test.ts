import { beforeEach, describe, expect, it } from "vitest";
import { seal } from "../protocol/envelope.ts";
import { type Step, stepMessage } from "../protocol/messages/run.ts";
import { encodeUtf8 } from "../protocol/text.ts";
import { fuel } from "../protocol/units.ts";
import {
  call,
  code,
  coordinator,
  digest,
  MemoryMesh,
  memoryPeer,
  type MemoryPeer,
  type MemoryRun,
  memoryRun,
  rawCid,
  START,
  verify,
} from "./memory-peers.contract.ts";
import type { Plan } from "./plan.ts";
import type { RunRecord } from "./run-record.ts";
import { constant, expr, FUNCTIONS, node, param, planOf, ran, TEXT } from "./runner/scene.contract.ts";
import { isEquivocation } from "./state/equivocation.ts";
import { type Receipt, ReceiptReader } from "./state/receipt.ts";
import { RunState } from "./state/run-state.ts";
import { verifyRun } from "./verify/verify-run.ts";

/** A oracle's price, and what is done with it. */
const PRICE: Plan = planOf(
  { price: call("price", { input: param("coin") }), said: expr('price ++ " $"', { price: node("price") }) },
  node("said"),
  { coin: TEXT },
);
const functions = { ...FUNCTIONS, price: () => encodeUtf8("49") };
const params = { coin: encodeUtf8("ETH") };

async function problemsOf(record: RunRecord): Promise<string> {
  const { ok, problems } = await verifyRun(record, verify, digest);
  expect(ok).toBe(false);
  return problems.map(({ where, message }) => `${where}: ${message}`).join("; ");
}

let mesh: MemoryMesh;
let run: MemoryRun;
let mallory: MemoryPeer;

beforeEach(async () => {
  mesh = await MemoryMesh.of(2, functions);
  run = await memoryRun(mesh, { plan: PRICE, params });
  mallory = await memoryPeer(666);
});

/** The price's step as an honest peer would sign it. */
function priceStep(changes: Partial<Step> = {}): Step {
  return {
    run: run.open.id,
    node: "price",
    iteration: "",
    attempt: 0,
    status: "done",
    args: rawCid(encodeUtf8("ETH")),
    result: rawCid(encodeUtf8("49")),
    size: 2,
    profile: 1,
    fuel: fuel(1),
    parents: [],
    ...changes,
  };
}

/** The same with no value: failed or skipped. */
function without(changes: Partial<Step>): Step {
  const { run: of, node: id, iteration, attempt, args, profile, fuel: used, parents } = priceStep();
  return {
    run: of,
    node: id,
    iteration,
    attempt,
    args,
    profile,
    fuel: used,
    parents,
    status: "skipped",
    size: 0,
    ...changes,
  };
}

async function signed(step: Step, peer: MemoryPeer): Promise<Uint8Array> {
  return seal(stepMessage, step, [peer.signer]);
}

describe("what a peer signed for one run", () => {
  it("counts in no other: another plan, another initiator, or only another nonce", async () => {
    const { runner } = coordinator(mesh, run);
    await runner.start();
    const lifted = runner.record().steps;
    const settle: Plan = planOf(
      { price: call("price", { input: param("coin") }), paid: call("settle", { input: node("price") }) },
      node("paid"),
      { coin: TEXT },
    );
    const others = [
      await memoryRun(await MemoryMesh.of(2, functions), { plan: settle, params }),
      await memoryRun(await MemoryMesh.of(2, functions), { plan: PRICE, params, nonce: 2 }),
    ];
    for (const other of others) {
      expect(other.open.id).not.toBe(run.open.id);
      const victim = coordinator(mesh, other);
      // oxlint-disable-next-line no-await-in-loop -- two
      const refused = await victim.runner.learn(lifted);
      expect(refused.map((error) => error.code)).toEqual(lifted.map(() => code("denied")));
      expect(victim.runner.state.size).toBe(0);
      // oxlint-disable-next-line no-await-in-loop
      expect(await problemsOf({ ...victim.runner.record(), steps: lifted })).toContain(
        "signed for another run",
      );
    }
  });

  it("does not count for another node, iteration or input either", async () => {
    const { runner } = coordinator(mesh, run);
    const [peer] = mesh.peers;
    if (peer === undefined) throw new Error("two peers");
    const refused = await runner.learn([
      await signed(priceStep({ node: "said" }), peer),
      await signed(priceStep({ node: "bank" }), peer),
      await signed(priceStep({ iteration: "0" }), peer),
    ]);
    expect(refused.map((error) => error.code)).toEqual([code("denied"), code("denied")]);
    await runner.learn([
      await signed(priceStep({ args: rawCid(encodeUtf8("BTC")), result: rawCid(encodeUtf8("9")) }), peer),
    ]);
    const end = await runner.start();
    expect(new TextDecoder().decode(end.result?.bytes)).toBe("49 $");
  });
});

const guarded = (guard: MemoryPeer): Plan =>
  planOf(
    {
      guard: call("check", { input: constant("ok?"), place: { at: "peer", peer: guard.root } }),
      pay: call("price", { input: param("coin"), after: ["guard"] }),
    },
    node("pay"),
    { coin: TEXT },
  );

describe("a step without a value", () => {
  it("is signed like every other, so nobody can say that a guard was passed", async () => {
    const victim = await memoryPeer(70);
    const guardedMesh = new MemoryMesh([...mesh.peers, victim], functions);
    const guardedRun = await memoryRun(guardedMesh, { plan: guarded(victim), params });
    const { runner } = coordinator(guardedMesh, guardedRun, guardedRun.initiator, { attempts: 1 });
    const forged = await signed(
      priceStep({
        run: guardedRun.open.id,
        node: "guard",
        args: rawCid(encodeUtf8("ok?")),
        result: rawCid(encodeUtf8("")),
        size: 0,
      }),
      mallory,
    );
    await runner.learn([forged]);
    victim.conduct = () => ({ fail: "trap-unreachable" });
    const end = await runner.start();
    // The guard itself was asked, and said no.
    expect(end.failure).toMatchObject({ node: "guard", code: code("trap-unreachable") });
    expect(mesh.peers.flatMap(({ orders }) => orders)).toEqual([]);
  });

  it("is named where a record pretends that it was passed", async () => {
    const victim = await memoryPeer(70);
    const guardedMesh = new MemoryMesh([...mesh.peers, victim], {
      ...functions,
      check: () => encodeUtf8(""),
    });
    const guardedRun = await memoryRun(guardedMesh, { plan: guarded(victim), params });
    const { runner } = coordinator(guardedMesh, guardedRun);
    await runner.start();
    const receipts = runner.state.since(0);
    const guard = receipts.find(({ step }) => step.node === "guard");
    if (guard === undefined) throw new Error("a guard");
    // Mallory signs the same words: the same body, and so the same CID.
    const record = runner.record();
    const forged = await signed(guard.step, mallory);
    const steps = record.steps.map((each) => (each === guard.envelope ? forged : each));
    expect(await problemsOf({ ...record, steps })).toContain("another peer than the plan names");
  });
});

describe("whoever does not coordinate a run", () => {
  it("decides nothing in it: no expression, no failure, no end", async () => {
    const { runner } = coordinator(mesh, run);
    const [peer] = mesh.peers;
    if (peer === undefined) throw new Error("two peers");
    const settling = [
      priceStep({ node: "said", attempt: 60_000, result: rawCid(encodeUtf8("1 $")), size: 3 }),
      without({ attempt: 60_000, status: "failed", code: code("no-provider") }),
      priceStep({ node: "", attempt: 60_000, args: run.open.body.params }),
      without({ attempt: 50_000 }),
    ];
    const refused = await runner.learn(await Promise.all(settling.map(async (step) => signed(step, peer))));
    expect(refused.map((error) => error.code)).toEqual(settling.map(() => code("denied")));
    const end = await runner.start();
    expect(new TextDecoder().decode(end.result?.bytes)).toBe("49 $");
  });

  it("may not say how an expression came out where its coordinator is somebody else", async () => {
    const { runner } = coordinator(mesh, run);
    await runner.start();
    const record = runner.record();
    const said = runner.state.since(0).find(({ step }) => step.node === "said");
    const closing = runner.state.since(0).find(({ step }) => step.node === "");
    if (said === undefined || closing === undefined) throw new Error("both are signed");
    const forged = await signed(said.step, mallory);
    const steps = record.steps.map((each) => (each === said.envelope ? forged : each));
    expect(await problemsOf({ ...record, steps })).toContain("there is no receipt of said");
    const ends = await signed(closing.step, mallory);
    const ended = record.steps.map((each) => (each === closing.envelope ? ends : each));
    expect(await problemsOf({ ...record, steps: ended })).toContain(
      "no coordinator signed that the run is over",
    );
  });

  it("cannot make a peer coordinate: a holder that the initiator did not name is none", async () => {
    const { runner } = coordinator(mesh, run, mallory);
    const end = await runner.start();
    expect(end.result).toBeDefined();
    // It may compute for itself what it likes; nobody else takes it.
    expect(await problemsOf(runner.record())).toContain("no coordinator signed that the run is over");
  });
});

describe("what a peer hands over", () => {
  it.each([
    ["another value than it signed", { swap: () => encodeUtf8("48") }],
    [
      "a receipt of another function",
      { forge: (step: Step) => ({ ...step, callee: rawCid(encodeUtf8("bank")) }) },
    ],
    [
      "a receipt about another input",
      { forge: (step: Step) => ({ ...step, args: rawCid(encodeUtf8("BTC")) }) },
    ],
    ["a receipt of another attempt", { forge: (step: Step) => ({ ...step, attempt: 7 }) }],
    ["a receipt of another run", { forge: (step: Step) => ({ ...step, run: rawCid(encodeUtf8("run")) }) }],
    ["more fuel than it may use", { forge: (step: Step) => ({ ...step, fuel: fuel(10n ** 12n) }) }],
  ])("does not count when it is %s, and the run goes on", async (_, conduct) => {
    let asked = 0;
    for (const peer of mesh.peers) peer.conduct = () => ((asked += 1) === 1 ? conduct : {});
    const { said, events, check } = await ran(mesh, { plan: PRICE, params });
    expect(said).toBe("49 $");
    expect(events.filter(({ kind }) => kind === "lost")).toHaveLength(1);
    expect(check.problems).toEqual([]);
  });

  it("is not believed when it is a lie that k of n do not tell, nor when one peer signs with two keys", async () => {
    const plan = planOf(
      { price: call("price", { input: param("coin"), provenance: { check: "quorum", k: 2, n: 2 } }) },
      node("price"),
      { coin: TEXT },
    );
    const [first, second] = mesh.peers;
    if (first === undefined || second === undefined) throw new Error("two peers");
    // The same owner behind both.
    const twins = new MemoryMesh([first, { ...first, orders: second.orders }], functions);
    const { end } = await ran(twins, { plan, params }, { attempts: 1 });
    expect(end.failure).toMatchObject({ node: "price", code: code("verification-failed") });
  });
});

describe("a peer that signs two stories of one attempt", () => {
  it("has proven that it lied, to anybody, and its word counts no more", async () => {
    const [peer] = mesh.peers;
    if (peer === undefined) throw new Error("two peers");
    const { runner } = coordinator(mesh, run);
    const stories = [
      await signed(priceStep(), peer),
      await signed(priceStep({ result: rawCid(encodeUtf8("50")) }), peer),
    ];
    await runner.learn(stories);
    const [proof] = runner.state.proofs.values();
    if (proof === undefined) throw new Error("a proof");
    const reader = new ReceiptReader(
      { run: run.open.id, issuedAt: START, notAfter: START + 3_600_000 },
      verify,
      digest,
    );
    expect(await isEquivocation(proof, reader)).toBe(true);
    expect(await isEquivocation({ ...proof, second: proof.first }, reader)).toBe(false);
    expect(await isEquivocation({ ...proof, key: mallory.signer.key }, reader)).toBe(false);
    peer.conduct = () => ({ lose: "closed" });
    const end = await runner.start();
    expect(new TextDecoder().decode(end.result?.bytes)).toBe("49 $");
    expect(
      runner.state.since(0).filter(({ step, key }) => step.node === "price" && key === peer.signer.key),
    ).toHaveLength(2);
    expect(await problemsOf(runner.record())).toContain("signed two different outcomes of one attempt");
  });

  it("is not one that only says twice the same, paid under another lease", async () => {
    const [peer] = mesh.peers;
    if (peer === undefined) throw new Error("two peers");
    const { runner } = coordinator(mesh, run);
    await runner.learn([
      await signed(priceStep(), peer),
      await signed(priceStep({ fuel: fuel(2), parents: [rawCid(encodeUtf8("x"))] }), peer),
    ]);
    expect(runner.state.proofs.size).toBe(0);
  });
});

describe("what is old, too much, or out of order", () => {
  it("a word of failure or skipping never undoes a result that is there", async () => {
    const first = coordinator(mesh, run);
    const wanted = await first.runner.start();
    const [peer] = mesh.peers;
    if (peer === undefined) throw new Error("two peers");
    const stale = await signed(without({ attempt: 3, status: "failed", code: code("heartbeat-lost") }), peer);
    const second = coordinator(mesh, run);
    await second.runner.learn([stale, ...first.runner.record().steps]);
    expect((await second.runner.start()).result?.cid).toBe(wanted.result?.cid);
  });

  it("a peer that fills a state with attempts is stopped, and nobody else's receipts are lost", async () => {
    const [peer, other] = mesh.peers;
    if (peer === undefined || other === undefined) throw new Error("two peers");
    const { runner } = coordinator(mesh, run);
    const flood = await Promise.all(
      Array.from({ length: 200 }, async (_, attempt) =>
        signed(priceStep({ attempt, args: rawCid(encodeUtf8("BTC")) }), peer),
      ),
    );
    const refused = await runner.learn(flood);
    expect(refused.length).toBeGreaterThan(100);
    expect(refused.every((error) => error.code === code("too-large"))).toBe(true);
    expect(await runner.learn([await signed(priceStep({ attempt: 1 }), other)])).toEqual([]);
    // What the peer itself is asked for later is taken all the same.
    other.conduct = () => ({ lose: "closed" });
    expect((await runner.start()).result).toBeDefined();
  });

  it("an expression that would work for ever is stopped and named", async () => {
    const plan = planOf({ e: expr('length(split(repeat("ab", 30000000), "a"))') }, node("e"));
    const { end } = await ran(mesh, { plan });
    expect(end.failure).toMatchObject({ node: "e", code: code("expression-failed") });
  });

  it("a stream whose values are told in another order than they came is found", async () => {
    const plan = planOf(
      {
        a: call("upper", { input: constant("a") }),
        b: call("upper", { input: constant("b") }),
        s: { kind: "stream", of: [node("a"), node("b")], max: 2 },
      },
      node("s"),
    );
    const streamed = await memoryRun(mesh, { plan });
    const { runner } = coordinator(mesh, streamed);
    await runner.start();
    const record = runner.record();
    const told = runner.state.since(0).find(({ step }) => step.node === "s");
    if (told === undefined) throw new Error("a stream");
    const other = [...JSON.parse(new TextDecoder().decode(valueOf(record, told)))].toReversed();
    const bytes = encodeUtf8(JSON.stringify(other));
    const lie = { ...told.step, result: rawCid(bytes) };
    const steps = await resigned(record, runner.state.since(0), told, lie, streamed.initiator);
    expect(
      await problemsOf({ ...record, steps, values: [...record.values, { cid: rawCid(bytes), bytes }] }),
    ).toContain("s: its receipt names another value than the plan gives");
  });
});

function valueOf(record: RunRecord, { step }: Receipt): Uint8Array {
  return record.values.find(({ cid }) => cid === step.result)?.bytes ?? new Uint8Array();
}

/** A coordinator that lies: one step changed, and the end signed anew as if it followed from that. */
async function resigned(
  record: RunRecord,
  receipts: readonly Receipt[],
  old: Receipt,
  lie: Step,
  initiator: MemoryPeer,
): Promise<readonly Uint8Array[]> {
  const closing = receipts.find(({ step }) => step.node === "");
  if (closing === undefined) throw new Error("an end");
  const forged = await signed(lie, initiator);
  const reader = new ReceiptReader(
    { run: lie.run, issuedAt: START, notAfter: START + 3_600_000 },
    verify,
    digest,
  );
  const { id } = await reader.read(forged);
  const parents = closing.step.parents.map((parent) => (parent === old.id ? id : parent));
  const end = await signed(
    { ...closing.step, parents, ...(lie.result === undefined ? {} : { result: lie.result }) },
    initiator,
  );
  return record.steps.map((each) =>
    each === old.envelope ? forged : each === closing.envelope ? end : each,
  );
}

describe("a coordinator that lies about an expression", () => {
  it("is found by whoever checks its run, with the node's name", async () => {
    const { runner } = coordinator(mesh, run);
    await runner.start();
    const record = runner.record();
    const receipts = runner.state.since(0);
    const said = receipts.find(({ step }) => step.node === "said");
    if (said === undefined) throw new Error("an expression");
    const bytes = encodeUtf8("1000 $");
    const lie = { ...said.step, result: rawCid(bytes), size: bytes.length };
    const steps = await resigned(record, receipts, said, lie, run.initiator);
    expect(
      await problemsOf({ ...record, steps, values: [...record.values, { cid: rawCid(bytes), bytes }] }),
    ).toContain("said: its receipt names another value than the plan gives");
  });

  it("is found by the holder that goes on: it computes expressions itself", async () => {
    const holder = await memoryPeer(50);
    const held = await memoryRun(mesh, { plan: PRICE, params, holders: [holder] });
    const first = coordinator(mesh, held);
    await first.runner.start();
    const receipts = first.runner.state.since(0);
    const said = receipts.find(({ step }) => step.node === "said");
    if (said === undefined) throw new Error("an expression");
    const lie = await signed({ ...said.step, result: rawCid(encodeUtf8("1000 $")) }, held.initiator);
    const price = receipts.filter(({ step }) => step.node === "price").map(({ envelope }) => envelope);
    const second = coordinator(mesh, held, holder, { steps: [...price, lie] });
    const end = await second.runner.start();
    expect(new TextDecoder().decode(end.result?.bytes)).toBe("49 $");
  });
});

it("a state is a set: nothing in it depends on who told it first", async () => {
  const { runner } = coordinator(mesh, run);
  await runner.start();
  const [one, two] = [new RunState(), new RunState()];
  for (const receipt of runner.state.since(0)) one.add(receipt);
  for (const receipt of runner.state.since(0).toReversed()) two.add(receipt);
  expect(one.sorted()).toEqual(two.sorted());
});
