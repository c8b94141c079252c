import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parsePeerId } from "../../protocol/peer-id.ts";
import { identityFile, type PinnedRelay } from "../../sdk/index.ts";
import { PlainError } from "../plain-error.ts";
import { type HomeFolder, homeFolder } from "./folder.ts";
import { ensureIdentity, loadIdentity, readIdentity, replaceIdentity } from "./identity.ts";
import { filePins, forgetRelay } from "./pins.ts";

let folder = "";
let home: HomeFolder;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tabmesh-home-"));
  home = homeFolder({ TABMESH_HOME: join(folder, "home") });
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe("the identity that pays", () => {
  test("is made once and found again", async () => {
    const made = await ensureIdentity(home, 5);
    expect(await ensureIdentity(home, 6)).toEqual(made);
    expect(made.createdAt).toBe(5);
  });

  test("is for its owner alone", async () => {
    await ensureIdentity(home, 5);
    expect((await stat(home.identity)).mode & 0o777).toBe(0o600);
    expect((await stat(home.folder)).mode & 0o777).toBe(0o700);
    expect(await readdir(home.folder)).toEqual(["identity.json"]);
  });

  test("is the same for two programs that start at once", async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => ensureIdentity(home, 5)));
    expect(new Set(all.map(({ peer }) => peer)).size).toBe(1);
  });

  test("is never replaced because its file is damaged", async () => {
    await ensureIdentity(home, 5);
    const text = await readFile(home.identity, "utf8");
    await writeFile(home.identity, text.slice(0, 40));
    await expect(ensureIdentity(home, 6)).rejects.toThrow(PlainError);
    expect(await readFile(home.identity, "utf8")).toBe(text.slice(0, 40));
  });

  test("a file that names another peer than its seed's is refused, and no seed is repeated", async () => {
    const [a, b] = [
      await ensureIdentity(home, 5),
      await ensureIdentity({ ...home, identity: `${home.identity}2` }, 5),
    ];
    const forged = identityFile({ ...a, peer: b.peer });
    const seed = Buffer.from(a.seed).toString("base64");
    const refusal = await readIdentity(forged, "forged.json").catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(PlainError);
    expect(JSON.stringify(refusal)).not.toContain(seed);
  });

  test("an imported one takes its place, and the one before is kept", async () => {
    const first = await ensureIdentity(home, 5);
    const other = await ensureIdentity({ ...home, identity: join(folder, "other.json") }, 7);
    const kept = await replaceIdentity(home, other);
    expect(await loadIdentity(home)).toEqual(other);
    expect(await readIdentity(await readFile(kept ?? "", "utf8"), "kept")).toEqual(first);
    expect((await stat(kept ?? "")).mode & 0o777).toBe(0o600);
  });

  test("importing it again changes nothing", async () => {
    const first = await ensureIdentity(home, 5);
    expect(await replaceIdentity(home, first)).toBeUndefined();
    expect(await readdir(home.folder)).toEqual(["identity.json"]);
  });
});

async function keys(seed: number): Promise<PinnedRelay["keys"]> {
  const { peer } = await ensureIdentity({ ...home, identity: join(folder, `${seed}.json`) }, seed);
  const key = parsePeerId(peer);
  return { log: key, lease: key, draw: key };
}

describe("pinned relays", () => {
  test("hold at the second contact, also in another program", async () => {
    const pin = { origin: "relay.example", keys: await keys(1), pinnedAt: 1 };
    await filePins(home).pin(pin);
    const other = { ...pin, keys: await keys(2), pinnedAt: 2 };
    expect(await filePins(home).pin(other)).toEqual(pin);
  });

  test("follow a rotation and keep the checkpoint", async () => {
    const pin = { origin: "relay.example", keys: await keys(1), pinnedAt: 1 };
    const pins = filePins(home);
    await pins.pin(pin);
    const rotated = { ...pin, keys: await keys(2), checkpoint: "a note" };
    await pins.update(rotated);
    expect(await filePins(home).pin(pin)).toEqual(rotated);
  });

  test("tie a URL to the origin first met there", async () => {
    expect(await filePins(home).bind("http://localhost:8787", "a")).toBe("a");
    expect(await filePins(home).bind("http://localhost:8787", "b")).toBe("a");
  });

  test("changes at once do not undo each other", async () => {
    const pins = filePins(home);
    await Promise.all(["a", "b", "c", "d"].map((name) => pins.bind(`http://${name}`, name)));
    const known = await Promise.all(["a", "b", "c", "d"].map((name) => pins.bind(`http://${name}`, "other")));
    expect(known).toEqual(["a", "b", "c", "d"]);
  });

  test("a damaged file is not taken for an empty one", async () => {
    await filePins(home).bind("http://localhost:8787", "a");
    for (const text of [
      "{",
      "[]",
      '{"relays":{"a":{"origin":"a"}},"urls":{}}',
      '{"relays":{},"urls":{"a":1}}',
    ]) {
      await writeFile(home.relays, text);
      await expect(filePins(home).bind("http://localhost:8787", "b")).rejects.toThrow(PlainError);
    }
  });

  test("one that is forgotten is met as for the first time", async () => {
    const pin = { origin: "a", keys: await keys(1), pinnedAt: 1 };
    const pins = filePins(home);
    await pins.bind("http://localhost:8787", "a");
    await pins.pin(pin);
    expect(await forgetRelay(home, "http://localhost:8787")).toBe("a");
    expect(await forgetRelay(home, "http://localhost:8787")).toBeUndefined();
    const other = { ...pin, keys: await keys(2) };
    expect(await filePins(home).pin(other)).toEqual(other);
    expect(await filePins(home).bind("http://localhost:8787", "b")).toBe("b");
  });
});

test("a folder that cannot be written to is an error of the system, not a new identity", async () => {
  if (process.getuid?.() === 0) return;
  await ensureIdentity(home, 5);
  await rm(home.identity);
  await chmod(home.folder, 0o500);
  await expect(ensureIdentity(home, 5)).rejects.toThrow(/EACCES/u);
  await chmod(home.folder, 0o700);
});
