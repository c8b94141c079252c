import type { Cid } from "../protocol/cid.ts";
import { MAX_ENVELOPE_BYTES, MAX_PLAN_BYTES, MAX_RUN_HOLDERS, MAX_TASK_BYTES } from "../protocol/limits.ts";
import {
  bytes,
  cid,
  decode,
  encode,
  list,
  record,
  type Schema,
  text,
  uint,
  where,
} from "../protocol/schema.ts";
import { MAX_NAME_BYTES, MAX_NAMES } from "./limits.ts";

/** A value of a run, under its CID (raw). */
export interface RecordedValue {
  readonly cid: Cid;
  readonly bytes: Uint8Array;
}

/** A parameter of a run. */
export interface RecordedParam {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * Everything that somebody else needs to check a run, without asking anybody: `verifyRun`. Values are those that were read by
 * whoever coordinated; what went from peer to peer alone is named by its CID and needs not be here.
 */
export interface RunRecord {
  readonly v: 1;
  /** The run's envelope. */
  readonly run: Uint8Array;
  /** run-holders envelopes, if there are. */
  readonly holders: readonly Uint8Array[];
  /** The plan, encoded. */
  readonly plan: Uint8Array;
  readonly params: readonly RecordedParam[];
  /** Step envelopes. */
  readonly steps: readonly Uint8Array[];
  readonly values: readonly RecordedValue[];
}

/** Revisions of holders that a record keeps: each is a signature of the initiator. */
const MAX_HOLDER_REVISIONS = 64;

/** Receipts in a record, as in a state. */
const MAX_RECORD_STEPS = 1_000_000;

/** Bytes of one record: what a browser tab can read at once, with room for a few large values. */
export const MAX_RECORD_BYTES: number = 256 * 1024 * 1024;

const schema: Schema<RunRecord> = record<RunRecord>({
  v: version(),
  run: bytes(MAX_ENVELOPE_BYTES),
  holders: list(bytes(MAX_ENVELOPE_BYTES), Math.max(MAX_HOLDER_REVISIONS, MAX_RUN_HOLDERS)),
  plan: bytes(MAX_PLAN_BYTES),
  params: list(
    record<RecordedParam>({ name: text(MAX_NAME_BYTES), bytes: bytes(MAX_TASK_BYTES) }),
    MAX_NAMES,
  ),
  steps: list(bytes(MAX_ENVELOPE_BYTES), MAX_RECORD_STEPS),
  values: list(record<RecordedValue>({ cid, bytes: bytes(MAX_TASK_BYTES) }), MAX_RECORD_STEPS),
});

function version(): Schema<1> {
  const number = where(uint(1), (value) => value === 1, "is not a record of version 1");
  return {
    write: (out, value) => number.write(out, value),
    read(from) {
      number.read(from);
      return 1;
    },
  };
}

/** A record as a file: canonical dag-cbor. */
export function encodeRunRecord(value: RunRecord): Uint8Array<ArrayBuffer> {
  return encode(schema, value);
}

/** @throws WireError naming the field. */
export function decodeRunRecord(data: Uint8Array): RunRecord {
  return decode(schema, data, MAX_RECORD_BYTES);
}
