import type { RelayClient } from "../../mesh/relay-client.ts";
import type { Cid } from "../../protocol/cid.ts";
import { seal } from "../../protocol/envelope.ts";
import { header } from "../../protocol/header.ts";
import { MAX_STEP_BATCH_BYTES, MAX_STEPS_PER_BATCH, RUN_HEARTBEAT_MS } from "../../protocol/limits.ts";
import { runAccessMessage } from "../../protocol/messages/run.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { RelayInfo } from "../../protocol/relay-api.ts";
import type { Signer } from "../../protocol/signature.ts";
import { STEPS_BRING_MS } from "../limits.ts";

export interface RunMailboxOptions {
  readonly run: Cid;
  readonly client: RelayClient;
  readonly info: RelayInfo;
  readonly signer: Signer;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Envelopes of steps from a place on, in the order in which they came here. */
  readonly since: (place: number, most: number) => readonly Uint8Array[];
}

/** An access counts for an hour; a new one is signed in good time. */
const ACCESS_MS: number = 30 * 60 * 1000;

/** What waits at the relay for whoever goes on with a run: its coordinator brings receipts there, and shows by that that it is alive. */
export class RunMailbox {
  readonly #options: RunMailboxOptions;
  #access: { readonly at: number; readonly envelope: Promise<Uint8Array> } | undefined;
  /** Steps that the relay has from here. */
  #brought = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When it is brought next, by performance.now(). */
  #dueAt = Number.POSITIVE_INFINITY;
  #bringing: Promise<void> | undefined;
  #isOver = false;

  constructor(options: RunMailboxOptions) {
    this.#options = options;
  }

  /** A run-access envelope for the relay, which counts nowhere else. */
  access(): Promise<Uint8Array> {
    const { info, now } = this.#options;
    const at = now();
    if (this.#access === undefined || at - this.#access.at > ACCESS_MS)
      this.#access = { at, envelope: this.accessFor(info.peer) };
    return this.#access.envelope;
  }

  /** A run-access envelope that counts at one peer, which cannot show it to the relay or to others. @param audience its session key */
  accessFor(audience: PeerId): Promise<Uint8Array> {
    const { run, info, signer, now } = this.#options;
    const body = { ...header(info.origin, info.asset), run, audience, issuedAt: now() };
    return seal(runAccessMessage, body, [signer]);
  }

  /** From here on the relay hears of this coordinator as often as it has to. */
  start(): void {
    this.#beatIn(RUN_HEARTBEAT_MS);
  }

  /** A receipt has come: it is brought soon, with those that come meanwhile. */
  bringSoon(): void {
    if (this.#dueAt > performance.now() + STEPS_BRING_MS) this.#beatIn(STEPS_BRING_MS);
  }

  #beatIn(ms: number): void {
    if (this.#isOver) return;
    clearTimeout(this.#timer);
    this.#dueAt = performance.now() + ms;
    this.#timer = setTimeout(() => void this.#beat(), ms);
  }

  async #beat(): Promise<void> {
    await this.bring().catch(() => undefined);
    this.#beatIn(RUN_HEARTBEAT_MS);
  }

  /** Brings all that is new. @throws FailureError when the relay cannot be reached or refuses it */
  async bring(): Promise<void> {
    await this.#bringing?.catch(() => undefined);
    this.#bringing = this.#bring();
    await this.#bringing;
  }

  async #bring(): Promise<void> {
    const { client, run, since } = this.#options;
    for (;;) {
      const batch = withinBytes(since(this.#brought, MAX_STEPS_PER_BATCH));
      // oxlint-disable-next-line no-await-in-loop -- one batch after the other
      await client.putSteps(run, await this.access(), batch);
      this.#brought += batch.length;
      if (since(this.#brought, 1).length === 0) return;
    }
  }

  /**
   * Brings what another peer has signed: the relay looks whether it had a lease for it in this run.
   * @throws FailureError when the relay cannot be reached or refuses it
   */
  async show(steps: readonly Uint8Array[]): Promise<void> {
    const { client, run } = this.#options;
    for (let at = 0; at < steps.length;) {
      const batch = withinBytes(steps.slice(at, at + MAX_STEPS_PER_BATCH));
      // oxlint-disable-next-line no-await-in-loop -- one batch after the other
      await client.putSteps(run, await this.access(), batch);
      at += batch.length;
    }
  }

  /** Steps that are there, from a place on. */
  async steps(signal?: AbortSignal, first = 0): Promise<readonly Uint8Array[]> {
    const { client, run } = this.#options;
    const all: Uint8Array[] = [];
    for (let from = first; ;) {
      // oxlint-disable-next-line no-await-in-loop -- page after page
      const { steps, next } = await client.steps(run, await this.access(), from, signal);
      all.push(...steps);
      if (steps.length === 0 || next <= from) return all;
      from = next;
    }
  }

  /**
   * Brings the rest, and is silent from here on.
   * @param leaving the run is not over: others need not wait until this silence is long enough
   */
  async stop({ leaving = false }: { readonly leaving?: boolean } = {}): Promise<void> {
    this.#isOver = true;
    clearTimeout(this.#timer);
    const { client, run } = this.#options;
    await this.bring().catch(() => undefined);
    if (leaving) await client.putSteps(run, await this.access(), [], { leaving }).catch(() => undefined);
  }
}

function withinBytes(steps: readonly Uint8Array[]): readonly Uint8Array[] {
  let bytes = 0;
  const within = steps.filter(({ length }, place) => {
    bytes += length;
    return place === 0 || bytes <= MAX_STEP_BATCH_BYTES;
  });
  return within;
}
