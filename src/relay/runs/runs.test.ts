import { createServer, type Server } from "node:http";
import { afterEach, expect, test } from "vitest";
import type { RelayRunEvent } from "../../mesh/run-requests.ts";
import { type Cid, cidOf, DAG_CBOR, RAW } from "../../protocol/cid.ts";
import { openEnvelope, seal } from "../../protocol/envelope.ts";
import { RUN_SILENCE_MS } from "../../protocol/limits.ts";
import { leaseMessage } from "../../protocol/messages/lease.ts";
import { stepMessage } from "../../protocol/messages/run.ts";
import type { Signer } from "../../protocol/signature.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import { microCredits } from "../../protocol/units.ts";
import { sessionOf, signerOf, START } from "../books/books-scene.contract.ts";
import { endOf, holdersOf, refusal } from "../books/run-scene.contract.ts";
import {
  jobOf,
  offerOf,
  openRelayScene,
  type RelayScene,
  type RelaySceneOptions,
  submit,
} from "../relay-scene.contract.ts";
import { ACCESS_MS } from "./limits.ts";
import {
  accessOf,
  clientOf,
  type MadeRun,
  makeRun,
  stepOf,
  VALUE,
  VALUE_CID,
} from "./run-routes-scene.contract.ts";

const helen = signerOf("helen");
const provider = signerOf("provider");
const stranger = signerOf("stranger");
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed())
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await close();
});

interface Opened {
  readonly relay: RelayScene;
  readonly client: ReturnType<typeof clientOf>;
  readonly run: MadeRun;
  readonly access: Uint8Array;
}

/** A relay with a registered run of the requester, and who may ask about it. */
async function open(
  options: RelaySceneOptions = {},
  params: Readonly<Record<string, Cid>> = {},
): Promise<Opened> {
  const relay = await openRelayScene(options);
  closing.push(() => relay.close());
  const client = clientOf(relay);
  const run = await makeRun(relay.scene, {}, params);
  await client.registerRun(run.registration);
  return { relay, client, run, access: await accessOf(relay.scene, run.id, relay.scene.requester) };
}

/** A job of a node of the run; refused in words, or its leases. */
async function openStep(
  { relay, run }: Pick<Opened, "relay" | "run">,
  node: string,
  turn = 0,
  by: Signer = relay.scene.requester,
  changes: Parameters<typeof jobOf>[1] = {},
): Promise<Awaited<ReturnType<typeof submit>>> {
  const step = { id: run.id, node, turn };
  const money = { requester: by.key, payer: run.terms.payer, cap: microCredits(5_000) };
  return submit(relay, await jobOf(relay, { ...money, run: step, ...changes }, [by]));
}

async function leaseIn(opened: Opened, node = "a"): Promise<Cid> {
  opened.relay.offers.put(offerOf("provider"), {});
  const answer = await openStep(opened, node);
  if (typeof answer === "string") throw new Error(answer);
  return openEnvelope(leaseMessage, answer.leases[0]!.lease).id;
}

test("a run is registered with its plan and parameters, and anybody sees what it costs", async () => {
  const value = cidOf(RAW, encodeUtf8("a parameter"));
  const opened = await open({}, { text: value });
  const { client, run, access, relay } = opened;
  const again = await client.registerRun(run.registration);
  expect(relay.scene.books.runs.run(run.id)?.index).toBe(again.index);
  opened.relay.offers.put(offerOf("provider"), {});
  await openStep(opened, "a");
  expect(await client.run(run.id)).toMatchObject({
    run: run.id,
    plan: run.terms.plan,
    name: "three steps",
    state: "open",
    budget: 25_000n,
    setAside: 5_000n,
    spent: 0n,
    left: 20_000n,
    coordinators: [{ peer: relay.scene.requester.key, silentMs: 0 }],
    steps: 0,
    jobs: [{ node: "a", turn: 0, coordinator: relay.scene.requester.key, cap: 5_000n }],
  });
  expect(await client.runs(relay.scene.requester.key, { limit: 5 })).toMatchObject([
    { run: run.id, name: "three steps", state: "open", issuedAt: START },
  ]);
  expect(await client.runValue(run.id, access, run.terms.plan, 10_000)).toEqual(run.registration.plan);
  expect(await client.runValue(run.id, access, run.terms.params, 10_000)).toEqual(run.registration.params);
  expect(await client.runValue(run.id, access, value, 10_000)).toBeUndefined();
  await client.putRunValue(run.id, access, value, encodeUtf8("a parameter"));
  expect(await client.runValue(run.id, access, value, 10_000)).toEqual(encodeUtf8("a parameter"));
});

test("a run with another plan or other parameters than it names, or what is no plan, is refused", async () => {
  const { relay, client } = await open();
  const run = await makeRun(relay.scene);
  const other = encodeUtf8("{ }");
  expect(await refusal(client.registerRun({ ...run.registration, plan: other }))).toMatch(
    /plan is another one/u,
  );
  expect(await refusal(client.registerRun({ ...run.registration, params: other }))).toMatch(
    /parameters are others/u,
  );
  const text = await makeRun(relay.scene, { plan: cidOf(DAG_CBOR, other) });
  expect(await refusal(client.registerRun({ ...text.registration, plan: other }))).toMatch(/malformed|plan/u);
  const list = encodeUtf8("[1]");
  const odd = await makeRun(relay.scene, { params: cidOf(RAW, list) });
  expect(await refusal(client.registerRun({ ...odd.registration, params: list }))).toMatch(
    /no map of names/u,
  );
  const plain = await makeRun(relay.scene, { returnTo: "http://example.org" });
  expect(await refusal(client.registerRun(plain.registration))).toMatch(/does not begin with https/u);
});

test("who coordinates a run spends its payer's money on what its plan says and on nothing else", async () => {
  const opened = await open();
  opened.relay.offers.put(offerOf("provider"), {});
  expect(await openStep(opened, "z")).toMatch(/has no node z/u);
  const own = cidOf(RAW, encodeUtf8("a function of the coordinator's own"));
  const work = { kind: "function", cid: own, entry: "run", abi: "bytes-1", profile: 1, effects: [] } as const;
  expect(await openStep(opened, "a", 0, undefined, { work })).toMatch(/has other work for a/u);
  expect(opened.relay.scene.books.runs.run(opened.run.id)?.charged).toBe(0n);
  expect(await openStep(opened, "a")).not.toBeTypeOf("string");
});

test("a step is taken over when its coordinator gives no sign of life, and not before", async () => {
  const opened = await open();
  const { relay, client, run, access } = opened;
  const { clock } = relay.scene;
  relay.offers.put(offerOf("provider"), {});
  await client.setRunHolders(run.id, (await holdersOf(relay.scene, run.id, 1, [helen])).bytes);
  await openStep(opened, "a");
  clock.now += RUN_SILENCE_MS - 1_000;
  await client.putSteps(run.id, access, []);
  clock.now += RUN_SILENCE_MS - 1_000;
  relay.offers.put(offerOf("provider"), {});
  expect(await openStep(opened, "a", 1, helen)).toMatch(/carries a out/u);
  clock.now += 2_000;
  expect(await openStep(opened, "a", 1, helen)).not.toBeTypeOf("string");
  const { jobs } = await client.run(run.id);
  expect(jobs.map(({ turn, coordinator, state }) => [turn, coordinator, state])).toEqual([
    [1, helen.key, "open"],
    [0, relay.scene.requester.key, "closing"],
  ]);
});

test("a coordinator that says it leaves is followed at once, by those whom the relay tells of the run", async () => {
  const opened = await open();
  const { relay, client, run, access } = opened;
  relay.offers.put(offerOf("provider"), {});
  const held = async (): Promise<readonly string[]> =>
    (await client.runs(helen.key, { limit: 10, role: "holder" })).map((each) => each.run);
  expect(await held()).toEqual([]);
  await client.setRunHolders(run.id, (await holdersOf(relay.scene, run.id, 1, [helen])).bytes);
  expect(await held()).toEqual([run.id]);
  expect(await client.runs(helen.key, { limit: 10 })).toEqual([]);
  await openStep(opened, "a");
  relay.offers.put(offerOf("provider"), {});
  expect(await openStep(opened, "a", 1, helen)).toMatch(/carries a out/u);
  // Nobody says for another that it leaves.
  const helens = await accessOf(relay.scene, run.id, helen);
  await client.putSteps(run.id, helens, [], { leaving: true });
  expect(await openStep(opened, "a", 1, helen)).toMatch(/carries a out/u);
  const step = await stepOf(run.id, relay.scene.requester, { node: "x" });
  await client.putSteps(run.id, access, [step], { leaving: true });
  expect((await client.run(run.id)).steps).toBe(1);
  expect(relay.runs.desk.isSilent(run.id, relay.scene.requester.key)).toBe(true);
  expect(await openStep(opened, "a", 1, helen)).not.toBeTypeOf("string");
  await client.putSteps(run.id, access, []);
  expect(relay.runs.desk.isSilent(run.id, relay.scene.requester.key)).toBe(false);
  await client.setRunHolders(run.id, (await holdersOf(relay.scene, run.id, 2, [])).bytes);
  expect(await held()).toEqual([]);
  await client.setRunHolders(run.id, (await holdersOf(relay.scene, run.id, 3, [helen])).bytes);
  relay.scene.clock.now = run.terms.notAfter + 1;
  expect(await held()).toEqual([]);
});

test("a job whose run has no time left is refused its leases, and no provider loses its offer by that", async () => {
  const opened = await open();
  const { relay } = opened;
  const step = { id: opened.run.id, node: "a", turn: 0 };
  const job = await jobOf(relay, { run: step, cap: microCredits(5_000), expires: START + 20 * 3_600_000 });
  expect(await submit(relay, job)).toMatch(/no-provider/u);
  relay.scene.clock.now = opened.run.terms.notAfter + 1;
  relay.offers.put(offerOf("provider"), {});
  expect(await submit(relay, job)).toMatch(/^expired: the time of run/u);
  expect(relay.offers.isOffering(provider.key)).toBe(true);
});

test("a registration that somebody brings again is no sign of life of who signed it", async () => {
  const { relay, client, run } = await open();
  relay.scene.clock.now += RUN_SILENCE_MS + 1;
  await client.registerRun(run.registration);
  expect(relay.runs.desk.isSilent(run.id, relay.scene.requester.key)).toBe(true);
});

test("receipts come from who coordinates, who has a lease for that step, and the relay, once each, and in order", async () => {
  const opened = await open();
  const { relay, client, run, access } = opened;
  const lease = await leaseIn(opened);
  const first = await stepOf(run.id, relay.scene.requester, { node: "x", iteration: "0" });
  const second = await stepOf(run.id, provider, { lease, seq: 0 });
  await client.putSteps(run.id, access, [first]);
  const theirs = await accessOf(relay.scene, run.id, provider);
  await client.putSteps(run.id, theirs, [first, second, second]);
  const third = await stepOf(run.id, signerOf("relay"), { node: "c" });
  await client.putSteps(run.id, access, [third]);
  expect(await client.steps(run.id, access, 0)).toEqual({ next: 3, total: 3, steps: [first, second, third] });
  expect(await client.steps(run.id, access, 1)).toEqual({ next: 3, total: 3, steps: [second, third] });
  expect((await client.run(run.id)).steps).toBe(3);
});

test.each<[string, (opened: Opened) => Promise<Uint8Array>, RegExp]>([
  ["of a stranger", async ({ run }) => stepOf(run.id, stranger), /no lease for it in this run/u],
  ["of a provider without a lease", async ({ run }) => stepOf(run.id, provider), /no lease for it/u],
  [
    "under the lease of another",
    async (opened) => stepOf(opened.run.id, stranger, { lease: await leaseIn(opened), seq: 0 }),
    /no lease for it/u,
  ],
  [
    "for another step than its lease is for",
    async (opened) => stepOf(opened.run.id, provider, { lease: await leaseIn(opened), seq: 0, node: "b" }),
    /its lease is for a, not for b/u,
  ],
  [
    "lifted out of another run",
    async ({ relay }) => stepOf((await makeRun(relay.scene)).id, relay.scene.requester),
    /of another run/u,
  ],
  [
    "whose result was changed after it was signed",
    async ({ run, relay }) => {
      const honest = await stepOf(run.id, relay.scene.requester);
      const other = await stepOf(run.id, stranger, { size: 6 });
      const { body } = openEnvelope(stepMessage, other);
      const signature = openEnvelope(stepMessage, honest).signedBy;
      expect(signature).toHaveLength(1);
      const forged = await seal(stepMessage, body, [
        { ...relay.scene.requester, sign: async () => new Uint8Array(64) },
      ]);
      return forged;
    },
    /signature/u,
  ],
])("a receipt %s is refused", async (_what, make, why) => {
  const opened = await open();
  expect(await refusal(opened.client.putSteps(opened.run.id, opened.access, [await make(opened)]))).toMatch(
    why,
  );
  expect((await opened.client.run(opened.run.id)).steps).toBe(0);
});

test("of one peer's contradicting receipts two are kept, which convict it, and no more", async () => {
  const opened = await open();
  const { client, run, access } = opened;
  const lease = await leaseIn(opened);
  const lies = await Promise.all([1, 2, 3].map((size) => stepOf(run.id, provider, { lease, seq: 0, size })));
  for (const lie of lies)
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await client.putSteps(run.id, access, [lie]);
  expect((await client.steps(run.id, access, 0)).steps).toEqual(lies.slice(0, 2));
});

test("a step signed by a session that has ended since is taken: it may come late", async () => {
  const opened = await open();
  const { relay, client, run } = opened;
  const session = await sessionOf("requester", "a tab", START, START + 60_000);
  const step = await stepOf(run.id, session);
  relay.scene.clock.now += 30 * 60_000;
  const access = await accessOf(relay.scene, run.id, relay.scene.requester);
  await client.putSteps(run.id, access, [step]);
  expect((await client.steps(run.id, access, 0)).total).toBe(1);
});

test.each<[string, (opened: Opened) => Promise<Uint8Array>, RegExp]>([
  ["of a stranger", ({ relay, run }) => accessOf(relay.scene, run.id, stranger), /takes no part/u],
  [
    "that a coordinator has signed for a peer, which shows it in its place",
    ({ relay, run }) => accessOf(relay.scene, run.id, relay.scene.requester, provider.key),
    /for somebody else/u,
  ],
  [
    "for another run",
    async ({ relay }) => accessOf(relay.scene, (await makeRun(relay.scene)).id, relay.scene.requester),
    /for another run/u,
  ],
  [
    "that is too old",
    async ({ relay, access }) => {
      relay.scene.clock.now += ACCESS_MS + 1;
      return access;
    },
    /an hour has passed/u,
  ],
  [
    "of a holder that is none any more",
    async ({ relay, run, client }) => {
      await client.setRunHolders(run.id, (await holdersOf(relay.scene, run.id, 1, [helen])).bytes);
      const access = await accessOf(relay.scene, run.id, helen);
      await client.steps(run.id, access, 0);
      await client.setRunHolders(run.id, (await holdersOf(relay.scene, run.id, 2, [])).bytes);
      return access;
    },
    /takes no part/u,
  ],
])("what waits for a run is not shown to an access %s", async (_what, make, why) => {
  const opened = await open();
  const { client, run, relay } = opened;
  await client.putSteps(run.id, opened.access, [await stepOf(run.id, relay.scene.requester)]);
  const access = await make(opened);
  expect(await refusal(client.steps(run.id, access, 0))).toMatch(why);
  expect(await refusal(client.putSteps(run.id, access, []))).toMatch(why);
  expect(await refusal(client.runValue(run.id, access, run.terms.plan, 9_999))).toMatch(why);
  expect(await refusal(client.putRunValue(run.id, access, VALUE_CID, VALUE))).toMatch(why);
  const events = client.runEvents(run.id, access, { signal: AbortSignal.timeout(5_000) });
  expect(await refusal(events[Symbol.asyncIterator]().next())).toMatch(why);
});

test("a provider leaves its own receipts and values with a run, and sees nothing of the others'", async () => {
  const opened = await open();
  const { relay, client, run, access } = opened;
  const lease = await leaseIn(opened);
  const theirs = await accessOf(relay.scene, run.id, provider);
  await client.putSteps(run.id, theirs, [await stepOf(run.id, provider, { lease, seq: 0 })]);
  await client.putRunValue(run.id, theirs, VALUE_CID, VALUE);
  expect(await refusal(client.steps(run.id, theirs, 0))).toMatch(/does not coordinate it/u);
  expect(await refusal(client.runValue(run.id, theirs, VALUE_CID, 99))).toMatch(/does not coordinate it/u);
  const events = client.runEvents(run.id, theirs, { signal: AbortSignal.timeout(5_000) });
  expect(await refusal(events[Symbol.asyncIterator]().next())).toMatch(/does not coordinate it/u);
  expect(await client.runValue(run.id, access, VALUE_CID, 99)).toEqual(VALUE);
});

test("nobody sees what waits for a run without any access", async () => {
  const { relay, run } = await open();
  for (const path of ["steps", "events", `values/${run.terms.plan}`]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const answer = await relay.http.request(`/v1/runs/${run.id}/${path}`);
    // oxlint-disable-next-line no-await-in-loop
    expect(await answer.text()).toMatch(/for those alone who take part/u);
    expect(answer.ok).toBe(false);
  }
});

test("only values that the run or a receipt names are kept, under their own CID, and until the run is forgotten", async () => {
  const { relay, client, run, access } = await open();
  expect(await refusal(client.putRunValue(run.id, access, VALUE_CID, VALUE))).toMatch(
    /no receipt of this run/u,
  );
  await client.putSteps(run.id, access, [await stepOf(run.id, relay.scene.requester)]);
  expect(await refusal(client.putRunValue(run.id, access, VALUE_CID, encodeUtf8("other")))).toMatch(
    /do not hash to/u,
  );
  await client.putRunValue(run.id, access, VALUE_CID, VALUE);
  await client.putRunValue(run.id, access, VALUE_CID, VALUE);
  expect(await client.runValue(run.id, access, VALUE_CID, 99)).toEqual(VALUE);
  expect(relay.blobs.isKept(VALUE_CID)).toBe(true);
  relay.scene.clock.now += 60 * 24 * 60 * 60 * 1000;
  relay.runs.sweep();
  expect(relay.blobs.isKept(VALUE_CID)).toBe(false);
  const later = await accessOf(relay.scene, run.id, relay.scene.requester);
  expect((await client.steps(run.id, later, 0)).total).toBe(0);
  expect((await client.run(run.id)).state).toBe("out-of-time");
});

test("a listener is told each receipt once and the run whenever it changes, and resumes where it was", async () => {
  const opened = await open();
  const { relay, client, run, access } = opened;
  const before = await stepOf(run.id, relay.scene.requester, { iteration: "0" });
  await client.putSteps(run.id, access, [before]);
  const leaving = new AbortController();
  const seen: RelayRunEvent[] = [];
  const listening = (async () => {
    for await (const event of client.runEvents(run.id, access, { signal: leaving.signal })) {
      seen.push(event);
      if (event.kind === "run" && event.run.state === "done") leaving.abort();
    }
  })();
  await expect.poll(() => seen.length).toBe(2);
  const after = await stepOf(run.id, relay.scene.requester, { iteration: "1" });
  await client.putSteps(run.id, access, [after]);
  await expect.poll(() => seen.filter(({ kind }) => kind === "step").length).toBe(2);
  await client.endRun(
    run.id,
    (await endOf(run.id, relay.scene.requester, { status: "done", result: VALUE_CID })).bytes,
  );
  await listening;
  const steps = seen.flatMap((event) => (event.kind === "step" ? [[event.id, event.step] as const] : []));
  expect(steps).toEqual([
    [0, before],
    [1, after],
  ]);
  expect(seen.at(-1)).toMatchObject({ kind: "run", run: { state: "done", result: VALUE_CID } });
  const resumed = client.runEvents(run.id, access, { from: 1, signal: AbortSignal.timeout(5_000) });
  for await (const event of resumed) {
    expect(event).toEqual({ id: 1, kind: "step", step: after });
    break;
  }
});

test("a run's return address is told how it ended, again until it answers", async () => {
  const bodies: string[] = [];
  const answers = [500, 200];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      bodies.push(Buffer.concat(chunks).toString());
      response.writeHead(answers.shift() ?? 200).end();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  closing.push(() => server.close());
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const { relay, client } = await open({ privateWebhooks: true });
  const run = await makeRun(relay.scene, { returnTo: `http://127.0.0.1:${port}/results` });
  await client.registerRun(run.registration);
  await relay.runs.deliver();
  expect(bodies).toEqual([]);
  await client.endRun(
    run.id,
    (await endOf(run.id, relay.scene.requester, { status: "done", result: VALUE_CID })).bytes,
  );
  await relay.runs.deliver();
  await relay.runs.deliver();
  expect(bodies).toHaveLength(1);
  relay.scene.clock.now += 60_000;
  await relay.runs.deliver();
  relay.scene.clock.now += 86_400_000;
  await relay.runs.deliver();
  expect(bodies.map((body) => JSON.parse(body) as unknown)).toEqual(
    [1, 2].map(() => ({
      run: run.id,
      plan: run.terms.plan,
      origin: run.terms.origin,
      status: "done",
      endedAt: START,
      result: VALUE_CID,
    })),
  );
});

test("who waits for receipts, ends and names at the relay is told of each once", async () => {
  const { relay, client, run, access } = await open();
  const told: string[] = [];
  const stop = relay.runs.watch({
    onStep: ({ node }, signer) => told.push(`${node} ${signer}`),
    onEnd: ({ id, stage }) => told.push(`${stage} ${id}`),
  });
  const step = await stepOf(run.id, relay.scene.requester);
  await client.putSteps(run.id, access, [step]);
  await client.putSteps(run.id, access, [step]);
  const end = await endOf(run.id, relay.scene.requester);
  await client.endRun(run.id, end.bytes);
  await client.endRun(run.id, end.bytes);
  stop();
  expect(told).toEqual([`a ${relay.scene.requester.key}`, `cancelled ${run.id}`]);
});
