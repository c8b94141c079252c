import { describe, expect, test } from "vitest";
import { type Cid, cidOf, DAG_CBOR } from "../protocol/cid.ts";
import { header } from "../protocol/header.ts";
import { PAYOUT_ADDRESS_WAIT_MS } from "../protocol/limits.ts";
import { isPayoutAddress } from "../protocol/messages/payout.ts";
import { peerIdFromKey } from "../protocol/peer-id.ts";
import { changedPayoutAddress, payableAddress, type PayoutAddressState } from "./payout-address.ts";

const account = peerIdFromKey(new Uint8Array(32).fill(7));
const head = header("relay.test", "eip155:8453/erc20:0x00");
const HOUR_MS = 3_600_000;

function idOf(index: number): Cid {
  return cidOf(DAG_CBOR, Uint8Array.of(index));
}

/** The state after addresses that were logged at the given hours. */
function after(...changes: readonly (readonly [address: string, hour: number])[]): PayoutAddressState {
  let state: PayoutAddressState | undefined;
  for (const [index, [address, hour]] of changes.entries()) {
    const message = { id: idOf(index), body: { ...head, account, address } };
    state = changedPayoutAddress(state, message, { index, time: hour * HOUR_MS });
  }
  if (state === undefined) throw new Error("no changes");
  return state;
}

function payableAt(state: PayoutAddressState, hour: number): string | undefined {
  return payableAddress(state, hour * HOUR_MS);
}

describe("A payout address", () => {
  test("counts at once when it is the first", () => {
    expect(payableAt(after(["first", 5]), 5)).toBe("first");
  });

  test("that replaces another counts 72 hours later, and until then nothing does", () => {
    const state = after(["first", 0], ["second", 10]);
    expect(payableAt(state, 10)).toBeUndefined();
    expect(payableAddress(state, 10 * HOUR_MS + PAYOUT_ADDRESS_WAIT_MS - 1)).toBeUndefined();
    expect(payableAt(state, 82)).toBe("second");
    expect(PAYOUT_ADDRESS_WAIT_MS).toBe(72 * HOUR_MS);
  });

  test("of before a thief's change counts at once when the owner goes back to it", () => {
    expect(payableAt(after(["mine", 0], ["thief", 10], ["mine", 60]), 60)).toBe("mine");
    expect(payableAt(after(["mine", 0], ["thief", 10], ["thief-2", 20], ["mine", 60]), 60)).toBe("mine");
  });

  test("of a thief gains no time by being changed back and forth", () => {
    const state = after(["mine", 0], ["thief", 10], ["mine", 60], ["thief", 61]);
    expect(payableAt(state, 82)).toBeUndefined();
    expect(payableAt(state, 133)).toBe("thief");
    const hopping = after(["mine", 0], ["thief", 10], ["other", 11], ["thief", 12]);
    expect(payableAt(hopping, 82)).toBeUndefined();
    expect(payableAt(hopping, 84)).toBe("thief");
  });

  test("that waits is not delayed by being signed again", () => {
    expect(payableAt(after(["first", 0], ["second", 10], ["second", 50]), 82)).toBe("second");
  });

  test("that has waited is the one to go back to, not the one before it", () => {
    const state = after(["first", 0], ["second", 10], ["first", 100]);
    expect(payableAt(state, 100)).toBeUndefined();
    expect(payableAt(after(["first", 0], ["second", 10], ["first", 100], ["second", 110]), 110)).toBe(
      "second",
    );
  });

  test("is an account's name and never a formula, a second cell or a second line", () => {
    for (const good of ["eip155:8453:0x52908400098527886E0F7030069857D2E4169EE7", "DE02120300000000202051"])
      expect(isPayoutAddress(good), good).toBe(true);
    for (const good of ["bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq", "someone@example.com"])
      expect(isPayoutAddress(good), good).toBe(true);
    for (const bad of ["", "=1+1", "+49", "-1", "@SUM(A1)", "a,b", 'a"b', "a;b", "a\nb", "a\tb", "a b"])
      expect(isPayoutAddress(bad), JSON.stringify(bad)).toBe(false);
    expect(isPayoutAddress("a".repeat(129))).toBe(false);
    expect(isPayoutAddress("\u0430bc"), "a Cyrillic letter").toBe(false);
  });
});
