/**
 * Money and fuel. Both are unsigned 64-bit integers carried as `bigint`, branded so that one is never
 * added to the other by accident. A brand is entered through a predicate, never through a cast elsewhere.
 */
declare const unit: unique symbol;

/** Money: one millionth of a credit. Always a whole number; never negative except in ledger postings. */
export type MicroCredits = bigint & { readonly [unit]: "micro-credits" };

/** Deterministic cost of a computation: metered WASM instructions, or integer multiply-adds of a model. */
export type Fuel = bigint & { readonly [unit]: "fuel" };

/** Largest value of either unit: they travel as CBOR unsigned integers of at most 64 bits. */
export const U64_MAX: bigint = (1n << 64n) - 1n;

function isU64(value: bigint): boolean {
  return value >= 0n && value <= U64_MAX;
}

function isMicroCredits(value: bigint): value is MicroCredits {
  return isU64(value);
}

function isFuel(value: bigint): value is Fuel {
  return isU64(value);
}

/** @throws RangeError when `value` is negative or does not fit 64 bits. */
export function microCredits(value: bigint | number): MicroCredits {
  const amount = BigInt(value);
  if (!isMicroCredits(amount))
    throw new RangeError(`${amount} micro-credits does not fit an unsigned 64-bit integer`);
  return amount;
}

/** @throws RangeError when `value` is negative or does not fit 64 bits. */
export function fuel(value: bigint | number): Fuel {
  const amount = BigInt(value);
  if (!isFuel(amount)) throw new RangeError(`${amount} fuel does not fit an unsigned 64-bit integer`);
  return amount;
}

/** Smallest whole number not below `numerator / denominator`. Both are non-negative, the denominator is not zero. */
export function ceilDiv(numerator: bigint, denominator: bigint): bigint {
  return (numerator + denominator - 1n) / denominator;
}
