import { afterEach, expect, test } from "vitest";
import { FrameStream } from "../../mesh/frame-stream.ts";
import { memoryStreamPair } from "../../mesh/memory-stream.ts";
import { parseCheckpoint } from "../../protocol/checkpoint.ts";
import { openEnvelope, seal } from "../../protocol/envelope.ts";
import type { FailureError } from "../../protocol/failure.ts";
import { failureKind } from "../../protocol/failure-code.ts";
import { greet } from "../../protocol/greeting.ts";
import { helloMessage, keyRevokeMessage, type Offer, offerMessage } from "../../protocol/messages/session.ts";
import { keyFromPeerId } from "../../protocol/peer-id.ts";
import { decode, encode } from "../../protocol/schema.ts";
import type { Signer } from "../../protocol/signature.ts";
import { failureSchema, FRAME, pongSchema } from "../../protocol/work-frame.ts";
import { HEAD, ORIGIN, sessionOf, signerOf, START } from "../books/books-scene.contract.ts";
import { RateLimit } from "../rate-limit.ts";
import { offerOf, openRelayScene, type RelayScene } from "../relay-scene.contract.ts";
import { type OfferParts, OfferStream } from "./offer-stream.ts";
import { pino } from "pino";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function open(): Promise<RelayScene> {
  const relay = await openRelayScene();
  closing.push(() => relay.close());
  return relay;
}

/** A provider's end of an offer stream. */
interface Line {
  readonly frames: FrameStream;
  /** Kinds of frames the relay sent, pings left out. */
  readonly kinds: number[];
  /** The relay's hello and refusal. */
  readonly payloads: Map<number, Uint8Array>;
  readonly ended: Promise<FailureError | undefined>;
  answersPings: boolean;
  /** What the provider says to a ping, if not the empty word. */
  words: readonly Uint8Array[];
  pings: number;
  /** Times the relay has said that it does not hear the provider. */
  quiet: number;
}

interface DialOptions {
  readonly pingMs?: number;
  readonly burst?: number;
  readonly onPong?: OfferParts["onPong"];
}

async function dial(
  relay: RelayScene,
  peer: string,
  { pingMs = 10_000, burst = 40, onPong }: DialOptions = {},
): Promise<Line> {
  const [near, far] = memoryStreamPair("/tabmesh/offer/1", peer, signerOf("relay").key);
  const stream = new OfferStream(far, {
    books: relay.scene.books,
    authentication: relay.authentication,
    offers: relay.offers,
    metrics: relay.metrics,
    signer: signerOf("relay"),
    limit: new RateLimit({ burst, perSecond: 0.001 }, "provider", () => START),
    log: pino({ level: "silent" }),
    pingMs,
    ...(onPong === undefined ? {} : { onPong }),
    onQuiet: (instance) => {
      if (instance === peer) line.quiet += 1;
    },
  });
  const ended = Promise.withResolvers<FailureError | undefined>();
  const line: Line = {
    frames: new FrameStream(near),
    kinds: [],
    payloads: new Map(),
    ended: ended.promise,
    answersPings: true,
    words: [new Uint8Array()],
    pings: 0,
    quiet: 0,
  };
  line.frames.onFrame((kind, payload) => {
    if (kind !== FRAME.ping) {
      line.kinds.push(kind);
      line.payloads.set(kind, payload);
      return;
    }
    line.pings += 1;
    if (!line.answersPings) return;
    for (const word of line.words) void line.frames.sendFrame(FRAME.pong, word).catch(() => undefined);
  }, ended.resolve);
  await stream.start();
  return line;
}

async function hello(line: Line, signer: Signer, role: "provider" | "requester" = "provider"): Promise<void> {
  await line.frames.sendFrame(FRAME.hello, await greet(role, HEAD, signer, undefined));
}

async function offer(line: Line, signer: Signer, changes: Partial<Offer> = {}): Promise<void> {
  const body = { ...offerOf("provider"), instance: signer.key, ...changes };
  await line.frames.sendFrame(FRAME.offer, await seal(offerMessage, body, [signer]));
}

async function refusal(line: Line): Promise<string> {
  await expect.poll(() => line.payloads.has(FRAME.refuse)).toBe(true);
  const { code, detail } = decode(failureSchema, line.payloads.get(FRAME.refuse)!);
  return `${failureKind(code).name}: ${detail}`;
}

async function tab(): Promise<Signer> {
  return sessionOf("provider", "provider tab");
}

test("both sides greet, the relay with a checkpoint of its log; then the newest offer stands until the stream ends", async () => {
  const relay = await open();
  const signer = await tab();
  const line = await dial(relay, signer.key);
  await hello(line, signer);
  await offer(line, signer, { seq: 1, free: 4 });
  await offer(line, signer, { seq: 3, free: 1 });
  await offer(line, signer, { seq: 2, free: 2 });
  await expect.poll(() => relay.offers.find(signer.key)?.free).toBe(1);
  const { body } = openEnvelope(helloMessage, line.payloads.get(FRAME.hello)!);
  expect(body).toMatchObject({ role: "relay", instance: signerOf("relay").key });
  expect(parseCheckpoint(body.checkpoint!, ORIGIN, keyFromPeerId(relay.scene.books.keys().log)).size).toBe(
    relay.scene.books.size(),
  );
  await line.frames.close();
  await expect.poll(() => relay.offers.size).toBe(0);
  expect(line.kinds).toEqual([FRAME.hello]);
});

test("pings are answered for as long as the offer stands; two without an answer end it", async () => {
  const relay = await open();
  const signer = await tab();
  const line = await dial(relay, signer.key, { pingMs: 15 });
  await hello(line, signer);
  await offer(line, signer);
  await expect.poll(() => line.pings).toBeGreaterThan(5);
  expect(relay.offers.size).toBe(1);
  line.answersPings = false;
  expect(String(await line.ended)).toMatch(/disconnected/);
  expect(relay.offers.size).toBe(0);
  expect(await relay.metrics.text()).toMatch(/^tabmesh_heartbeats_lost_total 1$/mu);
});

test("who waits for a provider hears of it at the first ping that is not answered, and when its stream ends", async () => {
  const relay = await open();
  const signer = await tab();
  const line = await dial(relay, signer.key, { pingMs: 30 });
  await hello(line, signer);
  await offer(line, signer);
  await expect.poll(() => line.pings).toBeGreaterThan(2);
  expect(line.quiet).toBe(0);
  line.answersPings = false;
  await expect.poll(() => line.quiet).toBeGreaterThan(0);
  const other = await dial(relay, signer.key);
  await hello(other, signer);
  await offer(other, signer);
  await expect.poll(() => relay.offers.size).toBe(1);
  await other.frames.close();
  await expect.poll(() => other.quiet).toBe(1);
});

test("a newer stream of an instance takes its offer over, and the older one's end does not take it back", async () => {
  const relay = await open();
  const signer = await tab();
  const [before, after] = [await dial(relay, signer.key), await dial(relay, signer.key)];
  await hello(before, signer);
  await offer(before, signer, { seq: 9, free: 4 });
  await expect.poll(() => relay.offers.find(signer.key)?.free).toBe(4);
  await hello(after, signer);
  await offer(after, signer, { seq: 1, free: 2 });
  await expect.poll(() => relay.offers.find(signer.key)?.free).toBe(2);
  await before.frames.close();
  await before.ended;
  expect(relay.offers.find(signer.key)?.free).toBe(2);
  expect(before.quiet).toBe(0);
});

test.each<[string, (line: Line, signer: Signer) => Promise<void>, RegExp]>([
  ["an offer before hello", (line, signer) => offer(line, signer), /^malformed-frame/],
  [
    "hello of a requester",
    (line, signer) => hello(line, signer, "requester"),
    /^malformed: a requester makes no offers/,
  ],
  ["hello of another instance", (line) => hello(line, signerOf("stranger")), /^wrong-peer/],
  [
    "a second hello",
    async (line, signer) => {
      await hello(line, signer);
      await hello(line, signer);
    },
    /^malformed-frame/,
  ],
  [
    "an offer for another identity",
    async (line, signer) => {
      await hello(line, signer);
      await offer(line, signer, { provider: signerOf("victim").key });
    },
    /^bad-signature: offer: signed for another provider/,
  ],
  [
    "an offer for another instance",
    async (line, signer) => {
      await hello(line, signer);
      await offer(line, signer, { instance: signerOf("victim").key });
    },
    /^wrong-peer/,
  ],
  [
    "an offer for another relay",
    async (line, signer) => {
      await hello(line, signer);
      await offer(line, signer, { origin: "other.example" });
    },
    /^wrong-relay/,
  ],
  [
    "an offer signed by a session key of its own making",
    async (line, signer) => {
      await hello(line, signer);
      await offer(line, { ...signer, delegation: new Uint8Array(3) });
    },
    /^malformed/,
  ],
  [
    "bytes that are no message",
    (line) => line.frames.sendFrame(FRAME.hello, new Uint8Array(50)),
    /^malformed/,
  ],
])("%s is refused, and nothing is offered", async (_what, act, why) => {
  const relay = await open();
  const signer = await tab();
  const line = await dial(relay, signer.key);
  await act(line, signer);
  expect(await refusal(line)).toMatch(why);
  expect(relay.offers.size).toBe(0);
  expect(await relay.metrics.text()).toMatch(/^tabmesh_refusals_total\{code="[a-z-]+"\} 1$/mu);
});

test.each(["denied", "revoked"])("a provider that was %s is refused with its next offer", async (how) => {
  const relay = await open();
  const signer = await tab();
  const line = await dial(relay, signer.key);
  await hello(line, signer);
  await offer(line, signer, { seq: 1 });
  await expect.poll(() => relay.offers.size).toBe(1);
  if (how === "denied") await relay.scene.books.deny("peer", signerOf("provider").key, "because");
  else await revoke(relay, signer);
  await offer(line, signer, { seq: 2 });
  expect(await refusal(line)).toMatch(how === "denied" ? /^denied/ : /^key-revoked/);
  expect(relay.offers.size).toBe(0);
});

async function revoke(relay: RelayScene, session: Signer): Promise<void> {
  const root = signerOf("provider");
  const body = { ...HEAD, root: root.key, key: session.key };
  await relay.scene.books.revokeKey(
    relay.authentication.open(keyRevokeMessage, await seal(keyRevokeMessage, body, [root])).message,
  );
}

test("a provider that floods is refused", async () => {
  const relay = await open();
  const signer = await tab();
  const line = await dial(relay, signer.key, { burst: 3 });
  await hello(line, signer);
  for (let seq = 1; seq <= 4; seq += 1) {
    // oxlint-disable-next-line no-await-in-loop -- in order
    await offer(line, signer, { seq });
  }
  expect(await refusal(line)).toMatch(/^rate-limited: too many requests from this provider/);
  expect(relay.offers.size).toBe(0);
});

test("an identity offers so many instances and no more", async () => {
  const relay = await open();
  for (let count = 0; count < 64; count += 1)
    relay.offers.put(offerOf("provider", { instance: signerOf(`tab ${count}`).key }), {});
  expect(() => relay.offers.put(offerOf("provider"), {})).toThrow(/^rate-limited/);
  relay.offers.put(offerOf("other"), {});
  relay.offers.drop(signerOf("provider").key);
  expect(relay.offers.size).toBe(1);
  relay.offers.put(offerOf("provider"), {});
});

test("what a provider says of its connections with a pong is passed on, once for each ping; a pong of other words ends the stream", async () => {
  const relay = await open();
  const signer = await tab();
  const told: unknown[] = [];
  const line = await dial(relay, signer.key, {
    pingMs: 50,
    onPong: (instance, ms, links) => told.push([instance === signer.key, ms >= 0, links]),
  });
  const links = [{ peer: signerOf("requester").key, over: "webrtc" }] as const;
  const pong = encode(pongSchema, { links });
  line.words = [pong, pong, new Uint8Array()];
  await hello(line, signer);
  await expect.poll(() => told.length).toBeGreaterThan(0);
  expect(told[0]).toEqual([true, true, links]);
  expect(told.length).toBeLessThanOrEqual(line.pings);
  line.words = [Uint8Array.of(0xff)];
  expect(await refusal(line)).toMatch(/^malformed/u);
});
