import { afterEach, beforeEach, describe, expect, it, test } from "vitest";
import { sealSecret } from "../../effects/secrets.ts";
import { cidOf, RAW } from "../../protocol/cid.ts";
import { openEnvelope, seal, verifiedSync } from "../../protocol/envelope.ts";
import { type Capability, encodeCapability, type SealedSecret } from "../../protocol/messages/effect.ts";
import {
  type EffectOrder,
  effectOrderMessage,
  type EffectParcel,
  effectParcelSchema,
  type EffectReply,
  effectReplySchema,
} from "../../protocol/messages/effect-order.ts";
import { stepMessage } from "../../protocol/messages/run.ts";
import { MESSAGE_TYPE } from "../../protocol/relay-api.ts";
import { errorViewJson } from "../../protocol/relay-json.ts";
import { decode, encode } from "../../protocol/schema.ts";
import type { Signer } from "../../protocol/signature.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import { microCredits } from "../../protocol/units.ts";
import { type HookServer, openHookServer } from "../alerts/alert-scene.contract.ts";
import { HEAD, signerOf } from "../books/books-scene.contract.ts";
import { verifyNative } from "../books/native-keys.ts";
import { endOf, holdersOf, registered, signedRun } from "../books/run-scene.contract.ts";
import { openRelayScene, type RelayScene } from "../relay-scene.contract.ts";
import { MAX_EFFECTS_OF_A_PAYER, MAX_EFFECTS_PER_RUN } from "./limits.ts";

let hook: HookServer;
let relay: RelayScene;
let origin: string;

beforeEach(async () => {
  hook = await openHookServer();
  hook.answer = 200;
  origin = new URL(hook.url).origin;
  relay = await openRelayScene({ egress: { anyPublic: false, origins: [origin] } });
});

afterEach(async () => {
  await relay.close();
  await hook.close();
});

/** What is asked for, and how it is to differ from a right order. */
interface Asked {
  readonly kind?: Capability["kind"];
  readonly capability?: Partial<Capability>;
  readonly request?: unknown;
  readonly order?: Partial<EffectOrder>;
  readonly parcel?: Partial<EffectParcel>;
  readonly signer?: Signer;
}

async function parcelOf(run: EffectOrder["run"], asked: Asked): Promise<Uint8Array> {
  const { kind = "fetch" } = asked;
  const isFetch = kind === "fetch";
  const capability = encodeCapability({
    kind,
    origins: isFetch ? [origin] : [],
    methods: isFetch ? ["GET", "POST"] : [],
    namespace: kind.startsWith("kv-") ? "notes" : "",
    chains: [],
    secrets: [],
    maxBytes: 10_000,
    timeoutMs: 2_000,
    ...asked.capability,
  });
  const request = encodeUtf8(JSON.stringify(asked.request ?? { url: `${origin}/hook` }));
  const order: EffectOrder = {
    ...HEAD,
    run,
    node: "get",
    iteration: "",
    attempt: 0,
    capability: cidOf(RAW, capability),
    request: cidOf(RAW, request),
    parents: [],
    issuedAt: relay.scene.clock.now,
    ...asked.order,
  };
  const envelope = await seal(effectOrderMessage, order, [asked.signer ?? relay.scene.requester]);
  return encode(effectParcelSchema, { order: envelope, capability, request, secrets: [], ...asked.parcel });
}

async function send(run: EffectOrder["run"], asked: Asked = {}, to = run): Promise<Response> {
  return relay.http.request(`/v1/runs/${to}/effects`, {
    method: "POST",
    headers: { "content-type": MESSAGE_TYPE },
    body: (await parcelOf(run, asked)).slice(),
  });
}

async function reply(run: EffectOrder["run"], asked: Asked = {}): Promise<EffectReply> {
  const response = await send(run, asked);
  if (!response.ok) throw new Error(await response.text());
  return decode(effectReplySchema, new Uint8Array(await response.arrayBuffer()), 5_000_000);
}

async function refusal(run: EffectOrder["run"], asked: Asked = {}, to = run): Promise<string> {
  const response = await send(run, asked, to);
  if (response.ok) return "carried out";
  const { name, detail } = errorViewJson.read(await response.json()).error;
  return `${name}: ${detail}`;
}

function value(answer: EffectReply): unknown {
  return JSON.parse(Buffer.from(answer.value).toString());
}

test("one account's effects wait for other servers few at a time, and what is done at once needs no place", async () => {
  const run = (await registered(relay.scene)).id;
  const attempts = Array.from({ length: MAX_EFFECTS_OF_A_PAYER + 2 }, (_, attempt) => attempt);
  const parcels = await Promise.all(attempts.map((attempt) => parcelOf(run, { order: { attempt } })));
  const time = await parcelOf(run, { kind: "time", request: {}, order: { node: "now" } });
  const answers = await Promise.all(
    [...parcels, time].map(async (parcel) =>
      relay.http.request(`/v1/runs/${run}/effects`, {
        method: "POST",
        headers: { "content-type": MESSAGE_TYPE },
        body: parcel.slice(),
      }),
    ),
  );
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 429, 429, 200]);
  expect(await refusal(run, { order: { attempt: MAX_EFFECTS_OF_A_PAYER } })).toBe("carried out");
});

describe("an order", () => {
  it("is carried out for initiator and holders, and signed by the relay's own key for that step alone", async () => {
    const { scene } = relay;
    const run = await registered(scene);
    const holder = signerOf("holder");
    await scene.books.runs.setHolders(await holdersOf(scene, run.id, 1, [holder]));
    const first = await reply(run.id, { order: { iteration: "1" } });
    await reply(run.id, { order: { iteration: "2" }, signer: holder });
    expect(hook.calls).toHaveLength(2);
    const step = verifiedSync(openEnvelope(stepMessage, first.step), verifyNative);
    expect(step.signedBy.map(({ key }) => key)).toEqual([signerOf("relay").key]);
    expect(step.body).toMatchObject({ run: run.id, node: "get", iteration: "1", status: "done", fuel: 0n });
    expect(step.body.lease).toBeUndefined();
    expect(step.body.result).toBe(cidOf(RAW, first.value));
    expect(step.body.record).toBe(cidOf(RAW, first.record));
    // Nobody pays for it.
    expect(scene.books.runs.run(run.id)).toMatchObject({ spent: 0n, charged: 0n });
  });

  it("is refused to everybody else, and nothing goes out", async () => {
    const { scene } = relay;
    const run = await registered(scene);
    const other = await registered(scene);
    const cid = cidOf(RAW, encodeUtf8("other"));
    expect(await refusal(run.id, { signer: signerOf("stranger") })).toMatch(
      /^bad-signature: .*does not coordinate/,
    );
    expect(await refusal(run.id, { signer: scene.provider })).toMatch(/^bad-signature/);
    expect(await refusal(cid)).toMatch(/^not-found/);
    expect(await refusal(run.id, {}, other.id)).toMatch(/^malformed: .*another run/);
    expect(await refusal(run.id, { order: { capability: cid } })).toMatch(/^content-mismatch/);
    expect(await refusal(run.id, { order: { request: cid } })).toMatch(/^content-mismatch/);
    expect(await refusal(run.id, { order: { origin: "elsewhere/1" } })).toMatch(/^wrong-relay/);
    expect(await refusal(run.id, { order: { issuedAt: 1 } })).toMatch(/^expired/);
    await scene.books.runs.end(await endOf(run.id, scene.requester));
    expect(await refusal(run.id)).toMatch(/^run-over/);
    expect(hook.calls).toEqual([]);
  });

  it("is carried out once, however often it is asked for, and another question under its name is refused", async () => {
    const run = await registered(relay.scene);
    const post = { request: { url: `${origin}/hook`, method: "POST", body: "pay" } };
    const [one, two] = await Promise.all([reply(run.id, post), reply(run.id, post)]);
    expect((await reply(run.id, post)).step).toEqual(one.step);
    expect(two.step).toEqual(one.step);
    expect(hook.calls).toHaveLength(1);
    expect(await refusal(run.id, { request: { url: `${origin}/other` } })).toMatch(/^replayed/);
    await reply(run.id, { ...post, order: { attempt: 1 } });
    expect(hook.calls).toHaveLength(2);
  });

  it("that may have done something before it failed is not done again, and one that only asked is", async () => {
    const run = await registered(relay.scene);
    hook.answer = 500;
    const post = { request: { url: `${origin}/hook`, method: "POST", body: "pay" } };
    expect(await refusal(run.id, post)).toMatch(/answered 500/);
    hook.answer = 200;
    expect(await refusal(run.id, post)).toMatch(/begun and broken off/);
    expect(hook.calls).toHaveLength(1);
    hook.answer = 500;
    expect(await refusal(run.id, { order: { attempt: 1 } })).toMatch(/answered 500/);
    hook.answer = 200;
    await reply(run.id, { order: { attempt: 1 } });
  });

  it("does not have the relay ask what its operator has not allowed, or what the capability does not name", async () => {
    const run = await registered(relay.scene);
    const capability = { origins: [origin, "https://example.org"] };
    expect(await refusal(run.id, { capability })).toMatch(
      /^effect-refused: this relay's operator lets nobody ask https:\/\/example.org/,
    );
    expect(await refusal(run.id, { request: { url: "https://example.org/" } })).toMatch(
      /does not name the origin/,
    );
    const chains = { kind: "evm-read", capability: { chains: ["eip155:1"] } } as const;
    const block = { request: { chain: "eip155:1", method: "block", block: 1 } };
    expect(await refusal(run.id, { ...chains, ...block })).toMatch(/knows no node of the chain eip155:1/);
    expect(hook.calls).toEqual([]);
  });

  it("is refused when a run has had more of them than the relay does for nothing", async () => {
    const run = await registered(relay.scene);
    const time = { kind: "time", request: {} } as const;
    for (let at = 0; at < MAX_EFFECTS_PER_RUN; at += 1)
      relay.effects.begin(
        { run: run.id, node: "x", iteration: String(at), attempt: 0 },
        "",
        relay.scene.clock.now,
        relay.scene.clock.now,
      );
    expect(await refusal(run.id, time)).toMatch(/^rate-limited/);
    await reply((await registered(relay.scene)).id, time);
  });
});

test("a secret opens for the run that it was sealed for, and for no other", async () => {
  const run = await registered(relay.scene);
  const other = await registered(relay.scene);
  const to = signerOf("relay").key;
  const asked = async (context: EffectOrder["run"]): Promise<Asked> => {
    const secrets: readonly SealedSecret[] = [await sealSecret("key", "s3cr3t", to, context)];
    const request = { url: `${origin}/hook`, headers: { authorization: "Bearer {secret:key}" } };
    return { capability: { secrets: ["key"] }, request, parcel: { secrets } };
  };
  const done = await reply(run.id, await asked(run.id));
  expect(hook.calls.map(({ headers }) => headers.authorization)).toEqual(["Bearer s3cr3t"]);
  expect(Buffer.concat([done.step, done.record, done.value]).toString("latin1")).not.toContain("s3cr3t");
  expect(await refusal(run.id, { ...(await asked(other.id)), order: { attempt: 1 } })).toMatch(
    /^bad-signature: the secret key/,
  );
  expect(JSON.stringify(relay.logged)).not.toContain("s3cr3t");
  expect(hook.calls).toHaveLength(1);
});

test("a store belongs to whoever pays for the run", async () => {
  const { scene } = relay;
  const rich = signerOf("another payer");
  await scene.books.grant(rich.key, microCredits(100_000), "a test");
  const mine = await registered(scene);
  await reply(mine.id, { kind: "kv-put", request: { key: "a", value: "mine" } });
  const next = await registered(scene);
  expect(value(await reply(next.id, { kind: "kv-get", request: { key: "a" } }))).toEqual({
    value: "mine",
    version: 1,
  });
  const theirs = await signedRun(scene, { initiator: rich.key, payer: rich.key }, rich);
  await scene.books.runs.register(theirs);
  const get = { kind: "kv-get", request: { key: "a" }, signer: rich } as const;
  expect(value(await reply(theirs.id, get))).toEqual({ value: null, version: 0 });
  const list = { kind: "kv-list", request: {}, order: { attempt: 1 } } as const;
  expect(value(await reply(next.id, list))).toEqual({ keys: [{ key: "a", version: 1 }] });
});
