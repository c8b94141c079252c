import {
  type CapabilityState,
  contradicted,
  isClaimRefuted,
  judge,
  type Judgement,
  type Measurement,
  measuredValue,
  nextAmount,
  nextQuestion,
  NOTHING_KNOWN,
  type PropertyRecord,
  type Question,
  unitOf,
  withAudited,
  withClaim,
  withDecline,
  withMeasurement,
  withProof,
} from "../../market/capability.ts";
import { ASK_AGAIN_MS, REPROVE_MS } from "../../market/limits.ts";
import type { Rates } from "../../market/match-job.ts";
import { type Decline } from "../../protocol/messages/capability.ts";
import { type KernelProperty, type Property, PROPERTIES } from "../../protocol/property.ts";
import type { Offer } from "../../protocol/messages/session.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { CapabilityRow } from "../../protocol/relay-api.ts";
import { KEPT_SHEETS } from "./limits.ts";

/** Told once for each contradiction: the provider begins again, as one that nobody knows. */
export type OnContradicted = (provider: PeerId, property: Property) => void;

interface Sheet {
  readonly provider: PeerId;
  readonly records: Map<Property, PropertyRecord>;
  /** What follows from the records. */
  rates: Rates;
  /** When it last declined a challenge beside the rounds, milliseconds since 1970. */
  declinedProof: number;
}

/** What an instance's right answers say of it. */
export interface Proof {
  /** The newest right answer, milliseconds since 1970. */
  readonly at: number;
  /** Fuel a second of all its threads together. */
  readonly fuelPerSecond?: bigint;
  /** Multiply-adds a second of its fastest kernel for models. */
  readonly modelPerSecond?: bigint;
}

const NOT_MEASURED: Rates = {};
const KERNELS: readonly KernelProperty[] = ["wasm-rows", "wasm-row", "webgpu-rows", "webgpu-row"];

function ratesOf(records: ReadonlyMap<Property, PropertyRecord>): Rates {
  const measured = (property: Property): number | undefined => {
    const record = records.get(property);
    return record && measuredValue(record);
  };
  const functions = measured("fuel");
  const models = Math.max(0, ...KERNELS.map((each) => measured(each) ?? 0));
  return {
    ...(functions === undefined ? {} : { function: BigInt(Math.floor(functions)) }),
    // Two operations are one multiply-add, which is one fuel.
    ...(models === 0 ? {} : { model: BigInt(Math.floor(models / 2)) }),
  };
}

/** What is known of each instance: from its own word, its answers to challenges, and audited work. In memory: a tab comes with a new instance key each time. */
export class CapabilityDesk {
  readonly #nowMs: () => number;
  readonly #onContradicted: OnContradicted;
  /** In the order in which they came last. */
  readonly #sheets = new Map<PeerId, Sheet>();

  constructor(nowMs: () => number, onContradicted: OnContradicted) {
    this.#nowMs = nowMs;
    this.#onContradicted = onContradicted;
  }

  /** Takes what an offer says of its provider. */
  offered({ instance, provider, claims = [], memoryBytes }: Offer): void {
    const sheet: Sheet = this.#sheets.get(instance) ?? {
      provider,
      records: new Map(),
      rates: NOT_MEASURED,
      declinedProof: 0,
    };
    this.#sheets.delete(instance);
    this.#sheets.set(instance, sheet);
    for (const oldest of this.#sheets.keys()) {
      if (this.#sheets.size <= KEPT_SHEETS) break;
      this.#sheets.delete(oldest);
    }
    this.#change(instance, "memory", (record) => withClaim(record, memoryBytes));
    for (const { property, value } of claims)
      if (property !== "memory") this.#change(instance, property, (record) => withClaim(record, value));
  }

  /** What to ask an instance now, if anything. */
  question(instance: PeerId): Question | undefined {
    const sheet = this.#sheets.get(instance);
    return sheet && (nextQuestion(sheet.records, this.#nowMs()) ?? this.#proofOf(instance, sheet));
  }

  /** One challenge beside the rounds, where its newest answer is old by now: of what it has answered before. */
  #proofOf(instance: PeerId, { records, declinedProof }: Sheet): Question | undefined {
    const fuel = records.get("fuel");
    const newest = this.proof(instance)?.at;
    if (fuel === undefined || fuel.measurements.length === 0 || newest === undefined) return undefined;
    const now = this.#nowMs();
    if (now - newest < REPROVE_MS || now - declinedProof < ASK_AGAIN_MS) return undefined;
    return { property: "fuel", amount: nextAmount("fuel", fuel), isProof: true };
  }

  /** It answered rightly. */
  measured(instance: PeerId, { property, isProof }: Question, measurement: Measurement): void {
    this.#change(instance, property, (record) =>
      isProof === true ? withProof(record, measurement) : withMeasurement(record, measurement),
    );
    const record = this.#sheets.get(instance)?.records.get(property);
    if (record !== undefined && isClaimRefuted(property, record)) this.contradict(instance, property);
  }

  /** @param reason absent where it has not answered */
  declined(instance: PeerId, { property, amount, isProof }: Question, reason: Decline | undefined): void {
    const now = this.#nowMs();
    const sheet = this.#sheets.get(instance);
    if (isProof === true) {
      // It has work, or does not want to now: its rounds go on as they were.
      if (sheet !== undefined) sheet.declinedProof = now;
      return;
    }
    this.#change(instance, property, (record) => withDecline(record, property, reason, amount, now));
  }

  /** It answered wrongly, or claims what it is not. */
  contradict(instance: PeerId, property: Property): void {
    const sheet = this.#sheets.get(instance);
    if (sheet === undefined) return;
    this.#change(instance, property, (record) => contradicted(record, this.#nowMs()));
    this.#onContradicted(sheet.provider, property);
  }

  /** Audited work of an instance was this fast at least, in the property's unit. */
  audited(instance: PeerId, property: Property, value: number): void {
    this.#change(instance, property, (record) => withAudited(record, value));
  }

  /** What matching may count on. */
  rates(instance: PeerId): Rates {
    return this.#sheets.get(instance)?.rates ?? NOT_MEASURED;
  }

  /** Fuel of functions that one thread of a provider burns in a second: of its fastest instance that was measured. */
  measuredFuelPerSecond(provider: PeerId): bigint | undefined {
    let best: bigint | undefined;
    for (const [instance, sheet] of this.#sheets) {
      if (sheet.provider !== provider) continue;
      const rate = this.rates(instance).function;
      if (rate !== undefined && (best === undefined || rate > best)) best = rate;
    }
    return best;
  }

  /** What an instance has proven of itself; undefined where it has answered no challenge yet. */
  proof(instance: PeerId): Proof | undefined {
    const records = this.#sheets.get(instance)?.records;
    if (records === undefined) return undefined;
    const times = [...records.values()].map(({ measurements }) => measurements.at(-1)?.atMs ?? 0);
    const at = Math.max(0, ...times);
    if (at === 0) return undefined;
    const all = records.get("fuel-all");
    const fuel = all && measuredValue(all);
    const { model } = this.rates(instance);
    return {
      at,
      ...(fuel === undefined ? {} : { fuelPerSecond: BigInt(Math.floor(fuel)) }),
      ...(model === undefined ? {} : { modelPerSecond: model }),
    };
  }

  /** What is known of a provider: of its instances the one that was contradicted, else the best. */
  capabilityView(provider: PeerId): readonly CapabilityRow[] {
    const own = [...this.#sheets.values()].filter((sheet) => sheet.provider === provider);
    return PROPERTIES.flatMap((property) => {
      const judged = own
        .map(({ records }) => records.get(property))
        .map((record) => record && judge(record, this.#nowMs()))
        .filter((each) => each !== undefined)
        .toSorted(compare)[0];
      return judged === undefined ? [] : [{ property, unit: unitOf(property), ...judged }];
    });
  }

  #change(instance: PeerId, property: Property, change: (record: PropertyRecord) => PropertyRecord): void {
    const sheet = this.#sheets.get(instance);
    if (sheet === undefined) return;
    const before = sheet.records.get(property) ?? NOTHING_KNOWN;
    const after = change(before);
    sheet.records.set(property, after);
    // Matching asks for them again and again, of everybody.
    if (after.measurements !== before.measurements) sheet.rates = ratesOf(sheet.records);
  }
}

const WEIGHT: Readonly<Record<CapabilityState, number>> = {
  contradicted: 3,
  "cross-checked": 2,
  measured: 1,
  "self-reported": 0,
};

function compare(a: Judgement, b: Judgement): number {
  return WEIGHT[b.state] - WEIGHT[a.state] || b.value - a.value;
}
