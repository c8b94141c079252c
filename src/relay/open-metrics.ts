import type { RelayMesh } from "../mesh/relay-mesh.ts";
import type { AccountEvents } from "./account-events.ts";
import type { BlobFolder } from "./blob-folder.ts";
import type { Books } from "./books.ts";
import { createMetrics, type RelayMetrics } from "./metrics.ts";
import type { LiveOffers } from "./offers/live-offers.ts";

export interface MeasuredParts {
  readonly mesh: Pick<RelayMesh, "peers" | "reservationCount">;
  readonly offers: LiveOffers;
  readonly books: Pick<Books, "size">;
  readonly blobs: BlobFolder;
  readonly events: AccountEvents;
}

/** Numbers of a relay that runs, read when they are asked for. */
export function openMetrics({ mesh, offers, books, blobs, events }: MeasuredParts): RelayMetrics {
  return createMetrics({
    connections: () => mesh.peers().length,
    reservations: () => mesh.reservationCount(),
    offers: () => offers.size,
    freeThreads: () => offers.list().reduce((sum, { free }) => sum + free, 0),
    logSize: () => books.size(),
    blobBytes: () => blobs.bytes,
    eventStreams: () => events.open,
  });
}
