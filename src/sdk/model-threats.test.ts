import { afterEach, describe, expect, test } from "vitest";
import { openEnvelope, seal } from "../protocol/envelope.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { EMPTY_ROOT, leafHash } from "../protocol/merkle.ts";
import { encodeModelData, generateSegmentSchema } from "../protocol/messages/model-task.ts";
import { type Advance, advanceMessage } from "../protocol/messages/task.ts";
import { FRAME, splitHeader } from "../protocol/work-frame.ts";
import type { LoadedModel } from "../provider/session-ports.ts";
import { type LeasePair, leasePair, sha256 } from "./lease-pair.contract.ts";
import { closePairs, openText, sendText, TEXT } from "./model-pair.contract.ts";

afterEach(closePairs);

const LONG = { ...TEXT, maxTokens: 2_900 };

/** What a requester with another program signs instead of an advance. */
function signInstead(pair: LeasePair, forge: (advance: Advance) => Advance): void {
  const tell = async (advance: Advance): Promise<void> => {
    const forged = await seal(advanceMessage, forge(advance), [pair.ports.signer]);
    try {
      pair.provider.frame(FRAME.advance, forged);
    } catch (error) {
      pair.provider.fail(error as never);
    }
  };
  pair.fromRequester = (kind, payload) => {
    if (kind !== FRAME.advance) return payload;
    void tell(openEnvelope(advanceMessage, payload).body);
    return undefined;
  };
}

/** A segment in which there is nothing. */
const NOTHING = encodeModelData(generateSegmentSchema, {
  prompt: [],
  tokens: [],
  text: "",
  links: new Uint8Array(),
});

/** A provider with another program: it writes nothing, again and again, and says that it took fuel. */
async function idler(each: bigint): Promise<LeasePair> {
  const part = {
    output: NOTHING,
    outputSha256: await sha256(NOTHING),
    fuel: each,
    to: 0,
    stateHash: new Uint8Array(32),
  };
  const idle: LoadedModel = {
    kind: "model",
    run: async ({ input, signal, onPart, onStart }) => {
      onStart();
      // oxlint-disable-next-line no-await-in-loop -- as a stream goes
      for (let parts = each === 0n ? Infinity : 0; parts > 0 && !signal.aborted; parts -= 1)
        await onPart(part);
      return { kind: "done", part, inputSha256: await sha256(input) };
    },
  };
  const { job } = (await openText()).order;
  const { work, limits } = job.body;
  return leasePair({ module: new Uint8Array(), work: idle, job: { work, limits } });
}

describe("a requester that wants a text for nothing", () => {
  test("signs for what came of a stream that it never names: the provider writes no further", async () => {
    const pair = await openText();
    signInstead(pair, (advance) => ({ ...advance, taskCount: 0, tasksRoot: EMPTY_ROOT }));
    let receipts = 0;
    pair.fromProvider = (kind, payload) => {
      receipts += kind === FRAME.receipt ? 1 : 0;
      return payload;
    };
    const { segments } = sendText(pair, LONG);
    await expect.poll(() => pair.provider.channel.mayTell(), { timeout: 15_000 }).toBe(false);
    await new Promise((resolve) => setTimeout(resolve, 200));
    // A window of one: what is at risk before anything is signed for. Nothing is final, and there is nothing to report.
    expect(pair.provider.channel.count).toBe(2);
    expect(receipts).toBe(0);
    expect(segments).toEqual([]);
    expect(pair.saved).toEqual([]);
  });

  test("closes the lease over fewer texts than are being written: the provider ends it", async () => {
    const pair = await openText();
    signInstead(pair, (advance) => ({ ...advance, taskCount: 0, tasksRoot: EMPTY_ROOT, close: true }));
    sendText(pair, LONG);
    expect((await pair.provider.ended)?.code).toBe(failureCode("unnamed-task"));
    expect(pair.saved).toEqual([]);
  });

  test("names fewer texts than it did before: that counts for nothing, and the provider stops within a window", async () => {
    const pair = await openText({ windowMax: 2 });
    const roots: Uint8Array[] = [];
    pair.fromRequester = (kind, payload) => {
      if (kind === FRAME.task) roots.push(leafHash(splitHeader(payload)[0]));
      return payload;
    };
    sendText(pair, LONG);
    sendText(pair, LONG);
    await expect.poll(() => pair.provider.channel.countersignedCount).toBeGreaterThan(0);
    const [tasksRoot = EMPTY_ROOT] = roots;
    signInstead(pair, (advance) => ({ ...advance, taskCount: 1, tasksRoot }));
    await expect.poll(() => pair.provider.channel.mayTell()).toBe(false);
    const signed = pair.provider.channel.countersignedCount;
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(pair.provider.channel.countersignedCount).toBe(signed);
    expect(pair.provider.channel.count).toBe(signed + 4);
  });
});

describe("a provider that wants pay for no text", () => {
  test.each([
    ["stretch a stream by segments in which there is nothing", 0n],
    ["put fuel into a segment in which there is nothing", 1_000_000n],
  ])("cannot %s", async (_, each) => {
    const pair = await idler(each);
    sendText(pair, LONG);
    const failure = await pair.requester.ended;
    expect(failure).toMatchObject({ code: failureCode("bad-receipt") });
    expect(failure?.detail).toContain("in which there is nothing");
    expect(pair.requester.channel.report()).toBeUndefined();
    pair.stop();
  });

  test("is not signed for while it keeps back the last byte of each segment", async () => {
    const pair = await openText();
    pair.fromProvider = (kind, payload) => (kind === FRAME.outcome ? payload.slice(0, -1) : payload);
    const { segments } = sendText(pair, { ...TEXT, maxTokens: 100 });
    await expect.poll(() => pair.provider.channel.mayTell()).toBe(false);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(pair.provider.channel.count).toBe(2);
    expect(segments).toEqual([]);
    expect(pair.requester.channel.report()).toBeUndefined();
  });
});
