import { expect, it } from "vitest";
import { cidOf, RAW } from "../../protocol/cid.ts";
import { peerIdFromSeed } from "../../protocol/ed25519.ts";
import { microCredits } from "../../protocol/units.ts";
import { leasesAt } from "./jobs-receipts.ts";

it("of a job whose page went, the relay’s own list says who was paid for what; leases without work are left out", async () => {
  const provider = await peerIdFromSeed(crypto.subtle, new Uint8Array(32).fill(1));
  const rest = { provider, state: "open", drawn: 0, judged: 0, forfeited: microCredits(0) } as const;
  const lease = (index: number): ReturnType<typeof cidOf> => cidOf(RAW, Uint8Array.of(index));
  const leases = leasesAt({
    leases: [
      { ...rest, lease: lease(1), count: 7, amount: microCredits(90) },
      { ...rest, lease: lease(2), count: 0, amount: microCredits(0) },
    ],
  });
  expect(leases).toEqual([{ lease: lease(1), provider, tasks: 7, amount: 90n }]);
});
