import { afterEach, describe, expect, it } from "vitest";
import { cidOf, DAG_CBOR, RAW } from "../../protocol/cid.ts";
import { openEnvelope } from "../../protocol/envelope.ts";
import { failureCode } from "../../protocol/failure-code.ts";
import { type Verdict, verdictMessage } from "../../protocol/messages/audit.ts";
import { decodeEntryOf } from "../../protocol/messages/entry.ts";
import { encodeJobArgs } from "../../protocol/messages/job.ts";
import type { OutcomeLeaf } from "../../protocol/messages/task.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import { fuel } from "../../protocol/units.ts";
import { GRANT, seedOf, signerOf } from "../books/books-scene.contract.ts";
import { offerOf, post, refusalOf } from "../relay-scene.contract.ts";
import {
  type AuditedLease,
  type AuditScene,
  DOUBLER,
  type Lie,
  openAuditedLease,
  openAuditScene,
  putRaw,
} from "./audit-scene.contract.ts";

const scenes: AuditScene[] = [];
afterEach(async () => {
  for (const scene of scenes.splice(0))
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    expect(await scene.close()).toEqual([]);
});

async function open(changes: Parameters<typeof openAuditScene>[0] = {}): Promise<AuditScene> {
  const scene = await openAuditScene(changes);
  scenes.push(scene);
  return scene;
}

const PATIENCE = { timeout: 20_000 };

async function untilJudged(lease: AuditedLease, count: number): Promise<void> {
  await expect.poll(() => lease.view().judged, PATIENCE).toBe(count);
}

function verdictOf({ relay }: AuditScene, entry: number, leaf: number): Verdict {
  const { books } = relay.scene;
  const at = books.audits.drawn(entry, leaf)?.row.verdict;
  const bytes = at === undefined ? undefined : books.entry(at);
  if (bytes === undefined) throw new Error("there is no verdict");
  return openEnvelope(verdictMessage, decodeEntryOf("verdict", bytes).body.envelope).body;
}

function pass(scene: AuditScene, ms: number): void {
  scene.relay.scene.clock.now += ms;
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const GONE: Lie = ({ outputCid: _none, ...outcome }) => ({
  ...outcome,
  status: "failed",
  code: failureCode("no-memory"),
  size: 0,
  fuel: fuel(0),
});

async function standing({ relay }: AuditScene, peer: string): Promise<Record<string, unknown>> {
  return (await (await relay.http.request(`/v1/accounts/${peer}/standing`)).json()) as Record<
    string,
    unknown
  >;
}

describe("outcomes that are drawn and opened", () => {
  it("of a newcomer are all drawn, match when they are computed again, and what is held is paid in the end", async () => {
    const scene = await open({ bondTasks: 1, holdTasks: 0 });
    const lease = await openAuditedLease(scene);
    for (const input of ["a", "bc", "def"]) await lease.run(input);
    const { index, draw } = await lease.report();
    expect(draw).toBeDefined();
    expect(lease.view()).toMatchObject({ drawn: 3, judged: 0 });
    for (const leaf of [0, 1, 2]) expect((await lease.open(index, leaf)).status).toBe(204);
    await untilJudged(lease, 3);
    const verdict = verdictOf(scene, index, 1);
    expect(verdict).toMatchObject({ result: "match", profile: 1 });
    expect(verdict.expected).toEqual(verdict.found);
    expect(verdict.engine).toMatch(/^v8 \d+/u);
    expect(verdict.auditors).toEqual([scene.relay.scene.books.keys().draw]);
    const { books } = scene.relay.scene;
    const { key } = lease.provider;
    const { amount } = lease.view();
    pass(scene, DAY + MINUTE);
    await books.settleDue();
    const { available, held, bond } = books.account(key);
    expect(available + held + bond).toBe(amount);
    expect(bond).toBeGreaterThan(0n);
    expect(available).toBeGreaterThan(0n);
    expect(held).toBe(0n);
  });

  it("that are right stay between provider and relay: no blob and no entry gives the input away", async () => {
    const scene = await open();
    const lease = await openAuditedLease(scene);
    await lease.run("a secret");
    const { index } = await lease.report();
    const blobs = scene.relay.blobs.bytes;
    await lease.open(index, 0);
    await untilJudged(lease, 1);
    expect(verdictOf(scene, index, 0).evidenceCid).toBeUndefined();
    expect(scene.relay.blobs.bytes).toBe(blobs);
    expect(scene.relay.blobs.has(cidOf(RAW, encodeUtf8("a secret")))).toBe(false);
  });

  it("of tasks that trap match too: a trap is computed like anything else", async () => {
    const scene = await open();
    const lease = await openAuditedLease(scene);
    await lease.run(Uint8Array.of(255));
    expect(lease.answered[0]!.outcome).toMatchObject({
      status: "failed",
      code: failureCode("trap-unreachable"),
    });
    const { index } = await lease.report();
    await lease.open(index, 0);
    await untilJudged(lease, 1);
    expect(verdictOf(scene, index, 0).result).toBe("match");
  });

  it.each<[string, Lie]>([
    ["another output", (outcome) => ({ ...outcome, outputCid: cidOf(RAW, encodeUtf8("made up")) })],
    ["more fuel than it took", (outcome) => ({ ...outcome, fuel: fuel(outcome.fuel + 1n) })],
    ["a smaller output", (outcome) => ({ ...outcome, size: outcome.size - 1 })],
    ["another input", (outcome) => ({ ...outcome, inputCid: cidOf(RAW, encodeUtf8("no input of mine")) })],
    ["another salt", (outcome) => ({ ...outcome, salt: new Uint8Array(16) })],
    [
      "a trap that is none",
      ({ outputCid: _none, ...outcome }) => ({
        ...outcome,
        status: "failed",
        code: failureCode("trap-unreachable"),
        size: 0,
      }),
    ],
    ["a part of a stream", (outcome) => ({ ...outcome, segment: 1, to: 3 })],
    ["a state", (outcome) => ({ ...outcome, stateHash: new Uint8Array(32) })],
  ])("claiming %s is a mismatch: all is void, the provider is barred, its offer gone", async (_what, lie) => {
    const scene = await open();
    const { books, provider } = scene.relay.scene;
    const lease = await openAuditedLease(scene);
    scene.relay.offers.put(offerOf("provider"), {});
    await lease.run("honest");
    await lease.run("not so", lie);
    const { index } = await lease.report();
    const spent = books.account(provider.key).held;
    expect(spent).toBeGreaterThan(0n);
    await lease.open(index, 1);
    await untilJudged(lease, 1);
    const verdict = verdictOf(scene, index, 1);
    expect(verdict.result).toBe("mismatch");
    expect(verdict.expected).not.toEqual(verdict.found);
    expect(scene.relay.blobs.has(verdict.evidenceCid!)).toBe(true);
    await expect.poll(() => scene.relay.blobs.isKept(verdict.evidenceCid!)).toBe(true);
    expect(books.account(provider.key)).toMatchObject({ available: 0n, held: 0n, pending: 0n, earned: 0n });
    expect(lease.view()).toMatchObject({ forfeited: spent });
    expect(books.audits.barred(provider.key)).toMatch(/verification-failed/u);
    await expect.poll(() => scene.relay.offers.size).toBe(0);
    expect(scene.relay.logged).toContainEqual(
      expect.objectContaining({
        level: 40,
        provider: provider.key,
        lease: lease.lease.id,
        job: lease.job.id,
        entry: index,
        leaf: 1,
      }),
    );
    expect(await scene.relay.metrics.text()).toMatch(
      /tabmesh_verdicts_total\{result="mismatch",by="relay"\} 1/u,
    );
  });

  it("that ended by their surroundings are taken as they are, without an input", async () => {
    const scene = await open();
    const lease = await openAuditedLease(scene);
    await lease.run("too large for this tab", GONE);
    const { index } = await lease.report();
    expect((await lease.open(index, 0, { input: new Uint8Array(0) })).status).toBe(204);
    await untilJudged(lease, 1);
    expect(verdictOf(scene, index, 0).result).toBe("match");
  });

  it("may have inputs larger than an opening, which are put as blobs before", async () => {
    const scene = await open();
    const lease = await openAuditedLease(scene, { job: { limits: LARGE } });
    const input = new Uint8Array(40_000).fill(3);
    await lease.run(input);
    const { index } = await lease.report();
    const without = { input: new Uint8Array(0) };
    const refused = await lease.open(index, 0, without);
    expect(await refusalOf(refused)).toMatch(/^not-found: opening: put the input .* first/u);
    await putRaw(scene, input);
    expect((await lease.open(index, 0, without)).status).toBe(204);
    await untilJudged(lease, 1);
    expect(verdictOf(scene, index, 0).result).toBe("match");
  });
});

const LARGE = { fuel: fuel(100_000_000), memory: 131_072, output: 65_536, deadlineMs: 1_000 };

describe("outcomes that are not opened", () => {
  it("in time cost the lease's pay, but bar nobody", async () => {
    const scene = await open();
    const { books, provider } = scene.relay.scene;
    const lease = await openAuditedLease(scene);
    await lease.run("kept to myself");
    const { index } = await lease.report();
    pass(scene, 10 * MINUTE + 1_000);
    await untilJudged(lease, 1);
    expect(verdictOf(scene, index, 0)).toMatchObject({ result: "missing", auditors: [] });
    expect(books.account(provider.key)).toMatchObject({ held: 0n, available: 0n });
    expect(books.audits.barred(provider.key)).toBeUndefined();
    expect(await refusalOf(await lease.open(index + 100, 0))).toMatch(/^not-found/u);
    expect((await lease.open(index, 0)).status).toBe(204);
    expect(verdictOf(scene, index, 0).result).toBe("missing");
  });

  it("because they were declared lost are unpaid, and are not drawn", async () => {
    const scene = await open();
    const lease = await openAuditedLease(scene);
    for (const input of ["a", "b", "c"]) await lease.run(input);
    const { index } = await lease.report({ lost: [1] });
    expect(lease.view().drawn).toBe(2);
    for (const leaf of [0, 2]) await lease.open(index, leaf);
    await untilJudged(lease, 2);
    expect(await refusalOf(await lease.open(index, 1))).toMatch(/^not-found: leaf 1 of entry/u);
    expect(scene.relay.scene.books.account(lease.provider.key).held).toBeLessThan(lease.view().amount);
  });

  it("because the relay lacks the function cost nobody anything", async () => {
    const scene = await open();
    const { books, provider } = scene.relay.scene;
    const lease = await openAuditedLease(scene, { isShared: false });
    await lease.run("a");
    const { index } = await lease.report();
    const { held: earned } = books.account(provider.key);
    expect((await lease.open(index, 0)).status).toBe(204);
    pass(scene, 11 * MINUTE);
    await untilJudged(lease, 1);
    expect(verdictOf(scene, index, 0).result).toBe("inconclusive");
    const { held, bond } = books.account(provider.key);
    expect(held + bond).toBe(earned);
    expect(await scene.relay.metrics.text()).toMatch(/tabmesh_audit_failures_total 1/u);
  });

  it("yet are recomputed when their function comes while it is waited for", async () => {
    const scene = await open();
    const lease = await openAuditedLease(scene, { isShared: false });
    await lease.run("a");
    const { index } = await lease.report();
    await lease.open(index, 0);
    await putRaw(scene, DOUBLER);
    const args = encodeJobArgs({ args: [], env: [], files: [] });
    await scene.relay.blobs.put(cidOf(DAG_CBOR, args), new Blob([args]).stream());
    await untilJudged(lease, 1);
    expect(verdictOf(scene, index, 0).result).toBe("match");
  });
});

describe("openings that prove nothing are refused, and a right one after them counts", () => {
  const other = seedOf("other");
  it.each<[string, (lease: AuditedLease) => Parameters<AuditedLease["opening"]>[2], RegExp]>([
    [
      "a leaf that is not under the root",
      ({ answered }) => ({ leaf: answered[1]!.leaf }),
      /its path does not lead/u,
    ],
    ["another path", () => ({ path: [other] }), /its path does not lead/u],
    [
      "the task of another outcome",
      ({ answered }) => ({ task: answered[1]!.taskBytes }),
      /path does not lead from the task/u,
    ],
    ["a task's path of its own making", () => ({ taskPath: [other] }), /path does not lead from the task/u],
    ["another input", () => ({ input: encodeUtf8("other") }), /^content-mismatch/u],
    ["a leaf that is none", () => ({ leaf: other }), /its path does not lead/u],
    ["a sealed input", () => ({ sealed: cidOf(RAW, other) }), /^unsupported/u],
    ["bytes for an advance", () => ({ advance: other }), /^malformed/u],
  ])("%s", async (_what, change, why) => {
    const scene = await open();
    const lease = await openAuditedLease(scene);
    await lease.run("a");
    await lease.run("b");
    const { index } = await lease.report();
    expect(await refusalOf(await lease.open(index, 0, change(lease)))).toMatch(why);
    expect((await lease.open(index, 0)).status).toBe(204);
    await untilJudged(lease, 1);
    expect(verdictOf(scene, index, 0).result).toBe("match");
  });

  it("one under an advance that another key has signed", async () => {
    const scene = await open();
    const lease = await openAuditedLease(scene);
    const stranger = await openAuditedLease(scene);
    await lease.run("a");
    await stranger.run("b");
    await stranger.run("c");
    const { index } = await lease.report();
    await stranger.report();
    const foreign = await stranger.opening(index, 0);
    expect(await refusalOf(await post(scene.relay, "/v1/openings", foreign))).toMatch(
      /its path does not lead/u,
    );
    expect((await lease.open(index, 0)).status).toBe(204);
  });

  it("the same one again is answered alike, and judged once", async () => {
    const scene = await open();
    const lease = await openAuditedLease(scene);
    await lease.run("a");
    const { index } = await lease.report();
    const opening = await lease.opening(index, 0);
    for (let i = 0; i < 3; i += 1)
      expect((await post(scene.relay, "/v1/openings", opening)).status).toBe(204);
    await untilJudged(lease, 1);
    const size = scene.relay.scene.books.size();
    expect((await post(scene.relay, "/v1/openings", opening)).status).toBe(204);
    expect(scene.relay.scene.books.size()).toBe(size);
  });
});

describe("a requester that does not countersign", () => {
  it("pays all the same for what is right, and finds the outputs at the relay", async () => {
    const scene = await open();
    const { books, provider } = scene.relay.scene;
    const lease = await openAuditedLease(scene);
    await lease.run("signed for");
    const first = await lease.report({ close: false });
    await lease.open(first.index, 0);
    for (const input of ["ab", "cd"]) await lease.run(input);
    const response = await post(scene.relay, "/v1/disputes", await lease.dispute());
    expect(response.status).toBe(200);
    const index = books.audits.unjudgedOf(lease.lease.id).at(-1)!.entry;
    expect(lease.view().drawn).toBe(3);
    for (const leaf of [1, 2]) expect((await lease.open(index, leaf)).status).toBe(204);
    await untilJudged(lease, 3);
    expect(verdictOf(scene, index, 2).result).toBe("match");
    const { held, bond } = books.account(provider.key);
    expect(held + bond).toBe(lease.view().amount);
    const { outputCid } = lease.answered[2]!.outcome;
    const output = await scene.relay.http.request(`/v1/blobs/${outputCid}`);
    expect(new Uint8Array(await output.arrayBuffer())).toEqual(encodeUtf8("cd").map((byte) => 2 * byte));
  });

  it.each<[string, (lease: AuditedLease) => Promise<Uint8Array<ArrayBuffer>>]>([
    [
      "states more bytes than its outcomes have",
      async (lease) => {
        await lease.run("ab");
        const { bytes } = lease.answered.reduce(
          (sum, { input }) => ({ bytes: sum.bytes + BigInt(2 * input.length) }),
          {
            bytes: 2048n,
          },
        );
        return lease.dispute({ bytes, amount: lease.price({ bytes }) });
      },
    ],
    [
      "answers a task twice",
      async (lease) => {
        await lease.run("ab");
        const [{ task, input, outcome }] = lease.answered as [(typeof lease.answered)[number]];
        lease.name({ ...task, seq: 1 });
        lease.answer(task, input, outcome);
        return lease.dispute();
      },
    ],
  ])("is not robbed by a receipt that %s", async (_what, dispute) => {
    const scene = await open();
    const { books, provider } = scene.relay.scene;
    const lease = await openAuditedLease(scene);
    const response = await post(scene.relay, "/v1/disputes", await dispute(lease));
    expect(response.ok ? "" : await refusalOf(response)).toBe("");
    const [{ entry } = { entry: -1 }] = books.audits.unjudgedOf(lease.lease.id);
    for (const leaf of lease.answered.keys()) await lease.open(entry, leaf);
    await expect.poll(() => books.audits.barred(provider.key), PATIENCE).toMatch(/verification-failed/u);
    expect(verdictOf(scene, entry, 0).result).toBe("mismatch");
    expect(books.account(provider.key)).toMatchObject({ held: 0n, available: 0n });
  });

  it("loses nothing by a false result in a dispute", async () => {
    const scene = await open();
    const { books, provider, requester } = scene.relay.scene;
    const lease = await openAuditedLease(scene);
    const before = books.account(requester.key);
    await lease.run("ab", (outcome: OutcomeLeaf) => ({ ...outcome, outputCid: cidOf(RAW, encodeUtf8("x")) }));
    await post(scene.relay, "/v1/disputes", await lease.dispute());
    const [{ entry } = { entry: -1 }] = books.audits.unjudgedOf(lease.lease.id);
    await lease.open(entry, 0);
    await untilJudged(lease, 1);
    const after = books.account(requester.key);
    expect(after.available + after.escrowed).toBe(before.available + before.escrowed);
    expect(books.audits.barred(provider.key)).toBeDefined();
  });
});

describe("how a provider stands", () => {
  it("is told with its record and why it gets the work it gets, with what to do", async () => {
    const scene = await open();
    const { key } = signerOf("provider");
    expect(await standing(scene, key)).toMatchObject({
      matched: 0,
      nextAuditPpm: 1_000_000,
      reasons: [
        expect.objectContaining({ rule: "It is connected" }),
        expect.objectContaining({ rule: "It has a record", value: "no task yet" }),
      ],
    });
    const lease = await openAuditedLease(scene);
    await lease.run("a");
    const { index } = await lease.report();
    await lease.open(index, 0);
    await untilJudged(lease, 1);
    scene.relay.offers.put(offerOf("provider", { free: 0 }), {});
    const after = await standing(scene, key);
    expect(after).toMatchObject({ matched: 1, missing: 0, mismatched: 0, openLeases: 0 });
    expect(after["reasons"]).toContainEqual(
      expect.objectContaining({ value: "0 threads idle", advice: expect.stringMatching(/Nothing to do/u) }),
    );
    expect(after["barred"]).toBeUndefined();
  });

  it("begins with the bar, where a result was false", async () => {
    const scene = await open();
    const lease = await openAuditedLease(scene);
    await lease.run("a", (outcome) => ({ ...outcome, fuel: fuel(1) }));
    const { index } = await lease.report();
    await lease.open(index, 0);
    await untilJudged(lease, 1);
    const { reasons, barred, mismatched } = (await standing(scene, lease.provider.key)) as {
      reasons: readonly { rule: string }[];
      barred: string;
      mismatched: number;
    };
    expect(reasons[0]?.rule).toBe("No result was ever proven false");
    expect([barred.startsWith("verification-failed"), mismatched]).toEqual([true, 1]);
    expect(scene.relay.scene.books.account(scene.relay.scene.requester.key).available).toBeLessThan(GRANT);
  });
});
