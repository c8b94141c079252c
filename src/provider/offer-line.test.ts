import { afterEach, expect, test, vi } from "vitest";
import { FrameStream } from "../mesh/frame-stream.ts";
import { createMemoryNetwork } from "../mesh/memory-mesh.ts";
import { signerFromSeed, verifierOf } from "../protocol/ed25519.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { greet } from "../protocol/greeting.ts";
import { OFFER_PROTOCOL } from "../protocol/protocol-id.ts";
import { startSessionIdentity } from "../protocol/session-identity.ts";
import { FRAME } from "../protocol/work-frame.ts";
import { ASSET, ORIGIN, seed, TARIFF } from "../sdk/lease-pair.contract.ts";
import { RELAY_SILENCE_MS } from "./limits.ts";
import { OfferLine } from "./offer-line.ts";

const GROUND = { origin: ORIGIN, asset: ASSET };

const closing: (() => void)[] = [];
afterEach(() => {
  vi.useRealTimers();
  for (const close of closing.splice(0)) close();
});

/** What is under way arrives: a stream in memory takes a timer's turn. */
async function arrive(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) {
    vi.advanceTimersByTime(1);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await new Promise((resolve) => setImmediate(resolve));
  }
}

interface Scene {
  readonly line: OfferLine;
  /** The relay's end. */
  readonly relay: FrameStream;
  /** Kinds of frames the relay has heard. */
  readonly heard: number[];
}

async function open(): Promise<Scene> {
  const identity = await startSessionIdentity(crypto.subtle, { root: seed(4), session: seed(5) }, Date.now());
  const signer = await signerFromSeed(crypto.subtle, seed(9));
  const network = createMemoryNetwork();
  const [here, there] = [network.join(identity.signer.key), network.join(signer.key)];
  await Promise.all([here.start(), there.start()]);
  closing.push(() => void here.stop());
  const arrived = Promise.withResolvers<FrameStream>();
  const heard: number[] = [];
  there.handle(OFFER_PROTOCOL, async (stream) => {
    const frames = new FrameStream(stream);
    frames.onFrame(
      (kind) => void heard.push(kind),
      () => undefined,
    );
    await frames.sendFrame(FRAME.hello, await greet("relay", GROUND, signer, undefined));
    arrived.resolve(frames);
  });
  const line = await OfferLine.open(
    {
      mesh: here,
      relay: `/p2p/${there.peerId}`,
      ground: GROUND,
      root: identity.root,
      signer: identity.signer,
      verify: verifierOf(crypto.subtle),
      tariffMin: TARIFF,
      capacity: () => ({ workers: 1, free: 1, memoryBytes: 1 << 20, abis: ["bytes-1"] }),
      note: () => undefined,
      now: () => Date.now(),
    },
    new AbortController().signal,
  );
  const relay = await arrived.promise;
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  return { line, relay, heard };
}

test("a relay that pinged and falls silent is left, though its connection stands", async () => {
  const { line, relay, heard } = await open();
  await relay.sendFrame(FRAME.ping);
  await arrive();
  expect(heard).toContain(FRAME.pong);
  vi.advanceTimersByTime(RELAY_SILENCE_MS);
  expect(await line.ended).toMatchObject({
    code: failureCode("disconnected"),
    detail: "the relay has fallen silent",
  });
});

test("a relay that pings often enough is not left", async () => {
  const { line, relay } = await open();
  let isOver = false;
  const watch = async (): Promise<void> => {
    await line.ended;
    isOver = true;
  };
  void watch();
  for (let time = 0; time < 5; time += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await relay.sendFrame(FRAME.ping);
    // oxlint-disable-next-line no-await-in-loop
    await arrive();
    vi.advanceTimersByTime(RELAY_SILENCE_MS - 1_000);
  }
  await arrive();
  expect(isOver).toBe(false);
});
