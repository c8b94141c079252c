import { circuitAddress } from "../../mesh/mesh-address.ts";
import { exchangeRun } from "../../mesh/run-exchange.ts";
import type { Cid } from "../../protocol/cid.ts";
import { openEnvelope, type Unverified } from "../../protocol/envelope.ts";
import { FailureError } from "../../protocol/failure.ts";
import { type Step, stepMessage } from "../../protocol/messages/run.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { STEPS_FETCH_MS } from "../limits.ts";
import type { RunGround } from "./run-ground.ts";
import type { RunMailbox } from "./run-mailbox.ts";

/**
 * Receipts that a run may go on from: what the relay has, and what those who signed it have signed since.
 *
 * A peer could show steps that nobody gave out, under keys that it made up a moment ago: a signature alone says nothing. So of each
 * peer its own receipts count, they go to the relay, which knows who has a lease for what, and only what the relay gives back is
 * returned. What a peer shows beyond that, or what cannot be read, holds nobody up.
 */
export async function gatherSteps(
  { mesh, relay }: Pick<RunGround, "mesh" | "relay">,
  run: Cid,
  mailbox: RunMailbox,
  signal: AbortSignal,
): Promise<readonly Uint8Array[]> {
  const left = await mailbox.steps(signal);
  const known = new Set<Cid>();
  const signers = new Set<PeerId>();
  for (const step of left.flatMap(openedStep)) {
    known.add(step.id);
    for (const { key } of step.signedBy) if (key !== mesh.peerId) signers.add(key);
  }
  const brought = await Promise.allSettled(
    [...signers].map(async (peer) => {
      const shown = await exchangeRun(
        mesh,
        circuitAddress(relay, peer),
        { run, access: await mailbox.accessFor(peer), from: 0, news: [] },
        AbortSignal.any([signal, AbortSignal.timeout(STEPS_FETCH_MS)]),
      );
      const own = shown.filter((envelope) =>
        openedStep(envelope).some((step) => !known.has(step.id) && isOf(peer, step)),
      );
      await mailbox.show(own);
      return own.length;
    }),
  );
  const isNew = brought.some((each) => each.status === "fulfilled" && each.value > 0);
  return isNew ? [...left, ...(await mailbox.steps(signal, left.length))] : left;
}

/** A receipt; nothing where the bytes are none. */
export function openedStep(envelope: Uint8Array): readonly Unverified<Step>[] {
  try {
    return [openEnvelope(stepMessage, envelope)];
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    return [];
  }
}

function isOf(peer: PeerId, { signedBy }: Unverified<Step>): boolean {
  return signedBy.length === 1 && signedBy[0]?.key === peer;
}
