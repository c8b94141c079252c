import { FailureError } from "../../protocol/failure.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { CallNode, EffectNode } from "../plan.ts";
import { needsBytes } from "./byte-needs.ts";
import type { Core, Place } from "./core.ts";
import { input } from "./endings.ts";
import { placeNodes } from "./graph-order.ts";
import type { Ending } from "./known.ts";
import { remoteStep } from "./remote-step.ts";

export async function runCall(core: Core, place: Place<CallNode>): Promise<Ending> {
  const { node } = place;
  return runRemote(core, place, input(place, "input"), { kind: "call", callee: node.callee });
}

export async function runEffect(core: Core, place: Place<EffectNode>): Promise<Ending> {
  const { node } = place;
  return runRemote(core, place, input(place, "request"), { kind: "effect", capability: node.capability });
}

async function runRemote(
  core: Core,
  place: Place<CallNode | EffectNode>,
  given: Parameters<typeof remoteStep>[1]["input"],
  what: Parameters<typeof remoteStep>[1]["what"],
): Promise<Ending> {
  const { node, id, key, scope, parents } = place;
  return remoteStep(
    core,
    {
      ...key,
      what,
      place: node.place,
      provenance: node.provenance,
      limits: node.limits,
      input: given,
      output: node.output,
      parents,
      peers: await peersOf(core, place),
      hold: !needsBytes(scope.graph, id),
      expected: scope.turns,
    },
    scope.signal,
  );
}

/** Root identities of the peers that carried out the nodes that the place names. */
export async function peersOf(core: Core, { node, id, scope }: Place): Promise<readonly PeerId[]> {
  const peers: PeerId[] = [];
  for (const named of placeNodes(node)) {
    // oxlint-disable-next-line no-await-in-loop -- they have ended
    const ending = await scope.ending(named);
    if (ending?.kind !== "done")
      throw new FailureError("no-provider", `${id} is placed by ${named}, which nobody carried out`);
    peers.push(...ending.value.by);
  }
  return [...new Set(peers)];
}
