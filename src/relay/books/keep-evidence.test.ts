import { describe, expect, it } from "vitest";
import { judgeEvidence, type Judgement, readEvidence } from "../../ledger/evidence.ts";
import { cidOf, parseCid, RAW } from "../../protocol/cid.ts";
import { decodeEntryOf } from "../../protocol/messages/entry.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { openLease, openScene, ORIGIN, type Scene, signedJob } from "./books-scene.contract.ts";
import { verifyNative } from "./native-keys.ts";

/** What the newest entry bars somebody for, and the evidence that it names. */
async function barred({ books }: Scene): Promise<{ readonly identity: PeerId; readonly judged: Judgement }> {
  const bars = Array.from({ length: books.size() }, (_, index) => books.entry(index)!).flatMap((entry) => {
    try {
      return [decodeEntryOf("bar", entry).body];
    } catch {
      return [];
    }
  });
  const [{ identity, reason }] = bars as [(typeof bars)[0]];
  const cid = parseCid(/evidence (?<cid>b\w+)$/u.exec(reason)?.groups?.["cid"] ?? "");
  const file = books.kept.evidence(cid)!;
  expect(cidOf(RAW, file)).toBe(cid);
  return {
    identity,
    judged: await judgeEvidence(readEvidence(file), async (...claim) => verifyNative(...claim)),
  };
}

describe("whoever signs two statements that contradict each other", () => {
  it("is barred by an entry that names the file which proves it: a provider by its receipts", async () => {
    const scene = await openScene();
    const { work } = await openLease(scene);
    await work.go(3).send();
    const second = await work.go(1).report({ receipt: { seq: 1 } });
    await expect(scene.books.report(second)).rejects.toMatchObject({ name: "FailureError" });
    const { identity, judged } = await barred(scene);
    expect(identity).toBe(scene.provider.key);
    expect(judged).toMatchObject({ verdict: "convicts", accused: "provider", key: identity, origin: ORIGIN });
  });

  it("is barred by an entry that names the file which proves it: a requester by its advances", async () => {
    const scene = await openScene();
    const { work } = await openLease(scene);
    await work.go(2, 3).send();
    const second = await work.go(1, 0).report({ advance: { tasksRoot: new Uint8Array(32) } });
    await expect(scene.books.report(second)).rejects.toMatchObject({ name: "FailureError" });
    const { identity, judged } = await barred(scene);
    expect(identity).toBe(scene.requester.key);
    expect(judged).toMatchObject({ verdict: "convicts", accused: "requester", key: identity });
    await expect(scene.books.openJob(await signedJob(scene))).rejects.toThrow(/denied/u);
    // What the provider earned by the first advance stands, and it goes on by it.
    expect(scene.books.account(scene.provider.key).pending).toBeGreaterThan(0n);
  });
});
