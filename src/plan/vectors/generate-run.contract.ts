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
async function row(name: string, record: RunRecord): Promise<Record<string, unknown>> {
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

const record = await recordOf();
const flipped = (bytes: Uint8Array): Uint8Array =>
  bytes.map((byte, at) => (at === bytes.length - 1 ? byte ^ 1 : byte));
const rows = await Promise.all([
  row("a run that came to a result", record),
  row("the same without the values that its coordinator read", { ...record, values: [] }),
  row("a signature with another last byte", {
    ...record,
    steps: record.steps.map((step, at) => (at === 3 ? flipped(step) : step)),
  }),
  row("a parameter that was exchanged", {
    ...record,
    params: record.params.map(({ name }) => ({ name, bytes: Uint8Array.of(120) })),
  }),
  row("without any receipt", { ...record, steps: [] }),
  row("another envelope", { ...record, run: flipped(record.run) }),
]);
writeFileSync(new URL("run.json", import.meta.url), `${JSON.stringify(rows, null, 2)}\n`);
