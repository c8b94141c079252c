import { type Decline } from "../protocol/messages/capability.ts";
import { type Property, PROPERTIES } from "../protocol/property.ts";
import {
  AGREEMENT_FACTOR,
  ASK_AGAIN_MS,
  AUDITED_FACTOR,
  CHALLENGE_TARGET_MS,
  CHALLENGES_PER_ROUND,
  CLAIM_MARGIN,
  CONTRADICTION_MS,
  CROSS_CHECK_MS,
  KEPT_MEASUREMENTS,
  REMEASURE_MS,
  TELLING_MEASUREMENTS,
} from "./limits.ts";

/**
 * How far a property may be believed. `self-reported`: the provider says so; `measured`: it answered challenges rightly by the
 * relay's clock; `cross-checked`: a second round, or audited work, agrees; `contradicted`: it answered wrongly, or claims
 * more than the clock allows.
 */
export type CapabilityState = "self-reported" | "measured" | "cross-checked" | "contradicted";

/** A challenge that was answered rightly. */
export interface Measurement {
  readonly amount: number;
  /** From sending to arrival, less the delay of the line, milliseconds. */
  readonly computingMs: number;
  /** In the property's unit, from sending to arrival: at least this much. */
  readonly value: number;
  /** The same with some of the line's delay taken off, within bounds, as a provider can delay its pongs. */
  readonly most: number;
  /** The same with all delay taken off that any pong had: more is not conceivable. */
  readonly conceivable: number;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /** The processor stood in for the graphics card. */
  readonly isSoftware: boolean;
}

/** What is known of one property of one instance. Never changed in place. */
export interface PropertyRecord {
  readonly claim?: number;
  /** Newest last, KEPT_MEASUREMENTS at most. */
  readonly measurements: readonly Measurement[];
  /** Fastest audited work, in the property's unit. */
  readonly audited?: number;
  /** Milliseconds since 1970. */
  readonly contradictedAt?: number;
  /** Not to be asked again before, milliseconds since 1970. */
  readonly dueAt: number;
  /** Answers in this round so far, and rounds that are over. */
  readonly answered: number;
  readonly rounds: number;
  /** More than this took too long. */
  readonly mostAmount: number;
}

interface PropertyRules {
  readonly unit: "fuel/s" | "bytes" | "ops/s" | "bytes/s";
  /** What the first challenge asks for, so that a slow phone is done within 250 ms; and the most that any asks for. */
  readonly first: number;
  readonly most: number;
}

/**
 * Amounts are these times powers of two, so that few are prepared. `burn` takes 25 fuel an iteration; the slowest provider worth matching does the
 * first 100 million in 200 ms. One pass of rows is some 120 million multiply-adds, of one row 4 million.
 */
const RULES: Readonly<Record<Property, PropertyRules>> = {
  fuel: { unit: "fuel/s", first: 4_000_000, most: 4_000_000 * 64 },
  "fuel-all": { unit: "fuel/s", first: 4_000_000, most: 4_000_000 * 64 },
  memory: { unit: "bytes", first: 16, most: 512 },
  "wasm-rows": { unit: "ops/s", first: 1, most: 1_024 },
  "wasm-row": { unit: "ops/s", first: 8, most: 8_192 },
  "webgpu-rows": { unit: "ops/s", first: 1, most: 4_096 },
  "webgpu-row": { unit: "ops/s", first: 4, most: 4_096 },
  upstream: { unit: "bytes/s", first: 65_536, most: 1_048_576 },
};

export const NOTHING_KNOWN: PropertyRecord = {
  measurements: [],
  dueAt: 0,
  answered: 0,
  rounds: 0,
  mostAmount: Number.MAX_SAFE_INTEGER,
};

export function unitOf(property: Property): PropertyRules["unit"] {
  return RULES[property].unit;
}

/** The provider has said something of itself, or something else than before. */
export function withClaim(record: PropertyRecord, claim: number): PropertyRecord {
  return record.claim === claim ? record : { ...record, claim };
}

export function withMeasurement(record: PropertyRecord, measurement: Measurement): PropertyRecord {
  const { atMs } = measurement;
  const isRoundOver = record.answered + 1 >= CHALLENGES_PER_ROUND;
  return {
    ...record,
    measurements: [...record.measurements, measurement].slice(-KEPT_MEASUREMENTS),
    answered: isRoundOver ? 0 : record.answered + 1,
    rounds: record.rounds + (isRoundOver ? 1 : 0),
    dueAt: isRoundOver ? atMs + (record.rounds === 0 ? CROSS_CHECK_MS : REMEASURE_MS) : atMs,
  };
}

/** It answered rightly beside the rounds, which go on as they were. */
export function withProof(record: PropertyRecord, measurement: Measurement): PropertyRecord {
  return { ...record, measurements: [...record.measurements, measurement].slice(-KEPT_MEASUREMENTS) };
}

/** Nothing is held against it; it is asked for less, or later. @param reason absent where it has not answered at all */
export function withDecline(
  record: PropertyRecord,
  property: Property,
  reason: Decline | undefined,
  amount: number,
  nowMs: number,
): PropertyRecord {
  if (reason === "busy" || reason === undefined) return { ...record, dueAt: nowMs + ASK_AGAIN_MS };
  const isLess = (reason === "too-long" || reason === "no-memory") && amount > RULES[property].first;
  if (isLess) return { ...record, mostAmount: amount / 2, dueAt: nowMs };
  // A machine that is too slow for the least is asked seldom, in case that it was not itself.
  if (reason === "too-long") return { ...record, dueAt: nowMs + CROSS_CHECK_MS };
  return { ...record, dueAt: nowMs + REMEASURE_MS };
}

/** Audited work was this fast at least: it may confirm a measurement, never refute one, as work waits for many things. */
export function withAudited(record: PropertyRecord, value: number): PropertyRecord {
  return value <= (record.audited ?? 0) ? record : { ...record, audited: value };
}

/** What was measured before does not count any more. */
export function contradicted(record: PropertyRecord, nowMs: number): PropertyRecord {
  const { claim } = record;
  return {
    ...NOTHING_KNOWN,
    ...(claim === undefined ? {} : { claim }),
    contradictedAt: nowMs,
    dueAt: nowMs + CONTRADICTION_MS,
  };
}

/** Whether the claim is more than the clock allows. Of memory the clock says nothing: a wrong hash does. */
export function isClaimRefuted(property: Property, { claim, measurements }: PropertyRecord): boolean {
  if (claim === undefined || property === "memory" || measurements.length < TELLING_MEASUREMENTS)
    return false;
  return claim > CLAIM_MARGIN * Math.max(...measurements.map(({ conceivable }) => conceivable));
}

/** What is shown of a property. */
export interface Judgement {
  readonly value: number;
  readonly state: CapabilityState;
  /** Milliseconds since 1970; absent where nothing was measured. */
  readonly measuredAt?: number;
  readonly isSoftware: boolean;
}

function bestOf(measurements: readonly Measurement[]): Measurement | undefined {
  return measurements.toSorted((a, b) => b.value - a.value)[0];
}

function agree(a: number, b: number, factor: number): boolean {
  return a <= b * factor && b <= a * factor;
}

/** Two rounds say the same, or audited work does. */
function isCrossChecked({ measurements, audited }: PropertyRecord, best: Measurement): boolean {
  if (audited !== undefined && agree(audited, best.value, AUDITED_FACTOR)) return true;
  return measurements.some(
    ({ atMs, value }) =>
      Math.abs(atMs - best.atMs) >= CROSS_CHECK_MS && agree(value, best.value, AGREEMENT_FACTOR),
  );
}

/** @returns undefined where nothing is known, not even by the provider's own word */
export function judge(record: PropertyRecord, nowMs: number): Judgement | undefined {
  const { claim, measurements, contradictedAt } = record;
  if (contradictedAt !== undefined && nowMs < contradictedAt + CONTRADICTION_MS)
    return { value: claim ?? 0, state: "contradicted", measuredAt: contradictedAt, isSoftware: false };
  const best = bestOf(measurements);
  if (best !== undefined) {
    const { value, atMs, isSoftware } = best;
    const state = isCrossChecked(record, best) ? "cross-checked" : "measured";
    return { value, state, measuredAt: atMs, isSoftware };
  }
  return claim === undefined ? undefined : { value: claim, state: "self-reported", isSoftware: false };
}

/**
 * What matching may count on: the best of a whole round, the delay of the line forgiven, so that nobody is passed over who
 * only was slow for a moment. @returns undefined where there is no such round
 */
export function measuredValue({ measurements }: PropertyRecord): number | undefined {
  return measurements.length < CHALLENGES_PER_ROUND
    ? undefined
    : Math.max(...measurements.map(({ most }) => most));
}

export interface Question {
  readonly property: Property;
  readonly amount: number;
  /** It stands beside the rounds: only to see that the provider is there and as fast as it was. */
  readonly isProof?: boolean;
}

/** The first amount times a power of two, at most `amount`. */
function onGrid({ first, most }: PropertyRules, amount: number): number {
  const steps = Math.floor(Math.log2(Math.max(1, Math.min(amount, most) / first)));
  return first * 2 ** steps;
}

/** How much to ask for next, so that it takes about CHALLENGE_TARGET_MS. Never much more than the last time. */
export function nextAmount(property: Property, { measurements, mostAmount, claim }: PropertyRecord): number {
  const rules = RULES[property];
  const last = measurements.at(-1);
  if (last === undefined) return rules.first;
  const grown = last.amount * Math.min(16, CHALLENGE_TARGET_MS / Math.max(1, last.computingMs));
  const claimed = property === "memory" && claim !== undefined ? claim / (1024 * 1024) : Infinity;
  return onGrid(rules, Math.min(grown, mostAmount, claimed));
}

/**
 * What to ask an idle provider now, if anything: first what is begun, so that its threads are warm, then what is due longest, in the
 * order of PROPERTIES among equals.
 */
export function nextQuestion(
  records: ReadonlyMap<Property, PropertyRecord>,
  nowMs: number,
): Question | undefined {
  const due = PROPERTIES.map((property) => ({ property, record: records.get(property) ?? NOTHING_KNOWN }))
    .filter(({ record }) => record.dueAt <= nowMs)
    .toSorted(
      ({ record: a }, { record: b }) => Math.sign(b.answered) - Math.sign(a.answered) || a.dueAt - b.dueAt,
    )[0];
  return due && { property: due.property, amount: nextAmount(due.property, due.record) };
}
