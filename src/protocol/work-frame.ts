import type { FailureCode } from "./failure-code.ts";
import { MAX_ARGS_BYTES, MAX_ENVELOPE_BYTES, MAX_TEXT_BYTES } from "./limits.ts";
import { code } from "./messages/session.ts";
import type { PeerId } from "./peer-id.ts";
import { bytes, list, oneOf, peer, record, type Schema, text } from "./schema.ts";
import { type Tariff, tariffSchema } from "./tariff.ts";
import { clipText } from "./text.ts";
import { WireError } from "./wire-error.ts";

/**
 * Frames of the streams, each `u32be length ‖ u8 kind ‖ payload`; the length counts the payload alone, at most
 * MAX_FRAME_BYTES. Kind 0 belongs to the framing itself (credit, see frame-stream.ts). Envelopes are payloads as they
 * are. The order of a work stream: hello both ways, open, accept (or refuse), then tasks and advances one way, outcomes
 * and receipts the other, until a close advance and a final receipt, or a drain.
 */
export const FRAME = {
  /** Both ways. hello envelope. */
  hello: 1,
  /** Requester to provider. openSchema. */
  open: 2,
  /** Provider to requester. accept envelope. */
  accept: 3,
  /** Either side; nothing follows. failureSchema. */
  refuse: 4,
  /** Requester to provider. `u16be n ‖ n bytes of task ‖ first bytes of the input`. */
  task: 5,
  /** Requester to provider. `u32be seq ‖ next bytes of its input`. */
  taskData: 6,
  /** Requester to provider. advance envelope. */
  advance: 7,
  /** Provider to requester. `u16be n ‖ n bytes of outcome ‖ first bytes of the output`; for a failure the rest is its detail in UTF-8. */
  outcome: 8,
  /** Provider to requester. `u32be seq ‖ next bytes of its output`. */
  outcomeData: 9,
  /** Provider to requester. receipt envelope. */
  receipt: 10,
  /** Requester to provider. stop envelope: ends one task, which another provider has done meanwhile. */
  stop: 11,
  /** Requester to provider. cancel envelope. */
  cancel: 12,
  /** Provider to requester. drain envelope. */
  drain: 13,
  /** Provider to relay. offer envelope. */
  offer: 14,
  /**
   * Relay to provider, or requester to a provider whose hello has the feature `pulse`; and its answer: nothing but the frame, or on
   * the offer stream pongSchema, on which nothing rests.
   */
  ping: 15,
  pong: 16,
  /** Blob stream: 36 bytes of CID; then the answer's size as u64be (2^64 − 1: not here), then data frames. */
  want: 17,
  have: 18,
  data: 19,
  /** Relay to provider, on the offer stream. challenge envelope. */
  challenge: 20,
  /** Provider to relay. challenge-answer envelope. */
  challengeAnswer: 21,
  /** Provider to relay. Next bytes of an `upstream` challenge; its answer follows. */
  challengeData: 22,
  /**
   * Provider to requester, of a task whose outcome is sealed: `u32be seq ‖ 32 bytes`. The outcome follows when it is asked for.
   */
  seal: 23,
  /** Requester to provider. `u32be seq`: the sealed outcome may be shown. */
  unseal: 24,
  /** Requester to relay, on a watch stream. 36 bytes: CID of an open lease that was made for the key of this connection. */
  watch: 25,
  /** Relay to requester. The CID of such a lease, whose provider does not answer the relay any more. */
  quiet: 26,
  /** Provider to requester, before the outcome of a task with a step. `u32be seq ‖ step envelope`. */
  step: 27,
  /** Either way on a run stream. See run-exchange.ts in the room mesh. */
  runState: 28,
  /** Provider to requester, before the outcome of an effect. `u32be seq ‖ record of the effect`. */
  record: 29,
  /** Requester to provider, before the first task of an effect with secrets. sealedSecretsSchema, sealed to the session key of the lease. */
  secrets: 30,
} as const;

/** What a requester shows a provider before the first task. */
export interface Open {
  /** Job and lease envelopes. */
  readonly job: Uint8Array;
  readonly lease: Uint8Array;
  readonly tariff: Tariff;
  /** Encoded JobArgs. */
  readonly args: Uint8Array;
}

export const openSchema: Schema<Open> = record<Open>({
  job: bytes(MAX_ENVELOPE_BYTES),
  lease: bytes(MAX_ENVELOPE_BYTES),
  tariff: tariffSchema,
  args: bytes(MAX_ARGS_BYTES),
});

interface FailureFrame {
  readonly code: FailureCode;
  readonly detail: string;
}

const anyText: Schema<string> = text();

/** For people only, so a long detail is cut rather than refused: telling a failure never fails. */
const detail: Schema<string> = {
  write: (out, value) => anyText.write(out, clipText(value, MAX_TEXT_BYTES)),
  read: (from) => anyText.read(from),
};

export const failureSchema: Schema<FailureFrame> = record<FailureFrame>({ code, detail });

/** The parts of a task or outcome frame: `u16be n ‖ n bytes of header`, then data. Both alias the payload. */
export function splitHeader(payload: Uint8Array): readonly [header: Uint8Array, data: Uint8Array] {
  const [high, low] = payload;
  if (high === undefined || low === undefined) throw new WireError("frame: ends too early");
  const end = 2 + high * 256 + low;
  if (end > payload.length) throw new WireError("frame: header is longer than the frame");
  return [payload.subarray(2, end), payload.subarray(end)];
}

/** `u16be n` before a header of n bytes. */
export function headerLength(header: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(header.length >> 8, header.length & 0xff);
}

/** The parts of a data frame: `u32be seq`, then data, which aliases the payload. */
export function splitSeq(payload: Uint8Array): readonly [seq: number, data: Uint8Array] {
  const [a, b, c, d] = payload;
  if (a === undefined || b === undefined || c === undefined || d === undefined)
    throw new WireError("frame: ends too early");
  return [((a << 24) | (b << 16) | (c << 8) | d) >>> 0, payload.subarray(4)];
}

/** Links that one pong tells of: a provider works for as many requesters as it has threads, and others are not missed. */
export const MAX_TOLD_LINKS = 64;

/** A connection on which a provider works. */
export interface PeerLink {
  /** The requester's session key. */
  readonly peer: PeerId;
  /** Directly, or through the relay. */
  readonly over: "webrtc" | "circuit";
}

/** What a provider may say with a pong to its relay: over what it is connected to those it works for. */
export interface Pong {
  readonly links: readonly PeerLink[];
}

export const pongSchema: Schema<Pong> = record<Pong>({
  links: list(record<PeerLink>({ peer, over: oneOf(["webrtc", "circuit"]) }), MAX_TOLD_LINKS),
});
