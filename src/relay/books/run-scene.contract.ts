import { randomBytes } from "node:crypto";
import { cidOf, DAG_CBOR, RAW } from "../../protocol/cid.ts";
import type { Cid } from "../../protocol/cid.ts";
import type { Verified } from "../../protocol/envelope.ts";
import type { Job } from "../../protocol/messages/job.ts";
import {
  type Run,
  type RunEnd,
  runEndMessage,
  type RunHolders,
  runHoldersMessage,
  runMessage,
} from "../../protocol/messages/run.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { Signer } from "../../protocol/signature.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import { microCredits } from "../../protocol/units.ts";
import { HEAD, type Scene, signedJob, verifiedMessage } from "./books-scene.contract.ts";

/** Runs and their jobs, as coordinators sign them. For tests. */

/** A run of the scene's requester with a budget of 25,000. */
export function runBody(scene: Scene, changes: Partial<Run> = {}): Run {
  return {
    ...HEAD,
    initiator: scene.requester.key,
    payer: scene.requester.key,
    plan: cidOf(DAG_CBOR, encodeUtf8("a plan")),
    params: cidOf(RAW, encodeUtf8("{}")),
    nonce: new Uint8Array(randomBytes(16)),
    issuedAt: scene.clock.now,
    notAfter: scene.clock.now + 3_600_000,
    budget: microCredits(25_000),
    returnTo: "relay",
    ...changes,
  };
}

export async function signedRun(
  scene: Scene,
  changes: Partial<Run> = {},
  ...signers: readonly Signer[]
): Promise<Verified<Run>> {
  const by = signers.length === 0 ? [scene.requester] : signers;
  return verifiedMessage(runMessage, runBody(scene, changes), by);
}

export async function registered(scene: Scene, changes: Partial<Run> = {}): Promise<Verified<Run>> {
  const run = await signedRun(scene, changes);
  await scene.books.runs.register(run);
  return run;
}

/** Job of a node, 10,000 micro-credits unless told otherwise. */
export async function stepJob(
  scene: Scene,
  run: Verified<Run>,
  node: string,
  turn = 0,
  changes: Partial<Job> = {},
  coordinator: Signer = scene.requester,
  requester: PeerId = coordinator.key,
): Promise<Verified<Job>> {
  const step = { id: run.id, node, turn };
  return signedJob(scene, { requester, payer: run.body.payer, run: step, ...changes }, coordinator);
}

export async function holdersOf(
  scene: Scene,
  run: Cid,
  rev: number,
  holders: readonly Signer[],
  signer: Signer = scene.requester,
): Promise<Verified<RunHolders>> {
  const body = { ...HEAD, run, rev, holders: holders.map(({ key }) => key) };
  return verifiedMessage(runHoldersMessage, body, [signer]);
}

export async function endOf(
  run: Cid,
  signer: Signer,
  changes: Partial<RunEnd> = {},
): Promise<Verified<RunEnd>> {
  return verifiedMessage(runEndMessage, { ...HEAD, run, status: "cancelled", ...changes }, [signer]);
}

/** How a refusal reads, or that there was none. */
export async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "accepted";
  } catch (error) {
    return String(error);
  }
}
