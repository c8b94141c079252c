import { webcrypto } from "node:crypto";
import type { Exchange } from "../../../effects/effect-ports.ts";
import { typesOf } from "../../../plan/check.ts";
import type { Value } from "../../../plan/json-value.ts";
import { encodePlan } from "../../../plan/plan-codec.ts";
import type { RunRecord } from "../../../plan/run-record.ts";
import type { RunEvent } from "../../../plan/runner-ports.ts";
import { argsBytes } from "../../../plan/runner/inputs.ts";
import { Runner } from "../../../plan/runner/runner.ts";
import { openRun } from "../../../plan/state/open-run.ts";
import { writeValue } from "../../../plan/values.ts";
import { cidFromDigest, RAW } from "../../../protocol/cid.ts";
import { verifierOf } from "../../../protocol/ed25519.ts";
import { seal } from "../../../protocol/envelope.ts";
import { FailureError } from "../../../protocol/failure.ts";
import { header, testAsset } from "../../../protocol/header.ts";
import { runMessage } from "../../../protocol/messages/run.ts";
import { microCredits } from "../../../protocol/units.ts";
import { sha256 } from "../../../relay/books/native-hash.ts";
import { IN_MEMORY } from "../../../relay/data-dir.ts";
import { EffectRows } from "../../../relay/effects/effect-rows.ts";
import { relayExchange } from "../../../relay/effects/relay-exchange.ts";
import type { Work } from "../find-work.ts";
import type { ReadPlan } from "../read-plan.ts";
import type { FinishedRun } from "../run-report.ts";
import { LOCAL_ORIGIN } from "./local-origin.ts";
import { LocalPeers } from "./local-peers.ts";
import { LocalPorts } from "./local-ports.ts";

/** A run on this machine ends within a day, as others do. */
const LONGEST_MS: number = 24 * 60 * 60 * 1000;
const NONCE_BYTES = 16;

export interface LocalRunOptions {
  readonly params: Readonly<Record<string, Value>>;
  readonly work: Work;
  /** Origins of private networks that effects may reach, besides the public web. */
  readonly localOrigins: readonly string[];
  readonly secrets?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly onEvent: (event: RunEvent) => void;
  readonly signal: AbortSignal;
}

/** Carries a plan out in this process: real receipts, by keys that are made for this run. */
export async function runPlanLocally(
  { plan }: ReadPlan,
  { params, work, localOrigins, secrets = {}, timeoutMs = LONGEST_MS, onEvent, signal }: LocalRunOptions,
): Promise<FinishedRun> {
  const begunMs = performance.now();
  const peers = await LocalPeers.start();
  const { initiator } = peers;
  const planBytes = encodePlan(plan);
  const paramBytes = Object.fromEntries(
    Object.entries(plan.graph.params).map(([name, type]) => [name, writeValue(type, params[name] ?? null)]),
  );
  const issuedAt = Date.now();
  const envelope = await seal(
    runMessage,
    {
      ...header(LOCAL_ORIGIN, testAsset(LOCAL_ORIGIN)),
      initiator: initiator.key,
      payer: initiator.key,
      plan: cidFromDigest(0x71, sha256(planBytes)),
      params: cidFromDigest(RAW, sha256(argsBytes(cidsOf(paramBytes)))),
      nonce: webcrypto.getRandomValues(new Uint8Array(NONCE_BYTES)),
      issuedAt,
      notAfter: issuedAt + timeoutMs,
      budget: microCredits(0n),
      returnTo: "relay",
    },
    [initiator],
  );
  const verify = verifierOf(webcrypto.subtle);
  const run = await openRun(envelope, [], verify, sha256);
  // What a plan stores is gone when the run is over.
  const stores = new EffectRows(IN_MEMORY);
  const ports = new LocalPorts({
    run: run.id,
    peers,
    work,
    effects: {
      now: () => Date.now(),
      deadline: (ms) => AbortSignal.timeout(ms),
      exchange: exchangeHere(localOrigins),
      store: stores.store(initiator.key),
      localOrigins,
      secret: (name) => (Object.hasOwn(secrets, name) ? secrets[name] : undefined),
    },
  });
  const runner = new Runner(
    {
      run,
      plan,
      planBytes,
      types: typesOf(plan),
      params: paramBytes,
      self: initiator.key,
      verify,
      digest: sha256,
      onEvent,
    },
    ports,
  );
  const cancel = (): void => runner.cancel();
  if (signal.aborted) cancel();
  signal.addEventListener("abort", cancel, { once: true });
  try {
    const { result, failure } = await runner.start();
    return {
      run: run.id,
      plan,
      ...(result?.bytes === undefined ? {} : { result: { cid: result.cid, bytes: result.bytes } }),
      ...(failure === undefined ? {} : { failure }),
      record: withValues(runner.record(), ports),
      elapsedMs: performance.now() - begunMs,
      isCancelled: signal.aborted,
    };
  } finally {
    signal.removeEventListener("abort", cancel);
    await ports.stop();
    stores.close();
  }
}

/** As the relay asks for others: names are looked up once, and lead to public addresses or to what was named. */
function exchangeHere(localOrigins: readonly string[]): Exchange {
  const exchange = relayExchange({ isLocal: (origin) => localOrigins.includes(origin) });
  return async (request, signal) => {
    try {
      return await exchange(request, signal);
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      throw new FailureError(error.code, error.detail.replace("the relay", "this machine"), { cause: error });
    }
  };
}

function cidsOf(
  values: Readonly<Record<string, Uint8Array>>,
): ReadonlyMap<string, ReturnType<typeof cidFromDigest>> {
  return new Map(Object.entries(values).map(([name, bytes]) => [name, cidFromDigest(RAW, sha256(bytes))]));
}

/** Everything that was made here goes into the record: there is nobody else to ask for it. */
function withValues(record: RunRecord, { values }: LocalPorts): RunRecord {
  const known = new Set(record.values.map(({ cid }) => cid));
  const more = [...values].filter(([cid]) => !known.has(cid)).map(([cid, bytes]) => ({ cid, bytes }));
  return { ...record, values: [...record.values, ...more] };
}
