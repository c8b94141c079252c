import type { Cid } from "../cid.ts";
import type { PeerId } from "../peer-id.ts";
import { amount, cid, peer, record, type Schema, text } from "../schema.ts";
import type { MicroCredits } from "../units.ts";

/** Bodies of entries about what is kept of a provider, and its record. */

/** An audit failed: held pay of a lease goes back to its job, and the provider's bond is burnt (rule 11). */
export interface ForfeitBody {
  readonly lease: Cid;
  readonly provider: PeerId;
  readonly refunded: MicroCredits;
  readonly burnt: MicroCredits;
}

/** Held pay of a lease whose audits are over becomes the provider's own, or its bond. */
export interface VestBody {
  readonly lease: Cid;
  readonly provider: PeerId;
  readonly released: MicroCredits;
  readonly bonded: MicroCredits;
}

/** A provider that retired gets its bond, and has no experience from here on. */
export interface UnbondBody {
  readonly provider: PeerId;
  readonly amount: MicroCredits;
}

/** A claim about a provider's machine was proven false: its record begins anew. No money moves. */
export interface ResetBody {
  readonly provider: PeerId;
  readonly reason: string;
}

export const forfeitSchema: Schema<ForfeitBody> = record<ForfeitBody>({
  lease: cid,
  provider: peer,
  refunded: amount,
  burnt: amount,
});

export const vestSchema: Schema<VestBody> = record<VestBody>({
  lease: cid,
  provider: peer,
  released: amount,
  bonded: amount,
});

export const unbondSchema: Schema<UnbondBody> = record<UnbondBody>({ provider: peer, amount });

export const resetSchema: Schema<ResetBody> = record<ResetBody>({ provider: peer, reason: text(256) });
