import { expect, test } from "vitest";
import type { EffectPorts } from "../../effects/effect-ports.ts";
import { performEffect } from "../../effects/perform-effect.ts";
import { encodeRecord } from "../../effects/replay-effect.ts";
import { capabilityOf, PLACE, portsOf, requestOf, SIGNER } from "../../effects/requests.contract.ts";
import { type Cid, cidOf, RAW } from "../../protocol/cid.ts";
import {
  type Capability,
  capabilityCid,
  effectEvidenceSchema,
  type EffectRecord,
  encodeCapability,
} from "../../protocol/messages/effect.ts";
import type { OutcomeLeaf, Task } from "../../protocol/messages/task.ts";
import { encode } from "../../protocol/schema.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import { fuel } from "../../protocol/units.ts";
import { jobBody, openScene, signerOf } from "../books/books-scene.contract.ts";
import { type Recomputation, type Recomputed, WHOLE } from "./recompute.ts";
import { EffectRecomputer } from "./recompute-effect.ts";

const lease = cidOf(RAW, encodeUtf8("a lease"));

/** What a provider claims of an effect, and what it shows. */
interface Claim {
  readonly capability: Capability;
  readonly request?: Uint8Array<ArrayBuffer>;
  readonly record?: Partial<EffectRecord>;
  readonly value?: Uint8Array<ArrayBuffer>;
  /** Shown in place of what the outcome names. */
  readonly shown?: Uint8Array<ArrayBuffer>;
  readonly ports?: Partial<EffectPorts>;
}

async function judged(claim: Claim): Promise<Recomputed & { readonly claimed: OutcomeLeaf }> {
  const scene = await openScene();
  const { capability, request = requestOf({ url: "https://example.org/a" }) } = claim;
  const order = { capability, request, place: PLACE };
  const performed = await performEffect(order, portsOf(claim.ports), new AbortController().signal);
  const value = claim.value ?? performed.value;
  const changed = claim.value === undefined ? {} : { response: cidOf(RAW, value), size: value.length };
  const record = encodeRecord({ ...performed.record, ...changed, ...claim.record });
  const task: Task = {
    lease,
    seq: 0,
    inputCid: cidOf(RAW, request),
    size: request.length,
    salt: new Uint8Array(16),
    seed: new Uint8Array(32),
    fuelLimit: fuel(0),
    deadlineMs: 1_000,
    stream: false,
    step: { iteration: PLACE.iteration, attempt: PLACE.attempt, parents: [], from: [], hold: false },
  };
  const claimed: OutcomeLeaf = {
    lease,
    seq: 0,
    ...WHOLE,
    inputCid: task.inputCid,
    salt: task.salt,
    status: "done",
    outputCid: cidOf(RAW, value),
    size: value.length,
    fuel: fuel(0),
    effectsCid: cidOf(RAW, record),
  };
  const base = jobBody(scene);
  const work = {
    ...base.work,
    kind: "effect",
    cid: capabilityCid(capability),
    entry: capability.kind,
  } as const;
  const evidence = encode(effectEvidenceSchema, {
    capability: encodeCapability(capability),
    record,
    value: claim.shown ?? value,
  });
  const blobs = new Map<Cid, Uint8Array<ArrayBuffer>>([[cidOf(RAW, evidence), evidence]]);
  const recomputer = new EffectRecomputer({
    bytes: async (cid) => Promise.resolve(blobs.get(cid) ?? new Uint8Array()),
  });
  const recomputation: Recomputation = {
    job: { ...base, work, run: { id: PLACE.run, node: PLACE.node, turn: 0 } },
    lease,
    task,
    claimed,
    input: request,
    instance: SIGNER,
    effects: cidOf(RAW, evidence),
    deadlineMs: 1_000,
  };
  scene.books.close();
  return { ...(await recomputer.recompute(recomputation)), claimed };
}

test("an honest effect is followed from its record, and comes to the outcome that was claimed", async () => {
  const { claimed, ...judgement } = await judged({ capability: capabilityOf("fetch") });
  expect(judgement).toMatchObject({ kind: "known", expected: claimed });
  const random = await judged({ capability: capabilityOf("random"), request: requestOf({}) });
  expect(random).toMatchObject({ kind: "known", expected: random.claimed });
});

const later = encodeUtf8("1800000000000");

test.each<[string, Claim]>([
  ["a time of its own", { capability: capabilityOf("time"), request: requestOf({}), value: later }],
  [
    "randomness of its own",
    { capability: capabilityOf("random"), request: requestOf({}), value: encodeUtf8('"00"') },
  ],
  [
    "a record under another name",
    { capability: capabilityOf("fetch"), record: { signer: signerOf("another").key } },
  ],
  [
    "a record of another step",
    { capability: capabilityOf("fetch"), record: { place: { ...PLACE, node: "other" } } },
  ],
  [
    "a record of another run's attempt",
    { capability: capabilityOf("fetch"), record: { place: { ...PLACE, attempt: 7 } } },
  ],
  [
    "more than its capability allows",
    { capability: capabilityOf("fetch"), value: encodeUtf8("x".repeat(20_000)) },
  ],
])("a provider that signed for %s is found out", async (_what, claim) => {
  const { claimed, ...judgement } = await judged(claim);
  if (judgement.kind !== "known") throw new Error(judgement.why);
  expect(judgement.expected).not.toEqual(claimed);
  expect(judgement.expected).toMatchObject({ status: "failed", size: 0 });
});

test("what was shown and is not what the outcome names says nothing about anybody", async () => {
  const judgement = await judged({ capability: capabilityOf("fetch"), shown: encodeUtf8("something else") });
  expect(judgement).toMatchObject({ kind: "unknown" });
});
