import type { RelayClient } from "../mesh/relay-client.ts";
import { openEnvelope, seal } from "../protocol/envelope.ts";
import { FailureError } from "../protocol/failure.ts";
import { header } from "../protocol/header.ts";
import { type Opening, openingMessage } from "../protocol/messages/audit.ts";
import { advanceMessage } from "../protocol/messages/task.ts";
import type { Signer } from "../protocol/signature.ts";
import { INLINE_INPUT_BYTES } from "./limits.ts";
import type { RequesterChannel, ShownOutcome } from "./requester-channel.ts";
import type { TaskInput } from "./task-input.ts";

export interface OpeningPorts {
  readonly client: Pick<RelayClient, "open" | "hasBlob" | "putBlob">;
  readonly signer: Signer;
  readonly signal: AbortSignal;
}

/** An outcome of a lease, and what it was computed from. */
export interface OutcomeWithInput {
  readonly channel: RequesterChannel;
  readonly shown: ShownOutcome;
  readonly input: Pick<TaskInput, "bytes" | "cid">;
}

/** Where it was drawn. */
export interface DrawnUnder {
  /** The receipt's entry. */
  readonly entryIndex: number;
  /** Outcomes under that receipt. */
  readonly count: number;
  /** Tasks that its provider has signed for in that receipt; those beyond are in the advance alone. */
  readonly taskCount: number;
  /** Envelope of that receipt's advance, or of a later one. */
  readonly advance: Uint8Array;
}

/**
 * Lays a drawn outcome open at the relay; a large input goes before it. The provider is not asked, so it cannot hinder it.
 * @throws FailureError `malformed` where the outcome is not under that receipt; as the relay's
 */
export async function layOpen(
  { client, signer, signal }: OpeningPorts,
  { entryIndex, count, taskCount, advance }: DrawnUnder,
  { channel, shown, input }: OutcomeWithInput,
): Promise<void> {
  const { origin, asset } = channel.held.lease.body;
  // A list of tasks that the provider has signed for proves more than a longer one.
  const isSignedFor = shown.seq < taskCount;
  const tasks = isSignedFor ? taskCount : openEnvelope(advanceMessage, advance).body.taskCount;
  const paths = channel.paths(shown, count, tasks);
  if (paths === undefined) throw new FailureError("malformed", "the outcome is not under the receipt");
  const isInline = input.bytes.length <= INLINE_INPUT_BYTES;
  if (!isInline && !(await client.hasBlob(input.cid, signal)))
    await client.putBlob(input.cid, input.bytes, signal);
  const opening: Opening = {
    ...header(origin, asset),
    entryIndex,
    index: shown.index,
    leaf: shown.leaf,
    task: shown.task,
    ...paths,
    advance,
    ...(isInline ? { input: input.bytes } : {}),
  };
  await client.open(await seal(openingMessage, opening, [signer]), signal);
}
