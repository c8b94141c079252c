import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { payoutBatchMessage, payoutSums } from "../../protocol/messages/payout.ts";
import { openEnvelope } from "../../protocol/envelope.ts";
import { decodeEntryOf } from "../../protocol/messages/entry.ts";
import { parsePeerId } from "../../protocol/peer-id.ts";
import { microCredits } from "../../protocol/units.ts";
import { relayConfig } from "../../relay/config.ts";
import { type Relay, startRelay } from "../../relay/start-relay.ts";
import { type Ended, runTabmesh } from "../command-line.contract.ts";

const ASSET = "eip155:8453/erc20:0x833589fcd6edb6e08f4c7c32d4f71b54bda02913";

/** Each command is a process that loads half the program. */
const PATIENCE_MS = 120_000;

let home = "";
let dataDir = "";
let relay: Relay;

async function start(asset?: string): Promise<void> {
  relay = await startRelay(
    relayConfig({
      port: 0,
      dataDir,
      iceServers: [],
      logLevel: "silent",
      ...(asset === undefined ? {} : { asset }),
    }),
  );
}

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "tabmesh-payout-"));
  dataDir = join(home, "relay");
});
afterEach(async () => {
  await relay.stop();
  await rm(home, { recursive: true });
});

function operator(...args: readonly string[]): Promise<Ended> {
  return runTabmesh(["relay", ...args, "--data-dir", dataDir]);
}

function person(...args: readonly string[]): Promise<Ended> {
  return runTabmesh(["account", ...args, "--relay", relay.url], { TABMESH_HOME: home });
}

async function identity(): Promise<string> {
  const shown = await runTabmesh(["identity", "show", "--json"], { TABMESH_HOME: home });
  return JSON.parse(shown.stdout).peer;
}

test(
  "money comes in, is set aside, is paid and is proven, from one end to the other",
  { timeout: PATIENCE_MS },
  async () => {
    await start(ASSET);
    const peer = await identity();
    const reference = ["--reference", "invoice 7"];
    const credited = await operator("account", "credit", peer, "12.5", ...reference, "--yes");
    expect(credited.stderr).toBe("");
    expect(credited.stdout).toContain(`${peer} has 12.500000 credits for invoice 7: entry `);
    const again = await operator("account", "credit", peer, "12.5", ...reference, "--yes", "--json");
    expect(JSON.parse(again.stdout)).toMatchObject({ ok: true, amount: "12500000", asset: ASSET });
    expect(relay.books.account(parsePeerId(peer)).available).toBe(12_500_000n);

    expect((await person("payout-address")).stdout).toContain("There is no payout address yet.");
    expect((await operator("payout", "prepare")).stdout).toContain("1 without a payout address");
    expect((await person("payout-address", "bank:DE02")).stdout).toMatch(/^bank:DE02\nPayouts go there\./u);

    const csv = join(home, "payout.csv");
    const prepared = await operator("payout", "prepare", "--minimum", "5", "--out", csv);
    expect(prepared.stdout).toMatch(/^Prepared batch 1: its money is set aside\./u);
    const [head, row, end] = (await readFile(csv, "utf8")).split("\r\n");
    expect(head).toBe("batch,account,address,asset,amount");
    const [batch = "", ...cells] = row?.split(",") ?? [];
    expect([...cells, end]).toEqual([peer, "bank:DE02", ASSET, "12.500000", ""]);
    expect((await person("payouts")).stdout).toContain("prepared  12.500000 to bank:DE02");

    const list = JSON.parse((await operator("payout", "show", "1", "--json")).stdout);
    const line = { account: parsePeerId(peer), amount: microCredits(12_500_000), address: "bank:DE02" };
    expect(list.lines).toEqual([{ ...line, amount: "12500000" }]);
    const confirmed = await operator("payout", "confirm", batch, "--reference", "run 1", "--yes");
    expect(confirmed.stdout).toMatch(/^1 {2}paid \S+, run 1 {2}12\.500000 to 1 account in eip155/u);
    expect((await operator("payout", "cancel", "1", "--yes")).stderr).toContain('was paid, as "run 1"');

    const { payouts } = JSON.parse((await person("payouts", "--json")).stdout);
    expect(payouts).toMatchObject([{ batch, state: "paid", amount: "12500000", reference: "run 1" }]);
    const entry = await fetch(`${relay.url}/v1/log/entries/${payouts[0].entryIndex}`);
    const { body } = decodeEntryOf("payout", new Uint8Array(await entry.arrayBuffer()));
    expect(body).toEqual({ batch, ...line, reference: "run 1" });
    const proof = join(home, "payout.tlog-proof");
    const number = String(payouts[0].entryIndex);
    const prove = ["prove", "--relay", relay.url, "--entry", number, "-o", proof];
    expect((await runTabmesh(prove, { TABMESH_HOME: home })).exit).toBe(0);
    const verified = await runTabmesh(["verify", proof, "--json"], { TABMESH_HOME: home });
    expect([verified.exit, verified.stdout]).toEqual([0, expect.stringContaining('"run 1"')]);
    const order = decodeEntryOf("payout-batch", relay.books.entry(relay.books.payouts.batches(1)[0]!.index)!);
    expect(openEnvelope(payoutBatchMessage, order.body.envelope).body).toMatchObject(payoutSums([line]));
  },
);

test(
  "a batch is prepared, shown and cancelled also while the relay is stopped, and another file is not written over",
  { timeout: PATIENCE_MS },
  async () => {
    await start(ASSET);
    const peer = await identity();
    await operator("account", "credit", peer, "3", "--reference", "a", "--yes");
    await person("payout-address", "x");
    await relay.stop();
    const precious = join(home, "thesis.txt");
    await writeFile(precious, "years of work");
    const refused = await operator("payout", "prepare", "--out", precious);
    expect([refused.exit, refused.stderr]).toEqual([2, expect.stringContaining("not a list of payouts")]);
    expect(await readFile(precious, "utf8")).toBe("years of work");
    const same = JSON.parse((await operator("payout", "prepare", "--json")).stdout);
    expect(same).toMatchObject({ isNew: false, batch: { number: 1, total: "3000000", asset: ASSET } });
    expect((await operator("payout", "show", same.batch.batch)).stdout).toContain(
      `${peer},x,${ASSET},3.000000`,
    );
    expect((await operator("payout", "cancel", "1", "--yes")).stdout).toContain("1  cancelled");
    expect((await operator("payout", "list")).stdout).toMatch(/^1 {2}cancelled .* 3\.000000 to 1 account/u);
    await start();
    expect(relay.asset).toBe(ASSET);
    expect(relay.books.account(parsePeerId(peer)).available).toBe(3_000_000n);
  },
);

test("nothing that cannot be undone is done before somebody says so", { timeout: PATIENCE_MS }, async () => {
  await start(ASSET);
  const peer = await identity();
  const size = relay.books.size();
  const credit = await operator("account", "credit", peer, "3", "--reference", "a");
  expect([credit.exit, credit.stderr]).toEqual([2, expect.stringContaining("say --yes")]);
  expect((await operator("payout", "confirm", "1")).exit).toBe(2);
  expect((await operator("payout", "cancel", "1")).exit).toBe(2);
  expect(relay.books.size()).toBe(size);
});

test(
  "a reference that stands for another payment, an amount of nothing and an unknown batch are refused",
  { timeout: PATIENCE_MS },
  async () => {
    await start(ASSET);
    const peer = await identity();
    await operator("account", "credit", peer, "3", "--reference", "a", "--yes");
    const other = await operator("account", "credit", peer, "4", "--reference", "a", "--yes");
    expect([other.exit, other.stderr]).toEqual([
      1,
      expect.stringContaining("stands for 3000000 micro-credits"),
    ]);
    expect((await operator("account", "credit", peer, "0", "--reference", "b", "--yes")).exit).toBe(2);
    expect((await operator("account", "credit", "nobody", "1", "--reference", "b", "--yes")).exit).toBe(2);
    expect((await operator("payout", "confirm", "7", "--yes")).stderr).toContain("no batch 7");
    expect((await person("payout-address", "=1+1")).exit).toBe(2);
  },
);

test(
  "credits that are test money are given and never paid out, and the command says so in plain words",
  { timeout: PATIENCE_MS },
  async () => {
    await start();
    const peer = await identity();
    const credited = await operator("account", "credit", peer, "3", "--reference", "a class", "--yes");
    expect(credited.stdout).toContain("3.000000 test credits for a class");
    const refused = await operator("payout", "prepare");
    expect([refused.exit, refused.stdout]).toEqual([1, ""]);
    expect(refused.stderr).toContain(
      "test credits are never paid out: a relay that pays is started with --asset",
    );
    expect((await person("payout-address", "x")).stderr).toContain("test credits are never paid out");
  },
);
