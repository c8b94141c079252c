import { setTimeout as pause } from "node:timers/promises";
import type { Cid } from "../../protocol/cid.ts";
import { failureCode } from "../../protocol/failure-code.ts";
import { FailureError } from "../../protocol/failure.ts";
import type { BlobFolder } from "../blob-folder.ts";

/** Strangers may have all uploads under way for themselves; each ends in seconds. */
const WAIT_MS = 200;
const MOST_WAITS = 50;

/** Keeps bytes of the relay's own as a blob, waiting for its turn among strangers' uploads. @throws what the disk throws */
export async function keepBlob(blobs: Pick<BlobFolder, "put">, cid: Cid, bytes: Uint8Array): Promise<void> {
  for (let waits = 0; ; waits += 1) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- until there is room
      await blobs.put(cid, new Blob([new Uint8Array(bytes)]).stream());
      return;
    } catch (error) {
      const isBusy = error instanceof FailureError && error.code === failureCode("rate-limited");
      if (!isBusy || waits >= MOST_WAITS) throw error;
      // oxlint-disable-next-line no-await-in-loop
      await pause(WAIT_MS);
    }
  }
}
