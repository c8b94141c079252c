import { open, stat } from "node:fs/promises";
import { decodeRunRecord } from "../../plan/run-record.ts";
import { FailureError } from "../../protocol/failure.ts";
import { type Receipt, receiptMessage, reportAnswerSchema } from "../../protocol/messages/receipt.ts";
import { openEnvelope, type Unverified } from "../../protocol/envelope.ts";
import { decode } from "../../protocol/schema.ts";
import { isTlogProof, parseTlogProofs, type TlogProof } from "../../protocol/tlog-proof.ts";
import { type Evidence, MAX_EVIDENCE_BYTES, readEvidence } from "../../sdk/index.ts";
import { isUrl } from "../log/open-log.ts";
import { PlainError } from "../plain-error.ts";

/** What there is to verify, by its content. */
export type Subject =
  | { readonly kind: "log"; readonly place: string }
  | { readonly kind: "proofs"; readonly proofs: readonly TlogProof[] }
  | { readonly kind: "evidence"; readonly evidence: Evidence }
  | { readonly kind: "receipt"; readonly receipt: Unverified<Receipt> };

/** Proofs of a large job: 2,000 leases with 8 KiB each. */
const MAX_FILE_BYTES: number = 16 * 1024 * 1024;
/** An answer of the relay to a report: an entry, a draw and a proof. */
const MAX_ANSWER_BYTES: number = 160 * 1024;

async function contentOf(path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    if (size > MAX_FILE_BYTES)
      throw new PlainError({
        what: `${path} is too large for a proof or evidence.`,
        advice:
          "A whole log is a relay's folder, its books.sqlite, or a folder of tiles. The record of a plan's run is for `npx tabmesh plan verify`.",
      });
    return new Uint8Array(await file.readFile());
  } finally {
    await file.close();
  }
}

/** What a step makes of the bytes; undefined where they are something else. */
function tried<T>(step: () => T): T | undefined {
  try {
    return step();
  } catch (error) {
    if (error instanceof FailureError) return undefined;
    throw error;
  }
}

function messageIn(bytes: Uint8Array): Subject | undefined {
  const evidence = bytes.length > MAX_EVIDENCE_BYTES ? undefined : tried(() => readEvidence(bytes));
  if (evidence !== undefined) return { kind: "evidence", evidence };
  const answer = tried(() => decode(reportAnswerSchema, bytes, MAX_ANSWER_BYTES));
  if (answer !== undefined) return { kind: "proofs", proofs: [answer] };
  const receipt = tried(() => openEnvelope(receiptMessage, bytes));
  return receipt === undefined ? undefined : { kind: "receipt", receipt };
}

const SQLITE = "SQLite format 3\u0000";

/** @throws PlainError when it is nothing that can be verified; an error of the system when it cannot be read */
export async function readSubject(what: string): Promise<Subject> {
  if (isUrl(what) || (await stat(what)).isDirectory()) return { kind: "log", place: what };
  if (what.endsWith(".sqlite")) return { kind: "log", place: what };
  const bytes = await contentOf(what);
  const text = Buffer.from(bytes).toString("utf8");
  if (text.startsWith(SQLITE)) return { kind: "log", place: what };
  if (isTlogProof(text)) return { kind: "proofs", proofs: parseTlogProofs(text) };
  const subject = messageIn(bytes);
  if (subject !== undefined) return subject;
  if (tried(() => decodeRunRecord(bytes)) !== undefined)
    throw new PlainError({
      what: `${what} is the record of a plan's run.`,
      advice: `Those have a command of their own: npx tabmesh plan verify ${what}`,
    });
  throw new PlainError({
    what: `${what} is nothing that can be verified.`,
    why: "It is neither a C2SP tlog-proof, nor evidence, a receipt or a log.",
    advice: "`npx tabmesh prove` makes proofs; the relay gives evidence at /v1/evidence/.",
  });
}
