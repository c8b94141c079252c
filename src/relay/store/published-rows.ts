import type { Cid } from "../../protocol/cid.ts";
import type { PeerId } from "../../protocol/peer-id.ts";

/** A model that is published under a name. */
export interface PublishedRow {
  readonly name: string;
  /** CID of its manifest. */
  readonly model: Cid;
  readonly publisher: PeerId;
  /** `issuedAt` of the message, milliseconds since 1970. */
  readonly published: number;
  /** The manifest, encoded. */
  readonly manifest: Uint8Array;
}

/** Names of models, kept beside the books. Nothing of it moves money, so it is not logged; each call is durable by itself. */
export interface PublishedRows {
  publishedModels(): readonly PublishedRow[];
  /** Replaces the row of the same name. */
  putPublished(row: PublishedRow): void;
  removePublished(name: string): void;
}
