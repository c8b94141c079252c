import type { Cid } from "../../protocol/cid.ts";
import { failureKind } from "../../protocol/failure-code.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { isComputed, whyNotRecord } from "../effect-record.ts";
import type { CallNode, EffectNode, AgentNode } from "../plan.ts";
import type { StepKey, StepOrder } from "../runner-ports.ts";
import { placeNodes } from "../runner/graph-order.ts";
import { enough, type StepRule, whyNot } from "../runner/step-choice.ts";
import { isPeerAttempt } from "../state/attempts.ts";
import type { Receipt } from "../state/receipt.ts";
import type { ValueType } from "../value-type.ts";
import { nodeIn } from "./check-graph.ts";
import type { CheckState, GraphSeen, NodeSeen, Seen, SeenPlace } from "./check-state.ts";

/** One step of a peer: of a call or an effect, or one that an agent took. */
export interface SeenStep extends StepKey {
  readonly what: StepOrder["what"];
  readonly input: Seen;
  readonly output: ValueType;
  /** Receipts that it has to name. */
  readonly parents: readonly Cid[];
}

/** Root identities of the peers that carried out the nodes that a place names. */
export function peersSeen(
  check: CheckState,
  { node, scope }: SeenPlace<CallNode | EffectNode | AgentNode>,
): readonly PeerId[] {
  return placeNodes(node).flatMap((id) => {
    const seen = nodeIn(check, scope, id);
    return seen.kind === "done" ? seen.value.by : [];
  });
}

/** A peer's step: who signed it, about what, within which limits, and whether as many as the plan asks for agree. */
export function checkRemote(
  check: CheckState,
  place: SeenPlace<CallNode | EffectNode | AgentNode>,
  step: SeenStep,
): NodeSeen {
  const { node } = place;
  const rule: StepRule = {
    node: step.node,
    iteration: step.iteration,
    what: step.what,
    place: node.place,
    provenance: node.provenance,
    limits: node.limits,
    peers: peersSeen(check, place),
    args: step.input.cid,
    initiator: check.open.body.initiator,
    relay: check.trust.relay,
    isCoordinator: check.isCoordinator,
  };
  const settled = check.settled(step);
  if (settled !== undefined && settled.step.args !== step.input.cid) {
    check.wrong(step, "it was given something else than what the plan and the receipts before say");
    return { kind: "absent" };
  }
  const receipts = settled === undefined ? check.ofPeers(step) : check.parentsOf(settled);
  const own = receipts.filter(
    (receipt) => receipt.step.node === step.node && receipt.step.iteration === step.iteration,
  );
  for (const receipt of own) judge(check, rule, step, receipt);
  const speaker = settled ?? own[0];
  if (speaker !== undefined) check.requireParents(speaker, step.parents);
  if (settled?.step.status === "failed") return failedStep(check, step, settled, own);
  const found = enough(rule, own);
  const [first] = found ?? [];
  if (found === undefined || first?.step.result === undefined) {
    if (settled !== undefined || own.length > 0)
      check.wrong(step, `its receipts are not what the plan asks for (${node.provenance.check})`);
    return { kind: "absent" };
  }
  if (settled !== undefined && settled.step.result !== first.step.result)
    check.wrong(step, "the coordinator settled another value than the peers signed");
  if (node.place.at === "relay" && check.trust.relay === undefined)
    check.notSeen(step, "it is to be of the relay, and who that is was not said");
  for (const each of found) checkRecord(check, step, node.provenance.check === "replay", each);
  const receipt = settled?.id ?? first.id;
  const by = found.map(({ root }) => root);
  return {
    kind: "done",
    receipt,
    value: check.seen(first.step.result, step.output, { parents: [receipt], by }),
  };
}

/** What an effect saw, where its record is here. */
function checkRecord(check: CheckState, step: SeenStep, isAsked: boolean, receipt: Receipt): void {
  const { record } = receipt.step;
  if (step.what.kind !== "effect" || record === undefined) return;
  const bytes = check.values.get(record);
  if (bytes === undefined) {
    if (isAsked || isComputed(step.what.capability))
      check.notSeen(step, "the record of its effect is not in the run's record");
    return;
  }
  const why = whyNotRecord(receipt, step.what.capability, bytes);
  if (why === undefined) followEffect(check, step, receipt, bytes);
  else check.wrong(step, why);
}

/** Time and randomness follow from the record, so that nobody can choose them: they are computed again where that can be done. */
function followEffect(
  check: CheckState,
  step: SeenStep,
  { step: said, key }: Receipt,
  record: Uint8Array,
): void {
  if (step.what.kind !== "effect") return;
  const { capability } = step.what;
  const request = step.input.bytes;
  const response = said.result === undefined ? undefined : check.values.get(said.result);
  const { follow } = check.trust;
  if (follow === undefined || request === undefined || response === undefined) {
    if (isComputed(capability))
      check.notSeen(step, "its value was not computed again from the record of its effect");
    return;
  }
  const { run, node, iteration, attempt } = said;
  const place = { run, node, iteration, attempt };
  const { wrong, unchecked } = follow({ capability, request, record, response, place, signer: key });
  if (wrong !== undefined) check.wrong(step, wrong);
  if (unchecked !== undefined) check.notSeen(step, unchecked);
}

function judge(check: CheckState, rule: StepRule, step: SeenStep, receipt: Receipt): void {
  const why = whyNot(rule, receipt);
  const isRecomputed = !isPeerAttempt(receipt.step.attempt);
  if (why !== undefined && !isRecomputed) check.wrong(step, `a receipt does not count: ${why}`);
  const bytes = receipt.step.result === undefined ? undefined : check.values.get(receipt.step.result);
  if (bytes !== undefined && bytes.length !== receipt.step.size)
    check.wrong(step, `its value has ${bytes.length} bytes, and the receipt says ${receipt.step.size}`);
}

/** A function's own failure is signed by whom it failed at; losses and refusals are the coordinator's word. */
function failedStep(check: CheckState, step: SeenStep, settled: Receipt, own: readonly Receipt[]): NodeSeen {
  const { code } = settled.step;
  const isOwn = code !== undefined && failureKind(code).pay === "fuel";
  if (isOwn && !own.some((receipt) => receipt.step.status === "failed" && receipt.step.code === code))
    check.wrong(step, "the coordinator says that the function failed, and no peer signed that");
  return { kind: "failed", receipt: settled.id };
}

/** A node that a coordinator settled came to `value`: its receipt says the same, and names what it follows from. */
export function same(
  check: CheckState,
  { settled, key, parents }: SeenPlace,
  value: Seen,
  tail: readonly Cid[] = [],
): NodeSeen {
  if (settled === undefined) return { kind: "absent" };
  const { result } = settled.step;
  if (result === undefined) {
    check.wrong(key, "it came to a value by the plan, and its receipt says that it failed");
    return { kind: "failed", receipt: settled.id };
  }
  if (result !== value.cid) {
    check.wrong(key, "its receipt names another value than the plan gives");
    return { kind: "absent" };
  }
  check.requireParents(settled, [...parents, ...tail]);
  return { kind: "done", receipt: settled.id, value: { ...value, parents: [settled.id] } };
}

/** Its value cannot be computed here, because what it was made of is not in the record: the coordinator's word is taken, and that is said. */
export function onItsWord(check: CheckState, place: SeenPlace, type: ValueType): NodeSeen {
  const { settled, key } = place;
  if (settled === undefined) return { kind: "absent" };
  check.notSeen(key, "what it was made of is not in the record, so only its signature was checked");
  if (settled.step.result === undefined) return { kind: "failed", receipt: settled.id };
  const by = [settled.root];
  return {
    kind: "done",
    receipt: settled.id,
    value: check.seen(settled.step.result, type, { parents: [settled.id], by }),
  };
}

/** A node whose inner graph failed, failed with it. */
export function failedBy(check: CheckState, { settled, key }: SeenPlace, inner: Cid): NodeSeen {
  if (settled === undefined) return { kind: "absent" };
  if (settled.step.status !== "failed")
    check.wrong(key, "what is inside of it failed, and its receipt says otherwise");
  else {
    const [cause] = check.state.byId(inner);
    if (cause?.step.code !== settled.step.code)
      check.wrong(key, "it names another failure than what is inside of it");
    check.requireParents(settled, [inner]);
  }
  return { kind: "failed", receipt: settled.id };
}

/** A graph inside of a node that has no receipts where it should have. */
export function incomplete(
  check: CheckState,
  { settled, key }: SeenPlace,
  graph: Extract<GraphSeen, { kind: "absent" }>,
): NodeSeen {
  if (settled !== undefined)
    check.wrong(key, `it is settled, and there is no receipt of ${graph.node} inside of it`);
  return { kind: "absent" };
}
