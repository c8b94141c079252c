import { afterEach, describe, expect, test } from "vitest";
import { putTogether } from "../inference/host/models.contract.ts";
import { equalBytes } from "../protocol/bytes.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import { priceOf } from "../protocol/tariff.ts";
import { fuel, microCredits } from "../protocol/units.ts";
import { FRAME } from "../protocol/work-frame.ts";
import { TARIFF } from "./lease-pair.contract.ts";
import { closePairs, openText, sendText, TEXT } from "./model-pair.contract.ts";
import type { FinalSegment } from "./task-answers.ts";

afterEach(closePairs);

async function whole(): Promise<ReturnType<typeof putTogether>> {
  const { task, segments } = sendText(await openText());
  await task.final;
  return putTogether(segments);
}

describe("a text over a lease", () => {
  test("comes in segments, each told in its turn when a receipt covers it, and is one payable task", async () => {
    const pair = await openText();
    const { requester, order, saved } = pair;
    const covered: boolean[] = [];
    const { task, segments } = sendText(pair, TEXT, () => {
      covered.push(requester.channel.finalCount > covered.length);
    });
    expect(await task.answer).toMatchObject({ kind: "done" });
    await task.final;
    const { tokens, links, segments: parts } = putTogether(segments);
    expect(tokens).toHaveLength(300);
    expect(segments.length).toBeGreaterThan(8);
    expect(covered.every(Boolean)).toBe(true);
    let to = 0;
    for (const [i, { outcome }] of segments.entries()) {
      expect(outcome).toMatchObject({ segment: i, from: to, to: to + (parts[i]?.tokens.length ?? 0) });
      expect(outcome.end).toBe(i === segments.length - 1);
      const last = parts[i]?.links.slice(-32) ?? new Uint8Array();
      expect(equalBytes(outcome.stateHash ?? new Uint8Array(), last)).toBe(true);
      ({ to } = outcome);
    }
    expect(links.length / 32).toBe((parts[0]?.prompt.length ?? 0) + 299);
    await requester.close();
    const body = requester.channel.report()?.body;
    expect(body).toMatchObject({ count: segments.length, ended: 1, payable: 1, final: true });
    const spent = segments.reduce((sum, { outcome }) => sum + outcome.fuel, 0n);
    expect(body?.fuel).toBe(spent);
    expect(body?.amount).toBe(priceOf(TARIFF, body!, order.lease.body.startFee));
    await expect.poll(() => saved.at(-1)?.final).toBe(true);
  });

  test("is not told before the provider has signed for it", async () => {
    const pair = await openText();
    let outcomes = 0;
    pair.fromProvider = (kind, payload) => {
      if (kind === FRAME.outcome) outcomes += 1;
      return kind === FRAME.receipt ? undefined : payload;
    };
    const { segments } = sendText(pair);
    await expect.poll(() => outcomes).toBe(2);
    expect(segments).toHaveLength(0);
  });

  test("waits where the requester does not sign, and goes on when it does", async () => {
    const pair = await openText();
    const held: Uint8Array[] = [];
    let isHeld = true;
    pair.fromRequester = (kind, payload) => {
      if (kind !== FRAME.advance || !isHeld) return payload;
      held.push(payload);
      return undefined;
    };
    const { task, segments } = sendText(pair);
    await expect.poll(() => pair.provider.channel.count).toBe(2);
    await new Promise((resolve) => setTimeout(resolve, 200));
    // Two outcomes for a window of one, and not one more, though the model would have written everything by now.
    expect(pair.provider.channel.count).toBe(2);
    expect(pair.models.busy).toBe(1);
    isHeld = false;
    for (const payload of held) pair.provider.frame(FRAME.advance, payload);
    await task.final;
    expect(putTogether(segments).tokens).toHaveLength(300);
  });

  test("that is cancelled in the middle is paid as far as it was told, and the model turns to the next task", async () => {
    const pair = await openText();
    const { requester, order, models } = pair;
    const { task, segments } = sendText(pair, { ...TEXT, maxTokens: 2_900 }, () => {
      if (segments.length === 2) void requester.cancel();
    });
    expect(await task.answer).toMatchObject({ kind: "failed", code: failureCode("cancelled") });
    await requester.ended;
    const body = requester.channel.report()?.body;
    const written = segments.reduce((sum, { outcome }) => sum + outcome.fuel, 0n);
    expect(written).toBeGreaterThan(0n);
    expect(body?.fuel).toBeGreaterThanOrEqual(written);
    expect(body?.amount).toBe(priceOf(TARIFF, body!, order.lease.body.startFee));
    expect(putTogether(segments).tokens.length).toBeLessThan(2_900);
    await expect.poll(() => models.busy).toBe(0);
  });

  test("goes on at another provider where one has dropped, with the same tokens, hashes and text", async () => {
    const expected = await whole();
    const first = await openText();
    const { segments } = sendText(first, TEXT, () => {
      if (segments.length === 3) first.streams.provider.abort(new FailureError("closed", "gone"));
    });
    expect(await first.requester.ended).toBeDefined();
    const report = first.requester.channel.report()?.body;
    // What was told is under a receipt that both have signed.
    expect(report?.count).toBeGreaterThanOrEqual(segments.length);
    const begun = putTogether(segments);
    expect(begun.tokens.length).toBeLessThan(300);
    const second = await openText();
    const rest = sendText(second, { ...TEXT, written: begun.tokens });
    await rest.task.final;
    const going = putTogether(rest.segments);
    expect([...begun.tokens, ...going.tokens]).toEqual(expected.tokens);
    expect(begun.text + going.text).toBe(expected.text);
    expect(going.links).toEqual(expected.links);
    expect(rest.segments[0]?.outcome).toMatchObject({ segment: 0, from: 0 });
    expect(rest.segments.at(-1)?.outcome.to).toBe(going.tokens.length);
  });

  test("that is drained by its provider is given back, with what was told signed for", async () => {
    const pair = await openText();
    const { segments } = sendText(pair, { ...TEXT, maxTokens: 2_900 }, () => {
      if (segments.length === 2) void pair.provider.drain("draining");
    });
    expect((await pair.requester.ended)?.code).toBe(failureCode("draining"));
    expect(pair.requester.channel.report()?.body.count).toBeGreaterThanOrEqual(2);
    await expect.poll(() => pair.models.busy).toBe(0);
  });

  test("is not begun where the budget does not cover the job's limits", async () => {
    const pair = await openText({ budget: microCredits(1_000) });
    const { task, segments } = sendText(pair);
    expect(await task.answer).toMatchObject({ kind: "failed", code: failureCode("over-budget") });
    expect(segments).toHaveLength(0);
    expect(pair.models.view().open).toBeUndefined();
  });

  test("that runs out of fuel is paid for what it wrote, and that was told", async () => {
    const { segments: all } = putTogether(await allSegments());
    const pair = await openText({}, { fuel: fuel(2_000_000n) });
    const { task, segments } = sendText(pair);
    expect(await task.answer).toMatchObject({ kind: "failed", code: failureCode("out-of-fuel") });
    await task.final;
    const { tokens } = putTogether(segments);
    expect(tokens.length).toBeGreaterThan(0);
    expect(tokens).toEqual(all.flatMap((each) => each.tokens).slice(0, tokens.length));
    await pair.requester.close();
    const body = pair.requester.channel.report()?.body;
    expect(body?.fuel).toBeLessThanOrEqual(2_000_000n);
    expect(body).toMatchObject({ count: segments.length + 1, ended: 1, payable: 1 });
  });
});

async function allSegments(): Promise<readonly FinalSegment[]> {
  const { task, segments } = sendText(await openText());
  await task.final;
  return segments;
}
