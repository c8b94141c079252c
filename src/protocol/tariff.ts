import { type Cid, cidOf, DAG_CBOR } from "./cid.ts";
import { FailureError } from "./failure.ts";
import { amount, encode, record, type Schema } from "./schema.ts";
import { ceilDiv, type Fuel, type MicroCredits, microCredits, U64_MAX } from "./units.ts";

/** What work costs. Named by CID in lease and receipt, so that nobody can change a price afterwards (rule 13). */
export interface Tariff {
  /** Micro-credits per 10^9 fuel. */
  readonly perGfuel: MicroCredits;
  /** Micro-credits per task that pays. */
  readonly perTask: MicroCredits;
  /** Micro-credits per 1,024 bytes of input and output of tasks that pay. */
  readonly perKiB: MicroCredits;
  /** Micro-credits per fresh instance; one per task that pays. */
  readonly perInstantiation: MicroCredits;
}

export const tariffSchema: Schema<Tariff> = record<Tariff>({
  perGfuel: amount,
  perTask: amount,
  perKiB: amount,
  perInstantiation: amount,
});

export function tariffCid(tariff: Tariff): Cid {
  return cidOf(DAG_CBOR, encode(tariffSchema, tariff));
}

/** Whether `tariff` asks no more than `limit` in every term. */
export function isWithinTariff(tariff: Tariff, limit: Tariff): boolean {
  return (
    tariff.perGfuel <= limit.perGfuel &&
    tariff.perTask <= limit.perTask &&
    tariff.perKiB <= limit.perKiB &&
    tariff.perInstantiation <= limit.perInstantiation
  );
}

/** Cumulative totals of a lease, as a receipt states them. */
export interface WorkTotals {
  /** Outcomes that pay by fuel: done, or failed deterministically. */
  readonly payable: number;
  /** Outcomes that earn the start fee: cancelled after they had started. */
  readonly cancelled: number;
  /** Fuel of the outcomes that pay. */
  readonly fuel: Fuel;
  /** Input and output bytes of the outcomes that pay. */
  readonly bytes: bigint;
}

const GIGA = 1_000_000_000n;
const KIB = 1_024n;

/**
 * What the totals cost: the tariff's terms summed exactly and rounded up once, on the cumulative total, so that
 * splitting work into more receipts never changes the price. Requester, provider and relay compute it alike.
 * @throws FailureError `over-budget` beyond 64 bits: totals come from strangers, and no budget is that large.
 */
export function priceOf(tariff: Tariff, totals: WorkTotals, startFee: MicroCredits): MicroCredits {
  const metered = totals.fuel * tariff.perGfuel * KIB + totals.bytes * tariff.perKiB * GIGA;
  const counted = BigInt(totals.payable) * (tariff.perTask + tariff.perInstantiation);
  const price = ceilDiv(metered, GIGA * KIB) + counted + BigInt(totals.cancelled) * startFee;
  if (price > U64_MAX) throw new FailureError("over-budget", "the price does not fit 64 bits");
  return microCredits(price);
}
