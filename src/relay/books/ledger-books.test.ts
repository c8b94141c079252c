import { describe, expect, it } from "vitest";
import { failureCode, type FailureName } from "../../protocol/failure-code.ts";
import { parseCheckpoint } from "../../protocol/checkpoint.ts";
import { leafHash, verifyInclusion } from "../../protocol/merkle.ts";
import { keyFromPeerId } from "../../protocol/peer-id.ts";
import type { Inclusion } from "../../protocol/messages/receipt.ts";
import {
  closeOf,
  GRANT,
  openLease,
  openScene,
  ORIGIN,
  type Scene,
  signedJob,
} from "./books-scene.contract.ts";
import { verifyNative } from "./native-keys.ts";

function code(name: FailureName): { code: number } {
  return expect.objectContaining({ code: failureCode(name) }) as { code: number };
}

function expectProven(scene: Scene, { index, leaf, proof, checkpoint }: Inclusion): void {
  const note = parseCheckpoint(checkpoint, ORIGIN, keyFromPeerId(scene.books.keys().log));
  expect(verifyNative(note.claim.key, note.claim.message, note.claim.signature)).toBe(true);
  expect(verifyInclusion(leaf, index, note.size, proof, note.root)).toBe(true);
  expect(leafHash(scene.books.entry(index)!)).toEqual(leaf);
}

describe("the books", () => {
  it("carry a job from escrow to payment, and every answer proves itself", async () => {
    const scene = await openScene();
    const { job, work } = await openLease(scene);
    expect(scene.books.account(scene.requester.key)).toMatchObject({
      available: GRANT - 10_000n,
      escrowed: 10_000n,
    });
    expect(scene.books.unbound(job.id)).toBe(5_000n);
    const first = await work.go(3, 5).send();
    expectProven(scene, first);
    expect(first.draw).toBeUndefined();
    const amount = work.receiptBody().amount;
    expect(scene.books.account(scene.provider.key)).toMatchObject({
      pending: amount,
      available: 0n,
      earnedToday: amount,
    });
    const last = await work.go(2, 0).send({ receipt: { final: true }, advance: { close: true } });
    expectProven(scene, last);
    const paid = work.receiptBody().amount;
    expect(scene.books.account(scene.provider.key)).toMatchObject({
      pending: 0n,
      available: paid,
      earned: paid,
    });
    const view = await scene.books.closeJob(await closeOf(scene, job.id));
    expect(view).toMatchObject({ state: "closed", spent: paid, refunded: 10_000n - paid });
    expect(scene.books.account(scene.requester.key)).toMatchObject({ available: GRANT - paid, escrowed: 0n });
    expect(scene.books.receipts(scene.provider.key, undefined, 10)).toMatchObject([
      { count: 5, settled: true },
    ]);
  });

  it("answer the final receipt of a lease that was settled by the one before, unless it states more", async () => {
    const scene = await openScene();
    const { work } = await openLease(scene);
    const closing = await work.go(3, 3).send({ advance: { close: true } });
    const final = await work.send({ receipt: { final: true }, advance: { close: true } });
    expect(final.index).toBe(closing.index);
    expectProven(scene, final);
    const more = await work.go(1, 1).report({ receipt: { final: true }, advance: { close: true } });
    await expect(scene.books.report(more)).rejects.toEqual(code("lease-ended"));
  });

  it("refuse a job that costs more than there is", async () => {
    const scene = await openScene();
    const job = await signedJob(scene, { cap: (GRANT + 1n) as typeof GRANT });
    await expect(scene.books.openJob(job)).rejects.toEqual(code("insufficient-funds"));
  });
});
