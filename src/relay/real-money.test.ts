import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createRelayClient, type RelayClient } from "../mesh/relay-client.ts";
import { seal } from "../protocol/envelope.ts";
import { header } from "../protocol/header.ts";
import { jobMessage } from "../protocol/messages/job.ts";
import { type PayoutAddress, payoutAddressMessage } from "../protocol/messages/payout.ts";
import { microCredits } from "../protocol/units.ts";
import { jobBody, openScene, sessionOf, signerOf } from "./books/books-scene.contract.ts";
import { relayConfig, type RelayConfig } from "./config.ts";
import {
  cancelPayoutAt,
  confirmPayoutAt,
  creditAt,
  listPayoutsAt,
  preparePayoutAt,
} from "./operate-payouts.ts";
import { payoutCsv, unitsText } from "./payout-csv.ts";
import { type Relay, startRelay } from "./start-relay.ts";

const ASSET = "eip155:1/slip44:60";
const ana = signerOf("ana");

let root = "";
let dataDir = "";
let running: Relay | undefined;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "real-money-"));
  dataDir = join(root, "data");
});
afterEach(async () => {
  await running?.stop();
  rmSync(root, { recursive: true, force: true });
});

async function start(changes: Partial<RelayConfig> = { asset: ASSET }): Promise<Relay> {
  running = await startRelay(
    relayConfig({ port: 0, dataDir, iceServers: [], logLevel: "silent", ...changes }),
  );
  return running;
}

function clientOf(relay: Relay): RelayClient {
  return createRelayClient({ baseUrl: relay.url, fetch });
}

function wish(relay: Relay, changes: Partial<PayoutAddress> = {}): PayoutAddress {
  return { ...header(relay.origin, relay.asset), account: ana.key, address: "bank", ...changes };
}

test("a relay of real money says so, stays so, and takes no other money", async () => {
  const relay = await start();
  expect(await clientOf(relay).info()).toMatchObject({ asset: ASSET, testMoney: false });
  await relay.stop();
  expect((await start({})).asset).toBe(ASSET);
  await running?.stop();
  await expect(start({ asset: "eip155:1/slip44:1" })).rejects.toThrow(
    `this relay's credits are ${ASSET} and cannot become eip155:1/slip44:1`,
  );
});

test("a relay that began with test credits never turns them into money", async () => {
  const relay = await start({});
  await relay.books.grant(ana.key, microCredits(5), "a test");
  await relay.stop();
  await expect(start()).rejects.toThrow(/credits are test:localhost.* and cannot become eip155/);
});

test("a first job at a relay of real money is given nothing", async () => {
  const relay = await start();
  const scene = await openScene();
  const body = {
    ...jobBody(scene, { requester: ana.key, payer: ana.key }),
    ...header(relay.origin, relay.asset),
    tariffMax: relayConfig().tariff,
    issuedAt: Date.now(),
    expires: Date.now() + 3_600_000,
  };
  const submitted = clientOf(relay).submitJob(await seal(jobMessage, body, [ana]));
  await expect(submitted).rejects.toThrow(/insufficient-funds/);
  expect(relay.books.hasAccount(ana.key)).toBe(false);
});

test("an account says where it wants its money over HTTP, in its own name alone", async () => {
  const relay = await start();
  const client = clientOf(relay);
  await expect(client.payoutAddress(ana.key)).rejects.toThrow(/not-found/);
  const byTab = await seal(payoutAddressMessage, wish(relay), [await sessionOf("ana", "tab", 0, 1e14)]);
  await expect(client.setPayoutAddress(ana.key, byTab)).rejects.toThrow(/bad-signature/);
  const good = await seal(payoutAddressMessage, wish(relay), [ana]);
  await expect(client.setPayoutAddress(signerOf("bea").key, good)).rejects.toThrow(/malformed/);
  const { index } = await client.setPayoutAddress(ana.key, good);
  expect((await client.setPayoutAddress(ana.key, good)).index).toBe(index);
  expect(await client.payoutAddress(ana.key)).toMatchObject({ address: "bank", entryIndex: index });
  expect(await client.payouts(ana.key, { limit: 10 })).toEqual([]);
});

test.each(["runs", "is stopped"])(
  "an operator pays while the relay %s, and asks again at will",
  async (how) => {
    const relay = await start();
    const client = clientOf(relay);
    await client.setPayoutAddress(ana.key, await seal(payoutAddressMessage, wish(relay), [ana]));
    if (how === "is stopped") await relay.stop();
    const amount = microCredits(12_345_678);
    const credits = [
      await creditAt(dataDir, ana.key, amount, "a"),
      await creditAt(dataDir, ana.key, amount, "a"),
    ];
    expect(credits[0]).toEqual(credits[1]);
    const [first, again] = [
      await preparePayoutAt(dataDir, microCredits(1)),
      await preparePayoutAt(dataDir, microCredits(1)),
    ];
    expect([first.isNew, again.isNew]).toEqual([true, false]);
    const { batch } = first;
    if (batch === undefined) throw new Error("nobody is to be paid");
    expect(payoutCsv(batch.batch, batch.asset, batch.lines)).toBe(
      `batch,account,address,asset,amount\r\n${batch.batch},${ana.key},bank,${ASSET},12.345678\r\n`,
    );
    await confirmPayoutAt(dataDir, String(batch.number), "run");
    expect(await confirmPayoutAt(dataDir, batch.batch, "run")).toMatchObject({ state: "paid" });
    await expect(cancelPayoutAt(dataDir, batch.batch)).rejects.toThrow(/was paid, as "run"/);
    await relay.stop();
    const later = await start({});
    expect(await clientOf(later).payouts(ana.key, { limit: 10 })).toMatchObject([
      { state: "paid", amount: 12_345_678n, reference: "run" },
    ]);
    expect(later.books.account(ana.key).available).toBe(0n);
    expect(await listPayoutsAt(dataDir)).toMatchObject([{ number: 1, total: 12_345_678n }]);
  },
);

test("amounts in lists have the point where it belongs", () => {
  const amounts = [1n, 999_999n, 1_000_000n, 12_345_678_000_001n];
  expect(amounts.map(unitsText)).toEqual(["0.000001", "0.999999", "1.000000", "12345678.000001"]);
});
