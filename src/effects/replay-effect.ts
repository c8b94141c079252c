import { bytesToHex } from "@noble/hashes/utils.js";
import { equalBytes } from "../protocol/bytes.ts";
import { cidOf, RAW } from "../protocol/cid.ts";
import { FailureError } from "../protocol/failure.ts";
import {
  type Capability,
  capabilityCid,
  type EffectPlace,
  type EffectRecord,
  effectRecordSchema,
} from "../protocol/messages/effect.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import { decode, encode } from "../protocol/schema.ts";
import { canonicalJson, parseJson } from "./canonical-json.ts";
import { readRequest } from "./effect-request.ts";
import { randomBytesFrom, randomMessage } from "./random-bytes.ts";
import type { EffectRequest } from "./request-fields.ts";

/** An encoded record: the largest holds a place, a block and a proof. */
const MAX_RECORD_BYTES = 2_048;

export function encodeRecord(record: EffectRecord): Uint8Array<ArrayBuffer> {
  return encode(effectRecordSchema, record);
}

/** @throws WireError */
export function decodeRecord(bytes: Uint8Array): EffectRecord {
  return decode(effectRecordSchema, bytes, MAX_RECORD_BYTES);
}

/** An effect that is over, as whoever checks it has it. */
export interface RecordedEffect {
  readonly capability: Capability;
  readonly request: Uint8Array;
  /** Encoded record; its CID (raw) stands in the receipt. */
  readonly record: Uint8Array;
  /** Bytes of the value. */
  readonly response: Uint8Array;
  /** The step that it is to belong to, and who signed that; left out, the record's own word counts. */
  readonly place?: EffectPlace;
  readonly signer?: PeerId;
  /** Checks a BLS signature by the relay's key; without it verifiable randomness is not believed. */
  readonly verifyProof?: (message: Uint8Array, proof: Uint8Array) => boolean;
}

function wrong(what: string): FailureError {
  return new FailureError("content-mismatch", `effect: ${what}`);
}

function isSamePlace(a: EffectPlace | undefined, b: EffectPlace): boolean {
  return a?.run === b.run && a.node === b.node && a.iteration === b.iteration && a.attempt === b.attempt;
}

/** What can be computed again is; of the rest only the form is looked at. */
function checkAnswer(request: EffectRequest, record: EffectRecord, effect: RecordedEffect): void {
  const { response, verifyProof } = effect;
  const isValue = (value: Parameters<typeof canonicalJson>[0]): boolean =>
    equalBytes(response, canonicalJson(value));
  switch (request.kind) {
    case "time":
      if (!isValue(record.at)) throw wrong("its value is not the time of its record");
      return;
    case "random": {
      if (record.place === undefined) throw wrong("randomness without a step");
      const message = randomMessage(record.place);
      const { proof } = record;
      if (request.isVerifiable !== (proof !== undefined))
        throw wrong("a proof of randomness is missing, or too much");
      if (proof !== undefined && verifyProof?.(message, proof) !== true)
        throw wrong("the relay has not signed for this randomness");
      if (!isValue(bytesToHex(randomBytesFrom(proof ?? message, request.bytes))))
        throw wrong("its random bytes are not those of its step");
      return;
    }
    case "fetch":
      if (record.status === undefined) throw wrong("a fetch without a status");
      if (request.as === "bytes" || request.as === "text") return;
      break;
    case "evm-read":
      if (record.block === undefined) throw wrong("a chain read without a block");
      break;
    case "kv-get":
    case "kv-put":
    case "kv-list":
      break;
    default:
      request satisfies never;
  }
  const json = parseJson(response);
  if (json === undefined || !isValue(json)) throw wrong("its value is not canonical JSON");
}

/**
 * Follows an effect from its record, without the network: that it was asked within its capability, that request, answer, step and
 * signer are those of the record, and that what can be computed again comes to the same. What a server said is the signer's word.
 * @returns the value
 * @throws FailureError `content-mismatch`, or `effect-refused` for what its capability does not allow, naming what is wrong
 */
export function replayEffect(effect: RecordedEffect): Uint8Array {
  const { capability, request, response, place, signer } = effect;
  const record = decodeRecord(effect.record);
  if (record.kind !== capability.kind || record.capability !== capabilityCid(capability))
    throw wrong("its record names another capability");
  if (record.request !== cidOf(RAW, request)) throw wrong("its record names another request");
  if (record.response !== cidOf(RAW, response) || record.size !== response.length)
    throw wrong("its record names another answer");
  if (response.length > capability.maxBytes) throw wrong("its answer is larger than its capability allows");
  if (signer !== undefined && record.signer !== signer) throw wrong("its record is another peer's");
  if (place !== undefined && !isSamePlace(record.place, place)) throw wrong("its record is of another step");
  checkAnswer(readRequest(capability, request), record, effect);
  return response;
}
