import { describe, expect, it } from "vitest";
import { readBody } from "../../protocol/envelope.ts";
import { stepMessage } from "../../protocol/messages/run.ts";
import { FailureError } from "../../protocol/failure.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import { tries } from "../../protocol/tries.contract.ts";
import {
  call,
  coordinator,
  digest,
  MemoryMesh,
  memoryPeer,
  memoryRun,
  verify,
} from "../memory-peers.contract.ts";
import { decodeRunRecord, encodeRunRecord, type RunRecord } from "../run-record.ts";
import { constant, expr, FUNCTIONS, node, param, planOf, TEXT } from "../runner/scene.contract.ts";
import { verifyRun } from "./verify-run.ts";

/** A run with a holder, a map, a failure that a fallback takes, a quorum and an expression. */
async function recordOf(): Promise<RunRecord> {
  const mesh = await MemoryMesh.of(3, FUNCTIONS);
  const plan = planOf(
    {
      words: expr('split(text, " ")', { text: param("text") }),
      all: {
        kind: "map",
        over: node("words"),
        with: {},
        max: 4,
        parallel: 2,
        graph: {
          params: { item: TEXT },
          nodes: { up: call("upper", { input: param("item") }) },
          result: node("up"),
        },
      },
      tried: {
        kind: "attempt",
        with: {},
        graph: { params: {}, nodes: { no: call("none", { input: constant("x") }) }, result: node("no") },
        fallback: {
          params: { failure: { type: "json" } },
          nodes: { why: expr("text(failure.name)", { failure: param("failure") }) },
          result: node("why"),
        },
      },
      both: call("twice", {
        input: node("tried"),
        provenance: { check: "quorum", k: 2, n: 2 },
      }),
      said: expr('join(all, "+") ++ both', { all: node("all"), both: node("both") }),
    },
    node("said"),
    { text: TEXT },
  );
  for (const peer of mesh.peers)
    peer.conduct = (order) => (order.node === "no" ? { fail: "trap-unreachable" } : {});
  const run = await memoryRun(mesh, {
    plan,
    params: { text: encodeUtf8("a b c") },
    holders: [await memoryPeer(50)],
  });
  const { runner } = coordinator(mesh, run);
  const end = await runner.start();
  expect(new TextDecoder().decode(end.result?.bytes)).toBe("A+B+Ctrap-unreachabletrap-unreachable");
  return runner.record();
}

/** With another last byte. */
function changedIn(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte, place) => (place === bytes.length - 1 ? byte ^ 1 : byte));
}

/** What a check says of a record as a file: nothing, or where it is wrong. */
async function wrongIn(file: Uint8Array): Promise<readonly string[]> {
  try {
    const { problems } = await verifyRun(decodeRunRecord(file), verify, digest);
    return problems.map(({ where, message }) => `${where}: ${message}`);
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    return [error.detail];
  }
}

describe("the record of a finished run", () => {
  it("proves it to somebody who has nothing else, as a file too", async () => {
    const file = encodeRunRecord(await recordOf());
    expect(encodeRunRecord(decodeRunRecord(file))).toEqual(file);
    expect(await verifyRun(decodeRunRecord(file), verify, digest)).toMatchObject({
      ok: true,
      status: "done",
      problems: [],
      unchecked: [],
      steps: 6,
    });
  });

  it("names what is wrong when one byte of it is another, wherever that is", async () => {
    const file = encodeRunRecord(await recordOf());
    const count = tries(800);
    const step = file.length / count;
    for (let turn = 0; turn < count; turn += 1) {
      const place = Math.floor(turn * step + (turn % 7));
      const changed = file.slice();
      changed[place % file.length] = (changed[place % file.length] ?? 0) ^ (1 << (turn % 8));
      // oxlint-disable-next-line no-await-in-loop -- one byte after the other, so that a failure names its place
      const wrong = await wrongIn(changed);
      expect(wrong, `byte ${place} of ${file.length}`).not.toEqual([]);
    }
  });

  it("names the part that was exchanged", async () => {
    const record = await recordOf();
    const other = encodeUtf8("other");
    const changed: readonly (readonly [string, RunRecord])[] = [
      ["run: ", { ...record, run: changedIn(record.run) }],
      ["run: ", { ...record, holders: record.holders.map(changedIn) }],
      ["plan: ", { ...record, plan: changedIn(record.plan) }],
      ["params: ", { ...record, params: record.params.map(({ name }) => ({ name, bytes: other })) }],
      ["params: ", { ...record, params: [] }],
      ["values: ", { ...record, values: record.values.map(({ cid }) => ({ cid, bytes: other })) }],
      [
        "step 0 of the record",
        { ...record, steps: record.steps.map((step, place) => (place === 0 ? changedIn(step) : step)) },
      ],
    ];
    for (const [where, each] of changed) {
      // oxlint-disable-next-line no-await-in-loop -- few
      const { problems, ok } = await verifyRun(each, verify, digest);
      expect(ok).toBe(false);
      expect(problems.map(({ where: part, message }) => `${part}: ${message}`).join("; ")).toContain(where);
    }
  });

  it("misses no receipt: without any one of them it is not proven", async () => {
    const record = await recordOf();
    for (const left of record.steps) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { ok } = await verifyRun(
        { ...record, steps: record.steps.filter((step) => step !== left) },
        verify,
        digest,
      );
      expect(ok, readBody(stepMessage, left).node).toBe(false);
    }
  });

  it("says what it could not look at when values are left out, and is sound all the same", async () => {
    const record = await recordOf();
    const { ok, unchecked, problems } = await verifyRun({ ...record, values: [] }, verify, digest);
    expect(problems).toEqual([]);
    expect(ok).toBe(true);
    expect(unchecked.map(({ where }) => where)).toContain("all");
  });
});
