import type { AuditPolicy } from "../protocol/audit-policy.ts";
import { encodeUtf8 } from "../protocol/text.ts";
import { POLICY_NUMBERS } from "./audits/policy-numbers.ts";
import { ACCEPTED_PROFILES, VERIFICATION_POLICIES } from "./jobs/check-job.ts";

function auditText(policy: AuditPolicy | undefined): unknown {
  if (policy === undefined) return "none: receipts are paid as both parties signed them";
  return {
    how: "outcomes are drawn from each report by its place in the log under a secret committed before, and recomputed",
    false:
      "everything of the provider that is not released goes back to its jobs, its bond is burnt, it is barred",
    unopened: "the pay of that lease goes back to its job and the bond is burnt",
    inconclusive: "what the relay cannot recompute costs nobody anything",
    numbers: Object.fromEntries(
      POLICY_NUMBERS.map(({ name, means }) => [name, { value: Number(policy[name]), means }]),
    ),
  };
}

/**
 * What the relay holds itself to, in words that leases and receipts name by CID. A change makes a new policy entry in
 * the log, so nothing of the configuration but the numbers of audits, and nothing of this build's version, is in here.
 */
export function policyDocument(audit: AuditPolicy | undefined): Uint8Array<ArrayBuffer> {
  const document = {
    format: "tabmesh-policy-1",
    profiles: ACCEPTED_PROFILES,
    verification: VERIFICATION_POLICIES,
    audits: auditText(audit),
    settlement:
      audit === undefined
        ? "at the final receipt; else with what was reported by the lease's report time"
        : "at the final receipt, else with what was reported by the lease's report time; then held back until its audits are over",
    refusals: "every refusal carries a code of the failure table; a code is never reused",
  };
  return encodeUtf8(`${JSON.stringify(document, undefined, 2)}\n`);
}
