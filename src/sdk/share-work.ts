import type { RelayContact } from "../ledger/relay-contact.ts";
import type { RelayClient } from "../mesh/relay-client.ts";
import type { Cid } from "../protocol/cid.ts";
import { MAX_BLOB_BYTES } from "../protocol/limits.ts";
import type { MadeJob } from "./make-job.ts";

/**
 * Gives the relay what it needs to recompute a job's tasks: the function, its arguments and its files, as far as it does
 * not have them. What fails here is no failure of the job: the relay then cannot tell false results from true ones.
 * @returns whether the relay has everything.
 */
async function shareWork(
  client: Pick<RelayClient, "hasBlob" | "putBlob">,
  { args, blobs, body }: Pick<MadeJob, "args" | "blobs" | "body">,
  signal: AbortSignal,
): Promise<boolean> {
  const wanted = new Map<Cid, Uint8Array>([...blobs, [body.argsCid, args]]);
  const shared = await Promise.allSettled(
    [...wanted].map(async ([cid, bytes]) => {
      if (bytes.length > MAX_BLOB_BYTES) throw new RangeError("larger than a blob may be");
      if (!(await client.hasBlob(cid, signal))) await client.putBlob(cid, bytes, signal);
    }),
  );
  return shared.every(({ status }) => status === "fulfilled");
}

/** Whether the relay has what it recomputes with, or does not recompute. */
export async function isShared(
  {
    job,
    client,
    contact,
  }: {
    readonly job: MadeJob;
    readonly client: RelayClient;
    readonly contact: Pick<RelayContact, "info">;
  },
  signal: AbortSignal,
): Promise<boolean> {
  return contact.info.auditVersion === undefined || (await shareWork(client, job, signal));
}
