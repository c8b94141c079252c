import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runTabmesh } from "../command-line.contract.ts";
import { type LogHome, writeBooks, writeTiles } from "../log/log-home.contract.ts";

let folder = "";
let log: LogHome;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tabmesh-fsck-"));
  await mkdir(join(folder, "relay"));
  log = await writeBooks(join(folder, "relay", "books.sqlite"));
  await writeTiles(join(folder, "tiles"), log.scene);
  await log.scene.books.backup(join(folder, "copy.sqlite"));
});

afterAll(async () => {
  log.scene.books.close();
  await rm(folder, { recursive: true });
});

/** A copy of the books with something changed in them. */
async function damaged(name: string, sql: string, ...values: (number | Uint8Array)[]): Promise<string> {
  const path = join(folder, `${name}.sqlite`);
  await cp(join(folder, "copy.sqlite"), path);
  const database = new DatabaseSync(path);
  database.prepare(sql).run(...values);
  database.close();
  return path;
}

interface Told {
  readonly ok: boolean;
  readonly size: number;
  readonly signatures: number | null;
  readonly problems: readonly string[];
}

async function fsck(...args: readonly string[]): Promise<{ readonly exit: number; readonly told: Told }> {
  const { exit, stdout } = await runTabmesh(["fsck", ...args, "--json"]);
  return { exit, told: JSON.parse(stdout) as Told };
}

/** Changes one bit of an entry's first signature, or of its last, which is the report's own. */
function forged(entry: Uint8Array, which: "first" | "last"): Uint8Array {
  const bytes = Buffer.from(entry);
  // The key of three letters, then two bytes that say that 64 follow.
  const at =
    which === "first" ? bytes.indexOf("csig", 0, "latin1") : bytes.lastIndexOf("csig", undefined, "latin1");
  expect(at).toBeGreaterThan(0);
  const place = at + 6 + 10;
  bytes[place] = (bytes[place] ?? 0) ^ 1;
  return new Uint8Array(bytes);
}

describe("npx tabmesh fsck", () => {
  test("finds books sound, from their file and from tiles, and says the same of both", async () => {
    const [file, tiles] = await Promise.all([
      fsck(join(folder, "copy.sqlite")),
      fsck(join(folder, "tiles"), "--signatures"),
    ]);
    expect(file).toMatchObject({ exit: 0, told: { ok: true, problems: [], signatures: null } });
    expect(tiles).toMatchObject({ exit: 0, told: { ok: true, problems: [] } });
    expect(file.told.size).toBe(log.scene.books.size());
    expect(tiles.told.size).toBe(file.told.size);
    // A job, two leases, two signatures for each of four receipts, one for a report that declares a leaf lost; three delegations.
    expect(tiles.told.signatures).toBe(1 + 2 + 8 + 1 + 3);
  });

  test("says in words what it read", async () => {
    const { stdout, stderr } = await runTabmesh(["fsck", join(folder, "tiles")]);
    expect(stdout).toMatch(/^localhost\/log, \d+ entries, at /u);
    expect(stdout).toContain("Sound: the entries make the root, the money adds up.");
    expect(stderr).toBe("");
  });

  test("finds a balance that was changed on the disk", async () => {
    const path = await damaged("rich", "UPDATE accounts SET available = available + 1");
    const { exit, told } = await fsck(path);
    expect(exit).toBe(1);
    expect(told.problems.join("\n")).toMatch(/has another balance available/u);
  });

  test("finds an entry that was changed on the disk", async () => {
    const index = log.receipts[0]!;
    const path = await damaged(
      "changed",
      "UPDATE entries SET bytes = ? WHERE idx = ?",
      forged(log.scene.books.entry(index)!, "last"),
      index,
    );
    const { exit, told } = await fsck(path);
    expect(exit).toBe(1);
    expect(told.problems).toContain(`entry ${index} does not hash to the leaf that is stored for it`);
    expect(told.problems).toContain("the entries do not make the root of the head");
  });

  test("finds a hash that proofs would be made of, where it does not follow from the leaves", async () => {
    const path = await damaged(
      "hashes",
      "UPDATE nodes SET hashes = zeroblob(length(hashes)) WHERE level = 1",
    );
    const { told } = await fsck(path);
    expect(told.problems.join("\n")).toMatch(/stored hash of level 1/u);
  });

  test("finds signatures that do not hold, but only when it is asked to look", async () => {
    const index = log.receipts[1]!;
    const [inner, outer] = [join(folder, "forged inside"), join(folder, "forged outside")];
    await writeTiles(inner, log.scene, (entry, at) => (at === index ? forged(entry, "first") : entry));
    await writeTiles(outer, log.scene, (entry, at) => (at === index ? forged(entry, "last") : entry));
    const rootAlone = ["the entries do not make the root of the head"];
    expect((await fsck(inner)).told.problems).toEqual(rootAlone);
    const { exit, told } = await fsck(inner, "--signatures");
    expect(exit).toBe(1);
    expect(told.problems).toEqual([...rootAlone, `entry ${index} has a signature that does not hold`]);
    // The report's own signature says nothing where no leaf is declared lost.
    expect((await fsck(outer, "--signatures")).told.problems).toEqual(rootAlone);
  });

  test("finds an entry left out, which no later one can stand on", async () => {
    const to = join(folder, "gap");
    const escrow = log.receipts[0]! - 3;
    await writeTiles(to, log.scene, (entry, at) => log.scene.books.entry(at === escrow ? 2 : at) ?? entry);
    const { exit, told } = await fsck(to);
    expect(exit).toBe(1);
    expect(told.problems[0]).toMatch(/^entry \d+: the log has no such job/u);
  });

  test("says what to do where there is no log, or one that a relay holds", async () => {
    const none = await runTabmesh(["fsck", folder]);
    expect(none).toMatchObject({ exit: 1, stdout: "" });
    expect(none.stderr).toMatch(/holds no log[\s\S]*do: {2}/u);
    const held = await runTabmesh(["fsck", "--data-dir", join(folder, "relay")]);
    expect(held.exit).toBe(1);
    expect(held.stderr).toMatch(/A relay runs on[\s\S]*--relay/u);
    const two = await runTabmesh(["fsck", folder, "--relay", "http://127.0.0.1:9"]);
    expect(two.exit).toBe(2);
    const nobody = await runTabmesh(["fsck", "--relay", "http://127.0.0.1:9"]);
    expect(nobody.stderr).toMatch(/No log is to be read at http:\/\/127\.0\.0\.1:9/u);
  });
});
