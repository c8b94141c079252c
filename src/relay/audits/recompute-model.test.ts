import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createModelHost } from "../../inference/host/create-model-host.ts";
import type { HostPart, HostTask } from "../../inference/host/model-host.ts";
import {
  encoderModel,
  runWhole,
  taskOf,
  type TestModel,
  type Whole,
  writerModel,
} from "../../inference/host/models.contract.ts";
import { type Cid, cidFromDigest, cidOf, RAW } from "../../protocol/cid.ts";
import { embedInputSchema, encodeModelData } from "../../protocol/messages/model-task.ts";
import type { OutcomeLeaf, Task } from "../../protocol/messages/task.ts";
import { chunkCid, chunkCount, chunkRange, encodeManifest } from "../../protocol/model-manifest.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import { fuel } from "../../protocol/units.ts";
import { BlobFolder } from "../blob-folder.ts";
import { jobBody, openScene } from "../books/books-scene.contract.ts";
import type { Recomputation, Recomputed } from "./recompute.ts";
import { ModelRecomputer } from "./recompute-model.ts";
import { ContentMissing, WorkContent } from "./work-content.ts";

const folder = mkdtempSync(join(tmpdir(), "recompute-model-"));
const blobs = await BlobFolder.open(folder, 100_000_000, Date.now);
const recomputer = new ModelRecomputer(new WorkContent(blobs));
const scene = await openScene();
const LEASE: Cid = cidOf(RAW, encodeUtf8("a lease"));
afterAll(async () => {
  await recomputer.stop();
  scene.books.close();
  rmSync(folder, { recursive: true, force: true });
});

async function put(cid: Cid, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  await blobs.put(cid, new Blob([bytes]).stream());
}

async function share({ cid, manifest, file }: TestModel): Promise<void> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  for (let index = 0; index < chunkCount(manifest); index += 1) {
    const { from, to } = chunkRange(manifest, index);
    // oxlint-disable-next-line no-await-in-loop
    await put(chunkCid(manifest, index), bytes.slice(from, to));
  }
  await put(cid, encodeManifest(manifest));
}

/** The leaves of what a tab has told of a task, part by part. */
function leavesOf(task: Task, { parts, result }: Pick<Whole, "parts" | "result">): OutcomeLeaf[] {
  const isStream = task.stream;
  let from = 0;
  const leaves = parts.map((part: HostPart, segment): OutcomeLeaf => {
    const leaf: OutcomeLeaf = {
      lease: LEASE,
      seq: 0,
      segment,
      from,
      to: part.to,
      inputCid: task.inputCid,
      salt: task.salt,
      status: "done",
      outputCid: cidFromDigest(RAW, part.outputSha256),
      size: part.output.length,
      fuel: fuel(part.fuel),
      stateHash: part.stateHash,
      end: !isStream || (result.kind === "done" && segment === parts.length - 1),
    };
    from = part.to;
    return leaf;
  });
  if (result.kind === "failed")
    leaves.push({
      lease: LEASE,
      seq: 0,
      segment: parts.length,
      from,
      to: from,
      inputCid: task.inputCid,
      salt: task.salt,
      status: "failed",
      code: result.code,
      size: 0,
      fuel: fuel(result.fuel),
      end: true,
    });
  return leaves;
}

function taskFor(work: HostTask, stream: boolean): Task {
  return {
    lease: LEASE,
    seq: 0,
    inputCid: cidOf(RAW, work.input),
    size: work.input.length,
    salt: new Uint8Array(16),
    seed: new Uint8Array(32),
    fuelLimit: fuel(work.fuelLimit),
    deadlineMs: 60_000,
    stream,
  };
}

function recomputationOf(
  model: TestModel,
  work: HostTask,
  claimed: OutcomeLeaf,
  deadlineMs = 60_000,
): Recomputation {
  const stream = work.entry === "generate";
  return {
    job: jobBody(scene, {
      work: { kind: "model", cid: model.cid, entry: work.entry, abi: "model-1", profile: 1, effects: [] },
      limits: { fuel: fuel(work.fuelLimit), memory: 2 ** 28, output: work.outputBytes, deadlineMs: 60_000 },
    }),
    lease: LEASE,
    task: taskFor(work, stream),
    claimed,
    input: work.input,
    deadlineMs,
  };
}

function expectedOf(recomputed: Recomputed): OutcomeLeaf {
  if (recomputed.kind === "unknown") throw new Error(recomputed.why);
  return recomputed.expected;
}

describe("texts that a relay computes again", () => {
  let model: TestModel;
  beforeAll(async () => {
    model = await writerModel();
    await share(model);
  });

  async function told(work: HostTask): Promise<OutcomeLeaf[]> {
    const host = createModelHost();
    await host.open(model.cid, model.file, { backend: "wasm" }, () => undefined);
    const whole = await runWhole(host, work);
    await host.close();
    return leavesOf(taskFor(work, true), whole);
  }

  it.each<[string, HostTask]>([
    ["up to its length", taskOf({ maxTokens: 40 })],
    ["drawn by a seed", taskOf({ maxTokens: 30, temperatureMilli: 900, topK: 20 })],
    [
      "that goes on behind what another machine has written",
      taskOf({ maxTokens: 30, written: [3, 4, 3, 4] }),
    ],
    ["out of fuel in the middle", taskOf({ maxTokens: 40 }, { fuelLimit: 400_000n })],
    ["with more output than it may have", taskOf({ maxTokens: 40 }, { outputBytes: 2_000 })],
    ["longer than the model takes in", taskOf({ text: "ab ".repeat(200) })],
  ])("%s: each segment has the leaf that a tab has claimed, whatever the cuts were", async (_what, work) => {
    const leaves = await told(work);
    expect(leaves.length).toBeGreaterThan(0);
    for (const leaf of leaves)
      // oxlint-disable-next-line no-await-in-loop -- one model, one task at a time
      expect(expectedOf(await recomputer.recompute(recomputationOf(model, work, leaf)))).toEqual(leaf);
  });

  const work = taskOf({ maxTokens: 40 });

  it.each<[string, (leaf: OutcomeLeaf) => OutcomeLeaf]>([
    ["another text", (leaf) => ({ ...leaf, outputCid: cidOf(RAW, encodeUtf8("other")) })],
    ["another state", (leaf) => ({ ...leaf, stateHash: new Uint8Array(32) })],
    ["more fuel", (leaf) => ({ ...leaf, fuel: fuel(leaf.fuel + 1n) })],
    ["an early end", (leaf) => ({ ...leaf, end: true })],
    ["a part that begins elsewhere", (leaf) => ({ ...leaf, from: leaf.from + 1 })],
    ["tokens beyond the end", (leaf) => ({ ...leaf, to: leaf.to + 1_000 })],
    ["to be the first", (leaf) => ({ ...leaf, segment: 0 })],
    [
      "a failure",
      ({ outputCid: _output, stateHash: _state, ...leaf }) => ({
        ...leaf,
        to: leaf.from,
        status: "failed",
        code: 30001,
        size: 0,
        end: true,
      }),
    ],
  ])("a segment that claims %s has another leaf", async (_what, lie) => {
    const [, second] = await told(work);
    const claimed = lie(second!);
    const expected = expectedOf(await recomputer.recompute(recomputationOf(model, work, claimed)));
    expect(expected).not.toEqual(claimed);
  });

  // A thread may answer before a process that is busy with other tests looks at its clock.
  it("that take too long are unknown, and the next one is computed", { retry: 3 }, async () => {
    const [, second] = await told(work);
    const late = await recomputer.recompute(
      recomputationOf(model, taskOf({ maxTokens: 90 }), { ...second!, to: 90 }, 0),
    );
    expect(late).toMatchObject({
      kind: "unknown",
      why: expect.stringMatching(/worker-lost: no answer within/u),
    });
    expect(expectedOf(await recomputer.recompute(recomputationOf(model, work, second!)))).toEqual(second);
  });

  it("of a model that is not here are content that is missing", async () => {
    const absent = await writerModel({ seed: 99 });
    const [first] = await told(work);
    await expect(recomputer.recompute(recomputationOf(absent, work, first!))).rejects.toBeInstanceOf(
      ContentMissing,
    );
    await put(absent.cid, encodeManifest(absent.manifest));
    await expect(recomputer.recompute(recomputationOf(absent, work, first!))).rejects.toBeInstanceOf(
      ContentMissing,
    );
  });
});

describe("vectors that a relay computes again", () => {
  it.each<[string, readonly string[], bigint]>([
    ["of texts", ["abc", "def ghi"], 10n ** 12n],
    ["out of fuel", ["abc", "def ghi"], 20_000n],
  ])("%s have the leaf that a tab has claimed", async (_what, texts, fuelLimit) => {
    const model = await encoderModel();
    await share(model);
    const input = encodeModelData(embedInputSchema, { texts });
    const work: HostTask = { entry: "embed", input, fuelLimit, outputBytes: 65_536 };
    const host = createModelHost();
    await host.open(model.cid, model.file, { backend: "wasm" }, () => undefined);
    const result = await host.run(work, () => Promise.resolve());
    const parts = result.kind === "done" ? [result.part] : [];
    await host.close();
    const [leaf] = leavesOf(taskFor(work, false), { parts, result });
    expect(expectedOf(await recomputer.recompute(recomputationOf(model, work, leaf!)))).toEqual(leaf);
    const lie = { ...leaf!, fuel: fuel(leaf!.fuel + 1n) };
    expect(expectedOf(await recomputer.recompute(recomputationOf(model, work, lie)))).not.toEqual(lie);
  });
});
