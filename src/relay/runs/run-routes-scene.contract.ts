import { encodePlan } from "../../plan/plan-codec.ts";
import type { CallNode, Plan, PlanNode } from "../../plan/plan.ts";
import { type Cid, cidOf, DAG_CBOR, RAW } from "../../protocol/cid.ts";
import { openEnvelope, seal } from "../../protocol/envelope.ts";
import {
  type Run,
  runAccessMessage,
  runMessage,
  type RunRegistration,
  type Step,
  stepMessage,
} from "../../protocol/messages/run.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { Signer } from "../../protocol/signature.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import { fuel } from "../../protocol/units.ts";
import { createRunRequests, type RunRequests } from "../../mesh/run-requests.ts";
import { HEAD, type Scene, signerOf, WORK } from "../books/books-scene.contract.ts";
import { runBody } from "../books/run-scene.contract.ts";
import type { RelayScene } from "../relay-scene.contract.ts";

/** Runs over the relay's HTTP interface. For tests. */

const CALL: CallNode = {
  kind: "call",
  callee: { kind: "function", cid: WORK, entry: "run", abi: "bytes-1", args: [] },
  input: { from: "constant", json: "1" },
  output: { type: "bytes" },
  place: { at: "any" },
  provenance: { check: "signature" },
  limits: { fuel: fuel(1_000_000), memory: 65_536, output: 1_024, deadlineMs: 1_000 },
};

/** A plan whose nodes all call the scene's function. */
export function planOf(...nodes: readonly string[]): Plan {
  const named: Record<string, PlanNode> = {};
  for (const node of nodes) named[node] = CALL;
  return {
    v: 1,
    name: "three steps",
    graph: { params: {}, nodes: named, result: { from: "constant", json: "1" } },
  };
}

export function clientOf(relay: RelayScene): RunRequests {
  const throughApp: typeof fetch = async (input, init) => relay.http.request(new Request(input, init));
  return createRunRequests({ baseUrl: "http://relay.test", fetch: throughApp });
}

export interface MadeRun {
  readonly id: Cid;
  readonly terms: Run;
  readonly registration: RunRegistration;
}

export async function makeRun(
  scene: Scene,
  changes: Partial<Run> = {},
  params: Readonly<Record<string, Cid>> = {},
  signers: readonly Signer[] = [scene.requester],
): Promise<MadeRun> {
  const plan = encodePlan(planOf("a", "b", "c"));
  const encoded = encodeUtf8(JSON.stringify(params));
  const terms = runBody(scene, {
    plan: cidOf(DAG_CBOR, plan),
    params: cidOf(RAW, encoded),
    ...changes,
  });
  const run = await seal(runMessage, terms, signers);
  return { id: openEnvelope(runMessage, run).id, terms, registration: { run, plan, params: encoded } };
}

/** @param audience the relay where absent */
export async function accessOf(
  scene: Scene,
  run: Cid,
  signer: Signer,
  audience: PeerId = signerOf("relay").key,
): Promise<Uint8Array> {
  return seal(runAccessMessage, { ...HEAD, run, audience, issuedAt: scene.clock.now }, [signer]);
}

/** A value that a step names. */
export const VALUE: Uint8Array<ArrayBuffer> = encodeUtf8("a value");
export const VALUE_CID: Cid = cidOf(RAW, VALUE);

export async function stepOf(run: Cid, signer: Signer, changes: Partial<Step> = {}): Promise<Uint8Array> {
  const body: Step = {
    run,
    node: "a",
    iteration: "",
    attempt: 0,
    status: "done",
    args: cidOf(RAW, new Uint8Array()),
    result: VALUE_CID,
    size: VALUE.length,
    profile: 1,
    fuel: fuel(1_000),
    parents: [],
    ...changes,
  };
  return seal(stepMessage, body, [signer]);
}
