import { afterEach, beforeAll, expect, test } from "vitest";
import wabtInit from "wabt";
import type { MeshStream } from "../mesh/mesh.ts";
import { cidOf, RAW } from "../protocol/cid.ts";
import { openEnvelope, seal, verified } from "../protocol/envelope.ts";
import { verifierOf } from "../protocol/ed25519.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { header } from "../protocol/header.ts";
import { drainMessage } from "../protocol/messages/session.ts";
import { stopMessage } from "../protocol/messages/task.ts";
import { type SessionIdentity, startSessionIdentity } from "../protocol/session-identity.ts";
import { FRAME } from "../protocol/work-frame.ts";
import { type LeasePair, leasePair, type PairOptions, seed } from "../sdk/lease-pair.contract.ts";
import type { TaskInput } from "../sdk/task-input.ts";
import type { SuddenEnd } from "./farewell.ts";
import { HeldLease } from "./held-lease.ts";
import { HeldMemory } from "./held-memory.ts";
import { memoryHoldings } from "./memory-shelves.contract.ts";
import type { LoadedModel } from "./session-ports.ts";

const wabt = await wabtInit();
const verify = verifierOf(crypto.subtle);

/** Returns its input. */
const ECHO = new Uint8Array(
  wabt
    .parseWat(
      "echo.wat",
      `(module (memory (export "memory") 1 2)
        (func (export "tabmesh_alloc") (param i32) (result i32) (i32.const 1024))
        (func (export "tabmesh_run") (param i32 i32) (result i64)
          (i64.or (i64.shl (i64.extend_i32_u (local.get 0)) (i64.const 32)) (i64.extend_i32_u (local.get 1)))))`,
    )
    .toBinary({}).buffer,
);

/** Computes until it is ended. */
const ENDLESS: LoadedModel = {
  kind: "model",
  run: ({ signal, onStart }) => {
    onStart();
    const { promise, resolve } = Promise.withResolvers<Awaited<ReturnType<LoadedModel["run"]>>>();
    const ended = { kind: "failed", code: failureCode("cancelled"), detail: "", fuel: 0n } as const;
    signal.addEventListener("abort", () => resolve(ended), { once: true });
    return promise;
  },
};

let provider: SessionIdentity;
beforeAll(async () => {
  provider = await startSessionIdentity(crypto.subtle, { root: seed(4), session: seed(5) }, Date.now());
});

let pair: LeasePair | undefined;
afterEach(() => pair?.stop());

async function open(options: Partial<PairOptions> = {}): Promise<LeasePair> {
  pair = await leasePair({ module: ECHO, ...options });
  return pair;
}

function input(text: string): TaskInput {
  const bytes = new TextEncoder().encode(text);
  return { bytes, cid: cidOf(RAW, bytes), seed: seed(8) };
}

/** Envelopes of the drains that pass from now on. */
function drainsOf(opened: LeasePair): Uint8Array[] {
  const drains: Uint8Array[] = [];
  opened.fromProvider = (kind, payload) => {
    if (kind === FRAME.drain) drains.push(payload);
    return payload;
  };
  return drains;
}

/** Bytes that a stream is given from now on. */
function bytesSentBy(stream: MeshStream): () => number {
  let bytes = 0;
  const send = stream.send.bind(stream);
  stream.send = (chunk) => {
    bytes += chunk.length;
    return send(chunk);
  };
  return () => bytes;
}

test.each(["hidden", "battery", "frozen", "closed"] as const)(
  "a provider that stops because it is %s says so, and its requester can give the tasks to another",
  async (reason) => {
    const opened = await open({ work: ENDLESS });
    const task = opened.requester.send(input("never ends"));
    await expect.poll(() => opened.provider.channel.received).toBe(1);
    await opened.provider.drain(reason);
    await expect(task.answer).rejects.toMatchObject({ code: failureCode(reason) });
    expect((await opened.requester.ended)?.code).toBe(failureCode(reason));
  },
);

test("a drain lists the task that ran, and those that waited", async () => {
  const opened = await open({ work: ENDLESS });
  const drains = drainsOf(opened);
  for (const text of ["runs", "runs too"]) opened.requester.send(input(text));
  await expect.poll(() => opened.provider.channel.received).toBe(2);
  await opened.provider.drain("battery");
  await expect.poll(() => drains).toHaveLength(1);
  const { body } = await verified(openEnvelope(drainMessage, drains[0] ?? new Uint8Array()), verify);
  expect(body).toMatchObject({ acceptedUpTo: 2, returned: [0, 1], code: failureCode("battery") });
});

test.each<SuddenEnd>(["frozen", "closed"])(
  "a page that is %s from one moment to the next says so although it can sign nothing any more",
  async (reason) => {
    const signer = provider.signer;
    let canSign = true;
    const opened = await open({
      work: ENDLESS,
      provider: {
        signer: {
          ...signer,
          sign: (message) => (canSign ? signer.sign(message) : new Promise<never>(() => undefined)),
        },
      },
    });
    const drains = drainsOf(opened);
    const task = opened.requester.send(input("never ends"));
    await expect.poll(() => opened.provider.channel.received).toBe(1);
    canSign = false;
    const sent = bytesSentBy(opened.streams.provider);
    opened.provider.depart(reason);
    // What leaves within microtasks leaves before the page's code stops.
    // oxlint-disable-next-line no-await-in-loop -- a microtask each
    for (let turn = 0; turn < 32; turn += 1) await Promise.resolve();
    expect(sent()).toBeGreaterThan(0);
    await expect.poll(() => drains).toHaveLength(1);
    const { body } = await verified(openEnvelope(drainMessage, drains[0] ?? new Uint8Array()), verify);
    expect(body).toMatchObject({ code: failureCode(reason), lease: opened.order.lease.id, returned: [] });
    await expect(task.answer).rejects.toMatchObject({ code: failureCode(reason) });
  },
);

test("what was signed for before a page was frozen is countersigned and paid; nothing is signed for afterwards", async () => {
  const opened = await open();
  const task = opened.requester.send(input("done"));
  await task.final;
  const before = opened.provider.channel.count;
  opened.provider.depart("frozen");
  expect((await opened.requester.ended)?.code).toBe(failureCode("frozen"));
  expect(opened.requester.channel.report()?.body).toMatchObject({ count: 1, payable: 1 });
  await expect.poll(() => opened.saved.at(-1)?.count).toBe(1);
  expect(opened.provider.channel.claim(0)).toBeUndefined();
  expect(opened.provider.channel.count).toBe(before);
});

test("a disk that does not answer holds up no drain, and what it does not keep is not signed for", async () => {
  const shelf = memoryHoldings();
  let isStuck = false;
  const opened = await open({
    provider: {
      hold: ({ lease }) =>
        new HeldLease(
          {
            lease: lease.id,
            origin: "localhost/test",
            job: lease.body.job,
            holdBytes: 1 << 20,
            until: Infinity,
          },
          {
            shelf: {
              ...shelf,
              write: (change) => (isStuck ? new Promise<never>(() => undefined) : shelf.write(change)),
            },
            memory: new HeldMemory(),
          },
        ),
    },
  });
  await opened.requester.send(input("kept")).final;
  isStuck = true;
  const lost = opened.requester.send(input("not kept"));
  await lost.answer;
  await opened.provider.drain("draining");
  expect((await opened.requester.ended)?.code).toBe(failureCode("draining"));
  await expect(lost.final).rejects.toMatchObject({ code: failureCode("draining") });
  expect(opened.requester.channel.report()?.body.count).toBe(1);
});

test("one task that another provider has done ends here, for its start fee, and the lease goes on", async () => {
  const opened = await open({ work: ENDLESS });
  const [ended, goesOn] = ["done elsewhere", "goes on"].map((text) => opened.requester.send(input(text)));
  await expect.poll(() => opened.provider.channel.received).toBe(2);
  await opened.requester.stop(0);
  expect(await ended?.answer).toMatchObject({ kind: "failed", code: failureCode("cancelled") });
  await ended?.final;
  expect(opened.provider.channel.unanswered).toBe(1);
  await opened.requester.stop(1);
  await goesOn?.final;
  await opened.requester.close();
  const report = opened.requester.channel.report()?.body;
  expect(report).toMatchObject({ count: 2, payable: 0, cancelled: 2, final: true });
  expect(report?.amount).toBe(2n * opened.order.lease.body.startFee);
});

test("a stop that comes too late changes nothing", async () => {
  const opened = await open();
  const task = opened.requester.send(input("done"));
  await task.final;
  await opened.requester.stop(0);
  await opened.requester.stop(77);
  await opened.requester.send(input("next")).final;
  await opened.requester.close();
  expect(opened.requester.channel.report()?.body).toMatchObject({ count: 2, payable: 2, final: true });
});

test("a stop that the requester has not signed ends the lease", async () => {
  const opened = await open({ work: ENDLESS });
  opened.requester.send(input("never ends"));
  const { lease } = opened.order;
  const stop = { ...header(lease.body.origin, lease.body.asset), lease: lease.id, seq: 0, atUnit: 0 };
  opened.provider.frame(FRAME.stop, await seal(stopMessage, stop, [provider.signer]));
  expect((await opened.provider.ended)?.code).toBe(failureCode("bad-signature"));
});
