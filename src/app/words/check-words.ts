import type { Verification, VerificationCheck } from "../../provider/receipt-verification.ts";

const TITLES: Readonly<Record<VerificationCheck["name"], string>> = {
  "relay-answers": "The relay answers",
  "pinned-key": "Known relay",
  consistency: "One history",
  inclusion: "In the log",
  entry: "A receipt",
  report: "Reported",
  "provider-signature": "Signed by your key",
  "requester-signature": "Signed by the requester",
  origin: "For this relay",
  lease: "One lease",
  countersignature: "Countersigned",
  "named-tasks": "Tasks were ordered",
  totals: "Totals agree",
  provider: "Yours",
  "as-shown": "Shown as signed",
};

export function checkTitle(name: VerificationCheck["name"]): string {
  return TITLES[name];
}

/** A detail may come from a failure, which starts small and ends open. */
export function asSentence(detail: string): string {
  const first = detail.slice(0, 1).toUpperCase();
  return `${first}${detail.slice(1)}${/[.!?]$/u.test(detail) ? "" : "."}`;
}

export interface VerdictWords {
  readonly tone: "good" | "bad" | "wait";
  readonly title: string;
  readonly sentence: string;
}

/** The outcome of a verification in words that also stand without colour. */
export function verdictWords({ verdict, checks }: Verification): VerdictWords {
  switch (verdict) {
    case "proven":
      return {
        tone: "good",
        title: "Verified",
        sentence: `All ${checks.length} checks passed in this page.`,
      };
    case "refuted":
      return {
        tone: "bad",
        title: "Does not hold",
        sentence:
          "Something the relay served is not what was signed. Keep this page and ask the relay’s operator.",
      };
    case "unreached":
      return {
        tone: "wait",
        title: "Not checked",
        sentence: "The relay could not be reached, so nothing is known either way.",
      };
    default:
      return verdict satisfies never;
  }
}
