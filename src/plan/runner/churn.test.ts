import { describe, expect, it } from "vitest";
import { capabilityCid } from "../../protocol/messages/effect.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import {
  call,
  code,
  coordinator,
  digest,
  LIMITS,
  MemoryMesh,
  memoryPeer,
  memoryRun,
  START,
  verify,
} from "../memory-peers.contract.ts";
import type { Capability, Plan, Provenance } from "../plan.ts";
import { verifyRun } from "../verify/verify-run.ts";
import { constant, expr, FUNCTIONS, node, param, planOf, ran, TEXT } from "./scene.contract.ts";

const clean = { problems: [], unchecked: [], ok: true };

function chain(provenance: Provenance = { check: "signature" }): Plan {
  return planOf(
    {
      a: call("upper", { input: param("word"), provenance }),
      b: call("twice", { input: node("a"), provenance }),
      c: expr('b ++ "."', { b: node("b") }),
    },
    node("c"),
    { word: TEXT },
  );
}
const params = { word: encodeUtf8("ab") };

describe("a step that is lost", () => {
  it("is given to the next peer, and the loss is told", async () => {
    const mesh = await MemoryMesh.of(3, FUNCTIONS);
    let losses = 0;
    for (const peer of mesh.peers)
      peer.conduct = () => ((losses += 1) <= 2 ? { lose: "heartbeat-lost" } : {});
    const { said, check, events } = await ran(mesh, { plan: chain(), params });
    expect(said).toBe("ABAB.");
    expect(events.filter(({ kind }) => kind === "lost")).toMatchObject([
      { node: "a", attempt: 0, code: code("heartbeat-lost") },
      { node: "a", attempt: 1, code: code("heartbeat-lost") },
    ]);
    expect(check).toMatchObject({ ...clean, steps: 2 });
  });

  it("is given up after as many attempts as there are, with the cause of the last", async () => {
    const mesh = await MemoryMesh.of(3, FUNCTIONS);
    for (const peer of mesh.peers) peer.conduct = () => ({ lose: "closed" });
    const { end, check } = await ran(mesh, { plan: chain(), params }, { attempts: 3 });
    expect(end.failure).toMatchObject({ node: "a", code: code("closed"), paid: 0n });
    expect(end.failure?.detail).toContain("left");
    expect(end.failure?.advice).toContain("Every attempt was lost");
    expect(mesh.peers.flatMap(({ orders }) => orders)).toHaveLength(3);
    expect(check).toMatchObject({ ...clean, status: "failed", code: code("closed") });
  });

  it("is not given out again for want of money", async () => {
    const mesh = await MemoryMesh.of(3, FUNCTIONS);
    for (const peer of mesh.peers) peer.conduct = () => ({ lose: "insufficient-funds" });
    const { end } = await ran(mesh, { plan: chain(), params });
    expect(end.failure).toMatchObject({ node: "a", code: code("insufficient-funds") });
    expect(mesh.peers.flatMap(({ orders }) => orders)).toHaveLength(1);
  });

  it("is given to a second peer when the first is late, and the first is cancelled", async () => {
    const mesh = await MemoryMesh.of(2, FUNCTIONS);
    let asked = 0;
    for (const peer of mesh.peers) peer.conduct = () => ((asked += 1) === 1 ? { hang: true } : {});
    const { said, check } = await ran(mesh, { plan: chain(), params }, { hedgeAfterMs: 10 });
    expect(said).toBe("ABAB.");
    expect(mesh.active).toBe(0);
    expect(check).toMatchObject(clean);
  });

  it("does not happen twice when it writes elsewhere", async () => {
    const capability: Capability = {
      kind: "fetch",
      origins: ["https://example.org"],
      methods: ["POST"],
      namespace: "",
      chains: [],
      secrets: [],
      maxBytes: 100,
      timeoutMs: 100,
    };
    const mesh = await MemoryMesh.of(2, FUNCTIONS);
    mesh.effects.set(capabilityCid(capability), () => encodeUtf8("{}"));
    const plan = planOf(
      {
        f: {
          kind: "effect",
          capability,
          request: constant({ url: "https://example.org/", method: "POST" }),
          output: { type: "json" },
          place: { at: "any" },
          provenance: { check: "signature" },
          limits: LIMITS,
        },
      },
      node("f"),
    );
    let asked = 0;
    for (const peer of mesh.peers)
      peer.conduct = () => ((asked += 1) === 1 ? { lose: "declined" } : { lose: "closed" });
    const { end } = await ran(mesh, { plan });
    expect(end.failure).toMatchObject({ node: "f", code: code("closed") });
    // Declined: nothing had begun, so another was asked. Closed: it may have happened.
    expect(asked).toBe(2);
  });
});

describe("a value that its peer keeps to itself", () => {
  it("is made again by another peer, so that the run goes on", async () => {
    const mesh = await MemoryMesh.of(3, FUNCTIONS);
    let first: string | undefined;
    for (const peer of mesh.peers)
      peer.conduct = (order) => {
        if (order.node !== "a") return {};
        first ??= peer.root;
        return first === peer.root ? { withhold: true } : {};
      };
    const { said, check, events } = await ran(mesh, { plan: chain(), params });
    expect(said).toBe("ABAB.");
    expect(events.some(({ kind }) => kind === "note")).toBe(true);
    expect(check).toMatchObject({ ...clean, steps: 3 });
  });

  it("ends the run with its name when nobody gives it", async () => {
    const mesh = await MemoryMesh.of(3, FUNCTIONS);
    for (const peer of mesh.peers) peer.conduct = (order) => (order.node === "a" ? { withhold: true } : {});
    const { end } = await ran(mesh, { plan: chain(), params }, { attempts: 3 });
    expect(end.failure).toMatchObject({ node: "b", code: code("function-unavailable") });
    expect(end.failure?.detail).toContain("a");
  });
});

describe("what a result has to be believed by", () => {
  it("is k of n peers that agree, and one liar among them changes nothing", async () => {
    const mesh = await MemoryMesh.of(3, FUNCTIONS);
    const [liar] = mesh.peers;
    if (liar !== undefined) liar.conduct = () => ({ lie: () => encodeUtf8("lie") });
    const { said, check } = await ran(mesh, { plan: chain({ check: "quorum", k: 2, n: 3 }), params });
    expect(said).toBe("ABAB.");
    expect(check).toMatchObject({ ...clean, steps: 6 });
  });

  it("is refused when no two agree", async () => {
    const mesh = await MemoryMesh.of(3, FUNCTIONS);
    for (const [place, peer] of mesh.peers.entries())
      peer.conduct = () => ({ lie: () => encodeUtf8(`lie ${place}`) });
    const { end, check } = await ran(
      mesh,
      { plan: chain({ check: "quorum", k: 2, n: 3 }), params },
      { attempts: 2 },
    );
    expect(end.failure).toMatchObject({ node: "a", code: code("verification-failed") });
    expect(check).toMatchObject({ ...clean, status: "failed" });
  });

  it("is the coordinator's own recomputation, and another peer is asked where they differ", async () => {
    const mesh = await MemoryMesh.of(2, FUNCTIONS);
    const [liar] = mesh.peers;
    if (liar !== undefined) liar.conduct = () => ({ lie: () => encodeUtf8("lie") });
    const { said, check } = await ran(mesh, { plan: chain({ check: "replay" }), params });
    expect(said).toBe("ABAB.");
    expect(check).toMatchObject(clean);
  });
});

describe("where a step runs", () => {
  it("is with its data, apart from others, or where the plan says", async () => {
    const mesh = await MemoryMesh.of(4, FUNCTIONS);
    const [, named] = mesh.peers;
    if (named === undefined) throw new Error("four peers");
    const plan = planOf(
      {
        a: call("upper", { input: param("word") }),
        b: call("twice", { input: node("a"), place: { at: "with", node: "a" } }),
        c: call("same", { input: node("b"), place: { at: "any", apartFrom: ["a"] } }),
        d: call("same", { input: node("c"), place: { at: "peer", peer: named.root } }),
        e: call("same", { input: node("d"), place: { at: "initiator" } }),
      },
      node("e"),
      { word: TEXT },
    );
    const { said, check, runner } = await ran(mesh, { plan, params });
    expect(said).toBe("ABAB");
    const by = new Map(runner.state.since(0).map(({ step, root }) => [step.node, root]));
    expect(by.get("b")).toBe(by.get("a"));
    expect(by.get("c")).not.toBe(by.get("a"));
    expect(by.get("d")).toBe(named.root);
    expect(by.get("e")).toBe(mesh.coordinators[0]?.root);
    expect(check).toMatchObject({ ...clean, steps: 5 });
  });
});

describe("a run that another goes on with", () => {
  const longer = planOf(
    {
      all: {
        kind: "map",
        over: constant(["a", "b", "c", "d", "e", "f"]),
        with: {},
        max: 10,
        parallel: 3,
        graph: {
          params: { item: { type: "json" } },
          nodes: {
            t: expr("text(item)", { item: param("item") }),
            up: call("upper", { input: node("t") }),
            two: call("twice", { input: node("up") }),
          },
          result: node("two"),
        },
      },
      all2: expr('join(all, "")', { all: node("all") }),
    },
    node("all2"),
  );

  it("comes to the same from any part of its receipts, and does nothing twice that is in it", async () => {
    const mesh = await MemoryMesh.of(3, FUNCTIONS);
    const holder = await memoryPeer(50);
    const run = await memoryRun(mesh, { plan: longer, holders: [holder] });
    const whole = coordinator(mesh, run);
    const wanted = await whole.runner.start();
    // All but the last: whoever has that one has nothing to do.
    const steps = whole.runner.state
      .sorted()
      .filter(({ step }) => step.node !== "")
      .map(({ envelope }) => envelope);
    for (let seed = 0; seed < 12; seed += 1) {
      // A part of the receipts, another for each seed: none at all in the first, nearly all in the last.
      const known = steps.filter((_, place) => (place * 7 + seed * 3) % 12 < seed);
      for (const peer of mesh.peers) peer.orders.length = 0;
      const other = coordinator(mesh, run, holder, { steps: known });
      // oxlint-disable-next-line no-await-in-loop -- one after the other, so that orders are counted
      const end = await other.runner.start();
      expect(end.result?.cid).toBe(wanted.result?.cid);
      const done = new Set(
        known.flatMap((envelope) => {
          const receipt = whole.runner.state.since(0).find((each) => each.envelope === envelope);
          return receipt === undefined ? [] : [`${receipt.step.node} ${receipt.step.iteration}`];
        }),
      );
      const again = mesh.peers
        .flatMap(({ orders }) => orders)
        .filter((order) => done.has(`${order.node} ${order.iteration}`));
      expect(again).toEqual([]);
      // oxlint-disable-next-line no-await-in-loop
      const check = await verifyRun(other.runner.record(), verify, digest);
      expect(check.problems).toEqual([]);
    }
  });

  it("does not ask again for what was watched and had not come when it was seen", async () => {
    const mesh = await MemoryMesh.of(3, FUNCTIONS);
    const holder = await memoryPeer(50);
    const watching = planOf(
      {
        a: call("upper", { input: constant("a") }),
        b: call("upper", { input: constant("b") }),
        seen: { kind: "observe", of: ["a", "b"], atLeast: 1, ms: 60_000 },
        said: expr("length(seen)", { seen: node("seen") }),
      },
      node("said"),
    );
    for (const peer of mesh.peers) peer.conduct = (order) => (order.node === "b" ? { hang: true } : {});
    const run = await memoryRun(mesh, { plan: watching, holders: [holder] });
    const first = coordinator(mesh, run);
    const wanted = await first.runner.start();
    for (const peer of mesh.peers) peer.orders.length = 0;
    const steps = first.runner.state.since(0).filter(({ step }) => step.node !== "" && step.node !== "said");
    const second = coordinator(mesh, run, holder, { steps: steps.map(({ envelope }) => envelope) });
    expect((await second.runner.start()).result?.cid).toBe(wanted.result?.cid);
    expect(mesh.peers.flatMap(({ orders }) => orders)).toEqual([]);
    expect(await verifyRun(second.runner.record(), verify, digest)).toMatchObject(clean);
  });

  it("is over at once when its end is among the receipts, whoever asks", async () => {
    const mesh = await MemoryMesh.of(2, FUNCTIONS);
    const holder = await memoryPeer(50);
    const run = await memoryRun(mesh, { plan: longer, holders: [holder] });
    const first = coordinator(mesh, run);
    const wanted = await first.runner.start();
    for (const peer of mesh.peers) peer.orders.length = 0;
    const late = coordinator(mesh, run, holder, { steps: first.runner.record().steps });
    expect((await late.runner.start()).result?.cid).toBe(wanted.result?.cid);
    expect(mesh.peers.flatMap(({ orders }) => orders)).toEqual([]);
  });

  it("goes on where the first stopped in the middle, and receipts of both make one sound record", async () => {
    const mesh = await MemoryMesh.of(3, FUNCTIONS);
    const holder = await memoryPeer(50);
    const run = await memoryRun(mesh, { plan: longer, holders: [holder] });
    const first = coordinator(mesh, run);
    let done = 0;
    for (const peer of mesh.peers)
      peer.conduct = () => {
        done += 1;
        if (done === 6) first.runner.stop();
        return {};
      };
    await expect(first.runner.start()).rejects.toThrow("this coordinator stopped");
    const before = first.runner.state.size;
    const second = coordinator(mesh, run, holder, { steps: first.runner.record().steps });
    const end = await second.runner.start();
    expect(new TextDecoder().decode(end.result?.bytes)).toBe("AABBCCDDEEFF");
    expect(before).toBeGreaterThan(0);
    expect(await verifyRun(second.runner.record(), verify, digest)).toMatchObject(clean);
  });

  it("lets a second coordinator wait for the first's receipts, and take over when they do not come", async () => {
    const mesh = await MemoryMesh.of(3, FUNCTIONS);
    const holder = await memoryPeer(50);
    const run = await memoryRun(mesh, { plan: longer, holders: [holder] });
    const waiting = coordinator(mesh, run, holder, { mine: () => false });
    const ending = waiting.runner.start();
    const first = coordinator(mesh, run);
    const stopAt = 5;
    let done = 0;
    for (const peer of mesh.peers)
      peer.conduct = () => {
        done += 1;
        if (done === stopAt) first.runner.stop();
        return {};
      };
    await first.runner.start().catch(() => undefined);
    expect(await waiting.runner.learn(first.runner.record().steps)).toEqual([]);
    waiting.runner.takeOver();
    const end = await ending;
    expect(new TextDecoder().decode(end.result?.bytes)).toBe("AABBCCDDEEFF");
    expect(await verifyRun(waiting.runner.record(), verify, digest)).toMatchObject(clean);
  });
});

describe("a run that is ended from outside", () => {
  it("cancels what is under way, signs that, and says so", async () => {
    const mesh = await MemoryMesh.of(2, FUNCTIONS);
    const run = await memoryRun(mesh, { plan: chain(), params });
    const { runner, events } = coordinator(mesh, run);
    for (const peer of mesh.peers)
      peer.conduct = () => {
        queueMicrotask(() => runner.cancel("the person changed their mind"));
        return { hang: true };
      };
    const end = await runner.start();
    expect(end.failure).toMatchObject({ code: code("cancelled"), detail: "the person changed their mind" });
    expect(mesh.active).toBe(0);
    expect(
      events.filter((event) => event.kind === "ended").map(({ node: id, status }) => `${id} ${status}`),
    ).toEqual(["a skipped", "b skipped", "c skipped"]);
    expect(await verifyRun(runner.record(), verify, digest)).toMatchObject({ ...clean, status: "failed" });
  });

  it("fails as expired when its time is over, and gives nothing out any more", async () => {
    const mesh = await MemoryMesh.of(2, FUNCTIONS);
    const run = await memoryRun(mesh, { plan: chain(), params });
    const ports = { ...mesh.ports(run.initiator), now: () => START + 3_600_001 };
    const { Runner } = await import("./runner.ts");
    const runner = new Runner(
      {
        run: run.open,
        plan: run.plan,
        planBytes: run.planBytes,
        params,
        self: run.initiator.root,
        verify,
        digest,
      },
      ports,
    );
    const end = await runner.start();
    expect(end.failure).toMatchObject({ code: code("expired") });
    expect(mesh.peers.flatMap(({ orders }) => orders)).toEqual([]);
  });

  it("rejects and gives nothing out any more where a port breaks", async () => {
    const mesh = await MemoryMesh.of(2, FUNCTIONS);
    const run = await memoryRun(mesh, { plan: chain(), params });
    const ports = {
      ...mesh.ports(run.initiator),
      signStep: async () => {
        throw new TypeError("no key");
      },
    };
    const { Runner } = await import("./runner.ts");
    const runner = new Runner(
      {
        run: run.open,
        plan: run.plan,
        planBytes: run.planBytes,
        params,
        self: run.initiator.root,
        verify,
        digest,
      },
      ports,
    );
    await expect(runner.start()).rejects.toThrow("no key");
    expect(mesh.active).toBe(0);
  });
});
