import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { auditPolicySchema, DEFAULT_AUDIT_POLICY } from "../../protocol/audit-policy.ts";
import { encode } from "../../protocol/schema.ts";
import { policyDocument } from "../policy-document.ts";
import { OPERATE_DOC, withPolicyTable } from "./policy-doc.contract.ts";
import { POLICY_NUMBERS } from "./policy-numbers.ts";

/** Without the padding that a formatter gives tables. */
function unpadded(document: string): string {
  return document
    .replace(/ {2,}/gu, " ")
    .replace(/-{3,}/gu, "---")
    .replace(/-->\n\n/gu, "-->\n")
    .replace(/\n\n<!-- end/gu, "\n<!-- end");
}

it("docs/operate.md says of every number of the policy what it is and what it is for", () => {
  const document = readFileSync(OPERATE_DOC, "utf8");
  expect(document).toContain("<!-- generated: policy -->");
  expect(unpadded(document)).toBe(unpadded(withPolicyTable(document)));
});

it("every number of the policy is explained once", () => {
  expect(encode(auditPolicySchema, DEFAULT_AUDIT_POLICY).length).toBeGreaterThan(0);
  expect(POLICY_NUMBERS.map(({ name }) => name).toSorted()).toEqual(
    Object.keys(DEFAULT_AUDIT_POLICY).toSorted(),
  );
});

it("the policy document states every number in force, and another one is another document", () => {
  const text = new TextDecoder().decode(policyDocument(DEFAULT_AUDIT_POLICY));
  const { audits } = JSON.parse(text) as { audits: { numbers: Record<string, { value: number }> } };
  for (const { name } of POLICY_NUMBERS)
    expect(audits.numbers[name]?.value).toBe(Number(DEFAULT_AUDIT_POLICY[name]));
  expect(policyDocument({ ...DEFAULT_AUDIT_POLICY, floorPpm: 60_000 })).not.toEqual(
    policyDocument(DEFAULT_AUDIT_POLICY),
  );
  expect(new TextDecoder().decode(policyDocument(undefined))).toContain('"audits": "none');
});
