import type { AccountView } from "../../src/protocol/relay-api.ts";
import type { JobSummary } from "../../src/sdk/index.ts";

/** All that an account earned and did not lose, wherever it is kept, micro-credits. */
export function ownedBy({ available, pending, held, bond }: AccountView): bigint {
  return available + pending + held + bond;
}

/** What the receipts of a job come to, micro-credits: without the fees of its leases. */
export function receiptsOf({ leases }: JobSummary): bigint {
  return leases.reduce((sum, { amount }) => sum + amount, 0n);
}
