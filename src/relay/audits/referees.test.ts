import { afterEach, describe, expect, it } from "vitest";
import { openEnvelope, seal } from "../../protocol/envelope.ts";
import {
  drawMessage,
  type Referee,
  type RefereeAnswer,
  refereeAnswerSchema,
  refereeMessage,
  verdictMessage,
} from "../../protocol/messages/audit.ts";
import { decodeEntryOf } from "../../protocol/messages/entry.ts";
import { decode } from "../../protocol/schema.ts";
import type { Signer } from "../../protocol/signature.ts";
import { fuel } from "../../protocol/units.ts";
import { HEAD, signerOf } from "../books/books-scene.contract.ts";
import { post, refusalOf } from "../relay-scene.contract.ts";
import {
  type AuditedLease,
  type AuditScene,
  type Lie,
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
/** More than the first report's, so that what a lie risks is small beside what was earned, and few are drawn. */
const BEFORE = 20;
const AFTER = 8;

const DEARER: Lie = (outcome) => ({ ...outcome, fuel: fuel(outcome.fuel + 1n) });

interface Reported {
  readonly scene: AuditScene;
  readonly lease: AuditedLease;
  readonly entry: number;
  /** A leaf of the entry that the relay has not drawn, and whose outcome is false where `lie` says so. */
  readonly leaf: number;
}

/** A lease with two reports; of the second, nearly nothing is drawn by the relay. */
async function reported(lie?: Lie, k: number = 2): Promise<Reported> {
  const scene = await openAuditScene({ firstTasks: 0, floorPpm: 0, rateNumerator: 0 });
  scenes.push(scene);
  const lease = await openAuditedLease(scene, { job: { verify: { ...REPLICATED, k } } });
  for (let i = 0; i < BEFORE; i += 1) await lease.run(`before ${i}`);
  await lease.report({ close: false });
  for (let i = 0; i < AFTER; i += 1) await lease.run(`after ${i}`, lie);
  const { index } = await lease.report({ close: false });
  const { audits } = scene.relay.scene.books;
  const leaf = Array.from({ length: AFTER }, (_, i) => BEFORE + i).find(
    (each) => audits.drawn(index, each) === undefined,
  );
  if (leaf === undefined) throw new Error("all was drawn, which happens once in ten million times");
  return { scene, lease, entry: index, leaf };
}

async function ask(
  { scene, lease, entry, leaf }: Reported,
  changes: Partial<Referee> = {},
  signer: Signer = lease.requester,
): Promise<Response> {
  const body = { ...HEAD, lease: lease.lease.id, entryIndex: entry, leaves: [leaf], ...changes };
  return post(scene.relay, "/v1/referees", await seal(refereeMessage, body, [signer]));
}

async function answerOf(response: Response): Promise<RefereeAnswer> {
  expect(response.status).toBe(200);
  return decode(refereeAnswerSchema, new Uint8Array(await response.arrayBuffer()));
}

describe("outcomes that a requester has refereed", () => {
  it("are drawn for it, recomputed when it opens them, and a liar that the relay had not drawn is barred", async () => {
    const each = await reported(DEARER);
    const { scene, lease, entry, leaf } = each;
    expect((await answerOf(await ask(each))).leaves).toEqual([{ leaf }]);
    expect(scene.relay.scene.books.audits.drawn(entry, leaf)).toMatchObject({ source: "requester" });
    const opening = await lease.opening(entry, leaf);
    expect((await post(scene.relay, "/v1/openings", opening)).status).toBe(204);
    await expect
      .poll(async () => (await answerOf(await ask(each))).leaves[0]?.verdict, PATIENCE)
      .toBeDefined();
    const [judged] = (await answerOf(await ask(each))).leaves;
    const bytes = scene.relay.scene.books.entry(judged?.verdict ?? -1);
    const { body } = openEnvelope(verdictMessage, decodeEntryOf("verdict", bytes!).body.envelope);
    expect(body).toMatchObject({ lease: lease.lease.id, entryIndex: entry, index: leaf, result: "mismatch" });
    expect(scene.relay.scene.books.audits.barred(lease.provider.key)).toBeDefined();
    expect(lease.view().forfeited).toBeGreaterThan(0n);
  });

  it("match when they are right, and are drawn once however often they are asked about", async () => {
    const each = await reported();
    const { scene, lease, entry, leaf } = each;
    await ask(each);
    const { drawn } = lease.view();
    const size = scene.relay.scene.books.size();
    await ask(each);
    expect(lease.view().drawn).toBe(drawn);
    expect(scene.relay.scene.books.size()).toBe(size);
    await lease.open(entry, leaf);
    await expect
      .poll(async () => (await answerOf(await ask(each))).leaves[0]?.verdict, PATIENCE)
      .toBeDefined();
    expect(scene.relay.scene.books.audits.barred(lease.provider.key)).toBeUndefined();
  });

  it("cost a provider nothing that the requester does not open", async () => {
    const each = await reported();
    const { scene, lease } = each;
    await ask(each);
    scene.relay.scene.clock.now += lease.lease.body.openMs + 60_000;
    await expect
      .poll(async () => (await answerOf(await ask(each))).leaves[0]?.verdict, PATIENCE)
      .toBeDefined();
    const [judged] = (await answerOf(await ask(each))).leaves;
    const bytes = scene.relay.scene.books.entry(judged?.verdict ?? -1);
    const { body } = openEnvelope(verdictMessage, decodeEntryOf("verdict", bytes!).body.envelope);
    expect(body.result).toBe("inconclusive");
  });

  it("are not what the provider is told that it has to open", async () => {
    const each = await reported();
    await ask(each);
    const { books } = each.scene.relay.scene;
    const at = books.audits.drawn(each.entry, each.leaf)?.row.draw ?? -1;
    const drawn = openEnvelope(drawMessage, decodeEntryOf("draw", books.entry(at)!).body.envelope);
    expect(drawn.body).toMatchObject({ source: "requester", leaves: [each.leaf] });
    const again = await books.report(decodeEntryOf("receipt", books.entry(each.entry)!).body.envelope);
    expect(again.index).toBe(each.entry);
    if (again.draw !== undefined) expect(openEnvelope(drawMessage, again.draw).body.source).toBe("relay");
  });

  it("are refused to anybody else, about anything else, and where nothing is replicated", async () => {
    const each = await reported();
    const { scene, lease } = each;
    const refusals = [
      [await ask(each, {}, lease.provider), "bad-signature"],
      [await ask(each, {}, signerOf("a stranger")), "bad-signature"],
      [await ask(each, { leaves: [BEFORE + AFTER] }), "malformed"],
      [await ask(each, { entryIndex: 1 }), "not-found"],
      [await ask(each, { entryIndex: 1_000_000 }), "not-found"],
      [await ask(each, { lease: lease.job.id }), "unknown-lease"],
    ] as const;
    for (const [response, name] of refusals)
      expect(await refusalOf(response)).toMatch(new RegExp(`^${name}:`, "u"));
    expect(scene.relay.scene.books.audits.drawn(each.entry, each.leaf)).toBeUndefined();
    const single = await reported(undefined, 1);
    expect(await refusalOf(await ask(single))).toMatch(/^unsupported:/u);
  });

  it("are as many as a bound says, and no more", async () => {
    const scene = await openAuditScene({ firstTasks: 0, floorPpm: 0, rateNumerator: 0 });
    scenes.push(scene);
    const lease = await openAuditedLease(scene, { job: { verify: REPLICATED } });
    for (let i = 0; i < 30; i += 1) await lease.run(`before ${i}`);
    await lease.report({ close: false });
    for (let i = 0; i < 100; i += 1) await lease.run(`after ${i}`);
    const { index } = await lease.report({ close: false });
    const { audits } = scene.relay.scene.books;
    const undrawn = Array.from({ length: 100 }, (_, i) => 30 + i).filter(
      (leaf) => audits.drawn(index, leaf) === undefined,
    );
    const each = { scene, lease, entry: index, leaf: undrawn[0]! };
    // Half of 130 outcomes, less what the relay drew.
    const room = 65 - lease.view().drawn;
    expect(room).toBeGreaterThan(0);
    expect(undrawn.length).toBeGreaterThan(room);
    expect(await refusalOf(await ask(each, { leaves: undrawn.slice(0, room + 1) }))).toMatch(
      /^rate-limited:/u,
    );
    await answerOf(await ask(each, { leaves: undrawn.slice(0, room) }));
    expect(lease.view().drawn).toBe(65);
  });
});
