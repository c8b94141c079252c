import { beforeAll, expect, test } from "vitest";
import { failureCode } from "../../protocol/failure-code.ts";
import { FailureError } from "../../protocol/failure.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { decodeUtf8, encodeUtf8 } from "../../protocol/text.ts";
import { tries } from "../../protocol/tries.contract.ts";
import { parseJson } from "../json-value.ts";
import {
  callee,
  coordinator,
  MemoryMesh,
  memoryPeer,
  type MemoryPeer,
  memoryRun,
} from "../memory-peers.contract.ts";
import { requireSound } from "../check.ts";
import { airScript, answerOf, drawFrom } from "./air-scripts.contract.ts";
import { type Avm, avmPeer, type AvmPeer, drive, openAvm } from "./avm.contract.ts";
import { importAir } from "./import-air.ts";

/**
 * The interpreter stalls where a call needs values of two branches of a par that ended at different peers: nothing brings one of
 * them there, and nothing says so. All that it called is called here as well, and the run ends.
 */
function hasStalled(interpreter: Outcome, runner: Outcome): boolean {
  if (runner.error !== 0 || interpreter.error > 0) return false;
  const left = [...runner.calls];
  const isPart = interpreter.calls.every((each) => {
    const at = left.indexOf(each);
    if (at >= 0) left.splice(at, 1);
    return at >= 0;
  });
  return isPart && left.length > 0;
}

/**
 * Scripts of the subset, made by chance, run by Fluence's interpreter and as plans by this runner, messages delivered in random
 * order in both: the same calls with the same arguments at the same peers, and the same class of error.
 */
const SCRIPTS = tries(1_200);

/** Seed of the root identity that memoryPeer gives a number, so that both have the same peers. */
function seedOf(number: number): Uint8Array {
  const seed = new Uint8Array(32).fill(7);
  new DataView(seed.buffer).setUint16(0, number);
  return seed;
}

const NUMBERS = [1, 101, 102, 103];
let peers: readonly MemoryPeer[] = [];
let avmPeers: readonly AvmPeer[] = [];
let avms: ReadonlyMap<PeerId, Avm> = new Map();

beforeAll(async () => {
  peers = await Promise.all(NUMBERS.map(memoryPeer));
  avmPeers = NUMBERS.map((number) => avmPeer(seedOf(number)));
  avms = new Map(avmPeers.map(({ id }) => [id, openAvm()]));
  expect(avmPeers.map(({ id }) => id)).toEqual(peers.map(({ root }) => root));
});

interface Outcome {
  readonly calls: readonly string[];
  /** AquaVM's number of the error; 0 when it ended well; -1 when something waits for what never comes. */
  readonly error: number;
}

function callText(peer: string, name: string, args: unknown): string {
  return `${peer.slice(-4)} ${name} ${JSON.stringify(args)}`;
}

const PENDING = -1;

function byAvm(air: string, seed: number): Outcome {
  const [initiator] = avmPeers;
  if (initiator === undefined) throw new Error("there are no peers");
  const draw = drawFrom(seed);
  const { calls, errors } = drive(
    avms,
    avmPeers,
    { id: `particle-${seed}`, init: initiator.id, air, at: 1_700_000_000_000, ttlMs: 60_000 },
    (_, { name, args }) => answerOf(name, args),
    { pick: (waiting) => draw(waiting) },
  );
  const codes = new Set([...errors.values()].map(({ code }) => code));
  const [error = calls.some(({ name }) => name === "n0") ? 0 : PENDING] = codes;
  return {
    calls: calls.map(({ peer, name, args }) => callText(peer, name, args)).toSorted(),
    error: codes.size > 1 ? Number.NaN : error,
  };
}

/** AquaVM's number of what ended a run. */
function errorOf(code: number, detail: string): number {
  if (code === failureCode("exit-code")) return 10_000;
  if (detail.includes("mismatch:")) return 10_002;
  if (detail.includes("match:")) return 10_001;
  if (detail.includes("fail 1")) return 10_006;
  return PENDING;
}

async function byRunner(air: string, seed: number): Promise<Outcome> {
  const names = new Set<string>();
  const plan = importAir(air, "script", (_, name) => {
    names.add(name);
    return { ...callee(name), entry: name };
  });
  requireSound(plan);
  const calls: string[] = [];
  const functions = Object.fromEntries(
    [...names].map((name) => [
      name,
      (input: Uint8Array, { place }: { readonly place: { readonly at: string; readonly peer?: PeerId } }) => {
        const args = parseJson(decodeUtf8(input));
        calls.push(callText(place.peer ?? peers[0]?.root ?? "", name, args));
        const answer = answerOf(name, Array.isArray(args) ? args : []);
        if ("failure" in answer) throw new FailureError("exit-code", answer.failure);
        return encodeUtf8(JSON.stringify(answer.value));
      },
    ]),
  );
  const draw = drawFrom(seed);
  const mesh = new MemoryMesh(peers, functions);
  for (const peer of peers) peer.conduct = () => ({ waitMs: draw(3) });
  const run = await memoryRun(mesh, { plan, nonce: seed % 256 });
  const { failure } = await coordinator(mesh, run).runner.start();
  return {
    calls: calls.toSorted(),
    error: failure === undefined ? 0 : errorOf(failure.code, failure.detail),
  };
}

test(`${SCRIPTS} scripts do the same as Fluence's interpreter does`, { timeout: 120_000 }, async () => {
  const errors = new Map<number, number>();
  let calls = 0;
  let compared = 0;
  let stalled = 0;
  for (let seed = 0; compared < SCRIPTS; seed += 1) {
    const air = airScript(
      seed,
      peers.slice(1).map(({ root }) => root),
    );
    const expected = byAvm(air, seed);
    // oxlint-disable-next-line no-await-in-loop -- one script at a time, so that a failure names it
    const found = await byRunner(air, seed);
    if (hasStalled(expected, found)) {
      stalled += 1;
      continue;
    }
    expect(found, `script ${seed}: ${air}`).toEqual(expected);
    errors.set(found.error, (errors.get(found.error) ?? 0) + 1);
    calls += found.calls.length;
    compared += 1;
  }
  // Else the scripts would prove little.
  expect(stalled).toBeLessThan(SCRIPTS / 10);
  expect(calls).toBeGreaterThan(SCRIPTS * 3);
  expect(errors.get(0) ?? 0).toBeGreaterThan(SCRIPTS / 2);
  expect([...errors.keys()].toSorted((a, b) => a - b)).toEqual([0, 10_000, 10_001, 10_002, 10_006]);
});
