import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { fromBase64 } from "../../protocol/base64.ts";
import { digest, verify } from "../memory-peers.contract.ts";
import { decodeRunRecord, encodeRunRecord } from "../run-record.ts";
import { verifyRun } from "../verify/verify-run.ts";

interface Place {
  readonly where: string;
  readonly iteration: string;
}

interface Row {
  readonly name: string;
  readonly record: string;
  readonly ok: boolean;
  readonly status: string;
  readonly result?: string;
  readonly steps: number;
  readonly problems: readonly Place[];
  readonly unchecked: readonly Place[];
}

const rows: readonly Row[] = JSON.parse(readFileSync(new URL("run.json", import.meta.url), "utf8"));

describe("the golden records of runs", () => {
  it.each(rows)("$name: a check finds what it always found", async ({ record, ...wanted }) => {
    const bytes = fromBase64(record);
    if (bytes === undefined) throw new Error("base64");
    const decoded = decodeRunRecord(bytes);
    expect(encodeRunRecord(decoded)).toEqual(new Uint8Array(bytes));
    const { ok, status, result, steps, problems, unchecked } = await verifyRun(decoded, verify, digest);
    expect({
      name: wanted.name,
      ok,
      status,
      ...(result === undefined ? {} : { result }),
      steps,
      problems: problems.map(({ where, iteration }) => ({ where, iteration })),
      unchecked: unchecked.map(({ where, iteration }) => ({ where, iteration })),
    }).toEqual(wanted);
  });

  it("are sound ones and broken ones", () => {
    expect(rows.filter(({ ok }) => ok).length).toBeGreaterThanOrEqual(2);
    expect(rows.filter(({ ok }) => !ok).length).toBeGreaterThanOrEqual(4);
  });
});
