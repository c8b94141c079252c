import { describe, expect, it } from "vitest";
import { DEFAULT_AUDIT_POLICY } from "../../protocol/audit-policy.ts";
import { decodeEntryOf } from "../../protocol/messages/entry.ts";
import { openLease, openScene } from "./books-scene.contract.ts";

describe("a claim that was proven false", () => {
  it("begins the provider's record anew, once, with its reason in the log, and moves no money", async () => {
    const scene = await openScene(":memory:", { audit: DEFAULT_AUDIT_POLICY });
    const { work } = await openLease(scene, {}, { policyVersion: 1 });
    await work.go(4).send({ receipt: { final: true } });
    const peer = scene.provider.key;
    const before = scene.books.audits.provider(peer);
    expect(before?.audited).toBeGreaterThan(0n);
    await scene.books.audits.reset(peer, "fuel: claims more than it can");
    const at = scene.books.size() - 1;
    expect(decodeEntryOf("reset", scene.books.entry(at)!).body).toEqual({
      provider: peer,
      reason: "fuel: claims more than it can",
    });
    expect(scene.books.audits.provider(peer)).toEqual({
      ...before,
      audited: 0n,
      experience: 0n,
      era: (before?.era ?? 0) + 1,
    });
    await scene.books.audits.reset(peer, "again");
    expect(scene.books.size()).toBe(at + 1);
    scene.books.close();
  });

  it("means nothing for somebody who has no record", async () => {
    const scene = await openScene(":memory:", { audit: DEFAULT_AUDIT_POLICY });
    const size = scene.books.size();
    await scene.books.audits.reset(scene.provider.key, "boasting");
    expect(scene.books.size()).toBe(size);
    scene.books.close();
  });
});
