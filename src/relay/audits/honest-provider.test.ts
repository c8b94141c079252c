import { afterEach, describe, expect, it } from "vitest";
import { cidOf, RAW } from "../../protocol/cid.ts";
import { readBody, seal } from "../../protocol/envelope.ts";
import { MerkleTree } from "../../protocol/merkle.ts";
import { type Opening, openingMessage, refereeMessage } from "../../protocol/messages/audit.ts";
import { decodeEntryOf } from "../../protocol/messages/entry.ts";
import { type Report, reportMessage } from "../../protocol/messages/receipt.ts";
import { advanceMessage, encodeTask, type Task } from "../../protocol/messages/task.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import { fuel } from "../../protocol/units.ts";
import { HEAD } from "../books/books-scene.contract.ts";
import { post, refusalOf } from "../relay-scene.contract.ts";
import {
  type AuditedLease,
  type AuditScene,
  openAuditedLease,
  openAuditScene,
} from "./audit-scene.contract.ts";

const scenes: AuditScene[] = [];
afterEach(async () => {
  for (const scene of scenes.splice(0))
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    expect(await scene.close()).toEqual([]);
});

const REPLICATED = { policy: "sampled", k: 2, disclosure: "relay", drawCommit: new Uint8Array(32) } as const;
const PATIENCE = { timeout: 20_000 };

async function open(): Promise<AuditScene> {
  const scene = await openAuditScene();
  scenes.push(scene);
  return scene;
}

/** An opening of the first outcome by its requester, which names another task in its place. */
async function otherTask(
  scene: AuditScene,
  lease: AuditedLease,
  entry: number,
  changes: Partial<Task>,
  more: number,
): Promise<Response> {
  const { task } = lease.answered[0]!;
  const input = changes.inputCid === undefined ? lease.answered[0]!.input : encodeUtf8("another");
  const other = encodeTask({ ...task, ...changes });
  const tasks = new MerkleTree();
  tasks.append(other.hash);
  for (let i = 0; i < more; i += 1) tasks.append(encodeTask({ ...task, seq: i + 1 }).hash);
  const advance = await seal(
    advanceMessage,
    { ...HEAD, lease: lease.lease.id, tasksRoot: tasks.root(), taskCount: tasks.size, close: false },
    [lease.requester],
  );
  const bytes = await lease.opening(entry, 0);
  const body: Opening = {
    ...readBody(openingMessage, bytes),
    task: other.bytes,
    taskPath: tasks.inclusionProof(0),
    advance,
    input,
  };
  return post(scene.relay, "/v1/openings", await seal(openingMessage, body, [lease.requester]));
}

describe("a provider whose outcome is right", () => {
  it.each<[string, Partial<Task>]>([
    ["another input", { inputCid: cidOf(RAW, encodeUtf8("another")) }],
    ["less fuel", { fuelLimit: fuel(1) }],
    ["another salt", { salt: new Uint8Array(16).fill(99) }],
  ])("is not convicted by a task with %s that the requester names afterwards", async (_what, changes) => {
    const scene = await open();
    const lease = await openAuditedLease(scene);
    await lease.run("right");
    const { index } = await lease.report({ close: false });
    for (const more of [0, 1, 4])
      // oxlint-disable-next-line no-await-in-loop
      expect(await refusalOf(await otherTask(scene, lease, index, changes, more))).toMatch(/^malformed:/u);
    expect((await lease.open(index, 0)).status).toBe(204);
    await expect.poll(() => lease.view().judged, PATIENCE).toBe(1);
    expect(lease.view().forfeited).toBe(0n);
    expect(scene.relay.scene.books.audits.barred(lease.provider.key)).toBeUndefined();
  });

  it("is not convicted by a dispute that the requester mixes with what it has countersigned", async () => {
    const scene = await open();
    const { books } = scene.relay.scene;
    const lease = await openAuditedLease(scene, { job: { verify: REPLICATED } });
    await lease.run("countersigned");
    const first = await lease.report({ close: false });
    await lease.open(first.index, 0);
    for (const input of ["ab", "cd"]) await lease.run(input);
    expect((await post(scene.relay, "/v1/disputes", await lease.dispute())).status).toBe(200);
    const entry = books.audits.unjudgedOf(lease.lease.id).at(-1)!.entry;
    const question = { ...HEAD, lease: lease.lease.id, entryIndex: entry, leaves: [0] };
    const asked = await post(
      scene.relay,
      "/v1/referees",
      await seal(refereeMessage, question, [lease.requester]),
    );
    expect(asked.status).toBe(200);
    for (const leaf of [0, 1, 2]) expect((await lease.open(entry, leaf)).status).toBe(204);
    await expect.poll(() => lease.view().judged, PATIENCE).toBe(4);
    expect(books.audits.provider(lease.provider.key)).toMatchObject({ matched: 4, mismatched: 0 });
    expect(books.audits.barred(lease.provider.key)).toBeUndefined();
  });
});

describe("a requester that names different tasks in two leases", () => {
  it("is not barred when a provider reports one lease under the other's advance", async () => {
    const scene = await open();
    const { books } = scene.relay.scene;
    const [one, other] = [await openAuditedLease(scene), await openAuditedLease(scene)];
    await one.run("first");
    await other.run("second");
    const reports: Report[] = [];
    for (const lease of [one, other]) {
      // oxlint-disable-next-line no-await-in-loop
      const { index } = await lease.report({ close: false });
      reports.push(readBody(reportMessage, decodeEntryOf("receipt", books.entry(index)!).body.envelope));
    }
    await one.run("more");
    const receipt = await one.receipt({ taskCount: 1, tasksRoot: new Uint8Array(32) });
    const body: Report = {
      ...HEAD,
      receipt,
      advance: reports[1]!.advance,
      prevCount: 1,
      consistency: [],
      lost: [],
    };
    await expect(books.report(await seal(reportMessage, body, [one.provider]))).rejects.toThrow(
      /^inconsistent-receipt/u,
    );
    expect(books.audits.barred(one.requester.key)).toBeUndefined();
  });
});

describe("pay that is held", () => {
  it("is not held back for good by a requester that has one outcome after the other refereed", async () => {
    const scene = await openAuditScene({ firstTasks: 0, floorPpm: 0, rateNumerator: 0 });
    scenes.push(scene);
    const lease = await openAuditedLease(scene, { job: { verify: REPLICATED } });
    for (const input of ["a", "b", "c", "d"]) await lease.run(input);
    await lease.report({ close: false });
    for (let i = 0; i < 8; i += 1) await lease.run(`${i}`);
    const { index } = await lease.report();
    scene.relay.scene.clock.now += scene.policy.holdMs;
    const { audits } = scene.relay.scene.books;
    const leaves = Array.from({ length: 12 }, (_, i) => i).filter(
      (leaf) => audits.drawn(index, leaf) === undefined,
    );
    const question = { ...HEAD, lease: lease.lease.id, entryIndex: index, leaves };
    const asked = await post(
      scene.relay,
      "/v1/referees",
      await seal(refereeMessage, question, [lease.requester]),
    );
    expect(await refusalOf(asked)).toMatch(/^expired:/u);
    expect(lease.view().drawn).toBeLessThan(12);
  });
});
