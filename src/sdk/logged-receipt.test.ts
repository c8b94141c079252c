import { beforeAll, expect, it } from "vitest";
import { makeCast, START } from "../protocol/vectors/cast.contract.ts";
import { entryOf, type Story, tellStory } from "../protocol/vectors/story.contract.ts";
import { microCredits } from "../protocol/units.ts";
import { isLogged } from "./logged-receipt.ts";

let story: Story;
let entry: Uint8Array;
beforeAll(async () => {
  story = await tellStory(await makeCast());
  entry = entryOf("receipt", START, { lease: story.leaseId, envelope: story.reportEnvelope });
});

it("knows the entry of a receipt, also of one that states the same work under another number", () => {
  expect(isLogged(entry, story.receipt)).toBe(true);
  expect(isLogged(entry, { ...story.receipt, seq: 9, final: !story.receipt.final })).toBe(true);
});

it("does not take the entry of other work, less pay or another lease for it", () => {
  const { receipt } = story;
  expect(isLogged(entry, { ...receipt, count: receipt.count + 1 })).toBe(false);
  expect(isLogged(entry, { ...receipt, root: receipt.tasksRoot.map((byte) => byte ^ 1) })).toBe(false);
  expect(isLogged(entry, { ...receipt, amount: microCredits(receipt.amount + 1n) })).toBe(false);
  expect(isLogged(entry, { ...receipt, lease: story.jobId })).toBe(false);
});

it("refuses what is no receipt's entry", () => {
  expect(() =>
    isLogged(
      entryOf("bar", START, { identity: story.receipt.provider, reason: "no receipt" }),
      story.receipt,
    ),
  ).toThrow("entry");
});
