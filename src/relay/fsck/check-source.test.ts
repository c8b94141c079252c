import { afterEach, describe, expect, test } from "vitest";
import { PPM } from "../../protocol/audit-policy.ts";
import { leafHash, MerkleTree } from "../../protocol/merkle.ts";
import { type Assign, assignMessage } from "../../protocol/messages/assign.ts";
import { decodeEntry } from "../../protocol/messages/entry.ts";
import type { Signer } from "../../protocol/signature.ts";
import {
  HEAD,
  openLease,
  openScene,
  type Scene,
  signerOf,
  START,
  verifiedMessage,
} from "../books/books-scene.contract.ts";
import { checkSource } from "./check-source.ts";
import type { LogSource } from "./log-source.ts";

const olga = signerOf("olga");
const closing: Scene[] = [];
afterEach(() => {
  for (const { books } of closing.splice(0)) books.close();
});

/** A log in which a part of what was earned goes to somebody, and what was left is swept. */
async function dividedLog(): Promise<readonly Uint8Array[]> {
  const scene = await openScene();
  closing.push(scene);
  const { books, provider } = scene;
  const assign = async (changes: Partial<Assign>, by: Signer): Promise<void> => {
    const body = { ...HEAD, account: by.key, payee: olga.key, ppm: 0, sweep: false, at: START, ...changes };
    await books.sites.assign(await verifiedMessage(assignMessage, body, [by]));
  };
  await assign({ ppm: 400_000 }, provider);
  const { work } = await openLease(scene);
  await work.go(9).send({ receipt: { final: true }, advance: { close: true } });
  await assign({ ppm: PPM, sweep: true, at: START + 1 }, provider);
  return books.kept.entries(0, books.size());
}

function sourceOf(entries: readonly Uint8Array[]): LogSource {
  const tree = new MerkleTree();
  for (const entry of entries) tree.append(leafHash(entry));
  return {
    place: "a test",
    head: { size: entries.length, root: tree.root() },
    async *entries() {
      yield entries;
    },
    close: () => undefined,
  };
}

async function problemsOf(entries: readonly Uint8Array[]): Promise<string> {
  return (await checkSource(sourceOf(entries), { signatures: false })).problems.join("\n");
}

describe("A log with assignments", () => {
  test("is sound, with every signature it stands on", async () => {
    const entries = await dividedLog();
    const { problems, counts, signatures } = await checkSource(sourceOf(entries), { signatures: true });
    expect(problems).toEqual([]);
    expect([counts.get("assign"), counts.get("transfer")]).toEqual([2, 2]);
    expect(signatures).toBeGreaterThan(2);
  });

  test("that ends before what is due has gone to its payee is found", async () => {
    const entries = await dividedLog();
    const transfers = entries.flatMap((entry, at) => (decodeEntry(entry).type === "transfer" ? [at] : []));
    expect(transfers).toHaveLength(2);
    for (const at of transfers) {
      // oxlint-disable-next-line no-await-in-loop -- two of them
      expect(await problemsOf(entries.slice(0, at))).toContain(
        "the log ends before what an account assigned",
      );
      // oxlint-disable-next-line no-await-in-loop
      expect(await problemsOf(entries.slice(0, at + 1))).toBe("");
    }
  });
});
