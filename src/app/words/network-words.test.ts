import { expect, test } from "vitest";
import type { MeshView, NetworkView, WorkSpan } from "../../protocol/network-view.ts";
import { microCredits } from "../../protocol/units.ts";
import { latencyText, meshWords, priceOf, sumOf, verifiedWords } from "./network-words.ts";

test.each([
  [0, "0.0 ms"],
  [840, "0.8 ms"],
  [12_400, "12 ms"],
  [999_400, "999 ms"],
  [999_600, "1.0 s"],
  [9_960_000, "10 s"],
  [95_000_000, "95 s"],
  [600_000_000, "10 min"],
])("%d microseconds read as %s", (us, text) => {
  expect(latencyText(us)).toBe(text);
});

const span = (tasks: number, fuel: bigint, paid: number): WorkSpan => ({
  start: 0,
  tasks,
  fuel,
  paid: microCredits(paid),
});

test("a price is rounded to the micro-credit, and is none where there was no work", () => {
  expect(priceOf(span(3, 2_000_000_000n, 2_001), "fuel")).toBe(1_001n);
  expect(priceOf(span(3, 2_000_000_000n, 2_000), "task")).toBe(667n);
  expect(priceOf(span(0, 0n, 0), "task")).toBeUndefined();
  expect(priceOf(span(1, 0n, 5), "fuel")).toBeUndefined();
  const huge = span(1, 2n ** 70n, 1_000);
  expect(priceOf(huge, "fuel")).toBe(0n);
});

test("spans add up", () => {
  expect(sumOf([span(1, 2n, 3), span(10, 20n, 30)])).toEqual({ tasks: 11, fuel: 22n, paid: 33n });
  expect(sumOf([])).toEqual({ tasks: 0, fuel: 0n, paid: 0n });
});

function network(verified: number, byReceipt: number, connected: number): NetworkView {
  const providers = { verified, byReceipt, byChallenge: verified - byReceipt, connected };
  // Words read nothing else of it.
  return { verifiedMs: 600_000, providers } as NetworkView;
}

test("it is said by what providers proved themselves, and who is not counted", () => {
  expect(verifiedWords(network(3, 2, 3))).toBe(
    "In the last 10 minutes: 2 by a receipt that both sides signed, 1 by the right answer to a challenge.",
  );
  expect(verifiedWords(network(1, 0, 3))).toBe(
    "In the last 10 minutes: 1 by the right answer to a challenge. 2 others connected without a proof in that time: not counted.",
  );
  expect(verifiedWords(network(0, 0, 1))).toMatch(/^Nobody .* 1 other connected/u);
});

test("the picture is told in words", () => {
  const relay = { name: "a", does: "relays", verified: false } as const;
  const provider = { name: "b", does: "computes", verified: true } as const;
  const asking = { name: "c", does: "asks", verified: false } as const;
  const quiet: MeshView = { peers: [relay, provider], links: [], left: 0 };
  expect(meshWords(quiet)).toBe(
    "The relay, 1 provider and 0 other peers. No work passes between them right now.",
  );
  const busy: MeshView = {
    peers: [relay, provider, asking],
    links: [
      { from: 0, to: 1, over: "websocket" },
      { from: 1, to: 2, over: "webrtc" },
    ],
    left: 4,
  };
  expect(meshWords(busy)).toBe(
    "The relay, 1 provider and 1 other peer. Work passes over 1 direct connection and 0 through the relay. 4 peers more than fit in.",
  );
});
