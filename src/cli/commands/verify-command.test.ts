import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ServerType, serve } from "@hono/node-server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { noteVerifierKey } from "../../protocol/checkpoint.ts";
import { readBody } from "../../protocol/envelope.ts";
import { decodeEntryOf } from "../../protocol/messages/entry.ts";
import { reportAnswerSchema, reportMessage } from "../../protocol/messages/receipt.ts";
import { keyFromPeerId } from "../../protocol/peer-id.ts";
import { encode } from "../../protocol/schema.ts";
import { microCredits } from "../../protocol/units.ts";
import { ORIGIN } from "../../relay/books/books-scene.contract.ts";
import { openRelayScene, type RelayScene } from "../../relay/relay-scene.contract.ts";
import { type Ended, runTabmesh } from "../command-line.contract.ts";
import { fillBooks, type LogHome } from "../log/log-home.contract.ts";

let folder = "";
let home = "";
let relay: RelayScene;
let log: LogHome;
let server: ServerType;
let url = "";
/** Of the third entry, a grant. */
let grantProof = "";

function listen(scene: RelayScene, port: number): Promise<ServerType> {
  return new Promise((resolve) => {
    const listening = serve({ fetch: scene.http.fetch, port, hostname: "127.0.0.1" }, () =>
      resolve(listening),
    );
  });
}

async function silence(listening: ServerType): Promise<void> {
  await new Promise((resolve) => {
    listening.close(resolve);
    if ("closeAllConnections" in listening) listening.closeAllConnections();
  });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tabmesh-verify-"));
  home = join(folder, "home");
  relay = await openRelayScene();
  log = await fillBooks(relay.scene);
  server = await listen(relay, 0);
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  grantProof = (await tabmesh("prove", "--entry", "2", "--relay", url)).stdout;
});

afterAll(async () => {
  await silence(server);
  await relay.close();
  await rm(folder, { recursive: true });
});

function tabmesh(...args: readonly string[]): Promise<Ended> {
  return runTabmesh(args, { TABMESH_HOME: home });
}

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

describe("a proof", () => {
  test("of a receipt is made by `prove` and judged offline, with everything its parties signed", async () => {
    const path = join(folder, "receipt.tlog-proof");
    const made = await tabmesh("prove", "--entry", String(log.receipts[0]), "-o", path, "--relay", url);
    expect(made).toMatchObject({ exit: 0, stderr: "" });
    const { exit, stdout } = await tabmesh("verify", path);
    expect(exit).toBe(0);
    expect(stdout).toContain("✓ The provider signed the receipt.");
    expect(stdout).toContain("✓ The requester countersigned exactly this receipt.");
    expect(stdout).toMatch(/Proven: the log holds this entry\.\n$/u);
    const told: unknown = JSON.parse((await tabmesh("verify", path, "--json")).stdout);
    expect(told).toMatchObject({
      ok: true,
      kind: "proof",
      proofs: [{ origin: ORIGIN, receipt: { count: 5 } }],
    });
  });

  test("of money that moved says whose, and how much", async () => {
    const path = await file("grant.tlog-proof", grantProof);
    const { exit, stdout } = await tabmesh("verify", path);
    expect(exit).toBe(0);
    expect(stdout).toContain("what        grant, 2030-01-01T12:00:00.000Z");
    expect(stdout).toContain(`account     ${relay.scene.requester.key}`);
    expect(stdout).toContain("amount      1.00 credits");
  });

  test("is worth nothing without the log's key, and says where that comes from", async () => {
    const path = await file(
      "alone.tlog-proof",
      (await tabmesh("prove", "--entry", "2", "--relay", url)).stdout,
    );
    const stranger = { TABMESH_HOME: join(folder, "nobody") };
    const without = await runTabmesh(["verify", path], stranger);
    expect(without).toMatchObject({ exit: 1, stdout: "" });
    expect(without.stderr).toMatch(/key of the log localhost\/log is not known[\s\S]*--key/u);
    const { log: key, lease } = relay.scene.books.keys();
    const given = noteVerifierKey(ORIGIN, keyFromPeerId(key));
    expect((await runTabmesh(["verify", path, "--key", given], stranger)).exit).toBe(0);
    expect((await runTabmesh(["verify", path, "--key", lease], stranger)).exit).toBe(1);
    expect((await runTabmesh(["verify", path, "--key", "mine"], stranger)).exit).toBe(2);
  });

  test.each([
    ["entry", /^extra (?<c>.)/mu],
    ["place", /^index (?<c>.)/mu],
    ["path", /^index \d+\n(?<c>.)/mu],
    ["checkpoint", /\n\u2014 \S+ .{12}(?<c>.)/u],
  ])("with another %s does not hold", async (name, where) => {
    const text = grantProof;
    const match = where.exec(text)!;
    const at = match.index + match[0].length - 1;
    const other = /\d/u.test(text[at]!) && name === "place" ? "1" : text[at] === "A" ? "B" : "A";
    const path = await file(`${name}.tlog-proof`, text.slice(0, at) + other + text.slice(at + 1));
    const { exit, stdout, stderr } = await tabmesh("verify", path);
    expect(exit).toBe(1);
    expect(stdout + stderr).toMatch(/NOT PROVEN|tabmesh:/u);
  });

  test("of a job is the receipts of all its leases, and they are added up", async () => {
    const path = join(folder, "job.tlog-proof");
    const made = await tabmesh("prove", "--job", log.job.id, "-o", path, "--relay", url);
    expect(made).toMatchObject({ exit: 0, stderr: "" });
    const { exit, stdout } = await tabmesh("verify", path);
    expect(exit).toBe(0);
    expect(stdout).toContain(`Job ${log.job.id}: 2 leases, 10 tasks,`);
    const text = await readFile(path, "utf8");
    // One proof that does not hold spoils the whole.
    const broken = await file("broken.tlog-proof", text.replace(/index \d+/u, "index 0"));
    const spoilt = await tabmesh("verify", broken);
    expect(spoilt.exit).toBe(1);
    expect(spoilt.stdout).toContain("NOT PROVEN: 1 of 2 proofs does not hold.");
  });

  test("as the relay answers a report is judged as well, and a receipt alone as what it is", async () => {
    const { books } = relay.scene;
    const index = log.receipts[1]!;
    const entry = books.entry(index)!;
    const answer = encode(reportAnswerSchema, { ...(await books.inclusion(index)), entry });
    expect((await tabmesh("verify", await file("answer.cbor", answer))).stdout).toMatch(
      /Proven: the log holds/u,
    );
    const { receipt } = readBody(reportMessage, decodeEntryOf("receipt", entry).body.envelope);
    const alone = await tabmesh("verify", await file("receipt.cbor", receipt));
    expect(alone.exit).toBe(0);
    expect(alone.stdout).toMatch(/Signed\. That the requester countersigned it/u);
  });
});

describe("a log", () => {
  test("that a relay serves is read whole and found sound, with every signature", async () => {
    const { exit, stdout } = await tabmesh("verify", url, "--json");
    expect(exit).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      origin: ORIGIN,
      signatures: 15,
      problems: [],
      logKey: "pinned",
    });
  });

  test("whose key is not the one that is asked for is not that log", async () => {
    const { exit, stdout } = await tabmesh("verify", url, "--key", relay.scene.books.keys().draw);
    expect(exit).toBe(1);
    expect(stdout).toMatch(/! its log key was never the one given, 12D3KooW/u);
  });
});

describe("evidence", () => {
  test("is written when a relay shows another history than before, and convicts it before anybody", async () => {
    // The same keys, and another log: what a relay does that shows two histories.
    const other = await openRelayScene();
    const { books, requester } = other.scene;
    while (books.size() <= relay.scene.books.size())
      // oxlint-disable-next-line no-await-in-loop -- entries follow one another
      await books.grant(requester.key, microCredits(7), "another history");
    const { port } = server.address() as AddressInfo;
    await silence(server);
    const forked = await listen(other, port);
    try {
      const told = await tabmesh("prove", "--entry", "0", "--relay", url);
      expect(told.exit).toBe(1);
      expect(told.stderr).toMatch(/is not the one it was at first contact[\s\S]*npx tabmesh verify/u);
      const kept = await readdir(join(home, "evidence"));
      expect(kept).toHaveLength(1);
      const path = join(home, "evidence", kept[0]!);
      expect(told.stderr).toContain(path);
      const here = await tabmesh("verify", path);
      expect(here.exit).toBe(0);
      expect(here.stdout).toContain("It is the key that localhost/log showed here at first contact.");
      expect(here.stdout).toMatch(/CONVICTED: the relay with the key 12D3KooW\w+ contradicts itself/u);
      const there = await runTabmesh(["verify", path, "--json"], { TABMESH_HOME: join(folder, "nobody") });
      expect(there.exit).toBe(0);
      expect(JSON.parse(there.stdout)).toMatchObject({
        ok: true,
        kind: "evidence",
        verdict: "convicts",
        accused: "relay",
      });
    } finally {
      await silence(forked);
      server = await listen(relay, port);
      await other.close();
    }
  });
});

test("what is nothing that can be verified is refused, with what to do", async () => {
  const noise = await tabmesh("verify", await file("noise.bin", new Uint8Array(300).fill(0xa5)));
  expect(noise).toMatchObject({ exit: 1, stdout: "" });
  expect(noise.stderr).toMatch(/nothing that can be verified[\s\S]*do: {2}/u);
  expect((await tabmesh("verify", join(folder, "gone"))).stderr).toMatch(/there is no such file/u);
  expect((await tabmesh("verify")).exit).toBe(2);
});
