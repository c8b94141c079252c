import type { PeerId } from "../../protocol/peer-id.ts";
import type { MicroCredits } from "../../protocol/units.ts";
import type { Books } from "../books.ts";
import { OneAtATime } from "./one-at-a-time.ts";

/** Gives a payer without an account test credits, once. On loopback relays only: the caller sees to that (rule 18). */
export function createWelcome(books: Books, amount: MicroCredits): (payer: PeerId) => Promise<void> {
  const turns = new OneAtATime<PeerId>();
  return (payer) =>
    turns.run(payer, async () => {
      if (amount > 0n && !books.hasAccount(payer)) await books.grant(payer, amount, "first job");
    });
}
