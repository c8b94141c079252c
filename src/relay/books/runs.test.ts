import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import type { Verified } from "../../protocol/envelope.ts";
import { MAX_RUN_LIFETIME_MS } from "../../protocol/limits.ts";
import { apiKeyMessage, apiKeyRevokeMessage, type ApiKey } from "../../protocol/messages/api-key.ts";
import type { Job } from "../../protocol/messages/job.ts";
import type { Run } from "../../protocol/messages/run.ts";
import { keyRevokeMessage } from "../../protocol/messages/session.ts";
import type { Signer } from "../../protocol/signature.ts";
import { tries } from "../../protocol/tries.contract.ts";
import { microCredits } from "../../protocol/units.ts";
import { MIGRATIONS } from "../store/migrations.ts";
import { openSqliteStore } from "../store/sqlite-store.ts";
import {
  cancelOf,
  closeOf,
  GRANT,
  HEAD,
  LeaseWork,
  openScene,
  type Scene,
  sessionOf,
  signedJob,
  signedLease,
  signerOf,
  START,
  verifiedMessage,
} from "./books-scene.contract.ts";
import { checkBooks } from "./check-books.ts";
import { openBooks } from "./open-books.ts";
import { endOf, holdersOf, refusal, registered, signedRun, stepJob } from "./run-scene.contract.ts";

const helen = signerOf("helen");
const hugo = signerOf("hugo");
const thief = signerOf("thief");
const gateway = signerOf("gateway");
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0).toReversed()) close();
});

async function open(path?: string): Promise<Scene> {
  const scene = await openScene(path);
  closing.push(() => scene.books.close());
  return scene;
}

/** A run that Helen and Hugo may coordinate besides its initiator. */
async function held(scene: Scene, changes: Partial<Run> = {}): Promise<Verified<Run>> {
  const run = await registered(scene, changes);
  await scene.books.runs.setHolders(await holdersOf(scene, run.id, 1, [helen, hugo]));
  return run;
}

/** A lease of a job, and both ends of it. */
async function leased(scene: Scene, job: Verified<Job>, by: Signer = scene.requester): Promise<LeaseWork> {
  const { index } = await scene.books.openJob(job);
  const lease = await signedLease(scene, job, index);
  await scene.books.addLease(lease);
  return new LeaseWork(scene, job, lease, by);
}

test("a run's jobs together set no more aside than its budget, and what comes back of one is there for the next", async () => {
  const scene = await open();
  const { books } = scene;
  const run = await registered(scene);
  const first = await stepJob(scene, run, "split");
  await books.openJob(first);
  await books.openJob(await stepJob(scene, run, "embed"));
  expect(await refusal(books.openJob(await stepJob(scene, run, "rank")))).toMatch(
    /run has 5000 micro-credits of its budget left, the cap is 10000/u,
  );
  expect(books.runs.run(run.id)).toMatchObject({ charged: 20_000n, spent: 0n, stage: "open" });
  await books.closeJob(await closeOf(scene, first.id));
  await books.openJob(await stepJob(scene, run, "rank"));
  expect(books.runs.run(run.id)?.charged).toBe(20_000n);
  expect(books.account(scene.requester.key)).toMatchObject({ available: GRANT - 20_000n, escrowed: 20_000n });
});

test("what a run spent is spent of its budget for good, and no more than its budget leaves the payer's account", async () => {
  const scene = await open();
  const { books } = scene;
  const run = await registered(scene, { budget: microCredits(10_000) });
  const job = await stepJob(scene, run, "split");
  const work = (await leased(scene, job)).go(3);
  await work.send({ receipt: { final: true } });
  await books.closeJob(await closeOf(scene, job.id));
  const spent = work.receiptBody().amount;
  expect(books.runs.run(run.id)).toMatchObject({ charged: spent, spent });
  const rest = microCredits(10_000n - spent);
  expect(
    await refusal(books.openJob(await stepJob(scene, run, "rank", 0, { cap: microCredits(rest + 1n) }))),
  ).toMatch(/of its budget left/u);
  await books.openJob(await stepJob(scene, run, "rank", 0, { cap: rest }));
  expect(books.account(scene.requester.key).available).toBe(GRANT - 10_000n);
});

test("coordinators that open jobs at once do not spend the same part of the budget twice", async () => {
  const scene = await open();
  const run = await held(scene);
  const jobs = await Promise.all(
    [scene.requester, helen, hugo, helen].map(async (by, place) =>
      stepJob(scene, run, `node${place}`, 0, {}, by),
    ),
  );
  const results = await Promise.allSettled(jobs.map((job) => scene.books.openJob(job)));
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "rejected"]);
  expect(scene.books.runs.run(run.id)?.charged).toBe(20_000n);
});

test.each<[string, (scene: Scene) => Promise<unknown>, RegExp]>([
  [
    "of somebody who does not coordinate it",
    async (scene) => scene.books.openJob(await stepJob(scene, await held(scene), "a", 0, {}, thief)),
    /does not coordinate its run/u,
  ],
  [
    "of the holder of another run",
    async (scene) => {
      await held(scene);
      const other = await registered(scene);
      return scene.books.openJob(await stepJob(scene, other, "a", 0, {}, helen));
    },
    /does not coordinate its run/u,
  ],
  [
    "of a holder that was replaced",
    async (scene) => {
      const run = await held(scene);
      await scene.books.runs.setHolders(await holdersOf(scene, run.id, 2, [hugo]));
      return scene.books.openJob(await stepJob(scene, run, "a", 0, {}, helen));
    },
    /does not coordinate its run/u,
  ],
  [
    "for the money of another account than its payer",
    async (scene) => {
      const run = await held(scene);
      await scene.books.grant(hugo.key, microCredits(50_000), "a test");
      return scene.books.openJob(await stepJob(scene, run, "a", 0, { payer: hugo.key }, helen));
    },
    /its run is paid for by/u,
  ],
  [
    "in a run that nobody registered",
    async (scene) => scene.books.openJob(await stepJob(scene, await signedRun(scene), "a")),
    /no run/u,
  ],
  [
    "that names an api-key besides",
    async (scene) => {
      const run = await registered(scene);
      return scene.books.openJob(await stepJob(scene, run, "a", 0, { apiKey: run.id }));
    },
    /which its run does in its place/u,
  ],
  [
    "after the run's time",
    async (scene) => {
      const run = await registered(scene);
      scene.clock.now = run.body.notAfter + 1;
      return scene.books.openJob(await stepJob(scene, run, "a"));
    },
    /time of run \w+ has passed/u,
  ],
  [
    "after the run's end",
    async (scene) => {
      const run = await registered(scene);
      await scene.books.runs.end(await endOf(run.id, scene.requester));
      return scene.books.openJob(await stepJob(scene, run, "a"));
    },
    /has ended/u,
  ],
  [
    "when the session that signed the run is revoked",
    async (scene) => {
      const session = await sessionOf("requester", "a tab");
      const run = await signedRun(scene, {}, session);
      await scene.books.runs.register(run);
      const body = { ...HEAD, root: scene.requester.key, key: session.key };
      await scene.books.revokeKey(await verifiedMessage(keyRevokeMessage, body, [scene.requester]));
      return scene.books.openJob(await stepJob(scene, run, "a"));
    },
    /no longer acts for/u,
  ],
  [
    "when its initiator is barred",
    async (scene) => {
      const run = await held(scene);
      await scene.books.bar(scene.requester.key, "a test");
      return scene.books.openJob(await stepJob(scene, run, "a", 0, {}, helen));
    },
    /not admitted/u,
  ],
  [
    "in the turn of another job",
    async (scene) => {
      const run = await registered(scene);
      const first = await stepJob(scene, run, "a");
      await scene.books.openJob(first);
      await scene.books.closeJob(await closeOf(scene, first.id));
      return scene.books.openJob(await stepJob(scene, run, "a"));
    },
    /turn 0 of a is another job's/u,
  ],
])("a job %s is refused, and the payer keeps its money", async (_what, attempt, why) => {
  const scene = await open();
  expect(await refusal(attempt(scene))).toMatch(why);
  expect(scene.books.account(scene.requester.key)).toMatchObject({ available: GRANT, escrowed: 0n });
});

test.each<[string, (scene: Scene) => Promise<Verified<Run>>, RegExp]>([
  [
    "that another is to pay for, who has not signed",
    (scene) => signedRun(scene, { initiator: thief.key }, thief),
    /has not signed it/u,
  ],
  [
    "whose initiator has not signed",
    (scene) => signedRun(scene, { initiator: helen.key }, scene.requester),
    /has not signed it/u,
  ],
  [
    "whose payer has nothing",
    (scene) => signedRun(scene, { initiator: thief.key, payer: thief.key }, thief),
    /nothing to pay a run with/u,
  ],
  ["whose time has passed", (scene) => signedRun(scene, { notAfter: START - 1 }), /time has passed/u],
  [
    "that lasts too long",
    (scene) => signedRun(scene, { notAfter: START + MAX_RUN_LIFETIME_MS + 3_600_000 }),
    /ahead/u,
  ],
  ["without a budget", (scene) => signedRun(scene, { budget: microCredits(0) }), /no sum/u],
  [
    "with a budget beyond all money",
    (scene) => signedRun(scene, { budget: microCredits(2n ** 63n) }),
    /no sum/u,
  ],
  ["of the future", (scene) => signedRun(scene, { issuedAt: START + 3_600_000 }), /in the future/u],
  ["made for another relay", (scene) => signedRun(scene, { origin: "elsewhere" }), /made for elsewhere/u],
])("a run %s is not registered", async (_what, make, why) => {
  const scene = await open();
  expect(await refusal(scene.books.runs.register(await make(scene)))).toMatch(why);
});

test("the same run again is the same entry with the same budget, also when it is over", async () => {
  const scene = await open();
  const { runs } = scene.books;
  const run = await signedRun(scene);
  const { index } = await runs.register(run);
  await scene.books.openJob(await stepJob(scene, run, "a"));
  expect((await runs.register(run)).index).toBe(index);
  expect(runs.run(run.id)?.charged).toBe(10_000n);
  await runs.end(await endOf(run.id, scene.requester));
  expect((await runs.register(run)).index).toBe(index);
  expect(runs.run(run.id)?.stage).toBe("cancelled");
});

test("two parties run together: one starts it, the other pays, and both have signed", async () => {
  const scene = await open();
  const run = await signedRun(scene, { initiator: helen.key }, helen, scene.requester);
  await scene.books.runs.register(run);
  await scene.books.openJob(await stepJob(scene, run, "a", 0, {}, helen));
  expect(scene.books.account(scene.requester.key).escrowed).toBe(10_000n);
  expect(await refusal(scene.books.openJob(await stepJob(scene, run, "b")))).toMatch(/does not coordinate/u);
  await scene.books.runs.end(await endOf(run.id, scene.requester));
  expect(scene.books.account(scene.requester.key).escrowed).toBe(0n);
});

test("a second coordinator is refused a step that another one carries out, and told whose it is", async () => {
  const scene = await open();
  const run = await held(scene);
  const first = await stepJob(scene, run, "a");
  await scene.books.openJob(first);
  const why = await refusal(scene.books.openJob(await stepJob(scene, run, "a", 1, {}, helen)));
  expect(why).toContain(scene.requester.key);
  expect(why).toContain(first.id);
  await scene.books.openJob(await stepJob(scene, run, "b", 0, {}, helen));
  await scene.books.closeJob(await closeOf(scene, first.id));
  await scene.books.openJob(await stepJob(scene, run, "a", 1, {}, helen));
});

test("a later turn takes over what a silent coordinator has open, and its free money comes back to the run", async () => {
  const scene = await open();
  const { books } = scene;
  const run = await held(scene, { budget: microCredits(10_000) });
  const first = await stepJob(scene, run, "a", 3);
  await books.openJob(first);
  const early = await stepJob(scene, run, "a", 2, { cap: microCredits(1) }, helen);
  expect(await refusal(books.openJob(early, () => true))).toMatch(/turn above 3/u);
  const second = await stepJob(scene, run, "a", 4, {}, helen);
  await books.openJob(second, () => true);
  expect(books.job(first.id)?.state).toBe("closed");
  expect(books.runs.run(run.id)?.charged).toBe(10_000n);
  expect(
    await refusal(
      books.openJob(await stepJob(scene, run, "a", 2, { cap: microCredits(1) }, hugo), () => true),
    ),
  ).toMatch(/turn above 4/u);
  const third = await stepJob(scene, run, "a", 5, { cap: microCredits(4_000) }, hugo);
  await books.openJob(third, () => true);
  expect(books.job(second.id)?.state).toBe("closed");
  expect(books.runs.run(run.id)?.charged).toBe(4_000n);
});

test("whoever took a step over gives the leases of the silent one back, and the budget bound in them is free", async () => {
  const scene = await open();
  const { books } = scene;
  const run = await held(scene, { budget: microCredits(10_000) });
  const job = await stepJob(scene, run, "a", 0, { cap: microCredits(6_000) });
  const work = await leased(scene, job);
  expect(await refusal(books.cancelLease(await cancelOf(scene, work.lease.id, helen)))).toMatch(
    /not signed by the job's requester/u,
  );
  await books.closeJob(await closeOf(scene, job.id));
  expect(await refusal(books.cancelLease(await cancelOf(scene, work.lease.id, helen)))).toMatch(
    /not signed by the job's requester/u,
  );
  await books.openJob(await stepJob(scene, run, "a", 1, { cap: microCredits(1) }, helen), () => true);
  expect(await refusal(books.cancelLease(await cancelOf(scene, work.lease.id, thief)))).toMatch(
    /not signed by the job's requester/u,
  );
  await books.cancelLease(await cancelOf(scene, work.lease.id, helen));
  expect(books.runs.run(run.id)?.charged).toBeLessThan(1_500n);
});

test("one coordinator may have a node carried out by several jobs at once", async () => {
  const scene = await open();
  const run = await registered(scene);
  await scene.books.openJob(await stepJob(scene, run, "a", 1));
  await scene.books.openJob(await stepJob(scene, run, "a", 0));
  expect(scene.books.runs.jobs(run.id, 9).map(({ turn, state }) => [turn, state])).toEqual([
    [0, "open"],
    [1, "open"],
  ]);
});

test("when a holder is named no longer its jobs are closed, and it gets no further lease", async () => {
  const scene = await open();
  const { books } = scene;
  const run = await held(scene);
  const job = await stepJob(scene, run, "a", 0, {}, helen);
  const { index } = await books.openJob(job);
  await books.runs.setHolders(await holdersOf(scene, run.id, 2, [hugo]));
  expect(books.job(job.id)?.state).toBe("closed");
  expect(books.runs.run(run.id)).toMatchObject({ charged: 0n, holders: [hugo.key], holdersRev: 2 });
  expect(await refusal(books.addLease(await signedLease(scene, job, index)))).toMatch(/is closed/u);
});

test("only the initiator names holders, each time with a higher number, and the newest again changes nothing", async () => {
  const scene = await open();
  const { runs } = scene.books;
  const run = await registered(scene);
  expect(await refusal(runs.setHolders(await holdersOf(scene, run.id, 1, [thief], thief)))).toMatch(
    /not signed by the run's initiator/u,
  );
  const named = await holdersOf(scene, run.id, 2, [helen]);
  const { index } = await runs.setHolders(named);
  expect((await runs.setHolders(named)).index).toBe(index);
  expect(await refusal(runs.setHolders(await holdersOf(scene, run.id, 2, [hugo])))).toMatch(/newer ones/u);
  expect(await refusal(runs.setHolders(await holdersOf(scene, run.id, 1, [hugo])))).toMatch(/newer ones/u);
  expect(await refusal(runs.setHolders(await holdersOf(scene, run.id, 3, [hugo, hugo])))).toMatch(/twice/u);
  await runs.end(await endOf(run.id, scene.requester));
  expect(await refusal(runs.setHolders(await holdersOf(scene, run.id, 3, [hugo])))).toMatch(/has ended/u);
});

test("a run ends once: its jobs are closed, no lease is given any more, and work that was done is paid", async () => {
  const scene = await open();
  const { books } = scene;
  const run = await held(scene);
  const other = await stepJob(scene, run, "b");
  const { index: escrow } = await books.openJob(other);
  const work = (await leased(scene, await stepJob(scene, run, "a"))).go(2);
  expect(await refusal(books.runs.end(await endOf(run.id, thief)))).toMatch(/nobody who takes part/u);
  const { index } = await books.runs.end(
    await endOf(run.id, helen, { status: "done", result: run.body.params }),
  );
  expect((await books.runs.end(await endOf(run.id, scene.requester))).index).toBe(index);
  expect(await refusal(books.runs.end(await endOf(run.id, thief)))).not.toBe("accepted");
  expect(await refusal(books.addLease(await signedLease(scene, other, escrow)))).not.toBe("accepted");
  await work.send({ receipt: { final: true } });
  const spent = work.receiptBody().amount;
  expect(books.runs.run(run.id)).toMatchObject({ stage: "done", spent, charged: spent, endedAt: START });
  expect(books.account(scene.requester.key)).toMatchObject({ available: GRANT - spent, escrowed: 0n });
});

test("a lease of an open job is refused once the run's time has passed", async () => {
  const scene = await open();
  const run = await registered(scene, { notAfter: START + 60_000 });
  const job = await stepJob(scene, run, "a");
  const { index } = await scene.books.openJob(job);
  const lease = await signedLease(scene, job, index);
  scene.clock.now += 60_001;
  expect(await refusal(scene.books.addLease(lease))).toMatch(/time of run/u);
  expect(scene.books.runs.run(run.id)?.stage).toBe("out-of-time");
});

/** An api-key of the requester for the gateway. */
async function keyOf(scene: Scene, changes: Partial<ApiKey> = {}): Promise<Verified<ApiKey>> {
  const body: ApiKey = {
    ...HEAD,
    account: scene.requester.key,
    gateway: gateway.key,
    hash: new Uint8Array(32).fill(7),
    label: "deployments",
    cap: microCredits(15_000),
    per: "day",
    ...changes,
  };
  const key = await verifiedMessage(apiKeyMessage, body, [scene.requester]);
  await scene.books.addApiKey(key);
  return key;
}

test("a run under an api-key counts for the key's cap and for its own budget, and ends with the key", async () => {
  const scene = await open();
  const { books } = scene;
  const key = await keyOf(scene);
  const run = await signedRun(scene, { initiator: gateway.key, apiKey: key.id }, gateway);
  await books.runs.register(run);
  const job = await stepJob(scene, run, "a", 0, {}, gateway);
  const { index } = await books.openJob(job);
  expect(books.apiKeyOf(key.body.hash)?.left).toBe(5_000n);
  expect(books.runs.run(run.id)?.charged).toBe(10_000n);
  expect(await refusal(books.openJob(await stepJob(scene, run, "b", 0, {}, gateway)))).toMatch(
    /API key has 5000 micro-credits left/u,
  );
  expect(await refusal(books.addLease(await signedLease(scene, job, index)))).toMatch(
    /not flagged as the gateway/u,
  );
  const body = { ...HEAD, account: scene.requester.key, apiKey: key.id };
  await books.revokeApiKey(await verifiedMessage(apiKeyRevokeMessage, body, [scene.requester]));
  const small = await stepJob(scene, run, "b", 0, { cap: microCredits(1) }, gateway);
  expect(await refusal(books.openJob(small))).toMatch(/API key was revoked/u);
  expect(await refusal(books.addLease(await signedLease(scene, job, index, { gateway: true })))).toMatch(
    /revoked/u,
  );
});

test("an api-key lets nobody start a run but its own gateway, and that one names no holders", async () => {
  const scene = await open();
  const { runs } = scene.books;
  const key = await keyOf(scene);
  const foreign = await signedRun(scene, { initiator: thief.key, apiKey: key.id }, thief);
  expect(await refusal(runs.register(foreign))).toMatch(/for another requester/u);
  const unknown = await signedRun(scene, { initiator: gateway.key, apiKey: foreign.id }, gateway);
  expect(await refusal(runs.register(unknown))).toMatch(/signed neither it nor its api-key/u);
  const run = await signedRun(scene, { initiator: gateway.key, apiKey: key.id }, gateway);
  await runs.register(run);
  expect(await refusal(runs.setHolders(await holdersOf(scene, run.id, 1, [thief], gateway)))).toMatch(
    /under an api-key has none/u,
  );
});

test("a plain job of a holder still needs the payer's own signature", async () => {
  const scene = await open();
  await held(scene);
  const job = await signedJob(scene, { requester: helen.key }, helen);
  expect(await refusal(scene.books.openJob(job))).toMatch(/has not signed it/u);
});

test("runs, holders, ends and what was spent survive a restart, and follow from the log alone", async () => {
  const folder = mkdtempSync(join(tmpdir(), "runs-"));
  closing.push(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "books.sqlite");
  const scene = await openScene(path);
  const run = await held(scene, { budget: microCredits(15_000) });
  const gone = await registered(scene);
  await scene.books.openJob(await stepJob(scene, gone, "a"));
  await scene.books.runs.end(await endOf(gone.id, scene.requester));
  await (await leased(scene, await stepJob(scene, run, "a", 0, {}, helen), helen)).go(2).send();
  const before = scene.books.runs.runsOf(scene.requester.key, undefined, 9);
  const jobs = scene.books.runs.jobs(run.id, 9);
  scene.books.close();
  const store = openSqliteStore(path);
  expect(checkBooks(store)).toEqual([]);
  store.close();
  const books = await openBooks(scene.options);
  closing.push(() => books.close());
  expect(books.runs.runsOf(scene.requester.key, undefined, 9)).toEqual(before);
  expect(before.map(({ id, stage, charged }) => [id, stage, charged])).toEqual([
    [gone.id, "cancelled", 0n],
    [run.id, "open", 10_000n],
  ]);
  expect(books.runs.jobs(run.id, 9)).toEqual(jobs);
  expect(jobs).toMatchObject([{ node: "a", turn: 0, coordinator: helen.key, state: "open" }]);
  const again = { ...scene, books };
  expect(await refusal(books.openJob(await stepJob(again, run, "b")))).toMatch(
    /5000 micro-credits of its budget/u,
  );
  expect(
    await refusal(books.openJob(await stepJob(again, run, "a", 1, { cap: microCredits(1) }, hugo))),
  ).toMatch(/carries a out/u);
});

test("who holds which run is found for runs of before there was a table for it, and only while they are open", async () => {
  const folder = mkdtempSync(join(tmpdir(), "runs-"));
  closing.push(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "books.sqlite");
  const scene = await openScene(path);
  const run = await held(scene, { budget: microCredits(15_000) });
  const gone = await held(scene, { budget: microCredits(15_000), nonce: new Uint8Array(16).fill(9) });
  await scene.books.runs.end(await endOf(gone.id, scene.requester));
  // One that is newer and has no time left hides no older one, however few are asked for.
  const short = await held(scene, { notAfter: scene.clock.now + 1_000, nonce: new Uint8Array(16).fill(8) });
  expect(scene.books.runs.heldBy(helen.key, undefined, 1).map(({ id }) => id)).toEqual([short.id]);
  scene.clock.now += 1_001;
  expect(scene.books.runs.heldBy(helen.key, undefined, 1).map(({ id }) => id)).toEqual([run.id]);
  scene.books.close();
  const before = new DatabaseSync(path);
  before.exec(`DROP TABLE run_holdings; PRAGMA user_version = ${MIGRATIONS.length - 1}`);
  before.close();
  const books = await openBooks(scene.options);
  expect(books.runs.heldBy(helen.key, undefined, 9).map(({ id }) => id)).toEqual([run.id]);
  expect(books.runs.heldBy(scene.requester.key, undefined, 9)).toEqual([]);
  books.close();
  const store = openSqliteStore(path);
  expect(checkBooks(store)).toEqual([]);
  store.close();
});

test.each([
  ["DELETE FROM run_holdings", /held by others in the log/u],
  ["UPDATE run_holdings SET until = until + 1", /held by others in the log/u],
  ["UPDATE runs SET charged = charged - 1", /spent another sum|otherwise in the log/u],
  ["UPDATE runs SET budget = budget + 1", /otherwise in the log/u],
  ["UPDATE runs SET ended_idx = idx", /otherwise in the log/u],
  ["DELETE FROM runs", /more or fewer runs/u],
  ["DELETE FROM run_jobs", /more or fewer steps/u],
  ["UPDATE run_jobs SET turn = 7", /turn 7 of a is another job's/u],
])("what somebody changed in the tables of runs is found: %s", async (sql, problem) => {
  const folder = mkdtempSync(join(tmpdir(), "runs-"));
  closing.push(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "books.sqlite");
  const scene = await openScene(path);
  const run = await held(scene);
  await scene.books.openJob(await stepJob(scene, run, "a"));
  scene.books.close();
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
  const store = openSqliteStore(path);
  closing.push(() => store.close());
  expect(checkBooks(store).join("\n")).toMatch(problem);
});

test("the tables themselves take no run that has spent more than its budget", async () => {
  const folder = mkdtempSync(join(tmpdir(), "runs-"));
  closing.push(() => rmSync(folder, { recursive: true, force: true }));
  const scene = await openScene(join(folder, "books.sqlite"));
  await registered(scene);
  scene.books.close();
  const database = new DatabaseSync(join(folder, "books.sqlite"));
  closing.push(() => database.close());
  expect(() => database.exec("UPDATE runs SET charged = budget + 1")).toThrow(/CHECK constraint/u);
});

type Move =
  | {
      readonly does: "open";
      readonly by: number;
      readonly node: number;
      readonly cap: number;
      readonly silent: boolean;
    }
  | { readonly does: "close" | "work" | "settle"; readonly at: number }
  | { readonly does: "holders"; readonly keep: number }
  | { readonly does: "wait"; readonly ms: number };

const move: fc.Arbitrary<Move> = fc.oneof(
  fc.record({
    does: fc.constant("open" as const),
    by: fc.nat(3),
    node: fc.nat(2),
    cap: fc.integer({ min: 1, max: 12_000 }),
    silent: fc.boolean(),
  }),
  fc.record({ does: fc.constantFrom("close", "work", "settle"), at: fc.nat(20) }),
  fc.record({ does: fc.constant("holders" as const), keep: fc.nat(2) }),
  fc.record({ does: fc.constant("wait" as const), ms: fc.constantFrom(1_000, 700_000) }),
);

test(
  "whatever coordinators and providers do, a run costs its payer no more than its budget",
  { timeout: 60_000 },
  async () => {
    const BUDGET = 20_000n;
    await fc.assert(
      fc.asyncProperty(fc.array(move, { minLength: 5, maxLength: 30 }), async (moves) => {
        const scene = await openScene();
        const { books } = scene;
        const run = await held(scene, { budget: microCredits(BUDGET) });
        const by = [scene.requester, helen, hugo, thief];
        const jobs: { readonly job: Verified<Job>; readonly by: Signer; readonly work?: LeaseWork }[] = [];
        let turn = 0;
        let rev = 1;
        const attempt = async (each: Move): Promise<void> => {
          if (each.does === "open") {
            turn += 1;
            const coordinator = by[each.by] ?? thief;
            const changes = { cap: microCredits(each.cap) };
            const job = await stepJob(scene, run, `n${each.node}`, turn, changes, coordinator);
            const { index } = await books.openJob(job, () => each.silent);
            const bound = { budget: microCredits(Math.max(1, Math.floor(each.cap / 2))) };
            const lease = await signedLease(scene, job, index, bound);
            await books.addLease(lease);
            jobs.push({ job, by: coordinator, work: new LeaseWork(scene, job, lease, coordinator) });
          } else if (each.does === "holders") {
            rev += 1;
            await books.runs.setHolders(
              await holdersOf(scene, run.id, rev, [helen, hugo].slice(0, each.keep)),
            );
          } else if (each.does === "wait") {
            scene.clock.now += each.ms;
            await books.settleDue();
          } else {
            const found = jobs[each.at % Math.max(1, jobs.length)];
            if (found === undefined) return;
            if (each.does === "close") await books.closeJob(await closeOf(scene, found.job.id, found.by));
            else await found.work?.go(3).send(each.does === "settle" ? { receipt: { final: true } } : {});
          }
        };
        for (const each of moves) {
          // oxlint-disable-next-line no-await-in-loop -- one after the other
          await attempt(each).catch(() => undefined);
          const { charged = 0n, spent = 0n } = books.runs.run(run.id) ?? {};
          expect(charged).toBeLessThanOrEqual(BUDGET);
          expect(spent).toBeLessThanOrEqual(charged);
          const { available, escrowed } = books.account(scene.requester.key);
          expect(GRANT - available).toBeLessThanOrEqual(BUDGET);
          expect(GRANT - available - escrowed).toBe(spent);
        }
        books.close();
      }),
      { numRuns: tries(25) },
    );
  },
);
