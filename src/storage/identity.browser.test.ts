import { afterEach, describe, expect, test } from "vitest";
import { verifierOf, signerFromSeed } from "../protocol/ed25519.ts";
import { keyFromPeerId } from "../protocol/peer-id.ts";
import { openBrowserStore, type BrowserStore } from "./browser-store.ts";
import { openDatabase } from "./database.ts";

const opened: BrowserStore[] = [];

async function open(name: string): Promise<BrowserStore> {
  const store = await openBrowserStore(name);
  opened.push(store);
  return store;
}

function freshName(): string {
  return `identity-${crypto.randomUUID()}`;
}

afterEach(() => {
  for (const store of opened.splice(0)) store.close();
});

describe("the identity of a browser", () => {
  test("does not exist until it is asked for, and is then kept", async () => {
    const name = freshName();
    const first = await open(name);
    expect(await first.identity.load()).toBeUndefined();
    const made = await first.identity.ensure();
    const again = await (await open(name)).identity.load();
    expect(again).toEqual(made);
    expect(made.seed).toHaveLength(32);
  });

  test("signs under its peer id", async () => {
    const { seed, peer } = await (await open(freshName())).identity.ensure();
    const message = Uint8Array.of(1, 2, 3);
    const signature = await (await signerFromSeed(crypto.subtle, seed)).sign(message);
    expect(await verifierOf(crypto.subtle)(keyFromPeerId(peer), message, signature)).toBe(true);
  });

  test("is one even when two tabs ask for it at once", async () => {
    const name = freshName();
    const [left, right] = await Promise.all([open(name), open(name)]);
    const [a, b, c] = await Promise.all([
      left.identity.ensure(),
      right.identity.ensure(),
      left.identity.ensure(),
    ]);
    expect(b.peer).toBe(a.peer);
    expect(c.peer).toBe(a.peer);
  });

  test("moves to another browser as a file", async () => {
    const from = await open(freshName());
    const to = await open(freshName());
    expect(await from.identity.exportFile()).toBeUndefined();
    const identity = await from.identity.ensure();
    const file = await from.identity.exportFile();
    const before = await to.identity.ensure();
    const read = await to.identity.readFile(file!);
    expect((await to.identity.load())?.peer).toBe(before.peer);
    await to.identity.replace(read);
    expect(await to.identity.load()).toEqual(identity);
  });

  test("is another one after it was forgotten", async () => {
    const name = freshName();
    const store = await open(name);
    const first = await store.identity.ensure();
    await store.identity.forget();
    expect(await (await open(name)).identity.load()).toBeUndefined();
    expect((await store.identity.ensure()).peer).not.toBe(first.peer);
  });

  test("is never made anew beside one that cannot be read", async () => {
    const name = freshName();
    const database = await openDatabase(name, () => {});
    await database.put("identity", { seed: "gone", peer: "?" }, "root");
    database.close();
    const store = await open(name);
    await expect(store.identity.load()).rejects.toMatchObject({ trouble: "unreadable" });
    await expect(store.identity.ensure()).rejects.toMatchObject({ trouble: "unreadable" });
  });
});
