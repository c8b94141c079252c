import { readFileSync, writeFileSync } from "node:fs";
import { DEFAULT_AUDIT_POLICY } from "../../protocol/audit-policy.ts";
import { POLICY_NUMBERS } from "./policy-numbers.ts";

/**
 * The part of docs/operate.md that is written by program. Run this file with Node to write it, then oxfmt for the table:
 * `node src/relay/audits/policy-doc.contract.ts`.
 */
export const OPERATE_DOC: URL = new URL("../../../docs/operate.md", import.meta.url);

function policyTable(): string {
  const rows = POLICY_NUMBERS.map(
    ({ name, shown, means }) =>
      `| \`${name}\` | ${DEFAULT_AUDIT_POLICY[name]} | ${shown(DEFAULT_AUDIT_POLICY)} | ${means} |`,
  );
  return ["| number | usual value | that is | what for |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

/** The document with its table as it has to be. */
export function withPolicyTable(document: string): string {
  const begin = "<!-- generated: policy -->\n";
  return document.replace(
    /<!-- generated: policy -->\n[^]*?<!-- end -->/u,
    () => `${begin}${policyTable()}\n<!-- end -->`,
  );
}

if (import.meta.main) writeFileSync(OPERATE_DOC, withPolicyTable(readFileSync(OPERATE_DOC, "utf8")));
