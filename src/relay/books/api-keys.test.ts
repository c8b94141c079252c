import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { Verified } from "../../protocol/envelope.ts";
import {
  type ApiKey,
  apiKeyMessage,
  type ApiKeyRevoke,
  apiKeyRevokeMessage,
} from "../../protocol/messages/api-key.ts";
import type { Job } from "../../protocol/messages/job.ts";
import type { Signer } from "../../protocol/signature.ts";
import { microCredits } from "../../protocol/units.ts";
import { openSqliteStore } from "../store/sqlite-store.ts";
import {
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
import { MAX_API_KEYS } from "./limits.ts";
import { openBooks } from "./open-books.ts";

const DAY_MS = 86_400_000;
const gateway = signerOf("gateway");
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function open(path?: string): Promise<Scene> {
  const scene = await openScene(path);
  closing.push(() => scene.books.close());
  return scene;
}

let made = 0;
function keyBody(scene: Scene, changes: Partial<ApiKey> = {}): ApiKey {
  made += 1;
  return {
    ...HEAD,
    account: scene.requester.key,
    gateway: gateway.key,
    hash: new Uint8Array(32).fill(made),
    label: "a program",
    cap: microCredits(15_000),
    per: "day",
    ...changes,
  };
}

async function keyOf(
  scene: Scene,
  changes: Partial<ApiKey> = {},
  signer: Signer = scene.requester,
): Promise<Verified<ApiKey>> {
  return verifiedMessage(apiKeyMessage, keyBody(scene, changes), [signer]);
}

async function added(scene: Scene, changes: Partial<ApiKey> = {}): Promise<Verified<ApiKey>> {
  const key = await keyOf(scene, changes);
  await scene.books.addApiKey(key);
  return key;
}

async function revokeOf(
  scene: Scene,
  key: Verified<ApiKey>,
  signer: Signer = scene.requester,
  account = signer.key,
): Promise<Verified<ApiKeyRevoke>> {
  return verifiedMessage(apiKeyRevokeMessage, { ...HEAD, account, apiKey: key.id }, [signer]);
}

/** A job of the gateway, 10,000 micro-credits unless told otherwise. */
function paid(scene: Scene, key: Verified<ApiKey>, changes: Partial<Job> = {}): ReturnType<typeof signedJob> {
  return signedJob(scene, { requester: gateway.key, apiKey: key.id, ...changes }, gateway);
}

async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "accepted";
  } catch (error) {
    return String(error);
  }
}

test("a job of the gateway is paid for by the account whose api-key it names, up to the key's cap", async () => {
  const scene = await open();
  const { books, requester } = scene;
  const key = await added(scene);
  const job = await paid(scene, key);
  const { index } = await books.openJob(job);
  expect(books.account(requester.key)).toMatchObject({ available: GRANT - 10_000n, escrowed: 10_000n });
  expect(books.hasAccount(gateway.key)).toBe(false);
  expect(books.apiKeyOf(key.body.hash)).toMatchObject({ id: key.id, state: "in-force", left: 5_000n });
  expect(await refusal(books.openJob(await paid(scene, key)))).toMatch(
    /API key has 5000 micro-credits left/u,
  );
  const lease = await signedLease(scene, job, index, { gateway: true });
  await books.addLease(lease);
  const work = new LeaseWork(scene, job, lease, gateway).go(3);
  await work.send({ receipt: { final: true } });
  await books.closeJob(await closeOf(scene, job.id, gateway));
  const spent = work.receiptBody().amount;
  expect(books.apiKeyOf(key.body.hash)?.left).toBe(15_000n - spent);
  expect(books.account(requester.key)).toMatchObject({ available: GRANT - spent, escrowed: 0n });
  expect(books.account(scene.provider.key).earned).toBe(spent);
});

test("a stolen key spends no more than its cap in a day, and no more than its cap in all where it counts so", async () => {
  const scene = await open();
  const { books, clock } = scene;
  const daily = await added(scene, { cap: microCredits(10_000) });
  const total = await added(scene, { cap: microCredits(10_000), per: "total" });
  for (const key of [daily, total]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await books.openJob(await paid(scene, key));
    // oxlint-disable-next-line no-await-in-loop
    expect(await refusal(books.openJob(await paid(scene, key, { cap: microCredits(1) })))).toMatch(
      /insufficient|0 micro-credits left/u,
    );
  }
  clock.now += DAY_MS;
  expect(books.apiKeyOf(daily.body.hash)?.left).toBe(10_000n);
  await books.openJob(await paid(scene, daily));
  expect(await refusal(books.openJob(await paid(scene, total, { cap: microCredits(1) })))).toMatch(
    /0 micro-credits left/u,
  );
  expect(books.account(scene.requester.key).escrowed).toBe(30_000n);
});

test("what comes back of a job counts for the day the job was opened on", async () => {
  const scene = await open();
  const { books, clock } = scene;
  const key = await added(scene);
  clock.now = START + DAY_MS / 2 - 1;
  const evening = await paid(scene, key);
  await books.openJob(evening);
  clock.now = START + DAY_MS / 2;
  await books.openJob(await paid(scene, key));
  await books.closeJob(await closeOf(scene, evening.id, gateway));
  expect(books.account(scene.requester.key).escrowed).toBe(10_000n);
  expect(books.apiKeyOf(key.body.hash)?.left).toBe(5_000n);
});

test("jobs opened at once do not spend the same part of a cap twice", async () => {
  const scene = await open();
  const key = await added(scene, { cap: microCredits(25_000) });
  const jobs = await Promise.all([1, 2, 3, 4].map(() => paid(scene, key)));
  const results = await Promise.allSettled(jobs.map((job) => scene.books.openJob(job)));
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "rejected"]);
});

test.each<[string, (scene: Scene) => Promise<unknown>, RegExp]>([
  [
    "whose payer signed nothing",
    async (scene) => scene.books.openJob(await signedJob(scene, { requester: gateway.key }, gateway)),
    /has not signed it/u,
  ],
  [
    "whose payer is a session of its requester, and no account",
    async (scene) => {
      const session = await sessionOf("requester", "a tab");
      await scene.books.grant(session.key, microCredits(1_000_000), "a test");
      return scene.books.openJob(await signedJob(scene, { payer: session.key }, session));
    },
    /has not signed it/u,
  ],
  [
    "that names the key of another account",
    async (scene) => {
      await scene.books.grant(signerOf("thief").key, microCredits(1_000_000), "a test");
      const key = await keyOf(scene, { account: signerOf("thief").key }, signerOf("thief"));
      await scene.books.addApiKey(key);
      return scene.books.openJob(await paid(scene, key));
    },
    /signed neither it nor its api-key/u,
  ],
  [
    "of another requester than the gateway the key is for",
    async (scene) => {
      const key = await added(scene);
      const thief = signerOf("thief");
      return scene.books.openJob(await signedJob(scene, { requester: thief.key, apiKey: key.id }, thief));
    },
    /for another requester/u,
  ],
  [
    "that names a key nobody has logged",
    async (scene) => scene.books.openJob(await paid(scene, await keyOf(scene))),
    /signed neither it nor its api-key/u,
  ],
  [
    "under a key whose time has passed",
    async (scene) => {
      const key = await added(scene, { expires: START + 1_000 });
      scene.clock.now = START + 1_000;
      return scene.books.openJob(await paid(scene, key));
    },
    /time has passed/u,
  ],
  [
    "under a revoked key",
    async (scene) => {
      const key = await added(scene);
      await scene.books.revokeApiKey(await revokeOf(scene, key));
      return scene.books.openJob(await paid(scene, key));
    },
    /API key was revoked/u,
  ],
  [
    "beyond what the account has",
    async (scene) => {
      const key = await added(scene, { cap: microCredits(2n * GRANT) });
      return scene.books.openJob(await paid(scene, key, { cap: microCredits(GRANT + 1n) }));
    },
    /1000000 micro-credits, the cap is 1000001/u,
  ],
])("a job %s is refused and costs nothing", async (_what, attempt, why) => {
  const scene = await open();
  expect(await refusal(attempt(scene))).toMatch(why);
  expect(scene.books.account(scene.requester.key)).toMatchObject({ available: GRANT, escrowed: 0n });
});

test("a lease paid for under an api-key has to be flagged as the gateway's", async () => {
  const scene = await open();
  const job = await paid(scene, await added(scene));
  const { index } = await scene.books.openJob(job);
  expect(await refusal(scene.books.addLease(await signedLease(scene, job, index)))).toMatch(
    /not flagged as the gateway's/u,
  );
});

test("a key that is revoked gets no further lease, not even for a job that is open", async () => {
  const scene = await open();
  const key = await added(scene);
  const job = await paid(scene, key);
  const { index } = await scene.books.openJob(job);
  await scene.books.revokeApiKey(await revokeOf(scene, key));
  const lease = await signedLease(scene, job, index, { gateway: true });
  expect(await refusal(scene.books.addLease(lease))).toMatch(/API key was revoked/u);
});

test("only the account itself makes and revokes its keys, no session of it and nobody else", async () => {
  const scene = await open();
  const session = await sessionOf("requester", "a tab");
  const thief = signerOf("thief");
  expect(await refusal(scene.books.addApiKey(await keyOf(scene, {}, session)))).toMatch(/account itself/u);
  expect(await refusal(scene.books.addApiKey(await keyOf(scene, {}, thief)))).toMatch(/account itself/u);
  const key = await added(scene);
  const by = [
    await revokeOf(scene, key, session, scene.requester.key),
    await revokeOf(scene, key, thief, scene.requester.key),
  ];
  for (const revoke of by)
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    expect(await refusal(scene.books.revokeApiKey(revoke))).toMatch(/account itself/u);
  expect(await refusal(scene.books.revokeApiKey(await revokeOf(scene, key, thief)))).toMatch(/no such key/u);
  expect(scene.books.apiKeyOf(key.body.hash)?.state).toBe("in-force");
});

test("a key's hash counts once, whoever signs for it, and saying the same again changes nothing", async () => {
  const scene = await open();
  const key = await keyOf(scene);
  const first = await scene.books.addApiKey(key);
  expect((await scene.books.addApiKey(key)).index).toBe(first.index);
  const thief = signerOf("thief");
  const copied = await keyOf(scene, { account: thief.key, hash: key.body.hash }, thief);
  expect(await refusal(scene.books.addApiKey(copied))).toMatch(/another api-key has this hash/u);
  const revoke = await revokeOf(scene, key);
  const gone = await scene.books.revokeApiKey(revoke);
  expect((await scene.books.revokeApiKey(revoke)).index).toBe(gone.index);
  expect((await scene.books.addApiKey(key)).index).toBe(first.index);
  expect(scene.books.apiKeyOf(key.body.hash)?.state).toBe("revoked");
  expect(scene.books.size()).toBe(gone.index + 1);
});

test("an account has only so many keys in force", async () => {
  const scene = await open();
  const keys = Array.from({ length: MAX_API_KEYS }, (_, i) =>
    keyOf(scene, { hash: new Uint8Array(32).fill(0xee).fill(i, 0, 1) }),
  );
  const signed = await Promise.all(keys);
  await Promise.all(signed.map((key) => scene.books.addApiKey(key)));
  expect(await refusal(scene.books.addApiKey(await keyOf(scene)))).toMatch(/at most 64 keys/u);
  await scene.books.revokeApiKey(await revokeOf(scene, signed[7]!));
  await scene.books.addApiKey(await keyOf(scene));
  expect(scene.books.apiKeys(scene.requester.key)).toHaveLength(MAX_API_KEYS + 1);
});

test("keys and what they have spent survive a restart, and follow from the log alone", async () => {
  const folder = mkdtempSync(join(tmpdir(), "api-keys-"));
  closing.push(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "books.sqlite");
  const scene = await openScene(path);
  const [key, gone] = [await added(scene), await added(scene, { per: "total" })];
  await scene.books.openJob(await paid(scene, key));
  const closed = await paid(scene, gone);
  await scene.books.openJob(closed);
  await scene.books.closeJob(await closeOf(scene, closed.id, gateway));
  await scene.books.revokeApiKey(await revokeOf(scene, gone));
  const before = scene.books.apiKeys(scene.requester.key);
  scene.books.close();
  const store = openSqliteStore(path);
  expect(checkBooks(store)).toEqual([]);
  store.close();
  const again = await openBooks(scene.options);
  closing.push(() => again.close());
  expect(again.apiKeys(scene.requester.key)).toEqual(before);
  expect(before).toMatchObject([{ used: 0n, revoked: START }, { used: 10_000n }]);
  expect(again.apiKeyOf(key.body.hash)).toMatchObject({ state: "in-force", left: 5_000n });
});
