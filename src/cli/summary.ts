import { failureKind } from "../protocol/failure-code.ts";
import { whoPays } from "../protocol/failure-words.ts";
import { printable } from "./chat/printable.ts";
import type { JobSummary, LeaseSummary, MapResult } from "../sdk/index.ts";
import { EXIT, type Exit } from "./plain-error.ts";
import { countText, creditsText, creditUnit } from "./quantities.ts";

/** What a command says of a job when it is over. */

/** One line for a person, or two when it was cancelled. */
export function summaryText(summary: JobSummary, testMoney: boolean): string {
  const { tasks, done, failed, reassigned, copied, voided, spent, refunded, cancelled } = summary;
  const { agreed, disputed } = summary;
  if (cancelled && summary.leases.length === 0 && spent === 0n)
    return "Cancelled before any provider took it: nothing was spent.";
  const unit = creditUnit(testMoney);
  const back =
    refunded === undefined
      ? "the rest is refunded when the relay answers"
      : `${creditsText(refunded)} refunded`;
  const money = `${creditsText(spent)} ${unit} spent, ${back}`;
  if (cancelled) return `Cancelled after ${countText(tasks, "task")}: ${money}.`;
  const moved = reassigned === 0 ? "" : `, ${reassigned} given to another provider`;
  const twice = copied === 0 ? "" : `, ${copied} at two providers because the first was late`;
  const again = voided === 0 ? "" : `, ${voided} found false and computed again`;
  const compared =
    agreed === undefined
      ? ""
      : `, ${agreed} agreed on by all replicas${disputed === 0 ? "" : `, ${disputed} not`}`;
  return `${done} done${failed === 0 ? "" : `, ${failed} failed`}${compared}${moved}${twice}${again}: ${money}.`;
}

/** A failed task: what and why, then who pays and what to do. @param name of its input. */
export function failureLine(
  name: string,
  result: Pick<Extract<MapResult, { kind: "failed" }>, "code" | "detail">,
): string {
  const { means, name: kind, advice } = failureKind(result.code);
  const what = `${name}: ${means} [${result.code} ${kind}] ${result.detail}`.trimEnd();
  return printable(`${what}\n  ${whoPays(result.code)} ${advice}`);
}

function leaseJson(lease: LeaseSummary): Readonly<Record<string, unknown>> {
  const { receipt: _receipt, advance: _advance, amount, ...rest } = lease;
  return { ...rest, amount: amount.toString() };
}

/** The summary for --json; amounts are decimal strings of micro-credits, as in the relay's own views. */
export function summaryJson(summary: JobSummary): Readonly<Record<string, unknown>> {
  const { leases, spent, refunded, ...rest } = summary;
  return {
    ...rest,
    spentMicroCredits: spent.toString(),
    ...(refunded === undefined ? {} : { refundedMicroCredits: refunded.toString() }),
    leases: leases.map(leaseJson),
  };
}

export function exitOf({ cancelled, failed }: JobSummary): Exit {
  if (cancelled) return EXIT.interrupted;
  return failed > 0 ? EXIT.failed : EXIT.ok;
}
