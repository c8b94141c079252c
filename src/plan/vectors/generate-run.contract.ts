import { writeFileSync } from "node:fs";
import { toBase64 } from "../../protocol/base64.ts";
import { digest, verify } from "../memory-peers.contract.ts";
import { encodeRunRecord, type RunRecord } from "../run-record.ts";
import { recordOf } from "../verify/record-scene.contract.ts";
import { verifyRun } from "../verify/verify-run.ts";

/**
 * Writes run.json: records of runs, and what a check of them finds. Run it with Node from anywhere:
 * `node src/plan/vectors/generate-run.contract.ts`. A change of what is found is a change of the rules.
 */
export async function rowOf(name: string, record: RunRecord): Promise<Record<string, unknown>> {
  const { ok, status, result, steps, problems, unchecked } = await verifyRun(record, verify, digest);
  return {
    name,
    record: toBase64(encodeRunRecord(record)),
    ok,
    status,
    ...(result === undefined ? {} : { result }),
    steps,
    problems: problems.map(({ where, iteration }) => ({ where, iteration })),
    unchecked: unchecked.map(({ where, iteration }) => ({ where, iteration })),
  };
}

/** With another last byte. */
function flipped(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte, at) => (at === bytes.length - 1 ? byte ^ 1 : byte));
}

async function generate(): Promise<void> {
  const record = await recordOf();
  const rows = await Promise.all([
    rowOf("a run that came to a result", record),
    rowOf("the same without the values that its coordinator read", { ...record, values: [] }),
    rowOf("a signature with another last byte", {
      ...record,
      steps: record.steps.map((step, at) => (at === 3 ? flipped(step) : step)),
    }),
    rowOf("a parameter that was exchanged", {
      ...record,
      params: record.params.map(({ name }) => ({ name, bytes: Uint8Array.of(120) })),
    }),
    rowOf("without any receipt", { ...record, steps: [] }),
    rowOf("another envelope", { ...record, run: flipped(record.run) }),
  ]);
  writeFileSync(new URL("run.json", import.meta.url), `${JSON.stringify(rows, null, 2)}\n`);
}

if (import.meta.main) await generate();
