import { type Cid, isCid } from "../cid.ts";
import type { MessageType } from "../envelope.ts";
import { type Header, headerFields } from "../header.ts";
import type { PeerId } from "../peer-id.ts";
import { cid, peer, record, type Schema, text, uint, where } from "../schema.ts";

/**
 * A published model's name: what clients write into `model`. Lower case, so that no two names look alike. A CID is none,
 * though it is written with these letters: else somebody could publish another model under it.
 */
export const MODEL_NAME: RegExp = /^[a-z0-9][a-z0-9._-]{0,62}$/u;

export function isModelName(name: string): boolean {
  return MODEL_NAME.test(name) && !isCid(name);
}

const modelName: Schema<string> = where(text(63), (name) => isModelName(name), "is no model's name");

/** Asks a relay to keep a model for everybody under a name. The same publisher may put another model in its place. */
export interface PublishModel extends Header {
  readonly publisher: PeerId;
  readonly name: string;
  /** Its manifest, which the relay has already, with every chunk. */
  readonly model: Cid;
  /** Milliseconds since 1970; later than that of anything the relay did under this name before. */
  readonly issuedAt: number;
}

export const publishModelMessage: MessageType<PublishModel> = {
  name: "publish-model",
  schema: record<PublishModel>({
    ...headerFields,
    publisher: peer,
    name: modelName,
    model: cid,
    issuedAt: uint(),
  }),
};

/** Takes a name back; its chunks may then be forgotten like any blob. */
export interface UnpublishModel extends Header {
  readonly publisher: PeerId;
  readonly name: string;
  readonly issuedAt: number;
}

export const unpublishModelMessage: MessageType<UnpublishModel> = {
  name: "unpublish-model",
  schema: record<UnpublishModel>({ ...headerFields, publisher: peer, name: modelName, issuedAt: uint() }),
};
