import { beforeAll, expect, test } from "vitest";
import { FIRST_GRANTS, type EffectGrants } from "../../protocol/effect-grants.ts";
import { toBase64 } from "../../protocol/base64.ts";
import { type Cid, cidOf, DAG_CBOR, RAW } from "../../protocol/cid.ts";
import {
  type Capability,
  capabilityCid,
  EFFECT_ABI,
  effectNeeds,
  encodeCapability,
} from "../../protocol/messages/effect.ts";
import type { Task } from "../../protocol/messages/task.ts";
import { startSessionIdentity, type SessionIdentity } from "../../protocol/session-identity.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import { fuel } from "../../protocol/units.ts";
import { decodeRecord } from "../../effects/replay-effect.ts";
import type { WorkOrder } from "../check-open.ts";
import { EffectDesk } from "./effect-desk.ts";

const lease: Cid = cidOf(DAG_CBOR, encodeUtf8("a lease"));
const FETCH: Capability = {
  kind: "fetch",
  origins: ["https://example.org"],
  methods: ["GET"],
  namespace: "",
  chains: [],
  secrets: [],
  maxBytes: 1_000,
  timeoutMs: 1_000,
};
const request = encodeUtf8('{"url":"https://example.org/"}');
let identity: SessionIdentity;

beforeAll(async () => {
  const seeds = { root: new Uint8Array(32).fill(1), session: new Uint8Array(32).fill(2) };
  identity = await startSessionIdentity(crypto.subtle, seeds, 0);
});

/** What a desk reads of an order that was checked before. */
type Shown = Pick<WorkOrder, "args"> & {
  readonly job: {
    readonly body: {
      readonly work: Omit<WorkOrder["job"]["body"]["work"], "profile">;
      readonly run?: undefined;
    };
  };
  readonly lease: { readonly id: Cid };
};

function isOrder(shown: Shown): shown is Shown & WorkOrder {
  return shown.lease.id === lease;
}

function orderOf(capability: Capability, changes: Partial<Shown["job"]["body"]["work"]> = {}): WorkOrder {
  const work = {
    kind: "effect",
    cid: capabilityCid(capability),
    entry: capability.kind,
    abi: EFFECT_ABI,
    effects: effectNeeds(capability),
    ...changes,
  } as const;
  const args = { args: [toBase64(encodeCapability(capability))], env: [], files: [] };
  const shown: Shown = { job: { body: { work } }, lease: { id: lease }, args };
  if (!isOrder(shown)) throw new Error("it is another lease's");
  return shown;
}

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
};

function deskOf(grants: () => EffectGrants, asked: string[] = []): EffectDesk {
  const exchange = async ({
    url,
  }: {
    readonly url: URL;
  }): Promise<{ status: number; headers: {}; body: Uint8Array<ArrayBuffer> }> => {
    asked.push(url.href);
    return Promise.resolve({ status: 200, headers: {}, body: encodeUtf8("hello") });
  };
  return new EffectDesk({ grants, exchange, allowLocal: false }, identity, () => 1_000);
}

const allowed: EffectGrants = { ...FIRST_GRANTS, fetch: ["https://example.org"] };

test("an effect that is granted is carried out, and its record is signed for by the session", async () => {
  const asked: string[] = [];
  const desk = deskOf(() => allowed, asked);
  expect(desk.offered()).toEqual(["time", "random", "fetch https://example.org"]);
  const order = orderOf(FETCH);
  desk.admit(order);
  const work = await desk.load(order);
  const result = await work.run(task, request, [], new AbortController().signal, () => undefined);
  if (result.kind !== "done") throw new Error(result.detail);
  expect(asked).toEqual(["https://example.org/"]);
  expect(Buffer.from(result.output).toString()).toBe("hello");
  expect(result.effectsCid).toBe(cidOf(RAW, result.record));
  expect(decodeRecord(result.record)).toMatchObject({
    signer: identity.signer.key,
    at: 1_000,
    response: result.outputCid,
  });
});

test.each([
  [
    "a fetch where its person allows none",
    FIRST_GRANTS,
    orderOf(FETCH),
    /has not allowed fetching for others/,
  ],
  [
    "a fetch from elsewhere",
    { ...FIRST_GRANTS, fetch: ["https://other.org"] },
    orderOf(FETCH),
    /has not allowed fetching from https:\/\/example.org/,
  ],
  [
    "a chain that its person has no node of",
    allowed,
    orderOf({ ...FETCH, kind: "evm-read", origins: [], methods: [], chains: ["eip155:1"] }),
    /has not allowed reading the chain eip155:1/,
  ],
  [
    "a store",
    allowed,
    orderOf({ ...FETCH, kind: "kv-get", origins: [], methods: [], namespace: "n" }),
    /kept by the relay alone/,
  ],
  [
    "the time where its person has switched that off",
    { ...allowed, timeAndRandom: false },
    orderOf({ ...FETCH, kind: "time", origins: [], methods: [] }),
    /has not allowed telling the time/,
  ],
  [
    "a job that names another capability than it brings",
    allowed,
    orderOf(FETCH, { cid: lease }),
    /is not the capability that the job names/,
  ],
  [
    "a job that names other effects than its capability",
    allowed,
    orderOf(FETCH, { effects: ["time"] }),
    /names other effects/,
  ],
  ["a job whose entry is another kind", allowed, orderOf(FETCH, { entry: "time" }), /names other effects/],
] as const)("an order is declined for %s", (_what, grants, order, why) => {
  expect(() => deskOf(() => grants).admit(order)).toThrow(why);
});

test("what its person has taken back in the meantime is not done", async () => {
  const asked: string[] = [];
  let grants: EffectGrants = allowed;
  const desk = deskOf(() => grants, asked);
  const work = await desk.load(orderOf(FETCH));
  grants = FIRST_GRANTS;
  const result = await work.run(task, request, [], new AbortController().signal, () => undefined);
  expect(result).toMatchObject({ kind: "failed", detail: expect.stringMatching(/has not allowed/u) });
  expect(asked).toEqual([]);
  expect(desk.offered()).toEqual(["time", "random"]);
});
