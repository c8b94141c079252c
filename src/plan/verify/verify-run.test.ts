import { describe, expect, it } from "vitest";
import { readBody } from "../../protocol/envelope.ts";
import { stepMessage } from "../../protocol/messages/run.ts";
import { FailureError } from "../../protocol/failure.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import { tries } from "../../protocol/tries.contract.ts";
import { digest, rawCid, verify } from "../memory-peers.contract.ts";
import { decodeRunRecord, encodeRunRecord, type RunRecord } from "../run-record.ts";
import { recordOf } from "./record-scene.contract.ts";
import { verifyRun } from "./verify-run.ts";

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
      result: rawCid(encodeUtf8("A+B+Ctrap-unreachabletrap-unreachable")),
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
