import type { Cid } from "../cid.ts";
import type { MessageType } from "../envelope.ts";
import { type Header, headerFields } from "../header.ts";
import {
  MAX_CAPABILITY_BYTES,
  MAX_EFFECT_BYTES,
  MAX_EFFECT_REQUEST_BYTES,
  MAX_ENVELOPE_BYTES,
  MAX_STEP_PARENTS,
} from "../limits.ts";
import { bytes, cid, list, record, type Schema, text, uint } from "../schema.ts";
import { type SealedSecret, sealedSecretsSchema } from "./effect.ts";

/**
 * A coordinator asks the relay itself to carry out an effect of its run, where a tab cannot. Signed by a session of the run's
 * initiator or of a holder. The same step and attempt again is answered alike, and nothing is done twice.
 */
export interface EffectOrder extends Header {
  readonly run: Cid;
  readonly node: string;
  readonly iteration: string;
  readonly attempt: number;
  /** CID (raw) of the encoded capability. */
  readonly capability: Cid;
  /** CID (raw) of the request. */
  readonly request: Cid;
  /** Receipts that the request came from, CIDs of their bodies. */
  readonly parents: readonly Cid[];
  /** Milliseconds since 1970. */
  readonly issuedAt: number;
}

export const effectOrderMessage: MessageType<EffectOrder> = {
  name: "effect-order",
  schema: record<EffectOrder>({
    ...headerFields,
    run: cid,
    node: text(64),
    iteration: text(128),
    attempt: uint(65_535),
    capability: cid,
    request: cid,
    parents: list(cid, MAX_STEP_PARENTS),
    issuedAt: uint(),
  }),
};

/** An order with what it names. */
export interface EffectParcel {
  /** effect-order envelope. */
  readonly order: Uint8Array;
  readonly capability: Uint8Array;
  readonly request: Uint8Array;
  /** Sealed to the relay's mesh identity, for this run. */
  readonly secrets: readonly SealedSecret[];
}

export const effectParcelSchema: Schema<EffectParcel> = record<EffectParcel>({
  order: bytes(MAX_ENVELOPE_BYTES),
  capability: bytes(MAX_CAPABILITY_BYTES),
  request: bytes(MAX_EFFECT_REQUEST_BYTES),
  secrets: sealedSecretsSchema,
});

/** What the relay has done. */
export interface EffectReply {
  /** step envelope, signed by the relay's mesh identity; without a lease, as nobody is paid for it. */
  readonly step: Uint8Array;
  /** Encoded record, which the step names. */
  readonly record: Uint8Array;
  readonly value: Uint8Array;
}

export const effectReplySchema: Schema<EffectReply> = record<EffectReply>({
  step: bytes(MAX_ENVELOPE_BYTES),
  record: bytes(2_048),
  value: bytes(MAX_EFFECT_BYTES),
});
