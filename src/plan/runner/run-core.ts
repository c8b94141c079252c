import type { Cid, Digest } from "../../protocol/cid.ts";
import { readMessage } from "../../protocol/envelope.ts";
import { FailureError } from "../../protocol/failure.ts";
import { type Step, stepMessage } from "../../protocol/messages/run.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { clipText } from "../../protocol/text.ts";
import { type MicroCredits, microCredits } from "../../protocol/units.ts";
import { typesOf } from "../types-of.ts";
import type { Value } from "../json-value.ts";
import type { NodeId } from "../plan.ts";
import type { RunEvent, RunnerPorts, StepKey, ValueRef } from "../runner-ports.ts";
import {
  ATTEMPTS_EACH,
  GATHERED_FROM,
  isSettling,
  keyText,
  SETTLED_FROM,
  WHOLE_RUN,
} from "../state/attempts.ts";
import { type Receipt, ReceiptReader } from "../state/receipt.ts";
import { byIdAndKey, RunState } from "../state/run-state.ts";
import { Wholeness } from "../state/wholeness.ts";
import type { ValueType } from "../value-type.ts";
import type { Core, CoreOptions, GraphCall, Settling } from "./core.ts";
import type { GraphEnd, Known } from "./known.ts";
import { gatherings, stepBase } from "./own-step.ts";
import { hasStep, nodesOf, type PlanPlace } from "./plan-nodes.ts";
import { runGraph } from "./run-graph.ts";
import { RunMemory } from "./run-memory.ts";
import { failureOf, type RunEnd, type RunnerOptions } from "./runner-options.ts";

const OVER = new FailureError("cancelled", "the run is over");
const NO_COST: MicroCredits = microCredits(0);

/** An attempt that was given out here. */
interface GivenOut {
  readonly atMs: number;
  readonly inputBytes: number;
}

/** What all nodes of a run share, over the ports. */
export class RunCore implements Core {
  readonly ports: RunnerPorts;
  readonly state: RunState = new RunState();
  readonly run: Cid;
  readonly digest: Digest | undefined;
  readonly signal: AbortSignal;
  readonly options: CoreOptions;
  readonly memory: RunMemory;
  readonly nodes: ReadonlyMap<NodeId, PlanPlace>;
  readonly refused: Set<Cid> = new Set();
  readonly #given: RunnerOptions;
  readonly #types: ReadonlyMap<NodeId, ValueType>;
  readonly #reader: ReceiptReader;
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #whole = new Wholeness(this.state);
  readonly #times = new Map<string, number>();
  readonly #givenOut = new Map<string, GivenOut>();
  readonly #quitting = new AbortController();
  #spent = 0n;
  #tookOver = false;

  constructor(given: RunnerOptions, ports: RunnerPorts, signal: AbortSignal) {
    const { run, verify, digest, self } = given;
    this.#given = given;
    this.ports = ports;
    this.run = run.id;
    this.digest = digest;
    this.signal = signal;
    signal.addEventListener("abort", () => this.#quitting.abort(signal.reason), { once: true });
    this.memory = new RunMemory(ports, this.#quitting.signal);
    this.#reader = new ReceiptReader({ ...run.body, run: run.id }, verify, digest);
    this.nodes = nodesOf(given.plan.graph);
    this.#types = given.types ?? typesOf(given.plan);
    const rank = run.holders.indexOf(self);
    const isOurs = given.mine ?? ((): boolean => true);
    this.options = {
      attemptsFrom: given.attemptsFrom ?? (self === run.body.initiator ? 0 : (rank + 1) * ATTEMPTS_EACH),
      attempts: given.attempts ?? 6,
      hedgeAfterMs: given.hedgeAfterMs ?? 30_000,
      mine: (key) => this.#tookOver || isOurs(key),
      initiator: run.body.initiator,
      relay: given.relay,
    };
  }

  readonly isCoordinator = (root: PeerId): boolean => this.#rank(root) !== undefined;

  /** 0 is the initiator's. */
  #rank(root: PeerId): number | undefined {
    const { run } = this.#given;
    if (root === run.body.initiator) return 0;
    const place = run.holders.indexOf(root);
    return place < 0 ? undefined : place + 1;
  }

  emit(event: RunEvent): void {
    this.#given.onEvent?.(event);
  }

  typeOf(id: NodeId): ValueType {
    const type = this.#types.get(id);
    if (type === undefined) throw new FailureError("plan-refused", `node ${id} has no type`);
    return type;
  }

  paid(cost: MicroCredits): void {
    this.#spent += cost;
  }

  spent(): bigint {
    return this.#spent;
  }

  async read(known: Known): Promise<Value> {
    return this.memory.read(known);
  }

  async bring(known: Known): Promise<ValueRef> {
    const bytes = await this.memory.bytesOf(known);
    return { ...known.ref, bytes };
  }

  async witness(ref: ValueRef): Promise<Uint8Array> {
    return this.memory.witness(ref);
  }

  async isThere(known: Known): Promise<boolean> {
    return this.memory.isThere(known);
  }

  keep(type: ValueType, value: Value, parents: readonly Cid[]): Known {
    return this.memory.keep(type, value, parents);
  }

  async graph(call: GraphCall): Promise<GraphEnd> {
    return runGraph(this, call);
  }

  requireTime(): void {
    if (this.ports.now() > this.#given.run.body.notAfter)
      throw new FailureError("expired", "the run's time is over");
  }

  timesGiven(key: StepKey): number {
    return this.#times.get(keyText(key)) ?? 0;
  }

  given(key: StepKey, attempt: number, inputBytes: number): void {
    this.#times.set(keyText(key), this.timesGiven(key) + 1);
    this.#givenOut.set(`${keyText(key)} ${attempt}`, { atMs: this.ports.now(), inputBytes });
    this.emit({ kind: "given", node: key.node, iteration: key.iteration, attempt });
  }

  settled(key: StepKey, args: Cid): Receipt | undefined {
    const receipts = this.state
      .of(key)
      .filter(
        (receipt) =>
          isSettling(receipt.step.attempt) &&
          receipt.step.args === args &&
          receipt.step.status !== "skipped" &&
          this.isCoordinator(receipt.root) &&
          !this.state.isLiar(receipt.key) &&
          (key.node === WHOLE_RUN || this.#whole.isWhole(receipt)),
      );
    return receipts.toSorted((a, b) => this.#bySettler(a, b))[0];
  }

  /** What came to something first; then whoever is first in rank; of one coordinator the latest. The same everywhere. */
  #bySettler(a: Receipt, b: Receipt): number {
    if (a.step.status !== b.step.status) return a.step.status === "done" ? -1 : 1;
    const rank = (this.#rank(a.root) ?? 0) - (this.#rank(b.root) ?? 0);
    return rank || b.step.attempt - a.step.attempt || byIdAndKey(a, b);
  }

  async settle(key: StepKey, settling: Settling): Promise<Receipt> {
    this.signal.throwIfAborted();
    const { status, args, result, code, detail } = settling;
    const settled = this.state
      .of(key)
      .filter(({ step, root }) => isSettling(step.attempt) && this.isCoordinator(root));
    const same = settled.find(
      (receipt) =>
        !this.state.isLiar(receipt.key) &&
        receipt.step.status === status &&
        receipt.step.args === args &&
        receipt.step.result === result?.ref.cid &&
        receipt.step.code === code &&
        this.#whole.isWhole(receipt),
    );
    if (same !== undefined) return same;
    const own = settled.filter(({ root }) => root === this.#given.self);
    const said = detail === undefined ? undefined : clipText(detail, 500);
    const parents: Cid[] = [];
    const gathering = gatherings(this.run, key, settling, this.state.of(key).length);
    for (const step of gathering) {
      // oxlint-disable-next-line no-await-in-loop -- seldom: where more than a thousand come together
      parents.push((await this.#sign(step)).id);
    }
    return this.#sign({
      ...stepBase(this.run, key, args),
      attempt: SETTLED_FROM + own.length,
      status,
      ...(code === undefined ? {} : { code }),
      ...(said === undefined || status !== "failed" ? {} : { detail: said }),
      ...(result === undefined ? {} : { result: result.ref.cid }),
      size: result?.ref.size ?? 0,
      parents: gathering.length === 0 ? settling.parents : parents,
    });
  }

  async #sign(step: Step): Promise<Receipt> {
    const envelope = await this.ports.signStep(step);
    this.signal.throwIfAborted();
    const { id, signers } = readMessage(stepMessage, envelope, this.digest);
    const [key] = signers;
    if (key === undefined) throw new FailureError("bad-signature", "the coordinator's step is not signed");
    const receipt: Receipt = { id, step, envelope, key, root: this.#given.self };
    this.#add(receipt, NO_COST);
    return receipt;
  }

  async admit(envelope: Uint8Array, cost?: MicroCredits): Promise<Receipt> {
    const receipt = await this.#reader.read(envelope);
    const { node, iteration, attempt } = receipt.step;
    if (!hasStep(this.nodes, receipt.step))
      throw new FailureError("denied", `the plan has no step ${node} ${iteration}`);
    if (attempt >= GATHERED_FROM && !this.isCoordinator(receipt.root))
      throw new FailureError("denied", `step ${node}: ${receipt.root} does not coordinate this run`);
    this.#add(receipt, cost);
    return receipt;
  }

  /** @param cost present for what was asked for or signed here */
  #add(receipt: Receipt, cost: MicroCredits | undefined): void {
    const added = this.state.add(receipt, cost !== undefined);
    if (added === "refused") throw new FailureError("too-large", `too many receipts of ${receipt.step.node}`);
    if (added === "known") return;
    const { step } = receipt;
    if (step.node !== WHOLE_RUN && (step.attempt < GATHERED_FROM || isSettling(step.attempt)))
      this.#tell(receipt, cost ?? NO_COST);
  }

  #tell({ step, id, envelope, root }: Receipt, cost: MicroCredits): void {
    const { node, iteration, attempt, status, code, detail, size } = step;
    const out = this.#givenOut.get(`${keyText(step)} ${attempt}`);
    this.emit({
      kind: "ended",
      node,
      iteration,
      attempt,
      receipt: id,
      envelope,
      peer: root,
      status,
      ...(code === undefined ? {} : { code }),
      ...(detail === undefined ? {} : { detail }),
      inputBytes: out?.inputBytes ?? 0,
      outputBytes: size,
      fuel: step.fuel,
      cost,
      elapsedMs: out === undefined ? 0 : this.ports.now() - out.atMs,
      ...(step.record === undefined ? {} : { effect: true }),
    });
  }

  onArrival(key: StepKey, wake: () => void): () => void {
    const text = keyText(key);
    const waiting = this.#waiting.get(text) ?? new Set<() => void>();
    waiting.add(wake);
    this.#waiting.set(text, waiting);
    return () => {
      waiting.delete(wake);
      if (waiting.size === 0) this.#waiting.delete(text);
    };
  }

  async learn(steps: readonly Uint8Array[]): Promise<readonly FailureError[]> {
    const refused: FailureError[] = [];
    await Promise.all(
      steps.map(async (envelope) => {
        try {
          const { step } = await this.admit(envelope);
          for (const wake of this.#waiting.get(keyText(step)) ?? []) wake();
        } catch (error) {
          if (!(error instanceof FailureError)) throw error;
          refused.push(error);
        }
      }),
    );
    return refused;
  }

  takeOver(): void {
    this.#tookOver = true;
    for (const waiting of this.#waiting.values()) for (const wake of waiting) wake();
  }

  quit(): void {
    this.#quitting.abort(OVER);
  }

  /** What the step that closed the run says. */
  async closedBy({ id, step, key, root }: Receipt): Promise<RunEnd> {
    const { result, size, code, detail = "" } = step;
    if (result !== undefined) {
      const type: ValueType = { type: "bytes" };
      const known: Known = { ref: { cid: result, size, holders: [key] }, type, parents: [id], by: [root] };
      return { receipt: id, result: await this.bring(known) };
    }
    if (code === undefined) throw new FailureError("malformed", "the run was closed without a word");
    const [cause] = step.parents.flatMap((parent) => this.state.byId(parent));
    const { node, iteration } = cause?.step ?? step;
    return { receipt: id, failure: failureOf({ node, iteration, code, detail }, microCredits(this.#spent)) };
  }
}
