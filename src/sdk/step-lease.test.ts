import { afterEach, describe, expect, test } from "vitest";
import wabtInit from "wabt";
import { circuitAddress } from "../mesh/mesh-address.ts";
import { fetchBlob } from "../mesh/blob-exchange.ts";
import { createMemoryNetwork, type MemoryNetwork } from "../mesh/memory-mesh.ts";
import type { Mesh } from "../mesh/mesh.ts";
import { exchangeRun } from "../mesh/run-exchange.ts";
import { concatBytes, u32be } from "../protocol/bytes.ts";
import { type Cid, cidOf, DAG_CBOR, RAW } from "../protocol/cid.ts";
import { verifierOf } from "../protocol/ed25519.ts";
import { openEnvelope, seal } from "../protocol/envelope.ts";
import { header } from "../protocol/header.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { runAccessMessage, type Step, stepMessage } from "../protocol/messages/run.ts";
import type { TaskStep } from "../protocol/messages/task.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import { type SessionIdentity, startSessionIdentity } from "../protocol/session-identity.ts";
import { FRAME, splitSeq } from "../protocol/work-frame.ts";
import { RunDesk } from "../provider/run-desk.ts";
import { ASSET, type LeasePair, leasePair, ORIGIN, type PairOptions, seed } from "./lease-pair.contract.ts";
import type { SentTask, TaskAnswer } from "./task-answers.ts";

const wabt = await wabtInit();

/** Returns its input, and aborts where it begins with "x". */
const ECHO = new Uint8Array(
  wabt
    .parseWat(
      "echo.wat",
      `(module (memory (export "memory") 64 128)
  (func (export "tabmesh_alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "tabmesh_run") (param i32 i32) (result i64)
    (if (i32.eq (i32.load8_u (i32.const 1024)) (i32.const 120)) (then (unreachable)))
    (i64.or (i64.shl (i64.extend_i32_u (local.get 0)) (i64.const 32)) (i64.extend_i32_u (local.get 1)))))`,
    )
    .toBinary({}).buffer,
);

const RUN: Cid = cidOf(DAG_CBOR, Uint8Array.of(1));
const PARENT: Cid = cidOf(DAG_CBOR, Uint8Array.of(2));
const RELAY = "/memory/p2p/relay";
const verify = verifierOf(crypto.subtle);

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** The provider of a pair, on a network with other peers of its run. */
interface Scene {
  readonly pair: LeasePair;
  readonly network: MemoryNetwork;
  readonly desk: RunDesk;
  readonly them: SessionIdentity;
}

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

interface Peer {
  readonly mesh: Mesh;
  readonly key: PeerId;
  readonly identity: SessionIdentity;
}

/** @param fill of the seed of its root; that of its session is another than the pair's own have */
async function peer(network: MemoryNetwork, fill: number): Promise<Peer> {
  const seeds = { root: seed(fill), session: seed(fill + 50) };
  const identity = await startSessionIdentity(crypto.subtle, seeds, Date.now());
  const mesh = network.join(identity.signer.key);
  await mesh.start();
  stops.push(() => void mesh.stop());
  return { mesh, key: identity.signer.key, identity };
}

async function open(options: Partial<PairOptions> = {}): Promise<Scene> {
  const network = createMemoryNetwork();
  const them = await startSessionIdentity(crypto.subtle, { root: seed(4), session: seed(5) }, Date.now());
  const mesh = network.join(them.signer.key);
  await mesh.start();
  const desk = new RunDesk({
    mesh,
    relay: RELAY,
    signer: them.signer,
    verify,
    relayRuns: COORDINATED,
    now: () => Date.now(),
  });
  desk.serve();
  const pair = await leasePair({
    module: ECHO,
    ...options,
    job: { run: { id: RUN, node: "echo", turn: 0 }, ...options.job },
    provider: { runs: desk, ...options.provider },
  });
  stops.push(() => {
    pair.stop();
    void mesh.stop();
  });
  return { pair, network, desk, them };
}

/** The identity that the pair's requester has coordinates the run, and nobody else. */
const COORDINATED = {
  async run() {
    const { root } = await startSessionIdentity(
      crypto.subtle,
      { root: seed(2), session: seed(3) },
      Date.now(),
    );
    return { coordinators: [{ peer: root }] } as never;
  },
};

/** @param to whom it is shown */
function accessOf({ identity }: Peer, to: SessionIdentity, run: Cid = RUN): Promise<Uint8Array> {
  const body = { ...header(ORIGIN, ASSET), run, audience: to.signer.key, issuedAt: Date.now() };
  return seal(runAccessMessage, body, [identity.signer]);
}

function stepOf(iteration: string, more: Partial<TaskStep> = {}): TaskStep {
  return { iteration, attempt: 0, parents: [PARENT], from: [], hold: false, ...more };
}

function send(
  { requester }: LeasePair,
  input: Uint8Array,
  step: TaskStep,
  isElsewhere: boolean = false,
): SentTask {
  const bytes = isElsewhere ? new Uint8Array() : input;
  return requester.send({ bytes, size: input.length, cid: cidOf(RAW, input), seed: seed(8), step });
}

function bodyOf(answer: TaskAnswer): Step | undefined {
  return answer.step === undefined ? undefined : openEnvelope(stepMessage, answer.step.envelope).body;
}

describe("a step under a lease", () => {
  test("is signed by its provider: run, node, place, input, value, and what it follows from", async () => {
    const { pair, them } = await open();
    const input = bytesOf("abc");
    const { answer, final } = send(pair, input, stepOf("3.1", { attempt: 2 }));
    const told = await answer;
    await final;
    expect(bodyOf(told)).toEqual({
      run: RUN,
      node: "echo",
      iteration: "3.1",
      attempt: 2,
      status: "done",
      args: cidOf(RAW, input),
      result: cidOf(RAW, input),
      size: 3,
      callee: cidOf(RAW, ECHO),
      profile: 1,
      fuel: told.outcome.fuel,
      parents: [PARENT],
      lease: pair.order.lease.id,
      seq: 0,
    });
    expect(openEnvelope(stepMessage, told.step?.envelope ?? new Uint8Array()).signedBy[0]?.key).toBe(
      them.signer.key,
    );
  });

  test("that fails by itself is signed as that, with its code", async () => {
    const { pair } = await open();
    const told = await send(pair, bytesOf("x"), stepOf("")).answer;
    expect(bodyOf(told)).toMatchObject({ status: "failed", code: failureCode("trap-unreachable") });
  });

  test.each<[string, (step: Step) => Step]>([
    ["of another run", (step) => ({ ...step, run: PARENT })],
    ["of another node", (step) => ({ ...step, node: "other" })],
    ["of another place", (step) => ({ ...step, iteration: "9" })],
    ["of another attempt", (step) => ({ ...step, attempt: 7 })],
    ["of another input", (step) => ({ ...step, args: PARENT })],
    ["of another function", (step) => ({ ...step, callee: PARENT })],
    ["with another value", (step) => ({ ...step, result: PARENT })],
    ["with less behind it", (step) => ({ ...step, parents: [] })],
  ])("%s ends the session, and nothing is paid for it", async (_, forge) => {
    const { pair, them } = await open();
    const steps: Uint8Array[] = [];
    pair.fromProvider = (kind, payload) => {
      if (kind !== FRAME.step) return payload;
      const [seq] = splitSeq(payload);
      return concatBytes(u32be(seq), steps[0] ?? payload.subarray(4));
    };
    // What the provider would have signed, changed and signed by itself again.
    const input = bytesOf("abc");
    const honest: Step = {
      run: RUN,
      node: "echo",
      iteration: "",
      attempt: 0,
      status: "done",
      args: cidOf(RAW, input),
      result: cidOf(RAW, input),
      size: 3,
      callee: cidOf(RAW, ECHO),
      profile: 1,
      fuel: (await send((await open()).pair, input, stepOf("")).answer).outcome.fuel,
      parents: [PARENT],
      lease: pair.order.lease.id,
      seq: 0,
    };
    steps.push(await seal(stepMessage, forge(honest), [them.signer]));
    const { answer } = send(pair, input, stepOf(""));
    await expect(answer).rejects.toMatchObject({ code: failureCode("bad-receipt") });
    await pair.requester.ended;
    expect(pair.requester.channel.report()).toBeUndefined();
  });

  test("signed by somebody else ends the session", async () => {
    const { pair } = await open();
    const stranger = await startSessionIdentity(
      crypto.subtle,
      { root: seed(40), session: seed(41) },
      Date.now(),
    );
    const input = bytesOf("abc");
    const told = await send((await open()).pair, input, stepOf("")).answer;
    const body = bodyOf(told);
    const bytes = body === undefined ? new Uint8Array() : await seal(stepMessage, body, [stranger.signer]);
    pair.fromProvider = (kind, payload) =>
      kind === FRAME.step ? concatBytes(payload.slice(0, 4), bytes) : payload;
    await expect(send(pair, input, stepOf("")).answer).rejects.toMatchObject({
      code: failureCode("bad-receipt"),
    });
  });

  test("without which an outcome comes ends the session", async () => {
    const { pair } = await open();
    pair.fromProvider = (kind, payload) => (kind === FRAME.step ? undefined : payload);
    await expect(send(pair, bytesOf("abc"), stepOf("")).answer).rejects.toMatchObject({
      code: failureCode("bad-receipt"),
      detail: expect.stringContaining("none came"),
    });
  });

  test("that is asked for again is signed as it was the first time", async () => {
    const { pair, desk, network, them } = await open();
    const first = await send(pair, bytesOf("abc"), stepOf("1")).answer;
    const again = await desk.finish({
      step: { ...(bodyOf(first) ?? ({} as never)), fuel: 1n as never },
      until: Date.now() + 1_000,
    });
    expect(again).toEqual(first.step?.envelope);
    const other = await peer(network, 2);
    const access = await accessOf(other, them);
    const signal = AbortSignal.timeout(5_000);
    const read = await exchangeRun(
      other.mesh,
      circuitAddress(RELAY, them.signer.key),
      { run: RUN, access, from: 0, news: [] },
      signal,
    );
    expect(read).toEqual([first.step?.envelope]);
  });
});

describe("the receipts of a run", () => {
  test("are shown to who coordinates it and to nobody else, whatever access they show", async () => {
    const { pair, network, them } = await open();
    await send(pair, bytesOf("abc"), stepOf("1")).answer;
    const address = circuitAddress(RELAY, them.signer.key);
    const [coordinator, stranger] = await Promise.all([peer(network, 2), peer(network, 60)]);
    const ask = (who: Peer, access: Uint8Array): Promise<unknown> =>
      exchangeRun(who.mesh, address, { run: RUN, access, from: 0, news: [] }, AbortSignal.timeout(5_000));
    await expect(ask(coordinator, await accessOf(coordinator, them))).resolves.toHaveLength(1);
    await expect(ask(stranger, await accessOf(stranger, them))).rejects.toMatchObject({
      code: failureCode("disconnected"),
    });
    await expect(ask(stranger, await accessOf(coordinator, them))).rejects.toMatchObject({
      code: failureCode("disconnected"),
    });
    await expect(ask(coordinator, await accessOf(coordinator, them, PARENT))).rejects.toMatchObject({
      code: failureCode("disconnected"),
    });
    // Signed for another peer of the run, as what a relay is shown is signed for the relay.
    await expect(ask(coordinator, await accessOf(coordinator, stranger.identity))).rejects.toMatchObject({
      code: failureCode("disconnected"),
    });
  });

  test("are sent from where the asker was, and those it brings are kept when they are signed", async () => {
    const { pair, network, them } = await open();
    const first = await send(pair, bytesOf("abc"), stepOf("1")).answer;
    await send(pair, bytesOf("abd"), stepOf("2")).answer;
    const coordinator = await peer(network, 2);
    const access = await accessOf(coordinator, them);
    const ask = (from: number, news: readonly Uint8Array[]): Promise<readonly Uint8Array[]> =>
      exchangeRun(
        coordinator.mesh,
        circuitAddress(RELAY, them.signer.key),
        { run: RUN, access, from, news },
        AbortSignal.timeout(5_000),
      );
    const body = bodyOf(first);
    if (body === undefined) throw new Error("nothing was signed");
    const news = await seal(stepMessage, { ...body, node: "other" }, [coordinator.identity.signer]);
    expect(await ask(1, [])).toHaveLength(1);
    expect(await ask(2, [news])).toEqual([news]);
    expect(await ask(0, [news])).toHaveLength(3);
    // Signed for node "other", shown for node "othes".
    const at = news.findIndex(
      (byte, i) => byte === 114 && new TextDecoder().decode(news.subarray(i - 4, i + 1)) === "other",
    );
    const forged = news.map((byte, i) => (i === at ? byte + 1 : byte));
    await expect(ask(0, [forged])).rejects.toMatchObject({ code: failureCode("disconnected") });
  });
});

describe("the value of a step", () => {
  const LARGE = new Uint8Array(20_000).fill(7);

  test("stays at its provider, gives nothing to sign for until somebody has it, and is then paid", async () => {
    const { pair, network, them } = await open();
    const { answer, final } = send(pair, LARGE, stepOf("", { hold: true }));
    const told = await answer;
    if (told.kind !== "done" || told.held === undefined) throw new Error("the value came along");
    expect(told.output).toHaveLength(0);
    let isFinal = false;
    void final.then(() => (isFinal = true));
    await send(pair, bytesOf("next"), stepOf("1")).answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(isFinal).toBe(false);
    const other = await peer(network, 20);
    const cid = cidOf(RAW, LARGE);
    const bytes = await fetchBlob(
      other.mesh,
      circuitAddress(RELAY, them.signer.key),
      cid,
      AbortSignal.timeout(5_000),
    );
    expect(bytes).toEqual(LARGE);
    told.held.taken();
    await final;
  });

  test("that its provider does not give costs it the lease", async () => {
    const { pair } = await open();
    const told = await send(pair, LARGE, stepOf("", { hold: true })).answer;
    if (told.kind === "done") told.held?.refused("nobody could fetch it");
    const ended = await pair.requester.ended;
    expect(ended?.code).toBe(failureCode("content-mismatch"));
    expect(pair.requester.channel.report()).toBeUndefined();
  });

  test("that is small comes along although it may stay", async () => {
    const { pair } = await open();
    const told = await send(pair, bytesOf("abc"), stepOf("", { hold: true })).answer;
    expect(told).toMatchObject({ kind: "done", output: bytesOf("abc") });
  });

  test("is fetched from the peer that holds it, and no byte of it comes from the requester", async () => {
    const { pair, network } = await open();
    const holder = await peer(network, 20);
    const theirs = new RunDesk({
      mesh: holder.mesh,
      relay: RELAY,
      signer: (await startSessionIdentity(crypto.subtle, { root: seed(20), session: seed(21) }, Date.now()))
        .signer,
      verify,
      relayRuns: COORDINATED,
      now: () => Date.now(),
    });
    theirs.serve();
    theirs.keep(cidOf(RAW, LARGE), LARGE, Date.now() + 60_000);
    let sent = 0;
    pair.fromRequester = (kind, payload) => {
      if (kind === FRAME.task || kind === FRAME.taskData) sent += payload.length;
      return payload;
    };
    const { answer, final } = send(pair, LARGE, stepOf("", { from: [holder.key] }), true);
    expect(await answer).toMatchObject({ kind: "done", output: LARGE });
    await final;
    expect(sent).toBeLessThan(1_000);
  });

  test("that nobody gives is told, naming who was asked; the next step is not held up by it", async () => {
    const { pair, network } = await open();
    const empty = await peer(network, 20);
    const lost = send(pair, LARGE, stepOf("0", { from: [empty.key] }), true);
    const next = send(pair, bytesOf("abc"), stepOf("1"));
    expect(await next.answer).toMatchObject({ kind: "done" });
    const told = await lost.answer;
    expect(told).toMatchObject({ kind: "failed", code: failureCode("function-unavailable") });
    expect(told.kind === "failed" ? told.detail : "").toContain(empty.key);
    expect(told.step).toBeUndefined();
  });

  test("of other bytes than its CID says is not worked with", async () => {
    const { pair, network } = await open();
    const liar = await peer(network, 20);
    const theirs = new RunDesk({
      mesh: liar.mesh,
      relay: RELAY,
      signer: (await startSessionIdentity(crypto.subtle, { root: seed(20), session: seed(21) }, Date.now()))
        .signer,
      verify,
      relayRuns: COORDINATED,
      now: () => Date.now(),
    });
    theirs.serve();
    theirs.keep(
      cidOf(RAW, LARGE),
      LARGE.map((byte) => byte ^ 1),
      Date.now() + 60_000,
    );
    const told = await send(pair, LARGE, stepOf("", { from: [liar.key] }), true).answer;
    expect(told).toMatchObject({ kind: "failed", code: failureCode("function-unavailable") });
  });
});

test("a task that is no step is refused where its job belongs to a run, and a step where it does not", async () => {
  const { pair } = await open();
  const input = bytesOf("abc");
  const { answer } = pair.requester.send({ bytes: input, cid: cidOf(RAW, input), seed: seed(8) });
  await expect(answer).rejects.toMatchObject({ code: failureCode("malformed") });
});
