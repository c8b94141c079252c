import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createMemoryPins } from "../ledger/memory-pins.ts";
import { contactRelay } from "../ledger/relay-contact.ts";
import { createRelayClient, type RelayClient } from "../mesh/relay-client.ts";
import { type AuditPolicy, DEFAULT_AUDIT_POLICY } from "../protocol/audit-policy.ts";
import { encodePlan } from "../plan/plan-codec.ts";
import { type Cid, cidOf, DAG_CBOR, RAW } from "../protocol/cid.ts";
import { openEnvelope, seal } from "../protocol/envelope.ts";
import { header } from "../protocol/header.ts";
import { nameMessage } from "../protocol/messages/name.ts";
import { runAccessMessage, runMessage } from "../protocol/messages/run.ts";
import { encodeUtf8 } from "../protocol/text.ts";
import { microCredits } from "../protocol/units.ts";
import { signerOf } from "./books/books-scene.contract.ts";
import { verifyNative } from "./books/native-keys.ts";
import { relayConfig } from "./config.ts";
import { dataPaths } from "./data-dir.ts";
import {
  backupTo,
  denyAt,
  listDenied,
  migrateAt,
  policyAt,
  restoreFrom,
  rotateKeyAt,
  undenyAt,
} from "./operate.ts";
import { planOf, stepOf, VALUE, VALUE_CID } from "./runs/run-routes-scene.contract.ts";
import { newSeeds, readSeeds, saveSeeds } from "./relay-seeds.ts";
import { type Relay, startRelay } from "./start-relay.ts";

let root: string;
let dataDir: string;
let running: Relay | undefined;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "operate-"));
  dataDir = join(root, "data");
});
afterEach(async () => {
  await running?.stop();
  rmSync(root, { recursive: true, force: true });
});

async function start(folder = dataDir, auditPolicy: AuditPolicy = DEFAULT_AUDIT_POLICY): Promise<Relay> {
  const config = { port: 0, dataDir: folder, iceServers: [], logLevel: "silent", auditPolicy } as const;
  running = await startRelay(relayConfig(config));
  return running;
}

function clientOf(relay: Relay): RelayClient {
  return createRelayClient({ baseUrl: relay.url, fetch });
}

const verify = (...claim: Parameters<typeof verifyNative>): Promise<boolean> =>
  Promise.resolve(verifyNative(...claim));
const cid = cidOf(RAW, Uint8Array.of(1));
const peer = signerOf("somebody").key;

test.each(["runs", "is stopped"])(
  "what is denied while the relay %s stays denied until it is allowed again",
  async (how) => {
    const relay = await start();
    if (how === "is stopped") await relay.stop();
    await denyAt(dataDir, cid, "mines");
    await denyAt(dataDir, peer, "spams");
    expect([...(await listDenied(dataDir))].toSorted((a, b) => a.kind.localeCompare(b.kind))).toEqual([
      { kind: "cid", value: cid, reason: "mines" },
      { kind: "peer", value: peer, reason: "spams" },
    ]);
    await relay.stop();
    const again = await start();
    expect((await fetch(`${again.url}/v1/blobs/${cid}`)).status).toBe(403);
    expect(await undenyAt(dataDir, cid)).toBe(true);
    expect(await undenyAt(dataDir, cid)).toBe(false);
    expect((await fetch(`${again.url}/v1/blobs/${cid}`)).status).toBe(404);
  },
);

test("the numbers of audits in force are told, also of a relay that is stopped, and change under a new version alone", async () => {
  const stricter = { ...DEFAULT_AUDIT_POLICY, version: 2, floorPpm: 100_000 };
  const first = await start();
  expect(await policyAt(dataDir)).toEqual(DEFAULT_AUDIT_POLICY);
  await first.stop();
  await expect(start(dataDir, { ...stricter, version: 1 })).rejects.toThrow(
    /their version has to be above 1, not 1/,
  );
  const second = await start(dataDir, stricter);
  expect(await policyAt(dataDir)).toEqual(stricter);
  const { policy } = second.books;
  const document = await (await fetch(`${second.url}/v1/blobs/${policy}`)).text();
  expect(JSON.parse(document)).toMatchObject({ audits: { numbers: { floorPpm: { value: 100_000 } } } });
  await second.stop();
  expect(await policyAt(dataDir)).toEqual(stricter);
  await expect(start(dataDir, DEFAULT_AUDIT_POLICY)).rejects.toThrow(/above 2, not 1/);
});

test("denying a blob that is stored removes it", async () => {
  const relay = await start();
  await clientOf(relay).putBlob(cid, Uint8Array.of(1));
  const file = join(dataPaths(dataDir).blobs, cid);
  expect(existsSync(file)).toBe(true);
  await denyAt(dataDir, cid, "");
  expect(existsSync(file)).toBe(false);
});

test("what is neither CID nor peer id cannot be denied, and says so through the door as well", async () => {
  await start();
  await expect(denyAt(dataDir, "somebody", "")).rejects.toThrow(/neither a CID nor a peer id/);
});

test("a folder without a relay is refused, and none is made there", async () => {
  await expect(listDenied(dataDir)).rejects.toThrow(/no relay keeps its data/);
  expect(existsSync(dataDir)).toBe(false);
});

test("a backup of a running relay, put in place elsewhere, goes on with the same money and log", async () => {
  const relay = await start();
  await relay.books.grant(peer, microCredits(5), "before");
  await backupTo(dataDir, join(root, "backup"));
  const { size } = await clientOf(relay)
    .account(peer)
    .then(({ logSize }) => ({ size: logSize }));
  await relay.books.grant(peer, microCredits(5), "after");
  const pins = createMemoryPins();
  const contact = await contactRelay({ ...clientOf(relay), baseUrl: "same" }, pins, verify, 0);
  await relay.stop();

  const elsewhere = join(root, "elsewhere");
  expect(await restoreFrom(join(root, "backup"), elsewhere)).toEqual({ origin: relay.origin, size });
  const restored = await start(elsewhere);
  expect((await clientOf(restored).account(peer)).available).toBe(5n);
  expect((await clientOf(restored).info()).keys).toEqual(contact.keys);
  await restored.books.grant(peer, microCredits(1), "another history");
  await restored.books.grant(peer, microCredits(1), "another history");
  const again = contactRelay({ ...clientOf(restored), baseUrl: "same" }, pins, verify, 0);
  await expect(again).rejects.toThrow(/forged-checkpoint/);
});

test("a stopped relay is backed up as well, and the tariff it announced stays", async () => {
  const tariff = {
    perGfuel: microCredits(7),
    perTask: microCredits(7),
    perKiB: microCredits(7),
    perInstantiation: microCredits(7),
  };
  const relay = await startRelay(
    relayConfig({ port: 0, dataDir, tariff, iceServers: [], logLevel: "silent" }),
  );
  const size = relay.books.size();
  await relay.stop();
  await backupTo(dataDir, join(root, "backup"));
  expect((await restoreFrom(join(root, "backup"), join(root, "elsewhere"))).size).toBe(size);
});

/** A registered run of somebody, with one receipt and one value, and a name. */
async function runAt(relay: Relay): Promise<{
  readonly id: Cid;
  readonly access: Uint8Array;
  readonly step: Uint8Array;
  readonly envelope: Uint8Array;
}> {
  const olga = signerOf("olga");
  const { origin, asset } = relay;
  const head = header(origin, asset);
  await relay.books.grant(olga.key, microCredits(50_000), "a test");
  const client = clientOf(relay);
  const now = Date.now();
  const plan = encodePlan(planOf("a"));
  const params = encodeUtf8("{}");
  const terms = {
    ...head,
    initiator: olga.key,
    payer: olga.key,
    plan: cidOf(DAG_CBOR, plan),
    params: cidOf(RAW, params),
    nonce: new Uint8Array(16),
    issuedAt: now,
    notAfter: now + 3_600_000,
    budget: microCredits(7_000),
    returnTo: "relay",
  };
  const run = await seal(runMessage, terms, [olga]);
  const { id } = openEnvelope(runMessage, run);
  await client.registerRun({ run, plan, params });
  const shown = { ...head, run: id, audience: relay.peer, issuedAt: now };
  const access = await seal(runAccessMessage, shown, [olga]);
  const step = await stepOf(id, olga);
  await client.putSteps(id, access, [step]);
  await client.putRunValue(id, access, VALUE_CID, VALUE);
  const name = { ...head, owner: olga.key, name: "kept", version: 1, plan: terms.plan, issuedAt: now };
  const { envelope } = await client.putName(
    "kept",
    await seal(nameMessage, { ...name, expires: now + 3_600_000 }, [olga]),
  );
  return { id, access, step, envelope };
}

test("a run's budget, receipts and names are the same after a restart and in a backup", async () => {
  const first = await start();
  const { id, access, step, envelope } = await runAt(first);
  await backupTo(dataDir, join(root, "backup"));
  const { entryIndex, budget, name, plan } = await clientOf(first).run(id);
  await first.stop();
  const again = await start();
  expect(await clientOf(again).run(id)).toMatchObject({ entryIndex, budget, name, left: 7_000n, steps: 1 });
  expect((await clientOf(again).steps(id, access, 0)).steps).toEqual([step]);
  expect(await clientOf(again).runValue(id, access, VALUE_CID, 99)).toEqual(VALUE);
  expect((await clientOf(again).name("kept")).envelope).toEqual(envelope);
  await again.stop();
  const elsewhere = join(root, "elsewhere");
  await restoreFrom(join(root, "backup"), elsewhere);
  const restored = await start(elsewhere);
  expect(await clientOf(restored).run(id)).toMatchObject({
    entryIndex,
    budget,
    name,
    left: 7_000n,
    steps: 1,
  });
  expect((await clientOf(restored).steps(id, access, 0)).steps).toEqual([step]);
  expect(await clientOf(restored).runValue(id, access, plan, 9_999)).not.toBeUndefined();
  expect((await clientOf(restored).name("kept")).envelope).toEqual(envelope);
});

test("neither a backup nor a restore overwrites anything", async () => {
  const relay = await start();
  await backupTo(dataDir, join(root, "backup"));
  await expect(backupTo(dataDir, join(root, "backup"))).rejects.toThrow(/exists already/);
  await expect(restoreFrom(join(root, "backup"), dataDir)).rejects.toThrow(/another relay runs on/);
  await relay.stop();
  await expect(restoreFrom(join(root, "backup"), dataDir)).rejects.toThrow(/holds a relay already/);
});

test("a damaged backup is refused and leaves no relay behind", async () => {
  await start();
  const backup = join(root, "backup");
  await backupTo(dataDir, backup);
  const bytes = readFileSync(dataPaths(backup).books);
  writeFileSync(dataPaths(backup).books, bytes.fill(7, 4_096, 12_288));
  await expect(restoreFrom(backup, join(root, "elsewhere"))).rejects.toThrow(/damaged|malformed/);
  rmSync(dataPaths(backup).books);
  await expect(restoreFrom(backup, join(root, "elsewhere"))).rejects.toThrow(/no backup of a relay/);
  expect(existsSync(dataPaths(join(root, "elsewhere")).keys)).toBe(false);
});

test.each([
  ["log", "runs"],
  ["lease", "runs"],
  ["draw", "is stopped"],
] as const)(
  "the %s key is replaced while the relay %s, and who pinned the old one follows",
  async (purpose, how) => {
    const relay = await start();
    const pins = createMemoryPins();
    const before = await contactRelay({ ...clientOf(relay), baseUrl: "same" }, pins, verify, 0);
    if (how === "is stopped") await relay.stop();
    const next = await rotateKeyAt(dataDir, purpose);
    expect(next).not.toBe(before.keys[purpose]);
    if (how === "runs") {
      expect((await clientOf(relay).info()).keys[purpose]).toBe(next);
      await relay.stop();
    }
    const again = await start();
    const after = await contactRelay({ ...clientOf(again), baseUrl: "same" }, pins, verify, 0);
    expect(after.keys).toEqual({ ...before.keys, [purpose]: next });
  },
);

test("a rotation that was cut off before the log knew of it is dropped, one after it is completed", async () => {
  const first = await start();
  const { keys } = await clientOf(first).info();
  await first.stop();
  const paths = dataPaths(dataDir);
  const kept = readSeeds(paths.keys);
  saveSeeds(paths.keys, { ...kept, next: { purpose: "lease", seed: newSeeds().lease } });
  const second = await start();
  expect((await clientOf(second).info()).keys).toEqual(keys);
  expect(readSeeds(paths.keys).next).toBeUndefined();

  const old = readSeeds(paths.keys);
  const next = await rotateKeyAt(dataDir, "lease");
  await second.stop();
  const { seeds } = readSeeds(paths.keys);
  saveSeeds(paths.keys, { ...old, next: { purpose: "lease", seed: seeds.lease } });
  const third = await start();
  expect((await clientOf(third).info()).keys.lease).toBe(next);
});

test("a relay with another's keys does not start", async () => {
  const relay = await start();
  await relay.stop();
  const paths = dataPaths(dataDir);
  saveSeeds(paths.keys, { origin: relay.origin, seeds: newSeeds() });
  await expect(start()).rejects.toThrow(/key given is not the one in force/);
});

test("a damaged key file is named, and its content is not shown", async () => {
  const relay = await start();
  await relay.stop();
  const { keys } = dataPaths(dataDir);
  writeFileSync(keys, readFileSync(keys, "utf8").slice(0, -40));
  await expect(start()).rejects.toThrow(`${keys} is not a file of relay keys`);
});

test("the schema is brought up to date by itself, and one of a later program is refused", async () => {
  const relay = await start();
  await relay.stop();
  const { from, to } = migrateAt(dataDir);
  expect(from).toBe(to);
  expect(to).toBeGreaterThan(0);
  const database = new DatabaseSync(dataPaths(dataDir).books);
  database.exec(`PRAGMA user_version = ${to + 1}`);
  database.close();
  await expect(start()).rejects.toThrow(/schema/);
  expect(() => migrateAt(dataDir)).toThrow(/schema/);
});

test("a running relay is not migrated under its feet", async () => {
  await start();
  expect(() => migrateAt(dataDir)).toThrow(/another relay runs on/);
});
