import type { StepOrder } from "../../plan/runner-ports.ts";
import { FailureError } from "../../protocol/failure.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { NameView } from "../../protocol/run-views.ts";
import type { StepPlace } from "../make-step-job.ts";

export interface PlacePorts {
  /** Root identity of this coordinator. */
  readonly self: PeerId;
  /** Who answers for a name. @throws FailureError `not-found` */
  name(name: string, signal: AbortSignal): Promise<NameView>;
}

/** Most providers that a job may name. */
const MAX_ONLY = 16;

/**
 * Who may carry a step out, as a job says it.
 * @throws FailureError `no-provider` where a name stands for nobody; `unsupported` for what no provider can do
 */
export async function placeOf(
  { place, peers }: Pick<StepOrder, "place" | "peers">,
  { providers }: { readonly providers?: readonly PeerId[] },
  ports: PlacePorts,
  signal: AbortSignal,
): Promise<StepPlace> {
  switch (place.at) {
    case "any":
      return {
        ...(providers === undefined ? {} : { only: providers.slice(0, MAX_ONLY) }),
        ...(place.apartFrom === undefined ? {} : { apartFrom: others(peers, ports.self) }),
        ...(place.prefer === undefined ? {} : { prefer: place.prefer }),
      };
    case "with": {
      const only = others(peers, ports.self).slice(0, MAX_ONLY);
      return only.length === 0 ? {} : { only };
    }
    case "peer":
      return { only: [place.peer] };
    case "name": {
      const { peers: behind } = await ports.name(place.name, signal);
      const only = (behind ?? []).map(({ peer }) => peer).slice(0, MAX_ONLY);
      if (only.length === 0) throw new FailureError("no-provider", `nobody answers for ${place.name}`);
      return { only };
    }
    case "coordinator":
    case "initiator":
    case "relay":
      throw new FailureError("unsupported", `a step is given to providers, not to the ${place.at}`);
    default:
      return place satisfies never;
  }
}

/** A coordinator carries out what it evaluates itself, and takes no jobs. */
function others(peers: readonly PeerId[], self: PeerId): readonly PeerId[] {
  return [...new Set(peers)].filter((peer) => peer !== self);
}
