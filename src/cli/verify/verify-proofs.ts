import { webcrypto } from "node:crypto";
import { originOf } from "../../protocol/checkpoint.ts";
import { verifierOf } from "../../protocol/ed25519.ts";
import type { TypedEntry } from "../../protocol/messages/entry.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { TlogProof } from "../../protocol/tlog-proof.ts";
import { type CheckedProof, checkProof, type ReceiptStatement } from "../../sdk/index.ts";
import { printable } from "../chat/printable.ts";
import type { HomeFolder } from "../home/folder.ts";
import { countText, creditsText } from "../quantities.ts";
import { requireKey } from "./log-key.ts";
import { plainValue, type Verdict } from "./verdict.ts";

/** Fields of an entry that a person can read. Money is the field that is called so everywhere. */
function entryLines({ type, time, body }: TypedEntry): readonly string[] {
  const fields = Object.entries(body).flatMap(([name, value]: [string, unknown]) => {
    if (typeof value === "bigint") return [`  ${name.padEnd(11)} ${creditsText(value)} credits`];
    return typeof value === "string" || typeof value === "number" ? [`  ${name.padEnd(11)} ${value}`] : [];
  });
  return [`  what        ${type}, ${new Date(time).toISOString()}`, ...fields];
}

function receiptLines({ receipt, provider, requester }: ReceiptStatement): readonly string[] {
  return [
    `  job         ${receipt.job}`,
    `  provider    ${provider.root}`,
    `  requester   ${requester.root}`,
    `  tasks       ${receipt.count}, ${receipt.payable} paid${receipt.final ? ", final" : ""}`,
    `  amount      ${creditsText(receipt.amount)} credits`,
  ];
}

function proofLines(checked: CheckedProof): readonly string[] {
  const { origin, index, size, entry, receipt } = checked;
  const place = size === undefined ? "" : ` of ${size}`;
  const checks = receipt?.checks.map(({ ok, detail }) => `  ${ok ? "✓" : "✗"} ${detail}`) ?? [];
  return [
    `Entry ${index}${place} of the log ${origin}`,
    ...(entry === undefined ? [] : entryLines(entry)),
    ...(receipt?.statement === undefined ? [] : receiptLines(receipt.statement)),
    ...checks,
    ...(checked.problem === undefined ? [] : [`  ! ${checked.problem}`]),
  ];
}

function proofJson({
  ok,
  origin,
  index,
  size,
  entry,
  receipt,
  problem,
}: CheckedProof): Readonly<Record<string, unknown>> {
  return {
    ok,
    origin,
    index,
    size,
    problem,
    entry:
      entry === undefined ? undefined : { type: entry.type, time: entry.time, body: plainValue(entry.body) },
    receipt: receipt?.statement === undefined ? undefined : plainValue(receipt.statement.receipt),
    checks: receipt?.checks,
  };
}

/** The receipts of one job, taken together. */
interface JobProof {
  readonly job: string;
  readonly leases: number;
  readonly tasks: number;
  readonly amount: bigint;
}

/** Of several receipts, one of each lease, of one job; undefined for anything else. */
function jobOf(checked: readonly CheckedProof[]): JobProof | undefined {
  const receipts = checked
    .map(({ receipt }) => receipt?.statement?.receipt)
    .filter((each) => each !== undefined);
  const [first] = receipts;
  if (first === undefined || receipts.length < checked.length) return undefined;
  const leases = new Set(receipts.map(({ lease }) => lease)).size;
  if (
    leases < receipts.length ||
    receipts.some(({ job, requester }) => job !== first.job || requester !== first.requester)
  )
    return undefined;
  return {
    job: first.job,
    leases,
    tasks: receipts.reduce((sum, { count }) => sum + count, 0),
    amount: receipts.reduce((sum, { amount }) => sum + amount, 0n),
  };
}

/** @throws PlainError when the key of a log is not known */
export async function verifyProofs(
  proofs: readonly TlogProof[],
  home: HomeFolder,
  given: PeerId | undefined,
): Promise<Verdict> {
  const verify = verifierOf(webcrypto.subtle);
  const checked: CheckedProof[] = [];
  for (const proof of proofs) {
    // oxlint-disable-next-line no-await-in-loop -- told in the order of the file
    const { key } = await requireKey(home, originOf(proof.checkpoint), given);
    // oxlint-disable-next-line no-await-in-loop
    checked.push(await checkProof(proof, key, verify));
  }
  const failed = checked.filter(({ ok }) => !ok).length;
  const job = checked.length > 1 ? jobOf(checked) : undefined;
  const jobLine =
    job === undefined
      ? []
      : [
          `Job ${job.job}: ${countText(job.leases, "lease")}, ${countText(job.tasks, "task")}, ${creditsText(job.amount)} credits in all.`,
        ];
  const verdict =
    failed === 0
      ? `Proven: the log holds ${checked.length === 1 ? "this entry" : `all ${checked.length} entries`}.`
      : `NOT PROVEN: ${failed} of ${countText(checked.length, "proof")} ${failed === 1 ? "does" : "do"} not hold.`;
  return {
    ok: failed === 0,
    lines: [...checked.flatMap(proofLines), ...jobLine, verdict].map(printable),
    json: {
      kind: job === undefined ? "proof" : "job",
      proofs: checked.map(proofJson),
      ...(job === undefined ? {} : { job: plainValue(job) }),
    },
  };
}
