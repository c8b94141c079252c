import { PPM } from "../audit-policy.ts";
import type { Cid } from "../cid.ts";
import type { MessageType } from "../envelope.ts";
import { type Header, headerFields } from "../header.ts";
import { MIN_RETIRE_AFTER_MS } from "../limits.ts";
import type { PeerId } from "../peer-id.ts";
import { amount, bool, cid, optional, peer, record, type Schema, uint, where } from "../schema.ts";
import type { SiteId } from "../site.ts";
import type { MicroCredits } from "../units.ts";
import { siteIdText } from "./site.ts";

/**
 * An account says who gets a part of its earnings from now on, in place of what it said before. Signed by the account's
 * root identity itself. Earnings are what becomes available by its own work; what it is sent or given back is not divided.
 */
export interface Assign extends Header {
  readonly account: PeerId;
  /** Who gets it: another account. What that one assigned to others is not followed. */
  readonly payee: PeerId;
  /** The payee's part, in millionths, of all earnings since this counts, rounded down once. 0 ends the assignment. */
  readonly ppm: number;
  /** What is available now goes to the payee too, all of it. */
  readonly sweep: boolean;
  /** For visitors of a site: where their tabs contribute. The payee is the site's owner then. */
  readonly site?: SiteId;
  /**
   * After so long without work, in milliseconds of log time, the account has asked for its bond as if it had signed `retire`:
   * so the money of a visitor who does not come back is not kept for ever. Absent: never.
   */
  readonly retireAfterMs?: number;
  /** Milliseconds since 1970, by the account's clock. Later than in the message before, so an old one cannot be sent again. */
  readonly at: number;
}

export const assignMessage: MessageType<Assign> = {
  name: "assign",
  schema: where(
    record<Assign>({
      ...headerFields,
      account: peer,
      payee: peer,
      ppm: uint(PPM),
      sweep: bool,
      site: optional(siteIdText),
      retireAfterMs: optional(
        where(uint(), (ms) => ms >= MIN_RETIRE_AFTER_MS, `is less than ${MIN_RETIRE_AFTER_MS} ms`),
      ),
      at: uint(),
    }),
    ({ account, payee }) => account !== payee,
    "assigns an account to itself",
  ),
};

/** Money goes from an account to its payee, as its assignment says. Follows the entry it is due to at once. */
export interface TransferBody {
  readonly from: PeerId;
  readonly to: PeerId;
  readonly amount: MicroCredits;
  /** Entry that made the money available, or that assigned it. */
  readonly cause: number;
}

export const transferSchema: Schema<TransferBody> = record<TransferBody>({
  from: peer,
  to: peer,
  amount,
  cause: uint(),
});

/** An account has not worked for as long as its assignment says: from here on it is as if it had signed `retire`. */
export interface RetireIdleBody {
  readonly account: PeerId;
  /** CID of the assign message. */
  readonly assignment: Cid;
}

export const retireIdleSchema: Schema<RetireIdleBody> = record<RetireIdleBody>({
  account: peer,
  assignment: cid,
});
