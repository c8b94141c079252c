import { concatBytes } from "../../protocol/bytes.ts";
import type { Cid } from "../../protocol/cid.ts";
import { FailureError } from "../../protocol/failure.ts";
import { MAX_PLAN_BYTES } from "../../plan/limits.ts";
import type { BlobFolder } from "../blob-folder.ts";

/** The bytes of a plan. @throws FailureError `not-found`, `too-large` */
export async function readBlob(blobs: BlobFolder, cid: Cid): Promise<Uint8Array> {
  const blob = blobs.find(cid);
  if (blob === undefined)
    throw new FailureError("not-found", `the relay has no plan ${cid}: upload it first`);
  if (blob.size > MAX_PLAN_BYTES)
    throw new FailureError("too-large", `a plan has at most ${MAX_PLAN_BYTES} bytes`);
  const parts: Uint8Array[] = [];
  for await (const part of blob.open()) parts.push(part);
  return concatBytes(...parts);
}
