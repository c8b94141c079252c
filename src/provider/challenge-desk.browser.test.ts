import { afterEach, expect, it } from "vitest";
import { createModelHost } from "../inference/host/create-model-host.ts";
import { Probe } from "../inference/measure/probe.ts";
import { createWasmBackend } from "../inference/wasm/wasm-backend.ts";
import {
  burnFunction,
  burnInput,
  challengeDigest,
  upstreamBytes,
  upstreamOutput,
} from "../protocol/challenge/challenge-work.ts";
import { header } from "../protocol/header.ts";
import type { Challenge } from "../protocol/messages/capability.ts";
import { peerIdFromKey } from "../protocol/peer-id.ts";
import { concatBytes, equalBytes } from "../protocol/bytes.ts";
import { createSandbox } from "../sandbox/sandbox.ts";
import { requestFor } from "../sandbox/wat.contract.ts";
import { ChallengeDesk, type ChallengeDeskOptions } from "./challenge-desk.ts";
import { ThreadStarter } from "./thread-starter.ts";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A desk with this browser's real threads. */
function open(changes: Partial<ChallengeDeskOptions> = {}): ChallengeDesk {
  const starter = new ThreadStarter({ frame: "/sandbox.html", script: "/workers/sandbox.worker.ts" });
  const host = createModelHost();
  const desk = new ChallengeDesk({
    startThread: () => starter.start(),
    threads: () => 2,
    memory: () => 64 * 1024 * 1024,
    kernels: { measure: (task) => host.measure(task), stopMeasuring: () => void host.stop() },
    isIdle: () => true,
    ...changes,
  });
  closing.push(() => {
    desk.close();
    starter.close();
    void host.close();
  });
  return desk;
}

const seeds = [1, 2].map((byte) => new Uint8Array(32).fill(byte));
const nonce = new Uint8Array(16).fill(9);

function challengeOf(property: Challenge["property"], amount: number, lanes = 1): Challenge {
  const instance = peerIdFromKey(new Uint8Array(32).fill(7));
  return {
    ...header("relay.example/log", "test:relay.example/log"),
    instance,
    nonce,
    property,
    amount,
    seeds: seeds.slice(0, lanes),
  };
}

const nothing = (): Promise<void> => Promise.resolve();

/** What the function says, in the window's own sandbox. */
async function outputsOf(entry: string, amount: number, lanes: number): Promise<readonly Uint8Array[]> {
  const sandbox = createSandbox();
  const { cid, module } = burnFunction();
  await sandbox.load(cid, module);
  const outputs: Uint8Array[] = [];
  for (const seed of seeds.slice(0, lanes)) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const result = await sandbox.run(
      requestFor("bytes-1", {
        function: { cid, abi: "bytes-1", entry },
        input: burnInput(seed, amount),
        limits: { fuel: 10n ** 12n, memoryBytes: 2 ** 28, outputBytes: 32 },
      }),
    );
    if (result.kind === "failed") throw new Error(result.detail);
    outputs.push(result.output);
  }
  return outputs;
}

it("one thread, all threads and memory answer what the function says", async () => {
  const desk = open();
  for (const [property, entry, amount, lanes] of [
    ["fuel", "burn", 10_000, 1],
    ["fuel-all", "burn", 10_000, 2],
    ["memory", "fill", 4, 1],
  ] as const) {
    // oxlint-disable-next-line no-await-in-loop -- one challenge at a time
    const { digest, declined } = await desk.compute(challengeOf(property, amount, lanes), nothing);
    expect(declined).toBeUndefined();
    // oxlint-disable-next-line no-await-in-loop
    expect(digest).toEqual(challengeDigest(nonce, await outputsOf(entry, amount, lanes)));
  }
  const claimed = desk.claims.map(({ property }) => property);
  expect(claimed.toSorted()).toEqual(["fuel", "fuel-all", "memory"]);
});

it("kernels answer what the backend says, and no card answers for one that is not open", async () => {
  const desk = open();
  const probe = new Probe();
  const output = await probe.run(createWasmBackend(), "wasm-row", { seed: seeds[0]!, passes: 3 });
  probe.close();
  expect(await desk.compute(challengeOf("wasm-row", 3), nothing)).toEqual({
    digest: challengeDigest(nonce, [output]),
  });
  expect(await desk.compute(challengeOf("webgpu-row", 3), nothing)).toEqual({ declined: "no-device" });
});

it("bytes go upstream in small frames, and their hash is the answer", async () => {
  const sent: Uint8Array[] = [];
  const { digest } = await open().compute(challengeOf("upstream", 65_536), (bytes) => {
    sent.push(bytes.slice());
    return Promise.resolve();
  });
  expect(equalBytes(concatBytes(...sent), upstreamBytes(seeds[0]!, 65_536))).toBe(true);
  expect(sent).toHaveLength(4);
  expect(digest).toEqual(challengeDigest(nonce, [upstreamOutput(concatBytes(...sent))]));
});

it("work that comes ends a challenge at once, and the next challenge finds new threads", async () => {
  const desk = open();
  await desk.compute(challengeOf("fuel", 1_000), nothing);
  const endless = desk.compute(challengeOf("fuel", 4_000_000_000), nothing);
  await Promise.resolve();
  desk.yieldToWork();
  expect(await endless).toEqual({ declined: "busy" });
  const { digest } = await desk.compute(challengeOf("fuel", 1_000), nothing);
  expect(digest).toEqual(challengeDigest(nonce, await outputsOf("burn", 1_000, 1)));
});

it("what takes longer than a challenge may is given back, as is more than there is room or will for", async () => {
  const desk = open();
  expect(await desk.compute(challengeOf("fuel", 4_000_000_000), nothing)).toEqual({ declined: "too-long" });
  expect(await desk.compute(challengeOf("memory", 65), nothing)).toEqual({ declined: "no-memory" });
  const narrow = open({ threads: () => 1 });
  expect(await narrow.compute(challengeOf("fuel-all", 1_000, 2), nothing)).toEqual({ declined: "unwilling" });
  const busy = open({ isIdle: () => false });
  expect(await busy.compute(challengeOf("fuel", 1_000), nothing)).toEqual({ declined: "busy" });
});

it("two challenges at a time are one too many", async () => {
  const desk = open();
  const first = desk.compute(challengeOf("fuel", 1_000), nothing);
  expect(await desk.compute(challengeOf("fuel", 1_000), nothing)).toEqual({ declined: "busy" });
  expect(await first).toMatchObject({ digest: expect.any(Uint8Array) });
});
