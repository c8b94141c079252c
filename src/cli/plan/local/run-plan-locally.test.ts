import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { agent } from "../../../../examples/pipeline/agent.ts";
import { type DocumentServer, serveDocuments } from "../../../../examples/pipeline/serve.ts";
import { capabilityOf, plan as planOf, t } from "../../../plan/build.ts";
import type { Plan } from "../../../plan/plan.ts";
import { planCid } from "../../../plan/plan-codec.ts";
import type { Value } from "../../../plan/json-value.ts";
import { failureCode } from "../../../protocol/failure-code.ts";
import { findWork } from "../find-work.ts";
import type { FinishedRun } from "../run-report.ts";
import { verdictOn } from "../verify-record.ts";
import { runPlanLocally } from "./run-plan-locally.ts";

const FOLDER = fileURLToPath(new URL("../../../../examples/pipeline/plan.ts", import.meta.url));

let documents: DocumentServer;
let origin = "";
beforeAll(async () => {
  documents = await serveDocuments(0);
  origin = `http://127.0.0.1:${documents.port}`;
});
afterAll(() => documents.close());

async function run(
  plan: Plan,
  params: Readonly<Record<string, Value>>,
  more: { readonly localOrigins?: readonly string[]; readonly signal?: AbortSignal } = {},
): Promise<FinishedRun & { readonly value: unknown }> {
  const finished = await runPlanLocally(
    { path: FOLDER, plan, cid: planCid(plan) },
    {
      params,
      work: await findWork(plan, FOLDER, []),
      localOrigins: more.localOrigins ?? [origin],
      onEvent: () => undefined,
      signal: more.signal ?? new AbortController().signal,
    },
  );
  const { result } = finished;
  const value: unknown =
    result === undefined ? undefined : JSON.parse(new TextDecoder().decode(result.bytes));
  return { ...finished, value };
}

describe("a run on this machine", () => {
  it("of an agent: each decision and each use of a tool is a receipt, and they prove the answer", async () => {
    const finished = await run(agent([origin]), { url: `${origin}/repairs.html`, word: "battery" });
    expect(finished.value).toEqual([
      "The battery of an electric bicycle lasts about 60 kilometres in the hills, and longer along the coast.",
    ]);
    // Three decisions, a page that was read, and one that was cut.
    expect(await verdictOn(finished.record)).toMatchObject({
      ok: true,
      problems: [],
      text: "5 receipts by 1 peer",
    });
  });

  it("reaches nothing of a private network that was not named", async () => {
    const before = documents.served;
    const { value } = await run(
      agent([origin]),
      { url: `${origin}/repairs.html`, word: "battery" },
      { localOrigins: [] },
    );
    expect(value).toEqual([`${origin} is an address of a private network`]);
    expect(documents.served).toBe(before);
  });

  it("has a store of its own, a clock and randomness, recorded like everywhere", async () => {
    const store = { namespace: "test" };
    const at = { place: { at: "relay" } } as const;
    const plan = planOf("kept", { words: t.text }, (g, { words }) => {
      const put = g.expr("put", t.json, '{key: "a", value: words}', { words });
      const kept = g.effect("kept", capabilityOf("kv-put", store), put, t.json, at);
      const read = g.expr("read", t.json, '{key: "a"}', {}, { after: [kept] });
      const again = g.effect(
        "again",
        capabilityOf("kv-get", store),
        read,
        t.record({ value: t.text, version: t.number }),
        at,
      );
      const dice = g.effect("dice", capabilityOf("random"), g.constant({ bytes: 8 }), t.json);
      const clock = g.effect("clock", capabilityOf("time"), g.constant({}), t.number);
      return g.expr("all", t.json, "{again: again, dice: dice, clock: clock > 0}", {
        again,
        dice,
        clock,
      });
    });
    const finished = await run(plan, { words: "hello" });
    expect(finished.failure).toBeUndefined();
    expect(finished.value).toEqual({
      again: { value: "hello", version: 1 },
      clock: true,
      dice: expect.stringMatching(/^[0-9a-f]{16}$/u),
    });
    expect((await verdictOn(finished.record)).ok).toBe(true);
  });

  it("is signed by as many peers as a quorum asks, and apart where steps have to be apart", async () => {
    const work = await findWork(agent([origin]), FOLDER, []);
    const cut = [...work.modules.keys()];
    expect(cut).toHaveLength(2);
    const { functionOf } = await import("../../../plan/build.ts");
    const [, cid] = cut;
    const split = functionOf({ cid: cid ?? planCid(agent([])), input: t.text, output: t.list(t.text) });
    const plan = planOf("agreed", { words: t.text }, (g, { words }) => {
      const first = g.call("first", split, words, { provenance: { check: "quorum", k: 2, n: 3 } });
      const second = g.call("second", split, words, { place: { at: "any", apartFrom: ["first"] } });
      return g.expr("same", t.boolean, "first == second", { first, second });
    });
    const finished = await run(plan, { words: "Four words and a full stop." });
    expect(finished.failure).toBeUndefined();
    expect(finished.value).toBe(true);
    const verdict = await verdictOn(finished.record);
    expect(verdict.ok).toBe(true);
    expect(verdict.peers).toHaveLength(4);
  });

  it("that is cancelled says so, and its receipts hold", async () => {
    const plan = planOf("slow", {}, (g) => g.delay("pause", g.constant("x"), 60_000));
    const stop = new AbortController();
    const running = run(plan, {}, { signal: stop.signal });
    setTimeout(() => stop.abort(), 50);
    const finished = await running;
    expect(finished).toMatchObject({ isCancelled: true, failure: { code: failureCode("cancelled") } });
    expect((await verdictOn(finished.record)).ok).toBe(true);
  });
});
