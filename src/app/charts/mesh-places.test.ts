import { expect, test } from "vitest";
import type { MeshPeerView } from "../../protocol/network-view.ts";
import { PICTURE, placesOf } from "./mesh-places.ts";

function peer(does: MeshPeerView["does"], index: number): MeshPeerView {
  return { name: `${does} ${index}`, does, verified: true };
}

function peersOf(computes: number, asks: number): readonly MeshPeerView[] {
  return [
    peer("relays", 0),
    ...Array.from({ length: computes }, (_, index) => peer("computes", index)),
    ...Array.from({ length: asks }, (_, index) => peer("asks", index)),
  ];
}

test.each([
  [0, 0],
  [1, 0],
  [1, 1],
  [2, 1],
  [2, 2],
  [5, 3],
  [12, 12],
])("with %d who compute and %d who ask, everybody stands apart and inside", (computes, asks) => {
  const places = placesOf({ peers: peersOf(computes, asks) });
  expect(places).toHaveLength(1 + computes + asks);
  expect(places[0]).toEqual({ x: PICTURE.width / 2, y: PICTURE.height / 2 });
  for (const [index, { x, y }] of places.entries()) {
    expect(x > 0 && x < PICTURE.width && y > 0 && y < PICTURE.height).toBe(true);
    for (const other of places.slice(index + 1))
      expect(Math.hypot(x - other.x, y - other.y)).toBeGreaterThan(24);
  }
});

test("a picture of two hundred still keeps them apart", () => {
  const places = placesOf({ peers: peersOf(150, 49) });
  for (const [index, { x, y }] of places.entries())
    for (const other of places.slice(index + 1))
      expect(Math.hypot(x - other.x, y - other.y)).toBeGreaterThan(3);
});
