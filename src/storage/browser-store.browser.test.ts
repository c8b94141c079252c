import { describe, expect, test } from "vitest";
import { openDB } from "idb";
import { signCheckpoint } from "../protocol/checkpoint.ts";
import { peerIdFromSeed, signerFromSeed } from "../protocol/ed25519.ts";
import { keyFromPeerId } from "../protocol/peer-id.ts";
import { openBrowserStore } from "./browser-store.ts";
import { DATABASE_VERSION, openDatabase } from "./database.ts";
import type { RelayPin } from "./relay-pins.ts";
import { storageError } from "./storage-error.ts";

const ORIGIN = "http://localhost:8787";
const LOG = "localhost/0a1b2c3d";

function freshName(): string {
  return `store-${crypto.randomUUID()}`;
}

async function pinOf(fill: number): Promise<RelayPin> {
  const peer = await peerIdFromSeed(crypto.subtle, new Uint8Array(32).fill(fill));
  return { origin: LOG, keys: { log: peer, lease: peer, draw: peer }, pinnedAt: 1_000 + fill };
}

async function noteOf(size: number): Promise<string> {
  const signer = await signerFromSeed(crypto.subtle, new Uint8Array(32).fill(1));
  const root = new Uint8Array(32).fill(size);
  return signCheckpoint({ origin: LOG, size, root }, keyFromPeerId(signer.key), async (message) =>
    signer.sign(message),
  );
}

describe("settings", () => {
  test("follow the system until the person chooses", async () => {
    const store = await openBrowserStore(freshName());
    expect(await store.settings.load()).toEqual({ theme: "system" });
    await store.settings.save({ theme: "dark", workers: 3 });
    expect(await store.settings.load()).toEqual({ theme: "dark", workers: 3 });
    store.close();
  });

  test("that make no sense are as if never chosen", async () => {
    const name = freshName();
    const database = await openDatabase(name, () => {});
    await database.put("settings", { theme: "plaid", workers: -2 }, "page");
    database.close();
    const store = await openBrowserStore(name);
    expect(await store.settings.load()).toEqual({ theme: "system" });
    store.close();
  });

  test("hold consent for one relay at a time", async () => {
    const store = await openBrowserStore(freshName());
    expect(await store.settings.consent(ORIGIN)).toBeUndefined();
    await store.settings.giveConsent(ORIGIN, { at: 5, version: 1 });
    expect(await store.settings.consent(ORIGIN)).toEqual({ at: 5, version: 1 });
    expect(await store.settings.consent("https://other.example")).toBeUndefined();
    await store.settings.withdrawConsent(ORIGIN);
    expect(await store.settings.consent(ORIGIN)).toBeUndefined();
    store.close();
  });
});

describe("a pinned relay", () => {
  test("keeps the keys of the first contact against any that come later", async () => {
    const store = await openBrowserStore(freshName());
    const [first, second] = [await pinOf(1), await pinOf(2)];
    expect(await store.relays.get(LOG)).toBeUndefined();
    expect(await store.relays.pin(first)).toEqual(first);
    expect(await store.relays.pin(second)).toEqual(first);
    expect(await store.relays.get(LOG)).toEqual(first);
    store.close();
  });

  test("never goes back to an older checkpoint, whichever tab writes last", async () => {
    const store = await openBrowserStore(freshName());
    const pin = await pinOf(1);
    await store.relays.pin(pin);
    await store.relays.update({ ...pin, checkpoint: await noteOf(9) });
    await store.relays.update({ ...pin, checkpoint: await noteOf(4) });
    await store.relays.update(pin);
    expect(await store.relays.get(LOG)).toEqual({ ...pin, checkpoint: await noteOf(9) });
    store.close();
  });

  test("changes its keys when they rotate", async () => {
    const store = await openBrowserStore(freshName());
    const [first, second] = [await pinOf(1), await pinOf(2)];
    await store.relays.pin(first);
    await store.relays.update({ ...first, keys: second.keys });
    expect(await store.relays.get(LOG)).toEqual({ ...first, keys: second.keys });
    store.close();
  });

  test("stays the one of its URL until the person forgets it", async () => {
    const store = await openBrowserStore(freshName());
    await store.relays.pin(await pinOf(1));
    expect(await store.relays.bind(ORIGIN, LOG)).toBe(LOG);
    expect(await store.relays.bind(ORIGIN, "another")).toBe(LOG);
    await store.relays.forget(ORIGIN);
    expect(await store.relays.get(LOG)).toBeUndefined();
    expect(await store.relays.bind(ORIGIN, "another")).toBe("another");
    store.close();
  });
});

describe("the browser's storage", () => {
  test("written by a newer version is left alone, in words", async () => {
    const name = freshName();
    (await openDB(name, DATABASE_VERSION + 1)).close();
    await expect(openBrowserStore(name)).rejects.toMatchObject({ name: "StorageError", trouble: "newer" });
  });

  test("gives way to a newer version in another tab, and says so", async () => {
    const name = freshName();
    const store = await openBrowserStore(name);
    const newer = await openDB(name, DATABASE_VERSION + 1);
    await store.lost;
    await expect(store.outbox.count()).rejects.toMatchObject({ name: "InvalidStateError" });
    newer.close();
  });

  test("that a sandboxed frame is denied is told apart from a full disk", async () => {
    const frame = document.createElement("iframe");
    frame.sandbox.add("allow-scripts");
    frame.srcdoc = `<script>
      try { indexedDB.open("x"); parent.postMessage("open", "*"); }
      catch (error) { parent.postMessage(error, "*"); }
    </script>`;
    const refused = new Promise<unknown>((resolve) => {
      addEventListener("message", ({ data }) => resolve(data), { once: true });
    });
    document.body.append(frame);
    const refusal = await refused;
    frame.remove();
    expect(refusal).toMatchObject({ name: "SecurityError" });
    expect(storageError(refusal).trouble).toBe("denied");
    expect(storageError(new DOMException("", "QuotaExceededError")).trouble).toBe("full");
  });
});
