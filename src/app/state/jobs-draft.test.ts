import { describe, expect, it } from "vitest";
import type { Workbench } from "../../provider/workbench.ts";
import { inspectModule } from "../../sandbox/inspect/inspect-module.ts";
import { createSandbox } from "../../sandbox/sandbox.ts";
import { bytesModule, text, wasiModule, wat } from "../../sandbox/wat.contract.ts";
import { JobDraft } from "./jobs-draft.ts";
import { valueOf } from "./loadable.ts";

/** The workbench of this process: the same sandbox, without a thread around it. */
function benchHere(): Workbench {
  const sandbox = createSandbox();
  return {
    async inspect(module, entry, signal) {
      const inspection = await inspectModule(module, entry);
      signal.throwIfAborted();
      return inspection;
    },
    async run({ request, module }, signal) {
      await sandbox.load(request.function.cid, new Uint8Array(module));
      const result = await sandbox.run(request);
      signal.throwIfAborted();
      return { result, tookMs: 1 };
    },
    close: () => undefined,
  };
}

const ECHO = bytesModule(
  "local.get $in i64.extend_i32_u i64.const 32 i64.shl local.get $len i64.extend_i32_u i64.or",
);

/** Writes what is in its argument's file to standard output. */
const CAT = wasiModule(
  `(import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
   (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
   (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))`,
  `(drop (call $open (i32.const 3) (i32.const 0) (i32.const 100) (i32.const 8) (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 8)))
   (i32.store (i32.const 16) (i32.const 1000)) (i32.store (i32.const 20) (i32.const 500))
   (drop (call $read (i32.load (i32.const 8)) (i32.const 16) (i32.const 1) (i32.const 24)))
   (i32.store (i32.const 20) (i32.load (i32.const 24)))
   (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 28)))`,
  '(data (i32.const 100) "dict.txt")',
);

async function fileOf(source: string, name = "f.wasm"): Promise<File> {
  return new File([new Uint8Array(await wat(source))], name);
}

async function draftOf(source: string, lines: string): Promise<JobDraft> {
  const draft = new JobDraft(benchHere());
  await draft.choose(await fileOf(source));
  draft.setSource({ kind: "lines", text: lines });
  return draft;
}

describe("a job that is made up", () => {
  it("its function is looked at as soon as it is chosen", async () => {
    const draft = await draftOf(ECHO, "");
    const { value: chosen } = draft.chosen;
    expect(chosen?.name).toBe("f.wasm");
    expect(chosen && valueOf(chosen.inspection)?.verdict).toBe("accepted");
  });

  it("of two functions the one chosen last stays, however long looking at the first takes", async () => {
    const draft = new JobDraft(benchHere());
    const [first, second] = [await fileOf(ECHO, "first.wasm"), await fileOf("(module)", "second.wasm")];
    await Promise.all([draft.choose(first), draft.choose(second)]);
    const { value: chosen } = draft.chosen;
    expect(chosen?.name).toBe("second.wasm");
    expect(chosen && valueOf(chosen.inspection)?.verdict).toBe("refused");
  });

  it("a file that nobody could take is refused before it is read", async () => {
    const draft = new JobDraft(benchHere());
    const huge = Object.defineProperty(new File([], "huge.wasm"), "size", { value: 65 * 2 ** 20 });
    await draft.choose(huge);
    expect(draft.chosen.value).toBeUndefined();
    expect(draft.refusal.value?.detail).toContain("huge.wasm");
  });

  it("a dry run shows one input, and asks some more for the price", async () => {
    const draft = await draftOf(ECHO, "one\ntwo\nthree\nfour\nfive\nsix");
    await draft.tryHere(1);
    const { value: run } = draft.dryRun;
    expect(run?.kind === "ended" && run.result.kind === "done" && text(run.result.output)).toBe("two");
    expect(draft.measured()).toMatchObject({ samples: 5, failed: 0 });
  });

  it("what it told is forgotten with the inputs it was about", async () => {
    const draft = await draftOf(ECHO, "one");
    await draft.tryHere(0);
    expect(draft.measured()).toBeDefined();
    draft.setSource({ kind: "lines", text: "other" });
    expect([draft.dryRun.value, draft.measured()]).toEqual([undefined, undefined]);
  });

  it("a dry run that was stopped leaves nothing behind", async () => {
    const draft = await draftOf(ECHO, "one\ntwo");
    const trying = draft.tryHere(0);
    draft.stopTrying();
    await trying;
    expect(draft.dryRun.value).toBeUndefined();
  });

  it("files for every task are there in a dry run; one of the same name takes the place of the other", async () => {
    const draft = await draftOf(CAT, "x");
    await draft.addFiles([new File(["old"], "dict.txt")]);
    await draft.addFiles([new File(["new words"], "dict.txt")]);
    await draft.tryHere(0);
    const { value: run } = draft.dryRun;
    expect(run?.kind === "ended" && run.result.kind === "done" && text(run.result.output)).toBe("new words");
    expect(draft.options(undefined).files).toHaveLength(1);
    draft.dropFiles();
    expect(draft.options(undefined).files).toBeUndefined();
  });
});
