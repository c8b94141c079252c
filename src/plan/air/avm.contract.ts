import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import avmFormats from "@fluencelabs/avm";
import { type PeerId, peerIdFromKey } from "../../protocol/peer-id.ts";

/**
 * Drives Fluence's interpreter (AquaVM 0.62.0, from its npm package) directly over its memory: the fastest glue that its
 * interface allows, so that what is compared with it is compared at its best. An oracle for tests and benches, nothing else.
 */
const { MulticodecRepr, MsgPackRepr } = avmFormats;

export interface AvmPeer {
  readonly id: PeerId;
  readonly seed: Uint8Array;
}

const RAW_KEY_BYTES = 32;

function rawPublicKey(key: KeyObject): Uint8Array {
  const der = key.export({ type: "spki", format: "der" });
  return new Uint8Array(der.subarray(der.length - RAW_KEY_BYTES));
}

/** A peer with a key of its own. @param seed 32 bytes; random when absent */
export function avmPeer(seed?: Uint8Array): AvmPeer {
  if (seed === undefined) {
    const { privateKey } = generateKeyPairSync("ed25519");
    const der = privateKey.export({ type: "pkcs8", format: "der" });
    return avmPeer(new Uint8Array(der.subarray(der.length - RAW_KEY_BYTES)));
  }
  const prefix = Buffer.from("302e020100300506032b657004220420", "hex");
  const key = createPrivateKey({ key: Buffer.concat([prefix, seed]), format: "der", type: "pkcs8" });
  return { id: peerIdFromKey(rawPublicKey(createPublicKey(key))), seed };
}

export interface AvmCall {
  readonly key: string;
  readonly service: string;
  readonly name: string;
  readonly args: readonly unknown[];
}

export interface AvmCallResult {
  readonly key: string;
  /** 0 for success; then `result` is JSON. */
  readonly code: number;
  readonly result: string;
}

export interface AvmTurn {
  readonly code: number;
  readonly error: string;
  readonly data: Uint8Array;
  readonly next: readonly string[];
  readonly calls: readonly AvmCall[];
}

export interface Particle {
  readonly id: string;
  readonly init: PeerId;
  readonly air: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly ttlMs: number;
}

export interface Avm {
  invoke(
    particle: Particle,
    peer: AvmPeer,
    previous: Uint8Array,
    incoming: Uint8Array,
    results: readonly AvmCallResult[],
  ): AvmTurn;
}

interface AvmExports {
  readonly memory: WebAssembly.Memory;
  allocate(size: number, type: number): number;
  invoke(...pointers: readonly number[]): void;
  get_result_ptr(): number;
  release_objects(): void;
  _initialize(): void;
  _start(): void;
}

let compiled: WebAssembly.Module | undefined;

function avmModule(): WebAssembly.Module {
  const main = createRequire(import.meta.url).resolve("@fluencelabs/avm");
  compiled ??= new WebAssembly.Module(readFileSync(new URL("avm.wasm", `file://${main}`)));
  return compiled;
}

function isAvm(exported: WebAssembly.Exports): exported is WebAssembly.Exports & AvmExports {
  return "invoke" in exported && "allocate" in exported;
}

/** @throws Error where the package's interface is another one. */
export function openAvm(): Avm {
  const box: { exports?: AvmExports } = {};
  const memory = (): ArrayBuffer => box.exports?.memory.buffer ?? new ArrayBuffer(0);
  const view = (): DataView => new DataView(memory());
  const instance = new WebAssembly.Instance(avmModule(), {
    __marine_host_api_v3: { log_utf8_string: () => undefined },
    wasi_snapshot_preview1: {
      clock_time_get(_id: number, _precision: bigint, at: number) {
        view().setBigUint64(at, 0n, true);
        return 0;
      },
      fd_write(_fd: number, _iovs: number, _count: number, written: number) {
        view().setUint32(written, 0, true);
        return 0;
      },
      sched_yield: () => 0,
      random_get(at: number, length: number) {
        new Uint8Array(memory(), at, length).fill(7);
        return 0;
      },
      environ_get: () => 0,
      environ_sizes_get(count: number, size: number) {
        view().setUint32(count, 0, true);
        view().setUint32(size, 0, true);
        return 0;
      },
      proc_exit: () => undefined,
    },
  });
  if (!isAvm(instance.exports)) throw new Error("this is another interpreter than the one known");
  const { exports } = instance;
  box.exports = exports;
  // oxlint-disable-next-line no-underscore-dangle -- the names that WASI gives them
  exports._initialize();
  // oxlint-disable-next-line no-underscore-dangle -- the names that WASI gives them
  exports._start();
  return { invoke: (...turn) => invoke(exports, ...turn) };
}

const codec = new MulticodecRepr(new MsgPackRepr());
const packed = new MsgPackRepr();
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Limits of AIR text, particle and call results, bytes each: as good as none. */
const ROOM = 4_294_967_296n;

function invoke(
  avm: AvmExports,
  particle: Particle,
  peer: AvmPeer,
  previous: Uint8Array,
  incoming: Uint8Array,
  results: readonly AvmCallResult[],
): AvmTurn {
  const put = (bytes: Uint8Array): readonly [at: number, length: number] => {
    if (bytes.length === 0) return [0, 0];
    const at = avm.allocate(bytes.length, 1) >>> 0;
    new Uint8Array(avm.memory.buffer, at, bytes.length).set(bytes);
    return [at, bytes.length];
  };
  const answers: Record<string, unknown> = {};
  for (const { key, code, result } of results) answers[key] = { ret_code: code, result };
  const air = put(encoder.encode(particle.air));
  const before = put(previous);
  const data = put(incoming);
  const answered = put(codec.toBinary(answers));
  const init = put(encoder.encode(particle.init));
  const current = put(encoder.encode(peer.id));
  const secret = put(peer.seed);
  const id = put(encoder.encode(particle.id));
  const [parameters] = put(runParameters(particle, { init, current, secret, id }));
  avm.invoke(...air, ...before, ...data, parameters, ...answered);
  return readTurn(avm);
}

type Placed = readonly [at: number, length: number];

function runParameters(
  { at, ttlMs }: Particle,
  { init, current, secret, id }: Readonly<Record<"init" | "current" | "secret" | "id", Placed>>,
): Uint8Array {
  const bytes = new Uint8Array(78);
  const view = new DataView(bytes.buffer);
  let offset = 0;
  const u32 = (value: number): void => {
    view.setUint32(offset, value, true);
    offset += 4;
  };
  const u64 = (value: bigint): void => {
    view.setBigUint64(offset, value, true);
    offset += 8;
  };
  for (const value of [...init, ...current]) u32(value);
  u64(BigInt(at));
  u32(ttlMs);
  offset += 1;
  for (const value of [...secret, ...id]) u32(value);
  u64(ROOM);
  u64(ROOM);
  u64(ROOM);
  return bytes;
}

function readTurn(avm: AvmExports): AvmTurn {
  const at = avm.get_result_ptr() >>> 0;
  const view = new DataView(avm.memory.buffer);
  const bytesAt = (place: number): Uint8Array =>
    new Uint8Array(avm.memory.buffer, view.getUint32(place, true), view.getUint32(place + 4, true)).slice();
  const next: string[] = [];
  const list = view.getUint32(at + 24, true);
  for (let i = 0; i < view.getUint32(at + 28, true); i += 1) next.push(decoder.decode(bytesAt(list + 8 * i)));
  const requests = bytesAt(at + 32);
  const turn = {
    code: Number(view.getBigInt64(at, true)),
    error: decoder.decode(bytesAt(at + 8)),
    data: bytesAt(at + 16),
    next,
    calls: requests.length === 0 ? [] : readCalls(codec.fromBinary(requests)),
  };
  avm.release_objects();
  return turn;
}

function field(of: unknown, name: string): unknown {
  return typeof of === "object" && of !== null ? Reflect.get(of, name) : undefined;
}

function readCalls(requests: object): readonly AvmCall[] {
  return Object.entries(requests).map(([key, call]: [string, unknown]) => {
    const packedArgs = field(call, "arguments");
    const args: unknown =
      Array.isArray(packedArgs) || packedArgs instanceof Uint8Array
        ? packed.fromBinary(Uint8Array.from(packedArgs))
        : [];
    return {
      key,
      service: String(field(call, "service_id")),
      name: String(field(call, "function_name")),
      args: Array.isArray(args) ? args : [],
    };
  });
}

/** Answers a call of a peer's service: JSON value, or a failure. */
export type AvmService = (
  peer: PeerId,
  call: AvmCall,
) => { readonly value: unknown } | { readonly failure: string };

export interface AvmLog {
  /** Every call, in the order it was made. */
  readonly calls: readonly (AvmCall & { readonly peer: PeerId })[];
  /** What each peer's interpreter said last, where that was an error. */
  readonly errors: ReadonlyMap<PeerId, { readonly code: number; readonly error: string }>;
  /** Bytes that went between peers. */
  readonly bytes: number;
  readonly turns: number;
}

export interface Delivery {
  /** Which of `waiting` deliveries comes next. */
  pick(waiting: number): number;
}

/** Carries a particle between peers until nothing is left to deliver. */
export function drive(
  avms: ReadonlyMap<PeerId, Avm>,
  peers: readonly AvmPeer[],
  particle: Particle,
  service: AvmService,
  delivery: Delivery = { pick: () => 0 },
): AvmLog {
  const byId = new Map(peers.map((peer) => [String(peer.id), peer]));
  const kept = new Map<PeerId, Uint8Array>();
  const errors = new Map<PeerId, { readonly code: number; readonly error: string }>();
  const calls: (AvmCall & { readonly peer: PeerId })[] = [];
  const queue: { peer: AvmPeer; data: Uint8Array; results: readonly AvmCallResult[] }[] = [];
  const first = byId.get(particle.init);
  if (first !== undefined) queue.push({ peer: first, data: new Uint8Array(), results: [] });
  let bytes = 0;
  let turns = 0;
  while (queue.length > 0) {
    const [{ peer, data, results } = never()] = queue.splice(delivery.pick(queue.length), 1);
    const avm = avms.get(peer.id) ?? never();
    const turn = avm.invoke(particle, peer, kept.get(peer.id) ?? new Uint8Array(), data, results);
    turns += 1;
    kept.set(peer.id, turn.data);
    if (turn.code === 0) errors.delete(peer.id);
    else errors.set(peer.id, { code: turn.code, error: turn.error });
    for (const call of turn.calls) {
      calls.push({ ...call, peer: peer.id });
      const answer = service(peer.id, call);
      const result =
        "value" in answer
          ? { key: call.key, code: 0, result: JSON.stringify(answer.value) }
          : { key: call.key, code: 1, result: JSON.stringify(answer.failure) };
      queue.push({ peer, data: new Uint8Array(), results: [result] });
    }
    for (const id of turn.next) {
      const to = byId.get(id);
      if (to === undefined) continue;
      bytes += turn.data.length;
      queue.push({ peer: to, data: turn.data, results: [] });
    }
  }
  return { calls, errors, bytes, turns };
}

function never(): never {
  throw new Error("there is no such peer");
}
