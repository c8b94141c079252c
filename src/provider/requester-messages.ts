import { openEnvelope, type Unverified, verified } from "../protocol/envelope.ts";
import { FailureError } from "../protocol/failure.ts";
import { type Advance, advanceMessage, cancelMessage, stopMessage } from "../protocol/messages/task.ts";
import type { FailureName } from "../protocol/failure-code.ts";
import type { Verify } from "../protocol/signature.ts";
import type { WorkOrder } from "./check-open.ts";

/** An advance that names the lease's requester key as its only signer; the signature is still to be verified. @throws FailureError */
export function openAdvance(payload: Uint8Array, { lease }: WorkOrder): Unverified<Advance> {
  const advance = openEnvelope(advanceMessage, payload);
  const [by] = advance.signedBy;
  if (advance.signedBy.length !== 1 || by?.key !== lease.body.requesterKey)
    throw new FailureError("bad-signature", "advance: not signed by the lease's requester key");
  return advance;
}

/** The seq from which on tasks are cancelled. @throws FailureError unless the requester of the lease has signed it */
export async function openCancel(payload: Uint8Array, { lease }: WorkOrder, verify: Verify): Promise<number> {
  const { body, signedBy } = await verified(openEnvelope(cancelMessage, payload), verify);
  const [by] = signedBy;
  if (by?.key !== lease.body.requesterKey || body.lease !== lease.id)
    throw new FailureError("bad-signature", "cancel: not signed by the lease's requester key");
  return body.seq;
}

/** The seq of the one task that is not wanted any more. @throws FailureError unless the requester of the lease has signed it */
export async function openStop(payload: Uint8Array, { lease }: WorkOrder, verify: Verify): Promise<number> {
  const { body, signedBy } = await verified(openEnvelope(stopMessage, payload), verify);
  const [by] = signedBy;
  if (by?.key !== lease.body.requesterKey || body.lease !== lease.id)
    throw new FailureError("bad-signature", "stop: not signed by the lease's requester key");
  if (body.atUnit !== 0) throw new FailureError("unsupported", "stop: in the middle of a stream");
  return body.seq;
}

/** What an error means for the session, where it does not say so itself. */
export function failureOf(error: unknown, name: FailureName, detail: string): FailureError {
  return error instanceof FailureError ? error : new FailureError(name, detail, { cause: error });
}
