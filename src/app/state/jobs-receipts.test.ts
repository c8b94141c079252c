import { expect, it } from "vitest";
import { cidOf, RAW } from "../../protocol/cid.ts";
import { peerIdFromSeed } from "../../protocol/ed25519.ts";
import { microCredits } from "../../protocol/units.ts";
import { leasesAt } from "./jobs-receipts.ts";

it("of a job whose page went, the relay’s own list says who was paid for what; leases without work are left out", async () => {
  const provider = await peerIdFromSeed(crypto.subtle, new Uint8Array(32).fill(1));
  const rest = { provider, state: "open", drawn: 0, judged: 0, forfeited: microCredits(0) } as const;
  const [first, second] = [cidOf(RAW, Uint8Array.of(1)), cidOf(RAW, Uint8Array.of(2))];
  const leases = leasesAt({
    leases: [
      { ...rest, lease: first, count: 7, amount: microCredits(90) },
      { ...rest, lease: second, count: 0, amount: microCredits(0) },
    ],
  });
  expect(leases).toEqual([{ lease: first, provider, tasks: 7, amount: 90n }]);
});
