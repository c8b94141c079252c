import type { Cid } from "../protocol/cid.ts";
import { FailureError } from "../protocol/failure.ts";
import { MAX_ENVELOPE_BYTES, MAX_FRAME_BYTES } from "../protocol/limits.ts";
import { RUN_PROTOCOL } from "../protocol/protocol-id.ts";
import { bool, bytes, cid, decode, encode, list, record, type Schema, uint } from "../protocol/schema.ts";
import { FRAME } from "../protocol/work-frame.ts";
import { FrameStream } from "./frame-stream.ts";
import { MAX_SHOWN_STEP_BYTES, MAX_SHOWN_STEPS } from "./limits.ts";
import type { Mesh } from "./mesh.ts";

/**
 * Peers of one run exchange what they have signed, each only what the other has not seen. Whoever asks says how far it has read
 * the other's list and brings what is new on its own side; the answer is the rest of the list. Cost follows what is new.
 */
interface RunAsk {
  readonly run: Cid;
  /** run-access envelope of who asks, by the key of this connection. */
  readonly access: Uint8Array;
  /** Place in the other's list from which on it is wanted. */
  readonly from: number;
  /** Step envelopes. */
  readonly steps: readonly Uint8Array[];
  /** More steps follow in another frame. */
  readonly more: boolean;
}

interface RunAnswer {
  readonly steps: readonly Uint8Array[];
  readonly more: boolean;
}

/** Envelopes of one frame, with room for what stands around them. */
const MAX_STEPS_BYTES: number = MAX_FRAME_BYTES - 4_096;
const MAX_STEPS_PER_FRAME = 256;
/** A peer asks at once; one that does not is none. */
const ASK_TIMEOUT_MS = 10_000;

const steps: Schema<readonly Uint8Array[]> = list(bytes(MAX_ENVELOPE_BYTES), MAX_STEPS_PER_FRAME);

const askSchema: Schema<RunAsk> = record<RunAsk>({
  run: cid,
  access: bytes(MAX_ENVELOPE_BYTES),
  from: uint(),
  steps,
  more: bool,
});
const answerSchema: Schema<RunAnswer> = record<RunAnswer>({ steps, more: bool });

/** A list of receipts that peers may read, and add to. */
export interface RunList {
  /** Whether a peer takes part in the run. @throws FailureError `denied`, `bad-signature`, `not-found` */
  admit(run: Cid, access: Uint8Array, remote: string): Promise<void>;
  /** Envelopes from a place on; nothing where the run is not known here. */
  since(run: Cid, from: number): readonly Uint8Array[] | undefined;
  /** What a peer has brought. */
  learn(run: Cid, steps: readonly Uint8Array[]): Promise<void>;
}

/** In portions of one frame each; one that is empty where there are none. */
function portions(all: readonly Uint8Array[]): readonly (readonly Uint8Array[])[] {
  const made: Uint8Array[][] = [[]];
  let size = 0;
  for (const step of all) {
    const last = made.at(-1) ?? [];
    size += step.length + 4;
    if (last.length > 0 && (size > MAX_STEPS_BYTES || last.length === MAX_STEPS_PER_FRAME)) {
      made.push([step]);
      size = step.length + 4;
    } else last.push(step);
  }
  return made;
}

/** Answers who takes part in a run and asks for its receipts: that a run is, everybody can read in the log. Returns a function that stops. */
export function serveRuns(mesh: Mesh, runs: RunList): () => void {
  return mesh.handle(RUN_PROTOCOL, async (stream) => {
    const frames = new FrameStream(stream);
    const timer = setTimeout(
      () => frames.abort(new FailureError("timed-out", "nothing was asked for")),
      ASK_TIMEOUT_MS,
    );
    for await (const { kind, payload } of frames.frames()) {
      clearTimeout(timer);
      if (kind !== FRAME.runState)
        throw new FailureError("malformed-frame", `frame kind ${kind} on a run stream`);
      const ask = decode(askSchema, payload, MAX_FRAME_BYTES);
      await runs.admit(ask.run, ask.access, stream.remotePeer);
      if (ask.steps.length > 0) await runs.learn(ask.run, ask.steps);
      if (ask.more) continue;
      await answer(frames, runs.since(ask.run, ask.from));
      break;
    }
    clearTimeout(timer);
    await frames.close();
  });
}

async function answer(frames: FrameStream, all: readonly Uint8Array[] | undefined): Promise<void> {
  if (all === undefined) throw new FailureError("not-found", "this peer knows no such run");
  const each = portions(all);
  for (const [place, some] of each.entries()) {
    const more = place + 1 < each.length;
    // oxlint-disable-next-line no-await-in-loop -- back-pressure
    await frames.sendFrame(FRAME.runState, encode(answerSchema, { steps: some, more }));
  }
}

/**
 * Brings a peer what is new here and asks for what is new there.
 * @param address as for Mesh.dial
 * @returns envelopes whose signatures still have to be checked
 * @throws FailureError why the peer cannot be reached; `disconnected` where it knows no such run; `too-large` where it shows more
 *   than is kept of one peer
 */
export async function exchangeRun(
  mesh: Mesh,
  address: string | readonly string[],
  wanted: Pick<RunAsk, "run" | "access" | "from"> & { readonly news: readonly Uint8Array[] },
  signal: AbortSignal,
): Promise<readonly Uint8Array[]> {
  const { run, access, from, news } = wanted;
  const frames = new FrameStream(await mesh.dial(address, RUN_PROTOCOL, { signal, direct: true }));
  const abort = (): void =>
    frames.abort(new FailureError("timed-out", "the receipts did not arrive in time"));
  signal.addEventListener("abort", abort, { once: true });
  try {
    const each = portions(news);
    for (const [place, some] of each.entries()) {
      const ask: RunAsk = { run, access, from, steps: some, more: place + 1 < each.length };
      // oxlint-disable-next-line no-await-in-loop -- back-pressure
      await frames.sendFrame(FRAME.runState, encode(askSchema, ask));
    }
    return await receive(frames);
  } finally {
    signal.removeEventListener("abort", abort);
    await frames.close().catch(() => undefined);
  }
}

/** @throws FailureError `too-large`, `malformed-frame`, `disconnected`; nothing of a peer that says too much counts */
async function receive(frames: FrameStream): Promise<readonly Uint8Array[]> {
  const all: Uint8Array[] = [];
  let size = 0;
  for await (const { kind, payload } of frames.frames()) {
    if (kind !== FRAME.runState) throw new FailureError("malformed-frame", "expected receipts of a run");
    const { steps: some, more } = decode(answerSchema, payload, MAX_FRAME_BYTES);
    size += some.reduce((sum, { length }) => sum + length, 0);
    if (all.length + some.length > MAX_SHOWN_STEPS || size > MAX_SHOWN_STEP_BYTES)
      throw new FailureError("too-large", "the peer shows more receipts than are kept of one");
    if (more && some.length === 0) throw new FailureError("malformed-frame", "a frame without a receipt");
    all.push(...some.map((step) => step.slice()));
    if (!more) return all;
  }
  throw new FailureError("disconnected", "the peer ended before it had said all");
}
