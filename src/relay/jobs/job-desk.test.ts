import { afterEach, describe, expect, test } from "vitest";
import { DEFAULT_AUDIT_POLICY } from "../../protocol/audit-policy.ts";
import { parseCheckpoint } from "../../protocol/checkpoint.ts";
import { cidOf, RAW } from "../../protocol/cid.ts";
import { openEnvelope, seal, type Verified, verifiedSync } from "../../protocol/envelope.ts";
import { FailureError } from "../../protocol/failure.ts";
import { header } from "../../protocol/header.ts";
import { retireMessage } from "../../protocol/messages/audit.ts";
import { closeJobMessage, type Job, jobMessage } from "../../protocol/messages/job.ts";
import { type Lease, type LeaseAnswer, leaseMessage } from "../../protocol/messages/lease.ts";
import { keyRevokeMessage } from "../../protocol/messages/session.ts";
import { cancelMessage } from "../../protocol/messages/task.ts";
import { keyFromPeerId } from "../../protocol/peer-id.ts";
import { jobViewJson } from "../../protocol/relay-json.ts";
import { tariffCid } from "../../protocol/tariff.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import { fuel, microCredits } from "../../protocol/units.ts";
import {
  GRANT,
  HEAD,
  LeaseWork,
  ORIGIN,
  sessionOf,
  signerOf,
  TARIFF,
  WORK,
} from "../books/books-scene.contract.ts";
import { verifyNative } from "../books/native-keys.ts";
import { RETURN_COOLING_MS } from "../limits.ts";
import {
  jobOf,
  offerOf,
  openRelayScene,
  post,
  refusalOf,
  type RelayScene,
  type RelaySceneOptions,
  type SignedJob,
  submit,
} from "../relay-scene.contract.ts";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function open(options: RelaySceneOptions = {}): Promise<RelayScene> {
  const relay = await openRelayScene(options);
  closing.push(() => relay.close());
  return relay;
}

function leasesIn(answer: LeaseAnswer | string): readonly Verified<Lease>[] {
  if (typeof answer === "string") throw new Error(answer);
  return answer.leases.map(({ lease }) => verifiedSync(openEnvelope(leaseMessage, lease), verifyNative));
}

async function cancelled(
  { scene }: RelayScene,
  lease: Verified<Lease>,
  seq = 0,
): Promise<Uint8Array<ArrayBuffer>> {
  return seal(cancelMessage, { ...HEAD, lease: lease.id, seq, atUnit: 0 }, [scene.requester]);
}

async function closed(relay: RelayScene, job: SignedJob, by = relay.scene.requester): Promise<Response> {
  const envelope = await seal(closeJobMessage, { ...HEAD, job: job.id }, [by]);
  return post(relay, `/v1/jobs/${job.id}/close`, envelope);
}

test("a job gets leases signed by the relay, at its price, within its cap, over a checkpoint that covers its escrow", async () => {
  const relay = await open();
  const { books } = relay.scene;
  const session = await sessionOf("provider", "provider tab");
  relay.offers.put(offerOf("provider", { instance: session.key, addresses: ["/a"] }), {});
  relay.offers.put(offerOf("other", { addresses: ["/b"] }), {});
  const job = await jobOf(relay);
  const answer = await submit(relay, job);
  const leases = leasesIn(answer);
  expect(leases).toHaveLength(2);
  for (const { body, signedBy } of leases) {
    expect(signedBy).toEqual([{ key: books.keys().lease }]);
    expect(body).toMatchObject({
      job: job.id,
      rev: 0,
      requesterKey: relay.scene.requester.key,
      policy: books.policy,
    });
    expect(body.tariff).toBe(tariffCid(TARIFF));
    const head = parseCheckpoint(body.checkpoint, ORIGIN, keyFromPeerId(books.keys().log));
    expect(head.size).toBeGreaterThan(body.escrowIndex);
  }
  expect(leases.map(({ body }) => body.budget)).toEqual([5_000n, 5_000n]);
  expect(new Set(leases.map(({ body }) => body.instance))).toEqual(
    new Set([session.key, signerOf("other").key]),
  );
  expect(answer).toMatchObject({ job: job.id, available: GRANT - 10_000n });
  expect(new Set((answer as LeaseAnswer).leases.flatMap(({ addresses }) => addresses))).toEqual(
    new Set(["/a", "/b"]),
  );
});

test("the same job again has the same leases, topped up when a provider comes, and its money is set aside once", async () => {
  const relay = await open();
  relay.offers.put(offerOf("provider"), {});
  const job = await jobOf(relay);
  const [first, same] = await Promise.all([submit(relay, job), submit(relay, job)]);
  const [lease] = leasesIn(first);
  expect(leasesIn(same).map(({ id }) => id)).toEqual([lease!.id]);
  relay.offers.put(offerOf("other"), {});
  const more = leasesIn(await submit(relay, job));
  expect(more.map(({ id }) => id)).toEqual([lease!.id, expect.any(String)]);
  expect(more.map(({ body }) => body.replica)).toEqual([0, 1]);
  expect(more.reduce((sum, { body }) => sum + body.budget, 0n)).toBeLessThanOrEqual(10_000n);
  expect(relay.scene.books.account(relay.scene.requester.key).escrowed).toBe(10_000n);
});

test("a lease is not given to an instance that returned one of the job, until it has cooled", async () => {
  const relay = await open();
  relay.offers.put(offerOf("provider"), {});
  const job = await jobOf(relay, { parallel: 1 });
  const [lease] = leasesIn(await submit(relay, job));
  const returned = await post(relay, `/v1/leases/${lease!.id}/cancel`, await cancelled(relay, lease!));
  expect(jobViewJson.read(await returned.json()).leases[0]).toMatchObject({ state: "returning" });
  expect(await submit(relay, job)).toBe("no-provider: 1 provider: 1 gave it back");
  const another = await jobOf(relay, { parallel: 1 });
  relay.scene.clock.now += 5_000;
  expect(leasesIn(await submit(relay, another))).toHaveLength(1);
  relay.offers.put(offerOf("other"), {});
  const [next] = leasesIn(await submit(relay, job));
  expect(next!.body.provider).toBe(signerOf("other").key);
  await post(relay, `/v1/leases/${next!.id}/cancel`, await cancelled(relay, next!));
  relay.scene.clock.now += RETURN_COOLING_MS;
  expect(leasesIn(await submit(relay, job))).toHaveLength(1);
});

test("without a provider the reasons are counted, the money stays set aside, and closing gives it back at once", async () => {
  const relay = await open();
  const { books, requester } = relay.scene;
  const job = await jobOf(relay);
  expect(await submit(relay, job)).toBe("no-provider: no provider is connected");
  relay.offers.put(offerOf("a", { free: 0 }), {});
  relay.offers.put(offerOf("b", { tariffMin: { ...TARIFF, perTask: microCredits(11) } }), {});
  relay.offers.put(offerOf("c", { addresses: [] }), {});
  expect(await submit(relay, job)).toBe("no-provider: 3 providers: 1 asks more, 1 unreachable, 1 busy");
  expect(books.account(requester.key)).toMatchObject({ available: GRANT - 10_000n, escrowed: 10_000n });
  const view = jobViewJson.read(await (await closed(relay, job)).json());
  expect(view).toMatchObject({ state: "closed", refunded: 10_000n, spent: 0n });
  expect(books.account(requester.key)).toMatchObject({ available: GRANT, escrowed: 0n });
  expect(await submit(relay, job)).toBe("lease-ended: the job is closed");
});

test("a provider's threads are not given away twice before it can tell", async () => {
  const relay = await open();
  relay.offers.put(offerOf("provider", { workers: 1, free: 1 }), {});
  expect(leasesIn(await submit(relay, await jobOf(relay)))).toHaveLength(1);
  expect(await submit(relay, await jobOf(relay))).toBe("no-provider: 1 provider: 1 busy");
  relay.scene.clock.now += 1_001;
  expect(leasesIn(await submit(relay, await jobOf(relay)))).toHaveLength(1);
});

test("a new requester on loopback has a grant for the first job, once, however many come at a time", async () => {
  const relay = await open();
  const newcomer = signerOf("newcomer");
  const changes = { requester: newcomer.key, payer: newcomer.key };
  const jobs = await Promise.all([1, 2, 3].map(() => jobOf(relay, changes, [newcomer])));
  const answers = await Promise.all(jobs.map((job) => submit(relay, job)));
  expect(answers).toEqual(Array.from({ length: 3 }, () => "no-provider: no provider is connected"));
  expect(relay.scene.books.account(newcomer.key)).toMatchObject({ available: 20_000n, escrowed: 30_000n });
  expect(
    await submit(relay, await jobOf(relay, { ...changes, cap: microCredits(20_001) }, [newcomer])),
  ).toMatch(/^insufficient-funds/);
});

test("credits for tests are neither granted nor spent where others can reach the relay", async () => {
  const relay = await open({ isLoopback: false });
  relay.offers.put(offerOf("provider"), {});
  expect(await submit(relay, await jobOf(relay))).toMatch(/^wrong-asset: test credits are spent .* loopback/);
  expect(relay.scene.books.job((await jobOf(relay)).id)).toBeUndefined();
});

const work = { kind: "function", cid: WORK, entry: "run", abi: "bytes-1", profile: 1, effects: [] } as const;
const model = { ...work, kind: "model", abi: "model-1", entry: "embed" } as const;
const verify = { policy: "sampled", k: 1, disclosure: "relay", drawCommit: new Uint8Array(32) } as const;
const limits = { fuel: fuel(1_000_000), memory: 65_536, output: 1_024, deadlineMs: 1_000 };

test.each<[string, Partial<Job>, RegExp]>([
  ["another relay", { origin: "other.example/log" }, /^wrong-relay/],
  ["other money", { asset: "test:other" }, /^wrong-asset/],
  ["a profile to come", { work: { ...work, profile: 2 } }, /^profile-refused: profile 2/],
  [
    "a model with a function's interface",
    { work: { ...work, kind: "model" } },
    /^malformed: job: a model has/,
  ],
  [
    "a function with a model's interface",
    { work: { ...work, abi: "model-1" } },
    /^malformed: job: a function has/,
  ],
  [
    "an entry that no model has",
    { work: { ...model, entry: "train" } },
    /^unsupported: job: entries of models/,
  ],
  [
    "a model's deadline that eats the work",
    { work: model, limits: { ...limits, fuel: fuel(2_000_000_001), deadlineMs: 1_000 } },
    /^deadline-too-short/,
  ],
  ["effects", { work: { ...work, effects: ["fetch"] } }, /^unsupported: job: no effects/],
  ["replicas", { verify: { ...verify, k: 2 } }, /^unsupported: job: replicas/],
  ["another verification", { verify: { ...verify, policy: "proof" } }, /^unsupported: job: verification/],
  ["a lower price", { tariffMax: { ...TARIFF, perTask: microCredits(9) } }, /^overpriced/],
  ["a deadline that eats the work", { limits: { ...limits, deadlineMs: 1 } }, /^deadline-too-short/],
  ["no tasks", { maxTasks: 0 }, /^malformed/],
  ["no providers", { parallel: 0 }, /^malformed/],
  ["no money", { cap: microCredits(0) }, /^malformed/],
  ["more money than there is", { cap: microCredits(GRANT + 1n) }, /^insufficient-funds/],
  ["a time that has passed", { expires: 1 }, /^expired/],
  ["two days", { expires: Date.UTC(2030, 0, 3, 13) }, /^malformed: job: expires/],
  ["another payer", { payer: signerOf("victim").key }, /^bad-signature/],
  ["another requester", { requester: signerOf("victim").key }, /^bad-signature/],
])("a job for %s is refused and costs nothing", async (_what, changes, why) => {
  const relay = await open();
  relay.offers.put(offerOf("provider"), {});
  expect(await submit(relay, await jobOf(relay, changes))).toMatch(why);
  expect(relay.scene.books.account(relay.scene.requester.key)).toMatchObject({
    available: GRANT,
    escrowed: 0n,
  });
});

test("a model's job finds providers that have models, and others are told what they lack", async () => {
  const relay = await open();
  relay.offers.put(offerOf("functions only", { abis: ["wasi-p1", "bytes-1"] }), {});
  // In the time it has, a function could use a quarter of this fuel.
  const changes = { work: model, limits: { ...limits, fuel: fuel(2_000_000_000), deadlineMs: 1_000 } };
  const job = await jobOf(relay, changes);
  expect(await submit(relay, job)).toBe("no-provider: 1 provider: 1 lacks the interface");
  relay.offers.put(offerOf("models", { abis: ["bytes-1", "model-1"] }), {});
  expect(leasesIn(await submit(relay, job))).toHaveLength(1);
});

test("a nonce counts once", async () => {
  const relay = await open();
  const nonce = new Uint8Array(16).fill(3);
  expect(await submit(relay, await jobOf(relay, { nonce }))).toMatch(/^no-provider/);
  expect(await submit(relay, await jobOf(relay, { nonce, maxTasks: 7 }))).toMatch(/^replayed/);
});

test("a job with a changed byte is refused", async () => {
  const relay = await open();
  const { envelope } = await jobOf(relay);
  const results = new Set<string>();
  for (let at = 0; at < envelope.length; at += 7) {
    const tampered = envelope.slice();
    tampered[at] = tampered[at]! ^ 1;
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const response = await post(relay, "/v1/jobs", tampered);
    expect(response.status).toBeGreaterThanOrEqual(400);
    // oxlint-disable-next-line no-await-in-loop
    results.add((await refusalOf(response)).split(":")[0]!);
  }
  expect(results).toContain("bad-signature");
  expect(results).not.toContain("no-provider");
});

test.each<[string, (relay: RelayScene) => string]>([
  ["function", () => WORK],
  ["arguments", () => cidOf(RAW, encodeUtf8("no arguments"))],
  ["requester", (relay) => relay.scene.requester.key],
])("a denied %s gets no provider", async (_what, which) => {
  const relay = await open();
  relay.offers.put(offerOf("provider"), {});
  const value = which(relay);
  await relay.scene.books.deny(value.startsWith("12D3") ? "peer" : "cid", value, "because");
  expect(await submit(relay, await jobOf(relay))).toBe(`denied: ${value} is not served here`);
});

test("a denied provider gets no work", async () => {
  const relay = await open();
  relay.offers.put(offerOf("provider"), {});
  await relay.scene.books.deny("peer", signerOf("provider").key, "because");
  expect(await submit(relay, await jobOf(relay))).toBe("no-provider: 1 provider: 1 denied");
});

test("an offer whose key was barred meanwhile is taken back and gets no lease", async () => {
  const relay = await open();
  relay.offers.put(offerOf("provider"), {});
  await relay.scene.books.bar(signerOf("provider").key, "equivocation");
  expect(await submit(relay, await jobOf(relay))).toMatch(/^no-provider/);
  expect(relay.offers.size).toBe(0);
});

test("an offer stands when the disk fails while its lease is written, and the same job again gets one", async () => {
  const relay = await open();
  relay.offers.put(offerOf("provider"), {});
  const { books } = relay.scene;
  const addLease = books.addLease.bind(books);
  let failures = 1;
  Object.defineProperty(books, "addLease", {
    value: async (lease: Verified<Lease>) => {
      failures -= 1;
      if (failures >= 0) throw new FailureError("relay-fault", "the books could not be changed");
      return addLease(lease);
    },
  });
  const job = await jobOf(relay);
  expect(await submit(relay, job)).toMatch(/^relay-fault: /u);
  expect(relay.offers.list()).toHaveLength(1);
  expect(leasesIn(await submit(relay, job))).toHaveLength(1);
});

test("a revoked session key submits no jobs, and its offer is gone", async () => {
  const relay = await open();
  const session = await sessionOf("requester", "requester tab");
  relay.offers.put(offerOf("requester", { instance: session.key }), {});
  expect(leasesIn(await submit(relay, await jobOf(relay, {}, [session])))).toHaveLength(1);
  const body = { ...HEAD, root: relay.scene.requester.key, key: session.key };
  expect(
    (await post(relay, "/v1/revocations", await seal(keyRevokeMessage, body, [relay.scene.requester])))
      .status,
  ).toBe(200);
  expect(relay.offers.size).toBe(0);
  expect(await submit(relay, await jobOf(relay, {}, [session]))).toMatch(/^key-revoked/);
});

test("strangers can neither close a job nor give its leases back", async () => {
  const relay = await open();
  relay.offers.put(offerOf("provider"), {});
  const job = await jobOf(relay);
  const [lease] = leasesIn(await submit(relay, job));
  expect(await refusalOf(await closed(relay, job, signerOf("stranger")))).toMatch(/^bad-signature/);
  const body = { ...HEAD, lease: lease!.id, seq: 0, atUnit: 0 };
  const forged = await seal(cancelMessage, body, [signerOf("stranger")]);
  expect(await refusalOf(await post(relay, `/v1/leases/${lease!.id}/cancel`, forged))).toMatch(
    /^bad-signature/,
  );
  expect(relay.scene.books.job(job.id)).toMatchObject({ state: "open", leases: [{ state: "open" }] });
});

test("what ends one job or lease does not end another, nor a part", async () => {
  const relay = await open();
  relay.offers.put(offerOf("provider"), {});
  const [job, other] = [await jobOf(relay), await jobOf(relay)];
  const [lease] = leasesIn(await submit(relay, job));
  const close = await seal(closeJobMessage, { ...header(ORIGIN, HEAD.asset), job: other.id }, [
    relay.scene.requester,
  ]);
  expect(await refusalOf(await post(relay, `/v1/jobs/${job.id}/close`, close))).toMatch(/^malformed/);
  const part = await cancelled(relay, lease!, 3);
  expect(await refusalOf(await post(relay, `/v1/leases/${lease!.id}/cancel`, part))).toMatch(/^malformed/);
  const elsewhere = await post(relay, `/v1/leases/${other.id}/cancel`, await cancelled(relay, lease!));
  expect(await refusalOf(elsewhere)).toMatch(/^malformed/);
});

test("an identity has its share of jobs and reports, and only what holds uses it up", async () => {
  const relay = await open({ identityBurst: 3 });
  relay.offers.put(offerOf("provider"), {});
  const signed = await jobOf(relay);
  const [lease] = leasesIn(await submit(relay, signed));
  const job = verifiedSync(openEnvelope(jobMessage, signed.envelope), verifyNative);
  const worker = new LeaseWork(relay.scene, job, lease!);
  const report = await worker.go(2).report();
  const garbled = new Uint8Array(report);
  garbled[100]! ^= 1;
  for (let count = 0; count < 5; count += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await post(relay, "/v1/reports", garbled);
  }
  const statuses: number[] = [];
  for (let count = 0; count < 4; count += 1) {
    // oxlint-disable-next-line no-await-in-loop
    const response = await post(relay, "/v1/reports", new Uint8Array(report));
    statuses.push(response.status);
  }
  expect(statuses).toEqual([200, 200, 200, 429]);
  expect(leasesIn(await submit(relay, signed))).toHaveLength(1);
  await submit(relay, signed);
  expect(await submit(relay, signed)).toMatch(
    /^rate-limited: too many requests from this identity; wait 1000 ms/,
  );
});

describe("a job whose results are compared", () => {
  const replicated = { verify: { ...verify, k: 2 }, parallel: 3 };
  const audited = { audit: DEFAULT_AUDIT_POLICY };

  test("is refused with fewer providers at a time than replicas, or more replicas than the policy has", async () => {
    const relay = await open(audited);
    relay.offers.put(offerOf("provider"), {});
    expect(await submit(relay, await jobOf(relay, { ...replicated, parallel: 1 }))).toMatch(
      /^malformed: job: 2 replicas need as many providers at a time/u,
    );
    expect(await submit(relay, await jobOf(relay, { verify: { ...verify, k: 6 }, parallel: 6 }))).toMatch(
      /^unsupported: job: at most 5 replicas of a task, not 6/u,
    );
  });

  test("has its leases with distinct owners, each numbered, and the others are told why they have none", async () => {
    const twins = new Set([signerOf("one").key, signerOf("twin of one").key]);
    const relay = await open({ ...audited, sameOwner: (a, b) => twins.has(a) && twins.has(b) });
    const machine = await sessionOf("one", "another machine of one");
    relay.offers.put(offerOf("one"), {});
    relay.offers.put(offerOf("one", { instance: machine.key }), {});
    relay.offers.put(offerOf("twin of one"), {});
    const job = await jobOf(relay, replicated);
    const [first, ...more] = leasesIn(await submit(relay, job));
    expect(more).toEqual([]);
    expect(twins.has(first!.body.provider)).toBe(true);
    relay.offers.put(offerOf("two"), {});
    const both = leasesIn(await submit(relay, job));
    expect(both.map(({ body }) => body.replica).toSorted((a, b) => a - b)).toEqual([0, 1]);
    expect(both.filter(({ body }) => twins.has(body.provider))).toHaveLength(1);
    relay.offers.put(offerOf("three"), {});
    const all = leasesIn(await submit(relay, job));
    expect(all.map(({ body }) => body.replica).toSorted((a, b) => a - b)).toEqual([0, 1, 2]);
    expect(new Set(all.map(({ body }) => body.provider)).size).toBe(3);
  });

  test("gives the same owner no second voice when its first lease is over", async () => {
    const twins = new Set([signerOf("provider").key, signerOf("twin").key]);
    const relay = await open({ ...audited, sameOwner: (a, b) => twins.has(a) && twins.has(b) });
    relay.offers.put(offerOf("provider"), {});
    const signed = await jobOf(relay, { ...replicated, parallel: 2 });
    const [lease] = leasesIn(await submit(relay, signed));
    const job = verifiedSync(openEnvelope(jobMessage, signed.envelope), verifyNative);
    await new LeaseWork(relay.scene, job, lease!).go(1).send({ receipt: { final: true } });
    relay.offers.drop(signerOf("provider").key);
    relay.offers.put(offerOf("twin"), {});
    expect(await submit(relay, signed)).toBe("no-provider: 1 provider: 1 too close to another replica");
    relay.offers.drop(signerOf("twin").key);
    relay.offers.put(offerOf("provider"), {});
    expect(leasesIn(await submit(relay, signed))).toHaveLength(1);
  });
});

test("a job whose providers are all there has a lease with each, although each lease costs a fee", async () => {
  const relay = await open({ audit: DEFAULT_AUDIT_POLICY });
  const names = ["one", "two", "three", "four"];
  for (const name of names) relay.offers.put(offerOf(name), {});
  const leases = leasesIn(await submit(relay, await jobOf(relay, { parallel: 4, cap: microCredits(8_000) })));
  expect(leases.map(({ body }) => body.budget)).toEqual(Array.from(names, () => 1_999n));
  expect(relay.offers.size).toBe(4);
});

test("a job that has fewer providers than replicas is told why there are no more", async () => {
  const relay = await open({ audit: DEFAULT_AUDIT_POLICY });
  relay.offers.put(offerOf("provider"), {});
  const job = await jobOf(relay, { verify: { ...verify, k: 2 }, parallel: 3 });
  expect(leasesIn(await submit(relay, job))).toHaveLength(1);
  expect(await submit(relay, job)).toBe("no-provider: 1 provider: 1 at work on it");
});

test("an audit goes to nobody of the owner whose work it is about", async () => {
  const twins = new Set([signerOf("accused").key, signerOf("twin of accused").key]);
  const relay = await open({
    audit: DEFAULT_AUDIT_POLICY,
    sameOwner: (a, b) => twins.has(a) && twins.has(b),
  });
  relay.offers.put(offerOf("accused"), {});
  relay.offers.put(offerOf("twin of accused"), {});
  relay.apart.set(relay.scene.requester.key, signerOf("accused").key);
  const job = await jobOf(relay, { parallel: 3 });
  expect(await submit(relay, job)).toBe("no-provider: 2 providers: 2 denied");
  relay.offers.put(offerOf("other"), {});
  const [lease, ...more] = leasesIn(await submit(relay, job));
  expect([lease!.body.provider, more.length]).toEqual([signerOf("other").key, 0]);
  relay.apart.delete(relay.scene.requester.key);
  expect(leasesIn(await submit(relay, job))).toHaveLength(3);
});

test("under a policy that audits a lease names its version; who retires gets none", async () => {
  const relay = await open({ audit: { ...DEFAULT_AUDIT_POLICY, version: 3 } });
  relay.offers.put(offerOf("provider"), {});
  const signed = await jobOf(relay, { parallel: 1 });
  const [lease] = leasesIn(await submit(relay, signed));
  expect(lease!.body.policyVersion).toBe(3);
  const { key } = relay.scene.provider;
  const retire = await seal(retireMessage, { ...HEAD, account: key }, [relay.scene.provider]);
  expect((await post(relay, `/v1/accounts/${key}/retire`, retire)).status).toBe(200);
  expect(await submit(relay, await jobOf(relay))).toBe("no-provider: 1 provider: 1 retiring");
  expect(await refusalOf(await post(relay, `/v1/accounts/${key}/retire`, retire))).toMatch(/^replayed/u);
});
