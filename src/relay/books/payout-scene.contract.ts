import type { Cid } from "../../protocol/cid.ts";
import { bodyId, type Verified } from "../../protocol/envelope.ts";
import { header } from "../../protocol/header.ts";
import { type PayoutAddress, payoutAddressMessage } from "../../protocol/messages/payout.ts";
import type { Signer } from "../../protocol/signature.ts";
import { microCredits } from "../../protocol/units.ts";
import { optionsOf, ORIGIN, signerOf, START, verifiedMessage } from "./books-scene.contract.ts";
import type { Books } from "../books.ts";
import { type BooksOptions, openBooks } from "./open-books.ts";

/** Books that keep real money, and accounts that want it. For tests. */

export const MONEY = header(ORIGIN, "eip155:8453/erc20:0x833589fcd6edb6e08f4c7c32d4f71b54bda02913");
export const HOUR_MS = 3_600_000;

export interface PayoutScene {
  readonly books: Books;
  readonly clock: { now: number };
  readonly options: BooksOptions;
  /** Sends an account's payout address, following the one before unless told otherwise. */
  address(signer: Signer, address: string, changes?: Partial<PayoutAddress>): Promise<number>;
}

export async function addressMessage(
  signer: Signer,
  address: string,
  changes: Partial<PayoutAddress> = {},
): Promise<Verified<PayoutAddress>> {
  return verifiedMessage(payoutAddressMessage, { ...MONEY, account: signer.key, address, ...changes }, [
    signer,
  ]);
}

/** CID of an account's first payout-address. */
export function firstAddressId(signer: Signer, address: string): Cid {
  return bodyId(payoutAddressMessage, { ...MONEY, account: signer.key, address });
}

export async function openPayoutScene(path: string = ":memory:"): Promise<PayoutScene> {
  const clock = { now: START };
  const options = { ...optionsOf(path, clock), asset: MONEY.asset };
  const books = await openBooks(options);
  return {
    books,
    clock,
    options,
    async address(signer, address, changes) {
      const prev = books.payouts.address(signer.key)?.payoutAddress;
      const following = prev === undefined ? {} : { prev };
      const message = await addressMessage(signer, address, { ...following, ...changes });
      return (await books.payouts.setAddress(message)).index;
    },
  };
}

/** Accounts named so, each with a credit of so much and an address of its own. */
export async function depositors(
  scene: PayoutScene,
  amounts: Readonly<Record<string, number>>,
): Promise<readonly Signer[]> {
  const signers: Signer[] = [];
  for (const [name, amount] of Object.entries(amounts)) {
    const signer = signerOf(name);
    // oxlint-disable-next-line no-await-in-loop -- in order, so that the log is the same each time
    await scene.books.payouts.credit(signer.key, microCredits(amount), `payment of ${name}`);
    // oxlint-disable-next-line no-await-in-loop -- as above
    await scene.address(signer, `account-of-${name}`);
    signers.push(signer);
  }
  return signers;
}
