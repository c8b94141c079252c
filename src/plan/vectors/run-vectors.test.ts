import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { fromBase64 } from "../../protocol/base64.ts";
import { decodeRunRecord } from "../run-record.ts";
import { rowOf } from "./generate-run.contract.ts";

interface Row {
  readonly name: string;
  readonly record: string;
  readonly ok: boolean;
}

const rows: readonly Row[] = JSON.parse(readFileSync(new URL("run.json", import.meta.url), "utf8"));

describe("the golden records of runs", () => {
  it.each(rows)("$name: a check finds what it always found", async (row) => {
    const bytes = fromBase64(row.record);
    if (bytes === undefined) throw new Error("base64");
    expect(await rowOf(row.name, decodeRunRecord(bytes))).toEqual(row);
  });

  it("are sound ones and broken ones", () => {
    expect(rows.filter(({ ok }) => ok).length).toBeGreaterThanOrEqual(2);
    expect(rows.filter(({ ok }) => !ok).length).toBeGreaterThanOrEqual(4);
  });
});
