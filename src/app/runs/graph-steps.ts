import type { DrawnNode } from "../../plan/layout.ts";
import type { NodeId } from "../../plan/plan.ts";

export type Direction = "up" | "down" | "left" | "right";

export const DIRECTION_BY_KEY: ReadonlyMap<string, Direction> = new Map([
  ["ArrowUp", "up"],
  ["ArrowDown", "down"],
  ["ArrowLeft", "left"],
  ["ArrowRight", "right"],
]);

/** On the way to the side, going up or down counts so many times as much. */
const ASIDE = 2.5;

/** Where the eye sees a node: its title, which stands above whatever is inside. */
function titleOf({ x, y, width }: DrawnNode): { readonly x: number; readonly y: number } {
  return { x: x + width / 2, y };
}

/** @returns the node that an arrow key leads to from another, or undefined at the edge */
export function nodeInDirection(
  nodes: readonly DrawnNode[],
  from: NodeId,
  direction: Direction,
): NodeId | undefined {
  const start = nodes.find(({ id }) => id === from);
  if (start === undefined) return nodes[0]?.id;
  const at = titleOf(start);
  let best: { readonly id: NodeId; readonly cost: number } | undefined;
  for (const node of nodes) {
    const to = titleOf(node);
    const [across, down] = [to.x - at.x, to.y - at.y];
    const isVertical = direction === "up" || direction === "down";
    const forward = (isVertical ? down : across) * (direction === "up" || direction === "left" ? -1 : 1);
    const aside = Math.abs(isVertical ? across : down);
    // Beside means within the same rows or so: an arrow to the right does not fall down the page.
    if (forward <= 0 || (!isVertical && aside > forward * 2)) continue;
    const cost = forward + aside * (isVertical ? 1 : ASIDE);
    if (best === undefined || cost < best.cost) best = { id: node.id, cost };
  }
  return best?.id;
}
