import { describe, expect, test } from "vitest";
import { type Cid, cidOf, RAW } from "../protocol/cid.ts";
import { signerFromSeed } from "../protocol/ed25519.ts";
import { openEnvelope } from "../protocol/envelope.ts";
import { jobMessage } from "../protocol/messages/job.ts";
import { priceOf } from "../protocol/tariff.ts";
import { fuel, microCredits } from "../protocol/units.ts";
import type { JobOptions } from "./job-options.ts";
import { ASSET, ORIGIN, seed, TARIFF } from "./lease-pair.contract.ts";
import { guessAbi, type MadeJob, makeJob } from "./make-job.ts";

const signer = await signerFromSeed(crypto.subtle, seed(2));
const MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

async function made(
  options: JobOptions,
  available: bigint = 1_000_000_000_000n,
  largestInput?: number,
  apiKey?: Cid,
): Promise<MadeJob> {
  const info = {
    name: "test",
    version: "1",
    origin: ORIGIN,
    asset: ASSET,
    testMoney: true,
    wireVersions: [1],
    profiles: [0],
    keys: { log: signer.key, lease: signer.key, draw: signer.key },
    tariff: TARIFF,
    policy: cidOf(RAW, MODULE),
    peer: signer.key,
    addresses: [],
    iceServers: [],
  };
  return makeJob(MODULE, options, {
    info,
    requester: signer.key,
    payer: signer.key,
    apiKey,
    signer,
    available: microCredits(available),
    largestInput,
    nowMs: 1_000,
    nonce: new Uint8Array(16),
    drawSecret: new Uint8Array(32),
  });
}

function priceOfOne({ body }: MadeJob): bigint {
  const totals = {
    payable: 1,
    cancelled: 0,
    fuel: fuel(body.limits.fuel),
    bytes: BigInt(2 * body.limits.output),
  };
  return priceOf(body.tariffMax, totals, microCredits(0));
}

describe("a job from options", () => {
  test("is signed as it is told, and its CID is that of the signed body", async () => {
    const job = await made({
      maxTasks: 3,
      args: ["-v"],
      files: [{ path: "a.txt", bytes: Uint8Array.of(1) }],
    });
    const opened = openEnvelope(jobMessage, job.envelope);
    expect(opened.id).toBe(job.id);
    expect(opened.body).toEqual(job.body);
    expect(job.blobs.has(job.body.work.cid)).toBe(true);
    expect(job.blobs.has(cidOf(RAW, Uint8Array.of(1)))).toBe(true);
  });

  test("asks for no more leases than there are tasks, or than the cap pays one task each at its limits", async () => {
    expect((await made({ maxTasks: 1 })).body.parallel).toBe(1);
    expect((await made({ maxTasks: 2 })).body.parallel).toBe(2);
    expect((await made({ maxTasks: 100 })).body.parallel).toBe(4);
    // A price that rounding leaves a fraction of: twice one task is more than two tasks in one.
    expect((await made({ maxTasks: 2, fuel: 1_500n, outputBytes: 700 }, undefined, 3)).body.parallel).toBe(2);
    const one = priceOfOne(await made({ maxTasks: 1 }));
    expect((await made({ maxTasks: 100, cap: 3n * one })).body.parallel).toBe(3);
    expect((await made({ maxTasks: 100, cap: one / 2n })).body.parallel).toBe(1);
  });

  test("caps a job at what its tasks cost at their limits and one more for each lease, and at half of what there is", async () => {
    const job = await made({ maxTasks: 7, fuel: 1_000n, outputBytes: 1024 });
    expect(job.body.parallel).toBe(4);
    expect(job.body.cap).toBe((7n + 4n) * priceOfOne(job));
    expect((await made({ maxTasks: 1_000_000 }, 10_000_000n)).body.cap).toBe(5_000_000n);
  });

  test("with replicas reckons with one more than is asked for, in money and in providers", async () => {
    const small = { fuel: 1_000n, outputBytes: 1024 };
    const job = await made({ ...small, maxTasks: 7, replicas: 2 });
    expect(job.body).toMatchObject({ maxTasks: 14, parallel: 4, verify: { k: 2 } });
    expect(job.body.cap).toBe((7n * 3n + 4n) * priceOfOne(job));
    expect((await made({ ...small, maxTasks: 1, replicas: 3, parallel: 1 })).body.parallel).toBe(4);
    expect((await made({ ...small, maxTasks: 1, replicas: 5 })).body.parallel).toBe(5);
    expect((await made({ ...small, maxTasks: 7 })).body).toMatchObject({ maxTasks: 7, verify: { k: 1 } });
  });

  test("is refused for replicas that its cap does not pay, or that no relay takes", async () => {
    const small = { fuel: 1_000n, outputBytes: 1024, maxTasks: 7 };
    const one = priceOfOne(await made(small));
    expect((await made({ ...small, replicas: 3, cap: 3n * one })).body.parallel).toBe(3);
    await expect(made({ ...small, replicas: 3, cap: 3n * one - 1n })).rejects.toThrow(
      "3 replicas at their limits cost",
    );
    for (const replicas of [0, 6, 1.5, Number.NaN])
      await expect(made({ ...small, replicas })).rejects.toThrow(RangeError);
  });

  test("under an api-key caps a job at one task where half of what the key has left is less", async () => {
    const scarce = { maxTasks: 7, fuel: 1_000n, outputBytes: 1024 };
    const one = priceOfOne(await made(scarce));
    const apiKey = cidOf(RAW, Uint8Array.of(7));
    expect((await made(scarce, one + 1n, undefined, apiKey)).body).toMatchObject({ cap: one, apiKey });
    expect((await made(scarce, one - 1n, undefined, apiKey)).body.cap).toBe(one - 1n);
    expect((await made(scarce, one + 1n)).body.cap).toBe((one + 1n) / 2n);
  });

  test("reckons with the largest input, so that a large one does not exceed the cap of its job", async () => {
    const small = await made({ maxTasks: 1, outputBytes: 1_024 }, undefined, 1_024);
    const large = await made({ maxTasks: 1, outputBytes: 1_024 }, undefined, 20 * 1024 * 1024);
    expect(large.body.cap - small.body.cap).toBe(2n * BigInt(20 * 1024 - 1) * TARIFF.perKiB);
  });

  test("takes a module that names WASI for a command", () => {
    expect(guessAbi(MODULE)).toBe("bytes-1");
    expect(guessAbi(new TextEncoder().encode("....wasi_snapshot_preview1...."))).toBe("wasi-p1");
  });

  test("is for the component interface when the module begins as a component does", () => {
    expect(guessAbi(Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0))).toBe("component-1");
    expect(guessAbi(MODULE)).toBe("bytes-1");
  });

  test("leaves the entry of a component to the component", async () => {
    const job = await made({ abi: "component-1" });
    expect(openEnvelope(jobMessage, job.envelope).body.work).toMatchObject({
      abi: "component-1",
      entry: "",
    });
  });
});
