import type { FailureCode } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import type { Cid } from "../protocol/cid.ts";
import { type Signatory, signatory } from "../protocol/delegation.ts";
import {
  type MessageType,
  openEnvelope,
  type Unverified,
  type Verified,
  verified,
} from "../protocol/envelope.ts";
import { requireOrigin } from "../protocol/header.ts";
import { decodeEntryOf } from "../protocol/messages/entry.ts";
import {
  type Inclusion,
  type Receipt,
  receiptMessage,
  type Report,
  reportMessage,
  countedTasks,
} from "../protocol/messages/receipt.ts";
import { type Advance, advanceMessage } from "../protocol/messages/task.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { Verify } from "../protocol/signature.ts";
import type { LogView } from "./log-view.ts";

export interface ReceiptCheckOptions {
  readonly entryBytes: Uint8Array;
  readonly inclusion: Inclusion;
  readonly logView: Pick<LogView, "origin" | "checkInclusion">;
  readonly verify: Verify;
  /** What the reader knows from elsewhere; what is left out is only checked to agree with itself. */
  readonly expectations?: { readonly provider?: PeerId; readonly asset?: string };
}

/** What is checked, in this order. */
export const RECEIPT_CHECKS = [
  "inclusion",
  "entry",
  "report",
  "provider-signature",
  "requester-signature",
  "origin",
  "lease",
  "countersignature",
  "named-tasks",
  "totals",
  "provider",
] as const;
export type ReceiptCheckName = (typeof RECEIPT_CHECKS)[number];

/** One check as it is shown. `detail` is a sentence: what was found, or what is wrong. */
export interface ReceiptCheck {
  readonly name: ReceiptCheckName;
  readonly ok: boolean;
  readonly detail: string;
  /** Why it failed. A 2xxxx code other than `forged-checkpoint` means that the relay was not reached: nothing is proven either way. */
  readonly code?: FailureCode;
}

/** What a logged receipt says. Believe it only when every check passed. */
export interface ReceiptStatement {
  /** Log time of the entry, milliseconds since 1970. */
  readonly time: number;
  readonly index: number;
  readonly receiptId: Cid;
  readonly receipt: Receipt;
  /** Keys that signed, and for whom. */
  readonly provider: Signatory;
  readonly requester: Signatory;
}

export interface CheckedReceipt {
  readonly ok: boolean;
  /** One for each of RECEIPT_CHECKS up to the first that the later ones stand on. */
  readonly checks: readonly ReceiptCheck[];
  /** Absent when it could not be read. */
  readonly statement?: ReceiptStatement;
}

interface Signed<T> {
  readonly message: Verified<T>;
  readonly by: readonly Signatory[];
}

/** Collects checks; a FailureError is a failed check, anything else is a fault of this program and passes through. */
class Checklist {
  readonly checks: ReceiptCheck[] = [];

  async add<T>(
    name: ReceiptCheckName,
    passed: string,
    step: () => T | Promise<T>,
  ): Promise<Awaited<T> | undefined> {
    try {
      const result = await step();
      this.checks.push({ name, ok: true, detail: passed });
      return result;
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      this.checks.push({ name, ok: false, detail: error.detail, code: error.code });
      return undefined;
    }
  }

  get ok(): boolean {
    return this.checks.length === RECEIPT_CHECKS.length && this.checks.every((check) => check.ok);
  }
}

function refuse(detail: string): never {
  throw new FailureError("bad-receipt", detail);
}

/** Opens an envelope and verifies every signature and delegation in it; `time` judges delegations (rule 19). */
async function openSigned<T>(
  type: MessageType<T>,
  data: Uint8Array,
  time: number,
  verify: Verify,
): Promise<Signed<T>> {
  const message = await verified(openEnvelope(type, data), verify);
  const by = message.signedBy.map((signed) => signatory(signed, time));
  await Promise.all(
    by.map(async ({ delegation }) => delegation === undefined || verified(delegation, verify)),
  );
  return { message, by };
}

/** The signatory that acts for `peer` or is it. @throws FailureError `bad-signature` when nobody does. */
function partyOf(by: readonly Signatory[], peer: PeerId, role: string): Signatory {
  const party = by.find(({ root, session }) => root === peer || session === peer);
  if (party === undefined) throw new FailureError("bad-signature", `not signed by the ${role}`);
  return party;
}

/**
 * Opens a report. Receipt and advance prove themselves; what the reporter alone states is `lost`, so only then must its
 * signature hold. Else whoever reports first could spoil the other side's proof with a signature that does not.
 */
async function openReport(data: Uint8Array, time: number, verify: Verify): Promise<Unverified<Report>> {
  const report = openEnvelope(reportMessage, data);
  return report.body.lost.length === 0
    ? report
    : (await openSigned(reportMessage, data, time, verify)).message;
}

interface Parts {
  readonly report: Unverified<Report>;
  readonly receipt: Signed<Receipt>;
  readonly advance: Signed<Advance>;
}

function requireSameMoney({ report, receipt, advance }: Parts, origin: string, asset?: string): void {
  const wanted = asset ?? receipt.message.body.asset;
  for (const { body } of [report, receipt.message, advance.message]) requireOrigin(body, origin, wanted);
}

function requireSoundTotals({ body }: Verified<Receipt>, report: Report): void {
  if (countedTasks(body) > body.count) refuse("pays for more tasks than it counts outcomes");
  if (report.prevCount > body.count) refuse("counts fewer outcomes than the receipt before it");
}

/** Checks between the three messages, once all are open. */
async function compare(
  list: Checklist,
  parts: Parts,
  lease: Cid,
  options: ReceiptCheckOptions,
): Promise<void> {
  const receipt = parts.receipt.message;
  const advance = parts.advance.message;
  const expected = options.expectations ?? {};
  await list.add("origin", "All three statements are about this relay and its money.", () =>
    requireSameMoney(parts, options.logView.origin, expected.asset),
  );
  await list.add("lease", "All three statements are about one lease.", () => {
    if (receipt.body.lease !== lease || advance.body.lease !== lease) refuse("is of another lease");
  });
  await list.add("countersignature", "The requester countersigned exactly this receipt.", () => {
    if (advance.body.receiptCid !== receipt.id) refuse("the requester countersigned another receipt");
  });
  await list.add("named-tasks", "The requester named every task that is counted.", () => {
    if (advance.body.taskCount < countedTasks(receipt.body))
      throw new FailureError("unnamed-task", "counts outcomes of more tasks than the requester named");
  });
  await list.add("totals", "The totals agree with each other.", () =>
    requireSoundTotals(receipt, parts.report.body),
  );
  await list.add("provider", "It belongs to this provider.", () => {
    if (expected.provider !== undefined && receipt.body.provider !== expected.provider)
      throw new FailureError("wrong-provider", "belongs to another provider");
  });
}

/**
 * Checks a receipt as the relay's log has it, from the entry's bytes alone: everything that provider and requester
 * signed, and that the log holds it. Says nothing about the results themselves: those are for audits.
 * Never throws for what the relay serves; errors of this program's own pass through.
 */
export async function checkReceiptEntry(options: ReceiptCheckOptions): Promise<CheckedReceipt> {
  const { entryBytes, inclusion, logView, verify } = options;
  const list = new Checklist();
  await list.add("inclusion", "The relay's signed log holds this entry.", async () =>
    logView.checkInclusion(inclusion, entryBytes),
  );
  const entry = await list.add("entry", "The entry is a receipt's.", () =>
    decodeEntryOf("receipt", entryBytes),
  );
  if (entry === undefined) return { ok: false, checks: list.checks };
  const { time, body } = entry;
  const report = await list.add(
    "report",
    "The report carries a receipt and its countersignature.",
    async () => openReport(body.envelope, time, verify),
  );
  if (report === undefined) return { ok: false, checks: list.checks };
  const receipt = await list.add("provider-signature", "The provider signed the receipt.", async () => {
    const signed = await openSigned(receiptMessage, report.body.receipt, time, verify);
    return { ...signed, party: partyOf(signed.by, signed.message.body.provider, "provider") };
  });
  if (receipt === undefined) return { ok: false, checks: list.checks };
  const advance = await list.add("requester-signature", "The requester signed the advance.", async () => {
    const signed = await openSigned(advanceMessage, report.body.advance, time, verify);
    return { ...signed, party: partyOf(signed.by, receipt.message.body.requester, "requester") };
  });
  if (advance === undefined) return { ok: false, checks: list.checks };
  await compare(list, { report, receipt, advance }, body.lease, options);
  const statement: ReceiptStatement = {
    time,
    index: inclusion.index,
    receiptId: receipt.message.id,
    receipt: receipt.message.body,
    provider: receipt.party,
    requester: advance.party,
  };
  return { ok: list.ok, checks: list.checks, statement };
}
