import { afterAll, afterEach, describe, expect, test } from "vitest";
import { pino } from "pino";
import { FrameStream } from "../../mesh/frame-stream.ts";
import { memoryStreamPair } from "../../mesh/memory-stream.ts";
import { CHALLENGES_PER_ROUND, REPROVE_MS, TELLING_MEASUREMENTS } from "../../market/limits.ts";
import { challengeDigest, upstreamBytes } from "../../protocol/challenge/challenge-work.ts";
import { openEnvelope, seal, type Unverified } from "../../protocol/envelope.ts";
import type { FailureError } from "../../protocol/failure.ts";
import { failureKind } from "../../protocol/failure-code.ts";
import { greet } from "../../protocol/greeting.ts";
import {
  type Challenge,
  type ChallengeAnswer,
  challengeAnswerMessage,
  challengeMessage,
  DECLINES,
} from "../../protocol/messages/capability.ts";
import { type Property } from "../../protocol/property.ts";
import { type Offer, offerMessage } from "../../protocol/messages/session.ts";
import { decode } from "../../protocol/schema.ts";
import type { Signer } from "../../protocol/signature.ts";
import { failureSchema, FRAME } from "../../protocol/work-frame.ts";
import { HEAD, sessionOf, signerOf, START } from "../books/books-scene.contract.ts";
import { OfferStream } from "../offers/offer-stream.ts";
import { RateLimit } from "../rate-limit.ts";
import { offerOf, openRelayScene } from "../relay-scene.contract.ts";
import type { CapabilityRow } from "../../protocol/relay-api.ts";
import { CapabilityDesk } from "./capability-desk.ts";
import { ChallengeBank, workOf } from "./challenge-bank.ts";
import { Interview } from "./interview.ts";
import { LaneThreads } from "./lane-threads.ts";
import { ANSWER_MS } from "./limits.ts";

const computer = new LaneThreads();
afterAll(() => computer.stop());
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

type Asked = Unverified<Challenge>;

/** What a provider says to a challenge, and the bytes that it sends before; undefined: nothing. */
interface Said {
  readonly answer: Partial<ChallengeAnswer>;
  readonly bytes?: Uint8Array;
}
type Respond = (asked: Asked) => Promise<Said | undefined>;

/** An honest provider. */
async function right({ body: { property, amount, nonce, seeds } }: Asked): Promise<Said> {
  const outputs = await Promise.all(
    seeds.map(async (seed) => (await computer.compute(workOf(property), amount, seed)).output),
  );
  const bytes = property === "upstream" ? upstreamBytes(seeds[0]!, amount) : undefined;
  return {
    answer: { digest: challengeDigest(nonce, outputs) },
    ...(bytes === undefined ? {} : { bytes }),
  };
}

const wrong: Respond = () => Promise.resolve({ answer: { digest: new Uint8Array(32) } });

interface Scene {
  readonly desk: CapabilityDesk;
  readonly asked: Asked[];
  /** As the port was told: the property, one for each time. */
  readonly told: string[];
  readonly signer: Signer;
  /** How the stream was refused, if it was. */
  readonly refused: () => string | undefined;
  readonly clock: { now: number; elapsed: number };
  readonly row: (property: Property) => CapabilityRow | undefined;
  readonly offer: (changes: Partial<Offer>) => Promise<void>;
  readonly send: (kind: number, bytes: Uint8Array) => Promise<void>;
  readonly reserve: () => void;
}

/** A provider on a real offer stream that answers so. */
async function open(respond: Respond, changes: Partial<Offer> = {}): Promise<Scene> {
  const relay = await openRelayScene();
  closing.push(() => relay.close());
  const signer = await sessionOf("provider", "provider tab");
  const clock = { now: START, elapsed: 0 };
  const told: string[] = [];
  const desk = new CapabilityDesk(
    () => clock.now,
    (provider, property) => told.push(`${provider === signerOf("provider").key} ${property}`),
  );
  let next = 0;
  const random = (count: number): Uint8Array => Uint8Array.from({ length: count }, () => (next += 1) & 0xff);
  const parts = {
    desk,
    bank: new ChallengeBank(computer, random, (a, b) => a === b),
    ground: HEAD,
    signer: signerOf("relay"),
    nowMs: () => clock.now,
    elapsedMs: () => performance.now() + clock.elapsed,
    random,
  };
  const [near, far] = memoryStreamPair("/tabmesh/offer/1", signer.key, signerOf("relay").key);
  await new OfferStream(far, {
    books: relay.scene.books,
    authentication: relay.authentication,
    offers: relay.offers,
    metrics: relay.metrics,
    signer: signerOf("relay"),
    limit: new RateLimit({ burst: 100, perSecond: 1 }, "provider", () => START),
    log: pino({ level: "silent" }),
    // Two that are missed end the stream, and this machine may be busy.
    pingMs: 80,
    interview: (other) => new Interview(parts, other),
  }).start();
  const frames = new FrameStream(near);
  closing.push(() => void frames.close().catch(() => undefined));
  let seq = 0;
  let refused: string | undefined;
  const asked: Asked[] = [];
  async function answer(challenge: Asked): Promise<void> {
    const said = await respond(challenge);
    if (said === undefined) return;
    const bytes = said.bytes ?? new Uint8Array();
    for (let at = 0; at < bytes.length; at += 16_384)
      // oxlint-disable-next-line no-await-in-loop -- in order
      await frames.sendFrame(FRAME.challengeData, bytes.subarray(at, at + 16_384));
    const body = { ...HEAD, instance: signer.key, challenge: challenge.id, ...said.answer };
    await frames.sendFrame(FRAME.challengeAnswer, await seal(challengeAnswerMessage, body, [signer]));
  }
  frames.onFrame(
    (kind, payload) => {
      if (kind === FRAME.ping) void frames.sendFrame(FRAME.pong).catch(() => undefined);
      if (kind === FRAME.challenge) {
        const challenge = openEnvelope(challengeMessage, payload);
        asked.push(challenge);
        void answer(challenge).catch(() => undefined);
      }
      if (kind === FRAME.refuse) {
        const { code, detail } = decode(failureSchema, payload);
        refused = `${failureKind(code).name}: ${detail}`;
      }
    },
    (_failure: FailureError | undefined) => undefined,
  );
  const scene: Scene = {
    desk,
    asked,
    told,
    signer,
    clock,
    refused: () => refused,
    row: (property) => desk.capabilityView(signerOf("provider").key).find((row) => row.property === property),
    async offer(more) {
      seq += 1;
      const body = { ...offerOf("provider"), instance: signer.key, seq, ...changes, ...more };
      await frames.sendFrame(FRAME.offer, await seal(offerMessage, body, [signer]));
    },
    send: (kind, bytes) => frames.sendFrame(kind, bytes),
    reserve: () => relay.offers.reserve(signer.key),
  };
  await frames.sendFrame(FRAME.hello, await greet("provider", HEAD, signer, undefined));
  await scene.offer({});
  return scene;
}

const PATIENCE = { timeout: 15_000, interval: 10 };
const TEST_MS = 60_000;
/** Answers only this, and has no such device for all else. */
function only(property: Property, respond: Respond): Respond {
  return (asked) =>
    asked.body.property === property
      ? respond(asked)
      : Promise.resolve({ answer: { declined: "no-device" } });
}

describe("a provider that is measured", () => {
  test(
    "has every property from right answers by the relay's clock, each asked with a new nonce and seed",
    async () => {
      const scene = await open(right, { workers: 2, free: 2 });
      await expect
        .poll(() => scene.row("memory"), PATIENCE)
        .toMatchObject({ value: 1 << 28, state: "self-reported", unit: "bytes" });
      // Each is a tenth of a second of a processor that others want too.
      const all = { ...PATIENCE, timeout: 45_000 };
      await expect.poll(() => scene.asked.length, all).toBe(8 * CHALLENGES_PER_ROUND);
      await expect.poll(() => scene.row("upstream")?.state, PATIENCE).toBe("measured");
      const rows = scene.desk.capabilityView(signerOf("provider").key);
      expect(rows.map(({ property, state }) => `${property} ${state}`)).toEqual(
        ["fuel", "fuel-all", "memory", "wasm-rows", "wasm-row", "webgpu-rows", "webgpu-row", "upstream"].map(
          (property) => `${property} measured`,
        ),
      );
      for (const { value, measuredAt } of rows) {
        expect(value).toBeGreaterThan(0);
        expect(measuredAt).toBe(START);
      }
      const once = new Set(
        scene.asked.flatMap(({ body }) => [body.nonce, ...body.seeds]).map((bytes) => bytes.join()),
      );
      expect(once.size).toBe(scene.asked.reduce((sum, { body }) => sum + 1 + body.seeds.length, 0));
      for (const { body } of scene.asked)
        expect(body.seeds.length).toBe(body.property === "fuel-all" ? 2 : 1);
      expect(scene.desk.measuredFuelPerSecond(signerOf("provider").key)).toBeGreaterThan(0n);
      expect(scene.told).toEqual([]);
    },
    TEST_MS,
  );

  test(
    "is contradicted by one wrong answer, told once, and not asked for it again",
    async () => {
      const scene = await open(only("fuel", wrong));
      await expect.poll(() => scene.told, PATIENCE).toEqual(["true fuel"]);
      expect(scene.row("fuel")?.state).toBe("contradicted");
      await expect.poll(() => scene.asked.at(-1)?.body.property, PATIENCE).toBe("upstream");
      expect(scene.asked.filter(({ body }) => body.property === "fuel")).toHaveLength(1);
      expect(scene.desk.measuredFuelPerSecond(signerOf("provider").key)).toBeUndefined();
    },
    TEST_MS,
  );

  test(
    "is contradicted by an answer made for another nonce",
    async () => {
      let first: Said | undefined;
      const scene = await open(only("fuel", async (asked) => (first ??= await right(asked))));
      await expect.poll(() => scene.told, PATIENCE).toEqual(["true fuel"]);
      expect(scene.asked.filter(({ body }) => body.property === "fuel")).toHaveLength(2);
    },
    TEST_MS,
  );

  test(
    "is contradicted by the hash of bytes that it did not send",
    async () => {
      const scene = await open(only("upstream", async (asked) => ({ answer: (await right(asked)).answer })));
      await expect.poll(() => scene.told, PATIENCE).toEqual(["true upstream"]);
    },
    TEST_MS,
  );

  test(
    "is contradicted by a claim far above what the clock allows, again and again",
    async () => {
      const claims = [{ property: "fuel", value: 1e15 }] as const;
      const scene = await open(only("fuel", right), { claims });
      const asked = (): number => scene.asked.filter(({ body }) => body.property === "fuel").length;
      await expect.poll(asked, PATIENCE).toBe(CHALLENGES_PER_ROUND);
      await expect.poll(() => scene.row("fuel")?.state, PATIENCE).toBe("measured");
      await expect.poll(() => scene.desk.question(scene.signer.key), PATIENCE).toBeUndefined();
      expect(scene.told).toEqual([]);
      scene.clock.now += 10 * 60_000;
      await expect.poll(() => scene.told, PATIENCE).toEqual(["true fuel"]);
      expect(asked()).toBe(TELLING_MEASUREMENTS);
      expect(scene.row("fuel")).toMatchObject({ state: "contradicted", value: 1e15 });
    },
    TEST_MS,
  );

  test(
    "is asked for one more answer when the newest is old, so that it counts as there",
    async () => {
      let isBusy = false;
      const scene = await open(
        only("fuel", (asked) => (isBusy ? Promise.resolve({ answer: { declined: "busy" } }) : right(asked))),
      );
      const asked = (): number => scene.asked.filter(({ body }) => body.property === "fuel").length;
      await expect.poll(() => scene.desk.proof(scene.signer.key)?.at, PATIENCE).toBe(START);
      await expect.poll(() => scene.desk.question(scene.signer.key), PATIENCE).toBeUndefined();
      expect(asked()).toBe(CHALLENGES_PER_ROUND);
      scene.clock.now += REPROVE_MS - 1;
      expect(scene.desk.question(scene.signer.key)).toBeUndefined();
      isBusy = true;
      scene.clock.now += 1;
      await expect.poll(asked, PATIENCE).toBe(CHALLENGES_PER_ROUND + 1);
      // It is left alone for a minute, and nothing is held against it.
      await expect.poll(() => scene.desk.question(scene.signer.key), PATIENCE).toBeUndefined();
      expect(scene.row("fuel")?.state).toBe("measured");
      isBusy = false;
      scene.clock.now += 60_000;
      await expect
        .poll(() => scene.desk.proof(scene.signer.key)?.at, PATIENCE)
        .toBe(START + REPROVE_MS + 60_000);
      expect([asked(), scene.told]).toEqual([CHALLENGES_PER_ROUND + 2, []]);
    },
    TEST_MS,
  );

  test(
    "stays as it is where it declines, whatever the reason, and is believed no more than before",
    async () => {
      let turn = 0;
      const claims = [{ property: "fuel", value: 5 }] as const;
      const scene = await open(
        () => Promise.resolve({ answer: { declined: DECLINES[(turn += 1) % DECLINES.length]! } }),
        { claims },
      );
      await expect.poll(() => scene.asked.length, PATIENCE).toBeGreaterThanOrEqual(8);
      await expect.poll(() => scene.row("fuel")?.state, PATIENCE).toBe("self-reported");
      expect(scene.told).toEqual([]);
      expect(scene.refused()).toBeUndefined();
      expect(scene.desk.rates(scene.signer.key)).toEqual({});
    },
    TEST_MS,
  );

  test(
    "that is silent is asked nothing more, and its late answer counts for nothing",
    async () => {
      const late: Asked[] = [];
      const scene = await open((asked) => {
        late.push(asked);
        return Promise.resolve(undefined);
      });
      await expect.poll(() => late.length, PATIENCE).toBe(1);
      scene.clock.elapsed += ANSWER_MS;
      scene.clock.now += 24 * 60 * 60_000;
      await expect.poll(() => scene.row("fuel"), PATIENCE).toBeUndefined();
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(late).toHaveLength(1);
      const body = {
        ...HEAD,
        instance: scene.signer.key,
        challenge: late[0]!.id,
        digest: new Uint8Array(32),
      };
      await scene.send(FRAME.challengeAnswer, await seal(challengeAnswerMessage, body, [scene.signer]));
      await expect.poll(() => late.length, PATIENCE).toBe(2);
      expect(scene.told).toEqual([]);
    },
    TEST_MS,
  );

  test(
    "is left alone while it has work, by its own word or by a lease that it may not have seen",
    async () => {
      const scene = await open(right, { workers: 4, free: 3 });
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(scene.asked).toHaveLength(0);
      scene.reserve();
      await scene.offer({ free: 4 });
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(scene.asked).toHaveLength(0);
    },
    TEST_MS,
  );

  test.each<[string, (scene: Scene) => Promise<void>, RegExp]>([
    [
      "an answer to nothing",
      async ({ send, signer }) => {
        const body = {
          ...HEAD,
          instance: signer.key,
          challenge: "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
          declined: "busy",
        } as never;
        await send(FRAME.challengeAnswer, await seal(challengeAnswerMessage, body, [signer]));
      },
      /^malformed: challenge-answer: to no challenge/u,
    ],
    [
      "bytes that nobody has asked for",
      ({ send }) => send(FRAME.challengeData, new Uint8Array(10)),
      /^malformed-frame: nobody has asked/u,
    ],
  ])("is refused for %s", async (_what, act, why) => {
    const scene = await open(right, { free: 0 });
    await act(scene);
    await expect.poll(() => scene.refused(), PATIENCE).toMatch(why);
  });

  test(
    "is refused for more bytes than were asked for",
    async () => {
      const scene = await open(
        only("upstream", ({ body }) =>
          Promise.resolve({ answer: { declined: "busy" }, bytes: new Uint8Array(body.amount + 4) }),
        ),
      );
      await expect
        .poll(() => scene.refused(), PATIENCE)
        .toMatch(/^malformed-frame: more than the 65536 bytes/u);
    },
    TEST_MS,
  );
});
