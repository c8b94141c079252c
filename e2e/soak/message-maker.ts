import * as dagCbor from "@ipld/dag-cbor";
import fc from "fast-check";
import { anyMessage } from "../../src/protocol/arbitrary.contract.ts";
import { isCid } from "../../src/protocol/cid.ts";
import { type MessageType, openEnvelope, seal } from "../../src/protocol/envelope.ts";
import { isPeerId } from "../../src/protocol/peer-id.ts";
import type { RelayInfo } from "../../src/protocol/relay-api.ts";
import type { Signer } from "../../src/protocol/signature.ts";
import { makeCast } from "../../src/protocol/vectors/cast.contract.ts";
import { messageSamples } from "../../src/protocol/vectors/catalogue.contract.ts";
import { tellStory } from "../../src/protocol/vectors/story.contract.ts";
import type { Draw } from "./chance.ts";

/** Valid bodies of each type that are drawn at the start and mixed later. */
const SAMPLES = 40;
/** Values of each kind that are remembered, the newest. */
const REMEMBERED = 256;

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  );
}

/** One of a list. */
export function oneOf<T>(items: readonly T[], by: Draw): T {
  const item = items[by(items.length)];
  if (item === undefined) throw new RangeError("nothing to choose from");
  return item;
}

/** The newest values of a kind. */
class Recent<T> {
  readonly #items: T[] = [];
  #next = 0;

  constructor(...items: readonly T[]) {
    this.#items.push(...items);
  }

  add(item: T): void {
    if (this.#items.includes(item)) return;
    if (this.#items.length < REMEMBERED) this.#items.push(item);
    else this.#items[this.#next % REMEMBERED] = item;
    this.#next += 1;
  }

  one(by: Draw): T | undefined {
    return this.#items[by(Math.max(1, this.#items.length))];
  }
}

/**
 * Makes signed messages of every type of the wire format: valid in form, about things that the relay knows, and signed
 * by whom they name. New types come by themselves, with the catalogue of the vectors and the arbitraries.
 */
export class MessageMaker {
  readonly #types: ReadonlyMap<string, MessageType<Fields>>;
  readonly #samples: ReadonlyMap<string, readonly Fields[]>;
  readonly #info: RelayInfo;
  readonly #signers: ReadonlyMap<string, Signer>;
  readonly cids = new Recent<string>();
  readonly peers = new Recent<string>();
  readonly envelopes = new Recent<Uint8Array>();

  private constructor(
    info: RelayInfo,
    signers: readonly Signer[],
    types: ReadonlyMap<string, MessageType<Fields>>,
    samples: ReadonlyMap<string, readonly Fields[]>,
  ) {
    this.#info = info;
    this.#types = types;
    this.#samples = samples;
    this.#signers = new Map(signers.map((signer) => [signer.key, signer]));
    for (const { key } of signers) this.peers.add(key);
    this.cids.add(info.policy);
  }

  /** @param signers who take part: only they can sign. */
  static async create(info: RelayInfo, signers: readonly Signer[], seed: number): Promise<MessageMaker> {
    const cast = await makeCast();
    const types = new Map<string, MessageType<Fields>>();
    const samples = new Map<string, readonly Fields[]>();
    for (const { type } of messageSamples(cast, await tellStory(cast))) {
      const any = anyMessage[type.name];
      if (any === undefined) throw new Error(`there are no bodies of ${type.name}`);
      types.set(type.name, type as MessageType<Fields>);
      samples.set(type.name, fc.sample(any, { numRuns: SAMPLES, seed }).filter(isFields));
    }
    return new MessageMaker(info, signers, types, samples);
  }

  get types(): readonly string[] {
    return [...this.#types.keys()];
  }

  /** Remembers who and what a message is about. @returns its type; undefined for what is no message */
  learn(envelope: Uint8Array): string | undefined {
    let type: MessageType<Fields> | undefined;
    try {
      const decoded: unknown = dagCbor.decode(envelope);
      type = isFields(decoded) ? this.#types.get(String(decoded["type"])) : undefined;
      if (type === undefined) return undefined;
      const { id, body } = openEnvelope(type, envelope);
      this.cids.add(id);
      this.#learnFrom(body);
    } catch {
      return undefined;
    }
    this.envelopes.add(envelope);
    return type.name;
  }

  #learnFrom(value: unknown): void {
    if (isCid(value)) this.cids.add(value);
    else if (isPeerId(value)) this.peers.add(value);
    else if (value instanceof Uint8Array) this.learn(value);
    else if (Array.isArray(value)) for (const item of value) this.#learnFrom(item);
    else if (isFields(value)) for (const item of Object.values(value)) this.#learnFrom(item);
  }

  /** A message of a type, about what is known. */
  async fresh(name: string, by: Draw): Promise<Uint8Array> {
    return this.#seal(name, this.#grounded(this.#sample(name, by), by) as Fields, by);
  }

  /** A message like one that came, with one to three of its fields changed, signed anew. */
  async altered(envelope: Uint8Array, by: Draw): Promise<Uint8Array> {
    const name = this.learn(envelope);
    const type = name === undefined ? undefined : this.#types.get(name);
    if (name === undefined || type === undefined) return envelope;
    const body: Record<string, unknown> = { ...openEnvelope(type, envelope).body };
    const other = this.#sample(name, by);
    const fields = Object.keys(other);
    for (let left = 1 + by(3); left > 0; left -= 1) {
      const field = oneOf(fields, by);
      const value = by(2) === 0 ? other[field] : this.#grounded(other[field], by);
      if (value !== undefined) body[field] = value;
    }
    return this.#seal(name, body, by);
  }

  #sample(name: string, by: Draw): Fields {
    return oneOf(this.#samples.get(name) ?? [], by);
  }

  async #seal(name: string, body: Fields, by: Draw): Promise<Uint8Array> {
    const type = this.#types.get(name);
    if (type === undefined) throw new Error(`there is no message ${name}`);
    const named = Object.values(body)
      .map((value) => (typeof value === "string" ? this.#signers.get(value) : undefined))
      .filter((signer) => signer !== undefined);
    const anybody = oneOf([...this.#signers.values()], by);
    const signers = named.length > 0 && by(10) > 0 ? named.slice(0, 1 + by(2)) : [anybody];
    try {
      return await seal(type, body, [...new Set(signers)]);
    } catch {
      // Fields that do not go together have no bytes.
      return this.envelopes.one(by) ?? new Uint8Array();
    }
  }

  /** The same form, with what the relay knows in the place of what nobody knows. */
  #grounded(value: unknown, by: Draw, field = ""): unknown {
    if (field === "origin") return this.#info.origin;
    if (field === "asset") return this.#info.asset;
    if (isCid(value)) return by(5) === 0 ? value : (this.cids.one(by) ?? value);
    if (isPeerId(value)) return by(8) === 0 ? value : (this.peers.one(by) ?? value);
    if (typeof value === "number") return by(2) === 0 ? value : this.#number(by);
    if (typeof value === "bigint") return by(2) === 0 ? value : BigInt(this.#number(by));
    if (value instanceof Uint8Array)
      return by(2) === 0 || [16, 32, 64].includes(value.length) ? value : (this.envelopes.one(by) ?? value);
    if (Array.isArray(value)) return value.map((item) => this.#grounded(item, by));
    if (isFields(value))
      return Object.fromEntries(
        Object.entries(value).map(([name, item]) => [name, this.#grounded(item, by, name)]),
      );
    return value;
  }

  #number(by: Draw): number {
    return oneOf([0, 1, 2, 3, 1_000, 3_600_000, Date.now(), Date.now() + 60_000, by(1 << 20)], by);
  }
}
