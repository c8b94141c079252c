import { createHash, createPrivateKey, createPublicKey, sign, verify as nodeVerify } from "node:crypto";
import { type Cid, cidFromDigest, cidOf, DAG_CBOR, type Digest, RAW } from "../protocol/cid.ts";
import { delegationMessage } from "../protocol/delegation.ts";
import { readMessage, seal } from "../protocol/envelope.ts";
import { type FailureName, failureCode } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import { header } from "../protocol/header.ts";
import { type Capability, capabilityCid, effectRecordSchema } from "../protocol/messages/effect.ts";
import { runHoldersMessage, runMessage, type Step, stepMessage } from "../protocol/messages/run.ts";
import { type PeerId, peerIdFromKey } from "../protocol/peer-id.ts";
import { encode } from "../protocol/schema.ts";
import type { Signer, Verify } from "../protocol/signature.ts";
import { encodeUtf8 } from "../protocol/text.ts";
import { fuel, microCredits } from "../protocol/units.ts";
import { typesOf } from "./check.ts";
import { encodePlan } from "./plan-codec.ts";
import type { Callee, CallNode, Place, Plan, StepLimits } from "./plan.ts";
import type { RunEvent, RunnerPorts, StepEnd, StepOrder, ValueRef } from "./runner-ports.ts";
import { argsBytes } from "./runner/inputs.ts";
import type { RunnerOptions } from "./runner/runner-options.ts";
import { Runner } from "./runner/runner.ts";
import { openRun, type OpenRun } from "./state/open-run.ts";

/** Peers in this process: real keys, signatures and hashes, no network. A function is found by the CID of its name. */

export const ORIGIN = "localhost/test";
export const START = 1_700_000_000_000;

export const digest: Digest = (bytes) => createHash("sha256").update(bytes).digest();
export const rawCid = (bytes: Uint8Array): Cid => cidFromDigest(RAW, digest(bytes));

const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");
const SPKI = Buffer.from("302a300506032b6570032100", "hex");

/** Ed25519 by Node itself: fast enough that a bench measures the runner. */
function signerOf(seed: Uint8Array): Signer {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: "der", type: "pkcs8" });
  const raw = createPublicKey(key).export({ format: "der", type: "spki" }).subarray(SPKI.length);
  return {
    key: peerIdFromKey(new Uint8Array(raw)),
    sign: async (message) => new Uint8Array(sign(null, message, key)),
  };
}

const publicKeys = new Map<string, ReturnType<typeof createPublicKey>>();

export const verify: Verify = async (key, message, signature) => {
  const name = Buffer.from(key).toString("latin1");
  let known = publicKeys.get(name);
  if (known === undefined) {
    known = createPublicKey({ key: Buffer.concat([SPKI, key]), format: "der", type: "spki" });
    publicKeys.set(name, known);
  }
  return nodeVerify(null, message, known, signature);
};

/** What a peer does with one order. */
export interface Conduct {
  /** Loses it without a receipt. */
  readonly lose?: FailureName;
  /** Never answers. */
  readonly hang?: true;
  /** Takes so long, milliseconds. */
  readonly waitMs?: number;
  /** Signs a failure of the function. */
  readonly fail?: FailureName;
  /** Signs another value than the function gives. */
  readonly lie?: (value: Uint8Array) => Uint8Array;
  /** Signs another step than it was asked for. */
  readonly forge?: (step: Step) => Step;
  /** Hands over other bytes than it signed for. */
  readonly swap?: (value: Uint8Array) => Uint8Array;
  /** Keeps the value to itself. */
  readonly withhold?: true;
}

export interface MemoryPeer {
  readonly root: PeerId;
  readonly signer: Signer;
  /** Values that it holds. */
  readonly values: Map<Cid, Uint8Array>;
  conduct: (order: StepOrder) => Conduct;
  /** Orders that it got. */
  readonly orders: StepOrder[];
}

/** A peer with a root identity, and a session that acts for it. @param number 1 to 60,000 */
export async function memoryPeer(number: number): Promise<MemoryPeer> {
  const seed = new Uint8Array(32).fill(7);
  new DataView(seed.buffer).setUint16(0, number);
  const root = signerOf(seed);
  const session = signerOf(seed.map((byte) => byte ^ 0xff));
  const delegation = await seal(
    delegationMessage,
    { root: root.key, session: session.key, notBefore: START - 1_000, notAfter: START + 10_000_000 },
    [root],
  );
  return {
    root: root.key,
    signer: { ...session, delegation },
    values: new Map(),
    conduct: () => ({}),
    orders: [],
  };
}

/** What a function makes of its input; what it throws as a FailureError it fails with. */
export type MemoryFunction = (
  input: Uint8Array,
  order: StepOrder,
  peer: MemoryPeer,
) => Uint8Array | Promise<Uint8Array>;

export const LIMITS: StepLimits = {
  fuel: fuel(1_000_000),
  memory: 65_536,
  output: 16 * 1024 * 1024,
  deadlineMs: 10_000,
};

export function callee(name: string): Callee {
  return { kind: "function", cid: rawCid(encodeUtf8(name)), entry: "main", abi: "bytes-1", args: [] };
}

/** A call of a function by its name, of text unless said otherwise. */
export function call(name: string, parts: Partial<CallNode> & Pick<CallNode, "input">): CallNode {
  return {
    kind: "call",
    callee: callee(name),
    output: { type: "text" },
    place: { at: "any" },
    provenance: { check: "signature" },
    limits: LIMITS,
    ...parts,
  };
}

/** What each step costs, micro-credits. */
export const STEP_COST = 7;

/** A few peers, what functions there are, and where values are. */
export class MemoryMesh {
  readonly peers: readonly MemoryPeer[];
  readonly functions = new Map<Cid, MemoryFunction>();
  /** By the CID of a capability. */
  readonly effects = new Map<Cid, MemoryFunction>();
  /** Steps under way now, and at most. */
  active = 0;
  mostActive = 0;
  #turn = 0;

  constructor(peers: readonly MemoryPeer[], functions: Readonly<Record<string, MemoryFunction>>) {
    this.peers = peers;
    for (const [name, each] of Object.entries(functions)) this.functions.set(rawCid(encodeUtf8(name)), each);
  }

  static async of(count: number, functions: Readonly<Record<string, MemoryFunction>>): Promise<MemoryMesh> {
    const peers = await Promise.all(
      Array.from({ length: count }, async (_, place) => memoryPeer(place + 100)),
    );
    return new MemoryMesh(peers, functions);
  }

  /** The ports of a coordinator in this mesh. */
  ports(self: MemoryPeer): RunnerPorts {
    const keep = (bytes: Uint8Array): ValueRef => {
      const cid = rawCid(bytes);
      self.values.set(cid, bytes);
      return { cid, size: bytes.length, bytes, holders: [self.signer.key] };
    };
    return {
      perform: async (order, signal) => this.#perform(self, order, signal),
      fetchValue: async (value) => this.#fetch(self, value),
      keepValue: keep,
      signStep: async (step) => seal(stepMessage, step, [self.signer]),
      pause,
      now: () => START,
    };
  }

  async #fetch(self: MemoryPeer, { cid, holders }: ValueRef): Promise<Uint8Array> {
    const own = self.values.get(cid);
    if (own !== undefined) return own;
    for (const holder of holders) {
      const bytes = this.#byKey(holder)?.values.get(cid);
      if (bytes !== undefined) return bytes;
    }
    throw new FailureError("function-unavailable", `nobody gives ${cid}`);
  }

  #byKey(key: PeerId): MemoryPeer | undefined {
    return this.#everybody.find(({ signer }) => signer.key === key);
  }

  /** Coordinators are peers too. */
  readonly coordinators: MemoryPeer[] = [];

  get #everybody(): readonly MemoryPeer[] {
    return [...this.peers, ...this.coordinators];
  }

  #chosen(self: MemoryPeer, { place, peers }: StepOrder): MemoryPeer {
    const found = this.#placed(self, place, peers);
    if (found === undefined) throw new FailureError("no-provider", `nobody fits ${place.at}`);
    return found;
  }

  #placed(self: MemoryPeer, place: Place, peers: readonly PeerId[]): MemoryPeer | undefined {
    if (place.at === "coordinator") return self;
    if (place.at === "initiator") return this.coordinators[0];
    if (place.at === "peer") return this.#everybody.find(({ root }) => root === place.peer);
    if (place.at === "with") return this.#everybody.find(({ root }) => peers.includes(root));
    return this.#nextOf(this.peers.filter(({ root }) => !peers.includes(root)));
  }

  #nextOf(peers: readonly MemoryPeer[]): MemoryPeer | undefined {
    this.#turn += 1;
    return peers[this.#turn % peers.length];
  }

  async #perform(self: MemoryPeer, order: StepOrder, signal: AbortSignal): Promise<StepEnd> {
    this.active += 1;
    this.mostActive = Math.max(this.mostActive, this.active);
    try {
      if (order.provenance.check !== "quorum")
        return await this.#ask(self, this.#chosen(self, order), order, signal);
      const asked = this.peers.slice(0, order.provenance.n);
      const ends = await Promise.all(asked.map(async (peer) => this.#ask(self, peer, order, signal)));
      return agreeingFirst(ends, order.provenance.k);
    } finally {
      this.active -= 1;
    }
  }

  async #ask(self: MemoryPeer, peer: MemoryPeer, order: StepOrder, signal: AbortSignal): Promise<StepEnd> {
    signal.throwIfAborted();
    peer.orders.push(order);
    const conduct = peer.conduct(order);
    if (conduct.waitMs !== undefined) await pause(conduct.waitMs, signal);
    if (conduct.hang === true) await pause(1_000_000, signal);
    if (conduct.lose !== undefined) throw new FailureError(conduct.lose, `${peer.root} left`);
    const input = order.input.bytes ?? (await this.#fetch(peer, order.input));
    const made = await this.#made(order, input, peer, conduct);
    const { step, value, record } = stepOf(order, made, this.run, peer);
    if (record !== undefined) peer.values.set(rawCid(record), record);
    const envelope = await seal(stepMessage, conduct.forge?.(step) ?? step, [peer.signer]);
    signal.throwIfAborted();
    if (value === undefined) return { receipts: [envelope], cost: microCredits(STEP_COST) };
    const cid = rawCid(value);
    if (conduct.withhold !== true) peer.values.set(cid, value);
    const given = conduct.swap?.(value) ?? value;
    const isHeld = order.hold || conduct.withhold === true;
    const ref: ValueRef = {
      cid: conduct.swap === undefined ? cid : rawCid(given),
      size: given.length,
      holders: [peer.signer.key],
      ...(isHeld ? {} : { bytes: given }),
    };
    return { receipts: [envelope], value: ref, cost: microCredits(STEP_COST) };
  }

  /** The run that steps are signed for. */
  run: Cid = rawCid(new Uint8Array(0));

  async #made(
    order: StepOrder,
    input: Uint8Array,
    peer: MemoryPeer,
    conduct: Conduct,
  ): Promise<Uint8Array | FailureError> {
    if (conduct.fail !== undefined) return new FailureError(conduct.fail, "it fails here");
    const { what } = order;
    const made =
      what.kind === "call"
        ? this.functions.get(what.callee.cid)
        : this.effects.get(capabilityCid(what.capability));
    if (made === undefined) throw new FailureError("function-unavailable", "nobody knows this function");
    try {
      const value = await made(input, order, peer);
      return conduct.lie?.(value) ?? value;
    } catch (error) {
      if (error instanceof FailureError) return error;
      throw error;
    }
  }
}

function agreeingFirst(ends: readonly StepEnd[], k: number): StepEnd {
  const values = ends.flatMap((end) => (end.value === undefined ? [] : [end.value]));
  const value = values.find(({ cid }) => values.filter((other) => other.cid === cid).length >= k);
  const first = ends.filter((end) => end.value?.cid === value?.cid);
  const others = ends.filter((end) => !first.includes(end));
  const shown = value ?? ends[0]?.value;
  return {
    receipts: [...first, ...others].flatMap(({ receipts }) => receipts),
    ...(shown === undefined ? {} : { value: shown }),
    cost: microCredits(STEP_COST * ends.length),
  };
}

function stepOf(
  order: StepOrder,
  made: Uint8Array | FailureError,
  run: Cid,
  peer: MemoryPeer,
): { readonly step: Step; readonly value?: Uint8Array; readonly record?: Uint8Array } {
  const { node, iteration, attempt, parents, what } = order;
  const base = { run, node, iteration, attempt, args: order.input.cid, profile: 1, parents };
  if (made instanceof FailureError)
    return {
      step: { ...base, status: "failed", code: made.code, detail: made.detail, size: 0, fuel: fuel(10) },
    };
  const record = what.kind === "effect" ? recordOf(order, what.capability, made, run, peer) : undefined;
  return {
    value: made,
    ...(record === undefined ? {} : { record }),
    step: {
      ...base,
      status: "done",
      result: rawCid(made),
      size: made.length,
      fuel: fuel(100),
      callee: what.kind === "call" ? what.callee.cid : capabilityCid(what.capability),
      ...(record === undefined ? {} : { record: rawCid(record) }),
    },
  };
}

function recordOf(
  { node, iteration, attempt, input }: StepOrder,
  capability: Capability,
  value: Uint8Array,
  run: Cid,
  { signer }: MemoryPeer,
): Uint8Array {
  return encode(effectRecordSchema, {
    v: 1,
    kind: capability.kind,
    capability: capabilityCid(capability),
    request: input.cid,
    response: rawCid(value),
    size: value.length,
    signer: signer.key,
    at: START,
    place: { run, node, iteration, attempt },
  });
}

export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, Math.min(ms, 2 ** 31 - 1));
  const abort = (): void => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}

/** A run of a plan in a mesh, signed by its initiator. */
export interface MemoryRun {
  readonly open: OpenRun;
  readonly plan: Plan;
  readonly planBytes: Uint8Array;
  readonly params: Readonly<Record<string, Uint8Array>>;
  readonly initiator: MemoryPeer;
}

export interface MemoryRunParts {
  readonly plan: Plan;
  readonly params?: Readonly<Record<string, Uint8Array>>;
  readonly holders?: readonly MemoryPeer[];
  readonly nonce?: number;
  /** Default: a peer of its own. */
  readonly initiator?: MemoryPeer;
}

/** Signs a run of a plan, and makes the mesh sign its steps for it. */
export async function memoryRun(mesh: MemoryMesh, parts: MemoryRunParts): Promise<MemoryRun> {
  const { plan, params = {}, holders = [] } = parts;
  const initiator = parts.initiator ?? (await memoryPeer(1));
  mesh.coordinators.splice(0, mesh.coordinators.length, initiator, ...holders);
  const planBytes = encodePlan(plan);
  const cids = new Map(Object.entries(params).map(([name, bytes]) => [name, rawCid(bytes)]));
  const envelope = await seal(
    runMessage,
    {
      ...header(ORIGIN, `test:${ORIGIN}`),
      initiator: initiator.root,
      payer: initiator.root,
      plan: cidOf(DAG_CBOR, planBytes, digest),
      params: rawCid(argsBytes(cids)),
      nonce: new Uint8Array(16).fill(parts.nonce ?? 1),
      issuedAt: START,
      notAfter: START + 3_600_000,
      budget: microCredits(1_000_000),
      returnTo: "relay",
    },
    [initiator.signer],
  );
  // Whoever has just signed it need not check that.
  const { id, body } = readMessage(runMessage, envelope, digest);
  const draft: OpenRun = { id, body, envelope, holders: [] };
  mesh.run = id;
  const base = { plan, planBytes, params, initiator };
  if (holders.length === 0) return { ...base, open: draft };
  const named = await seal(
    runHoldersMessage,
    { ...header(ORIGIN, `test:${ORIGIN}`), run: draft.id, rev: 1, holders: holders.map(({ root }) => root) },
    [initiator.signer],
  );
  return { ...base, open: await openRun(envelope, [named], verify, digest) };
}

/** A coordinator of a run, who tells what it hears. */
export function coordinator(
  mesh: MemoryMesh,
  run: MemoryRun,
  self: MemoryPeer = run.initiator,
  options: Partial<RunnerOptions> = {},
  ports: RunnerPorts = mesh.ports(self),
): { readonly runner: Runner; readonly events: readonly RunEvent[] } {
  const events: RunEvent[] = [];
  const runner = new Runner(
    {
      run: run.open,
      plan: run.plan,
      planBytes: run.planBytes,
      types: typesOf(run.plan),
      params: run.params,
      self: self.root,
      verify,
      digest,
      onEvent: (event) => events.push(event),
      ...options,
    },
    ports,
  );
  return { runner, events };
}

/** The failure code of a name, for expectations. */
export const code = failureCode;
