import type { MeshView } from "../../protocol/network-view.ts";

export interface Place {
  readonly x: number;
  readonly y: number;
}

/** The picture is this wide and high; the relay is in its middle. */
export const PICTURE: { readonly width: number; readonly height: number } = { width: 640, height: 400 };

/** Half axes of the rings, as shares of the picture's: who computes is near the relay, who asks around them. */
const RINGS: Readonly<Record<"computes" | "asks", number>> = { computes: 0.52, asks: 0.9 };
/** More than so many on one ring stand on two, in and out by turns. */
const CROWDED = 48;
const STAGGER = 0.11;
const MARGIN = 16;

/** Half a turn is halfway between two who compute; where there is one, a third of a turn away from it looks better. */
function turnOf(computing: number): number {
  return computing < 2 ? (2 * Math.PI) / 3 : Math.PI / computing;
}

function onRing(index: number, count: number, share: number, turn: number): Place {
  const angle = (2 * Math.PI * index) / count + Math.PI / 6 + turn;
  const stagger = count > CROWDED && index % 2 === 1 ? STAGGER : 0;
  const reach = share - stagger;
  return {
    x: PICTURE.width / 2 + Math.cos(angle) * (PICTURE.width / 2 - MARGIN) * reach,
    y: PICTURE.height / 2 + Math.sin(angle) * (PICTURE.height / 2 - MARGIN) * reach,
  };
}

/** Where each peer stands. Names keep their order, so that a peer stays near where it was. */
export function placesOf({ peers }: Pick<MeshView, "peers">): readonly Place[] {
  const counts = { computes: 0, asks: 0, relays: 0 };
  for (const { does } of peers) counts[does] += 1;
  const seen = { computes: 0, asks: 0 };
  return peers.map(({ does }) => {
    if (does === "relays") return { x: PICTURE.width / 2, y: PICTURE.height / 2 };
    const turn = does === "asks" ? turnOf(counts.computes) : 0;
    const place = onRing(seen[does], counts[does], RINGS[does], turn);
    seen[does] += 1;
    return place;
  });
}
