import type { Cid } from "../../protocol/cid.ts";
import { capabilityCid } from "../../protocol/messages/effect.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { Place, Provenance, StepLimits } from "../plan.ts";
import type { StepKey, StepOrder } from "../runner-ports.ts";
import { isPeerAttempt, REPLAYED_FROM } from "../state/attempts.ts";
import { byIdAndKey, type RunState } from "../state/run-state.ts";
import type { Receipt } from "../state/receipt.ts";

/** What receipts of one step have to be, to count. */
export interface StepRule extends StepKey {
  readonly what: StepOrder["what"];
  readonly place: Place;
  readonly provenance: Provenance;
  readonly limits: StepLimits;
  /** CID of the input. */
  readonly args: Cid;
  /** Root identities of those that `place` names nodes of. */
  readonly peers: readonly PeerId[];
  readonly initiator: PeerId;
  /** The relay, where it is known who that is. */
  readonly relay: PeerId | undefined;
  readonly isCoordinator: (root: PeerId) => boolean;
}

/** Why a receipt does not count for a step; `undefined` when it does. Everybody comes to the same from plan and receipts alone. */
export function whyNot(rule: StepRule, { step, root }: Receipt): string | undefined {
  if (step.args !== rule.args) return "it is about another input";
  const callee = rule.what.kind === "call" ? rule.what.callee.cid : capabilityCid(rule.what.capability);
  if (step.callee !== undefined && step.callee !== callee) return "it used another function";
  if (rule.what.kind === "effect" && step.status === "done" && step.record === undefined)
    return "it says nothing of what it saw";
  if (step.fuel > rule.limits.fuel) return "it used more fuel than the plan allows";
  if (step.size > rule.limits.output) return "its value is larger than the plan allows";
  return misplaced(rule, root);
}

function misplaced(
  { place, peers, initiator, relay, isCoordinator }: StepRule,
  root: PeerId,
): string | undefined {
  switch (place.at) {
    case "coordinator":
      return isCoordinator(root) ? undefined : "it is not of a coordinator of the run";
    case "initiator":
      return root === initiator ? undefined : "it is not of the initiator";
    case "peer":
      return root === place.peer ? undefined : "it is of another peer than the plan names";
    case "with":
      return peers.length === 0 || peers.includes(root)
        ? undefined
        : "it is not of the peer that has the data";
    case "any":
      return peers.includes(root) ? "it is of a peer that it has to be apart from" : undefined;
    case "relay":
      return relay === undefined || root === relay ? undefined : "it is not of the relay";
    case "name":
      return undefined;
    default:
      return place satisfies never;
  }
}

/** Receipts that settle a step: one, or those of a quorum that agree; the one whose value counts comes first. */
export function enough(rule: StepRule, receipts: readonly Receipt[]): readonly Receipt[] | undefined {
  const done = receipts
    .filter((receipt) => receipt.step.status === "done" && whyNot(rule, receipt) === undefined)
    .toSorted(byAttempt);
  const asked = done.filter(({ step }) => isPeerAttempt(step.attempt));
  const { provenance } = rule;
  if (provenance.check === "quorum") return agreeing(asked, provenance.k);
  if (provenance.check === "replay" && rule.what.kind === "call") return replayed(asked, done, rule);
  const [first] = asked;
  return first === undefined ? undefined : [first];
}

/** `k` of distinct owners that came to the same. Where two results have that many, the one that was there by earlier attempts. */
function agreeing(receipts: readonly Receipt[], k: number): readonly Receipt[] | undefined {
  for (const { step } of receipts) {
    const roots = new Set<PeerId>();
    const same = receipts.filter((other) => {
      if (other.step.result !== step.result || roots.has(other.root)) return false;
      roots.add(other.root);
      return true;
    });
    if (same.length >= k) return same;
  }
  return undefined;
}

/** A peer's result and a coordinator's own recomputation that came to the same. */
function replayed(
  asked: readonly Receipt[],
  done: readonly Receipt[],
  { isCoordinator }: StepRule,
): readonly Receipt[] | undefined {
  for (const peer of asked) {
    const own = done.find(
      ({ step, root }) =>
        step.attempt === REPLAYED_FROM + peer.step.attempt &&
        step.result === peer.step.result &&
        isCoordinator(root),
    );
    if (own !== undefined) return [peer, own];
  }
  return undefined;
}

/** The earliest attempt first; among equals the one whose CID comes first, which is the same everywhere. */
function byAttempt(a: Receipt, b: Receipt): number {
  return a.step.attempt - b.step.attempt || byIdAndKey(a, b);
}

/** Receipts of a step whose signers have not been caught lying. */
export function honest(state: RunState, key: StepKey): readonly Receipt[] {
  return state.of(key).filter((receipt) => !state.isLiar(receipt.key));
}
