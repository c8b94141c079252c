import { Writable } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { pino } from "pino";
import { DEFAULT_AUDIT_POLICY } from "../../protocol/audit-policy.ts";
import { cidOf, DAG_CBOR, RAW } from "../../protocol/cid.ts";
import { openEnvelope } from "../../protocol/envelope.ts";
import { type Verdict, verdictMessage } from "../../protocol/messages/audit.ts";
import { decodeEntryOf } from "../../protocol/messages/entry.ts";
import type { Job } from "../../protocol/messages/job.ts";
import { MESSAGE_TYPE } from "../../protocol/relay-api.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import { fuel } from "../../protocol/units.ts";
import { ARGS, AuditedLease, DOUBLER, type Lie } from "../../relay/audits/audit-scene.contract.ts";
import {
  GRANT,
  openLease,
  openScene,
  ORIGIN,
  type Scene,
  TARIFF,
} from "../../relay/books/books-scene.contract.ts";
import { relayConfig } from "../../relay/config.ts";
import { type Relay, startRelay } from "../../relay/start-relay.ts";
import { bytesModule, wat } from "../../sandbox/wat.contract.ts";
import { type FunctionProvider, startFunctionProvider } from "../function-provider.contract.ts";
import { meshAuditor } from "./mesh-auditor.ts";

/* A relay that has everything it draws computed by other providers first. */

const FALSE = await wat(
  bytesModule("local.get $in i64.extend_i32_u i64.const 32 i64.shl local.get $len i64.extend_i32_u i64.or"),
);
const POLICY = { ...DEFAULT_AUDIT_POLICY, peerPpm: 1_000_000, knownPpm: 0, auditorCheckTasks: 65_535 };
const PATIENCE = { timeout: 40_000 };

let relay: Relay;
let scene: Scene;
let logged: string;
const providers: FunctionProvider[] = [];

beforeEach(async () => {
  logged = "";
  const sink = new Writable({
    write(chunk, _encoding, done) {
      logged += String(chunk);
      done();
    },
  });
  relay = await startRelay(
    relayConfig({
      port: 0,
      dataDir: ":memory:",
      iceServers: [],
      origin: ORIGIN,
      tariff: TARIFF,
      auditPolicy: POLICY,
      auditThreads: 1,
    }),
    { auditor: meshAuditor, log: pino({ level: "warn" }, sink) },
  );
  const parties = await openScene();
  parties.books.close();
  scene = { ...parties, books: relay.books, clock: { now: Date.now() } };
  await relay.books.grant(scene.requester.key, GRANT, "a test");
  for (const [cid, bytes] of [
    [cidOf(RAW, DOUBLER), DOUBLER],
    [cidOf(DAG_CBOR, ARGS), ARGS],
  ] as const)
    // oxlint-disable-next-line no-await-in-loop
    await fetch(`${relay.url}/v1/blobs/${cid}`, { method: "PUT", body: new Uint8Array(bytes) });
}, 60_000);

afterEach(async () => {
  await Promise.all(providers.splice(0).map((each) => each.vanish()));
  await relay.stop();
});

async function join(module: Uint8Array): Promise<FunctionProvider> {
  const provider = await startFunctionProvider(relay.url, { module });
  providers.push(provider);
  return provider;
}

/** A lease of somebody who is not in the mesh, with one outcome that is opened. */
async function audited(lie?: Lie, changes: Partial<Job> = {}): Promise<Verdict> {
  const verify = { policy: "sampled", k: 1, disclosure: "peers", drawCommit: new Uint8Array(32) } as const;
  const { job, work } = await openLease(
    scene,
    {
      work: {
        kind: "function",
        cid: cidOf(RAW, DOUBLER),
        entry: "tabmesh_run",
        abi: "bytes-1",
        profile: 1,
        effects: [],
      },
      argsCid: cidOf(DAG_CBOR, ARGS),
      limits: { fuel: fuel(1_000_000), memory: 262_144, output: 1_024, deadlineMs: 5_000 },
      verify,
      ...changes,
    },
    { policyVersion: POLICY.version },
  );
  const post = (path: string, envelope: Uint8Array<ArrayBuffer>): Promise<Response> =>
    fetch(`${relay.url}${path}`, {
      method: "POST",
      body: envelope,
      headers: { "content-type": MESSAGE_TYPE },
    });
  const lease = new AuditedLease({ scene, post }, job, work.lease);
  await lease.run("ab", lie);
  const { index } = await lease.report();
  expect((await lease.open(index, 0)).status).toBe(204);
  await expect.poll(() => lease.view().judged, PATIENCE).toBe(1);
  const at = relay.books.audits.drawn(index, 0)?.row.verdict;
  const entry = at === undefined ? undefined : relay.books.entry(at);
  if (entry === undefined) throw new Error("there is no verdict");
  return openEnvelope(verdictMessage, decodeEntryOf("verdict", entry).body.envelope).body;
}

const LIE: Lie = (outcome) => ({ ...outcome, outputCid: cidOf(RAW, encodeUtf8("made up")) });

test("a provider who is given the task as any other job confirms what is right, and is paid for it", async () => {
  const peer = await join(DOUBLER);
  const verdict = await audited();
  expect(verdict).toMatchObject({ result: "match", auditors: [peer.peer], engine: "" });
  expect(peer.begun).toBe(1);
  const { held, bond, pending } = relay.books.account(peer.peer);
  expect(held + bond + pending).toBeGreaterThan(0n);
});

test("who says otherwise convicts nobody: the relay computes it, and finds who is right", async () => {
  await join(DOUBLER);
  const caught = await audited(LIE);
  expect(caught).toMatchObject({ result: "mismatch", auditors: [relay.books.keys().draw] });
  expect(relay.books.audits.barred(scene.provider.key)).toMatch(/verification-failed/u);
});

test("an auditor that lies harms nobody, and the operator is told", async () => {
  const liar = await join(FALSE);
  const verdict = await audited();
  expect(verdict).toMatchObject({ result: "match", auditors: [relay.books.keys().draw] });
  expect(relay.books.audits.barred(scene.provider.key)).toBeUndefined();
  expect(logged).toContain("an auditor's result is false");
  expect(logged).toContain(liar.peer);
});

test("without anybody to ask, or without the requester's leave, the relay computes it itself", async () => {
  expect(await audited()).toMatchObject({ result: "match", auditors: [relay.books.keys().draw] });
  const peer = await join(DOUBLER);
  const verify = { policy: "sampled", k: 1, disclosure: "relay", drawCommit: new Uint8Array(32) } as const;
  expect(await audited(undefined, { verify })).toMatchObject({ auditors: [relay.books.keys().draw] });
  expect(peer.begun).toBe(0);
});
