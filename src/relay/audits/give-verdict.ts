import type { Cid } from "../../protocol/cid.ts";
import { openEnvelope, seal, verifiedSync } from "../../protocol/envelope.ts";
import { header } from "../../protocol/header.ts";
import { HASH_BYTES } from "../../protocol/merkle.ts";
import { type Verdict, verdictMessage, type VerdictResult } from "../../protocol/messages/audit.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { fuel } from "../../protocol/units.ts";
import type { DrawnOutcome } from "../audit-books.ts";
import type { Books } from "../books.ts";
import { verifyNative } from "../books/native-keys.ts";

/** What there is to say of a drawn outcome. */
export interface Finding {
  readonly result: VerdictResult;
  /** Leaf hashes; absent where there is none. */
  readonly expected?: Uint8Array;
  readonly found?: Uint8Array;
  /** Of the recomputation. */
  readonly fuel?: bigint;
  /** Providers that computed it again; the relay is added where `isOurs`. */
  readonly auditors?: readonly PeerId[];
  readonly isOurs?: boolean;
  readonly evidence?: Cid;
}

const NOTHING: Uint8Array = new Uint8Array(HASH_BYTES);

/** What computes here. */
const ENGINE = `v8 ${process.versions.v8}`;

function verdictBody(books: Books, drawn: DrawnOutcome, finding: Finding): Verdict {
  const { row, lease } = drawn;
  const { result, expected = NOTHING, found = NOTHING, auditors = [], evidence } = finding;
  return {
    ...header(books.origin, books.asset),
    lease: lease.id,
    entryIndex: row.entry,
    index: row.leaf,
    result,
    expected,
    found,
    fuel: fuel(finding.fuel ?? 0),
    profile: lease.terms.profile,
    engine: finding.isOurs === true ? ENGINE : "",
    auditors: finding.isOurs === true ? [...auditors, books.keys().draw] : auditors,
    ...(evidence === undefined ? {} : { evidenceCid: evidence }),
  };
}

/** Signs a verdict and has it logged with all that follows from it. Once for each outcome: the first one counts. */
export async function giveVerdict(books: Books, drawn: DrawnOutcome, finding: Finding): Promise<void> {
  const envelope = await seal(verdictMessage, verdictBody(books, drawn, finding), [books.signer("draw")]);
  await books.audits.judge(verifiedSync(openEnvelope(verdictMessage, envelope), verifyNative));
}
