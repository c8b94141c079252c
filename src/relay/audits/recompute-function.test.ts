import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type Cid, cidFromDigest, cidOf, DAG_CBOR, RAW } from "../../protocol/cid.ts";
import { encodeJobArgs, type Job, type JobArgs } from "../../protocol/messages/job.ts";
import type { OutcomeLeaf, Task } from "../../protocol/messages/task.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import { fuel } from "../../protocol/units.ts";
import { createSandbox } from "../../sandbox/sandbox.ts";
import { bytesModule, wasiModule, wat } from "../../sandbox/wat.contract.ts";
import { BlobFolder } from "../blob-folder.ts";
import { jobBody, openScene } from "../books/books-scene.contract.ts";
import { MOST_CONTENT_BYTES } from "./limits.ts";
import type { Recomputation, Recomputed } from "./recompute.ts";
import { FunctionRecomputer } from "./recompute-function.ts";
import { ContentMissing, ContentTooLarge, WorkContent } from "./work-content.ts";

const folder = mkdtempSync(join(tmpdir(), "recompute-function-"));
const blobs = await BlobFolder.open(folder, 100_000_000, Date.now);
const content = new WorkContent(blobs);
const recomputer = new FunctionRecomputer(content, 1);
const scene = await openScene();
const LEASE: Cid = cidOf(RAW, encodeUtf8("a lease"));
const SEED = new Uint8Array(32).fill(3);
const MIB = 1024 * 1024;
afterAll(async () => {
  await recomputer.stop();
  scene.books.close();
  rmSync(folder, { recursive: true, force: true });
});

async function put(cid: Cid, bytes: Uint8Array): Promise<void> {
  await blobs.put(cid, new Blob([new Uint8Array(bytes)]).stream());
}

interface Work {
  readonly source: string;
  readonly abi: "bytes-1" | "wasi-p1";
  readonly input?: string;
  readonly args?: Partial<JobArgs>;
  readonly files?: readonly { readonly path: string; readonly bytes: Uint8Array }[];
  readonly limits?: Partial<Job["limits"]>;
  readonly deadlineMs?: number;
}

interface Both {
  readonly recomputation: Recomputation;
  /** What a tab claims, by the sandbox of this thread. */
  readonly claimed: OutcomeLeaf;
}

/** Puts everything at the relay, and computes it as a tab does. */
async function both({
  source,
  abi,
  input = "",
  args = {},
  files = [],
  limits = {},
  deadlineMs = 20_000,
}: Work): Promise<Both> {
  const module = await wat(source);
  const cid = cidOf(RAW, module);
  await put(cid, module);
  const named = files.map(({ path, bytes }) => ({ path, cid: cidOf(RAW, bytes), size: bytes.length }));
  for (const [place, { bytes }] of files.entries())
    // oxlint-disable-next-line no-await-in-loop
    await put(named[place]!.cid, bytes);
  const jobArgs: JobArgs = { args: [], env: [], files: named, ...args };
  const encoded = encodeJobArgs(jobArgs);
  await put(cidOf(DAG_CBOR, encoded), encoded);
  const bytes = encodeUtf8(input);
  const bounds = { fuel: fuel(10_000_000), memory: 4 * MIB, output: MIB, deadlineMs: 20_000, ...limits };
  const entry = abi === "bytes-1" ? "tabmesh_run" : "_start";
  const task: Task = {
    lease: LEASE,
    seq: 0,
    inputCid: cidOf(RAW, bytes),
    size: bytes.length,
    salt: new Uint8Array(16),
    seed: SEED,
    fuelLimit: bounds.fuel,
    deadlineMs: bounds.deadlineMs,
    stream: false,
  };
  const sandbox = createSandbox();
  await sandbox.load(cid, module);
  const result = await sandbox.run({
    function: { cid, abi, entry },
    args: {
      args: jobArgs.args,
      env: Object.fromEntries(jobArgs.env.map(({ name, value }) => [name, value])),
      files,
      ...(jobArgs.inputFile === undefined ? {} : { inputFile: jobArgs.inputFile }),
      ...(jobArgs.outputFile === undefined ? {} : { outputFile: jobArgs.outputFile }),
    },
    input: bytes.slice(),
    seed: SEED,
    limits: { fuel: bounds.fuel, memoryBytes: bounds.memory, outputBytes: bounds.output },
  });
  const claimed: OutcomeLeaf = {
    lease: LEASE,
    seq: 0,
    segment: 0,
    from: 0,
    to: 0,
    inputCid: task.inputCid,
    salt: task.salt,
    status: result.kind,
    ...(result.kind === "done"
      ? { outputCid: cidFromDigest(RAW, result.outputSha256), size: result.output.length }
      : { code: result.code, size: 0 }),
    fuel: fuel(result.fuel),
    end: true,
  };
  const job = jobBody(scene, {
    work: { kind: "function", cid, entry, abi, profile: 1, effects: [] },
    argsCid: cidOf(DAG_CBOR, encoded),
    limits: bounds,
  });
  return { recomputation: { job, lease: LEASE, task, claimed, input: bytes, deadlineMs }, claimed };
}

function expectedOf(recomputed: Recomputed): OutcomeLeaf {
  if (recomputed.kind === "unknown") throw new Error(recomputed.why);
  return recomputed.expected;
}

/** Writes its input from `in.txt`, then 8 random bytes, then the clock, to standard output. */
const READS_ALL = wasiModule(
  `(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
   (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
   (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
   (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
   (import "wasi_snapshot_preview1" "environ_get" (func $environ (param i32 i32) (result i32)))`,
  `i32.const 1000 i32.const 8 call $random drop
   i32.const 0 i64.const 1 i32.const 1008 call $clock drop
   i32.const 2000 i32.const 1016 call $args drop
   i32.const 3000 i32.const 1100 call $environ drop
   i32.const 0 i32.const 1000 i32.store i32.const 4 i32.const 200 i32.store
   i32.const 1 i32.const 0 i32.const 1 i32.const 8 call $write drop`,
);

const ENDLESS = bytesModule("(loop $l br $l) i64.const 0");
const ECHO = bytesModule(
  "local.get $in i64.extend_i32_u i64.const 32 i64.shl local.get $len i64.extend_i32_u i64.or",
);

describe("functions that a relay computes again", () => {
  it.each<[string, Work]>([
    ["an echo", { source: ECHO, abi: "bytes-1", input: "hello" }],
    ["nothing", { source: ECHO, abi: "bytes-1" }],
    [
      "arguments, environment, randomness and clock",
      {
        source: READS_ALL,
        abi: "wasi-p1",
        input: "in",
        args: { args: ["one", "{input}"], env: [{ name: "A", value: "b" }] },
      },
    ],
    [
      "files and an input file",
      {
        source: READS_ALL,
        abi: "wasi-p1",
        input: "in",
        files: [{ path: "data/f.txt", bytes: encodeUtf8("a file") }],
        args: { inputFile: "in.txt", outputFile: "out.txt" },
      },
    ],
    ["a task out of fuel", { source: ENDLESS, abi: "bytes-1", limits: { fuel: fuel(12_345) } }],
    ["a division by zero", { source: bytesModule("i64.const 1 i64.const 0 i64.div_u"), abi: "bytes-1" }],
    ["more output than it may have", { source: ECHO, abi: "bytes-1", input: "hello", limits: { output: 4 } }],
    [
      "an exit code",
      {
        source: wasiModule(
          `(import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))`,
          "i32.const 3 call 0",
        ),
        abi: "wasi-p1",
      },
    ],
    ["a function without its export", { source: '(module (memory (export "memory") 1))', abi: "bytes-1" }],
  ])("%s has the leaf that a tab claims", async (_what, work) => {
    const { recomputation, claimed } = await both(work);
    expect(expectedOf(await recomputer.recompute(recomputation))).toEqual(claimed);
  });

  it("in their time or not at all: what takes too long is unknown, not false", async () => {
    const { recomputation } = await both({ source: ECHO, abi: "bytes-1", input: "x" });
    const endless = await both({ source: ENDLESS, abi: "bytes-1", limits: { fuel: fuel(1_000) } });
    const late = {
      ...endless.recomputation,
      task: { ...endless.recomputation.task, fuelLimit: fuel(1n << 62n) },
      deadlineMs: 500,
    };
    expect(await recomputer.recompute(late)).toMatchObject({
      kind: "unknown",
      why: expect.stringMatching(/^deadline/u),
    });
    expect((await recomputer.recompute(recomputation)).kind).toBe("known");
  });

  it("within the memory that audits may have of the machine", async () => {
    const { recomputation } = await both({ source: ECHO, abi: "bytes-1", limits: { memory: 8 * MIB } });
    const small = new FunctionRecomputer(content, 2, 30 * MIB);
    expect(await small.recompute(recomputation)).toMatchObject({
      kind: "unknown",
      why: expect.stringMatching(/more than audits may have/u),
    });
    await small.stop();
  });

  it("with everything they need, or they say what is missing or too much", async () => {
    const { recomputation } = await both({ source: ECHO, abi: "bytes-1" });
    const file = { path: "f", cid: cidOf(RAW, encodeUtf8("not here")), size: 8 };
    const other = encodeJobArgs({ args: [], env: [], files: [file] });
    const lacking = { ...recomputation, job: { ...recomputation.job, argsCid: cidOf(DAG_CBOR, other) } };
    await expect(recomputer.recompute(lacking)).rejects.toBeInstanceOf(ContentMissing);
    await put(cidOf(DAG_CBOR, other), other);
    await expect(recomputer.recompute(lacking)).rejects.toMatchObject({ cid: file.cid });
    const sizes = Array.from({ length: 20 }, (_, i) => ({ ...file, path: `f${i}`, size: 16 * MIB }));
    expect(20 * 16 * MIB).toBeGreaterThan(MOST_CONTENT_BYTES);
    const huge = encodeJobArgs({ args: [], env: [], files: sizes });
    await put(cidOf(DAG_CBOR, huge), huge);
    const greedy = { ...recomputation, job: { ...recomputation.job, argsCid: cidOf(DAG_CBOR, huge) } };
    await expect(recomputer.recompute(greedy)).rejects.toBeInstanceOf(ContentTooLarge);
  });

  it("from bytes that are hashed again: a blob that rotted on the disk is missing", async () => {
    const { recomputation } = await both({
      source: bytesModule("i64.const 0", "(global i32 (i32.const 7))"),
      abi: "bytes-1",
    });
    const { writeFile } = await import("node:fs/promises");
    await writeFile(join(folder, recomputation.job.work.cid), "rotten");
    await expect(recomputer.recompute(recomputation)).rejects.toBeInstanceOf(ContentMissing);
  });
});
