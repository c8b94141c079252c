import { encodeUtf8 } from "../protocol/text.ts";
import { ACCEPTED_PROFILES, VERIFICATION_POLICIES } from "./jobs/check-job.ts";

/**
 * What the relay holds itself to, in words that leases and receipts name by CID. A change makes a new policy entry in
 * the log, so nothing of the configuration or of this build's version is in here.
 */
export const POLICY_DOCUMENT: Uint8Array<ArrayBuffer> = encodeUtf8(
  `${JSON.stringify(
    {
      format: "tabmesh-policy-1",
      profiles: ACCEPTED_PROFILES,
      verification: VERIFICATION_POLICIES,
      audits: "none: receipts are paid as both parties signed them",
      settlement: "at the final receipt; else with what was reported by the lease's report time",
      refusals: "every refusal carries a code of the failure table; a code is never reused",
    },
    undefined,
    2,
  )}\n`,
);
