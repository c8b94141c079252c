import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import { failureCode } from "../src/protocol/failure-code.ts";
import { connect, FailureError, type MapResult, type Tabmesh } from "../src/sdk/index.ts";
import { createRelayClient } from "../src/mesh/relay-client.ts";
import { parsePeerId } from "../src/protocol/peer-id.ts";
import { ownedBy, receiptsOf } from "./support/money.ts";
import { freePort, type RelayProcess, startRelayProcess } from "./support/relay-process.ts";
import { contribute, launchChromium, openProviderTab, type ProviderTab } from "./support/tab.ts";
import { ECHO, ENDLESS, GREEDY, slowEcho, SLUGGISH } from "./support/functions.ts";

const open: (() => Promise<unknown>)[] = [];

async function startRelay(options: { dataDir?: string; port?: number } = {}): Promise<RelayProcess> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), "tabmesh-e2e-"));
  const relay = await startRelayProcess({ dataDir, port: options.port ?? (await freePort()) });
  open.push(() => relay.kill());
  return relay;
}

async function providerTab(relay: RelayProcess): Promise<ProviderTab> {
  const tab = await openProviderTab(relay.url);
  open.push(() => tab.browser.close());
  return tab;
}

async function requester(relay: RelayProcess): Promise<Tabmesh> {
  const client = await connect({ relay: relay.url, iceServers: [] });
  open.push(() => client.close());
  return client;
}

function texts(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => new TextEncoder().encode(`input ${i}`));
}

async function collect(
  handle: AsyncIterable<MapResult>,
  onEach: (count: number) => void = () => undefined,
): Promise<MapResult[]> {
  const results: MapResult[] = [];
  for await (const result of handle) {
    results.push(result);
    onEach(results.length);
  }
  return results.toSorted((a, b) => a.index - b.index);
}

function expectEchoes(results: readonly MapResult[], count: number): void {
  expect(results.map(({ index }) => index)).toEqual(Array.from({ length: count }, (_, i) => i));
  for (const result of results) {
    if (result.kind !== "done") throw new Error(`task ${result.index}: ${result.code} ${result.detail}`);
    expect(new TextDecoder().decode(result.output)).toBe(`input ${result.index}`);
  }
}

test.afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close().catch(() => undefined);
});

test("an open tab earns by running a real function, and can prove it", async () => {
  const relay = await startRelay();
  const { page, errors } = await providerTab(relay);
  const client = await requester(relay);
  const handle = await client.map(ECHO, texts(60), { outputBytes: 65_536, fuel: 1_000_000_000n });
  expectEchoes(await collect(handle), 60);
  const summary = await handle.summary;
  expect(summary).toMatchObject({ tasks: 60, done: 60, failed: 0, reassigned: 0, cancelled: false });
  const [lease] = summary.leases;
  expect(lease).toMatchObject({ tasks: 60, receiptVerified: true, inclusionVerified: true });
  expect(lease?.transport).toMatchObject({ kind: "webrtc", limited: false });
  expect(lease?.failure).toBeUndefined();

  const views = createRelayClient({ baseUrl: relay.url, fetch });
  const provider = parsePeerId(lease?.provider ?? "");
  await expect.poll(async () => ownedBy(await views.account(provider))).toBe(lease?.amount);
  expect((await views.account(client.requester)).available).toBe(10_000_000n - summary.spent);

  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Earnings" }).click();
  await page
    .getByRole("button", { name: /verify/iu })
    .first()
    .click();
  await expect(page.getByText(/proven|verified/iu).first()).toBeVisible();
  expect(errors).toEqual([]);
});

test("what the relay serves is tampered with: verify turns red", { tag: "@long" }, async () => {
  const relay = await startRelay();
  const { page } = await providerTab(relay);
  const client = await requester(relay);
  await client.run(ECHO, new TextEncoder().encode("x"), { outputBytes: 65_536 });
  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Earnings" }).click();
  await page.route("**/v1/log/entries/*", async (route) => {
    const answer = await route.fetch();
    const body = await answer.body();
    body[Math.floor(body.length / 2)]! ^= 1;
    await route.fulfill({ response: answer, body });
  });
  await page
    .getByRole("button", { name: /verify/iu })
    .first()
    .click();
  await expect(page.locator(".verdict-bad").first()).toBeVisible();
});

test(
  "a tab is closed in the middle of a job: another finishes it, and nothing is paid twice",
  { tag: "@long" },
  async () => {
    const relay = await startRelay();
    const [first, second] = [await providerTab(relay), await providerTab(relay)];
    const client = await requester(relay);
    const handle = await client.map(slowEcho(3_000_000), texts(80), {
      parallel: 2,
      outputBytes: 65_536,
      fuel: 1_000_000_000n,
    });
    let killed: Promise<void> | undefined;
    const results = await collect(handle, (count) => {
      if (count === 15) killed = first.browser.close();
    });
    await killed;
    expectEchoes(results, 80);
    const summary = await handle.summary;
    expect(summary).toMatchObject({ tasks: 80, done: 80 });
    const paidTasks = summary.leases.reduce((sum, lease) => sum + lease.tasks, 0);
    // Of a task that two providers were given at the end, both may have been done: rule 16.
    expect(paidTasks).toBeGreaterThanOrEqual(80);
    expect(paidTasks).toBeLessThanOrEqual(80 + summary.copied);
    const views = createRelayClient({ baseUrl: relay.url, fetch });
    const { spent, leases } = await views.job(summary.job);
    expect(summary.spent).toBe(spent);
    // Each lease costs a fee that nobody gets.
    expect(spent).toBe(receiptsOf(summary) + BigInt(leases.length));
    await expect
      .poll(async () => {
        const account = await views.account(client.requester);
        return account.available + account.escrowed;
      })
      .toBe(10_000_000n - spent);
    expect(second.errors).toEqual([]);
  },
);

test("the relay is killed in the middle of a job: acknowledged receipts survive and balances add up", async () => {
  const relay = await startRelay();
  await providerTab(relay);
  const client = await requester(relay);
  const before = await client.run(ECHO, new TextEncoder().encode("before"), { outputBytes: 65_536 });
  const acknowledged = before.summary.leases[0];
  const handle = await client.map(slowEcho(3_000_000), texts(60), {
    parallel: 1,
    outputBytes: 65_536,
    fuel: 1_000_000_000n,
  });
  let restarted: Promise<RelayProcess> | undefined;
  const results = await collect(handle, (count) => {
    if (count === 10) {
      restarted = relay.kill().then(() => startRelay({ dataDir: relay.dataDir, port: relay.port }));
    }
  });
  await restarted;
  expectEchoes(results, 60);
  const summary = await handle.summary;
  const views = createRelayClient({ baseUrl: relay.url, fetch });
  const provider = parsePeerId(acknowledged?.provider ?? "");
  const receipts = await views.receipts(provider, { limit: 10 });
  expect(
    receipts.some(
      ({ entryIndex, amount }) => entryIndex === acknowledged?.entryIndex && amount === acknowledged?.amount,
    ),
  ).toBe(true);
  const earned = receiptsOf(before.summary) + receiptsOf(summary);
  await expect.poll(async () => ownedBy(await views.account(provider)), { timeout: 30_000 }).toBe(earned);
  const charged = before.summary.spent + (await views.job(summary.job)).spent;
  await expect
    .poll(async () => {
      const account = await views.account(client.requester);
      return account.available + account.escrowed;
    })
    .toBe(10_000_000n - charged);
});

test(
  "a tab without its relay goes on working; its receipts wait, then arrive",
  { tag: "@long" },
  async () => {
    const relay = await startRelay();
    const { page } = await providerTab(relay);
    const client = await requester(relay);
    const handle = await client.map(slowEcho(3_000_000), texts(30), {
      parallel: 1,
      outputBytes: 65_536,
      fuel: 1_000_000_000n,
    });
    let gone: Promise<void> | undefined;
    const results = await collect(handle, (count) => {
      if (count === 5) gone = relay.kill();
    });
    await gone;
    expectEchoes(results, 30);
    await expect(page.getByText(/reconnect|connection/iu).first()).toBeVisible({ timeout: 30_000 });
    const summary = await handle.summary;
    expect(summary.leases[0]?.inclusionVerified).toBe(false);
    await startRelay({ dataDir: relay.dataDir, port: relay.port });
    const views = createRelayClient({ baseUrl: relay.url, fetch });
    const provider = parsePeerId(summary.leases[0]?.provider ?? "");
    await expect
      .poll(async () => ownedBy(await views.account(provider)), { timeout: 60_000 })
      .toBe(receiptsOf(summary));
  },
);

test("hostile functions fail with a reason, and the tab goes on", async () => {
  const relay = await startRelay();
  const { errors } = await providerTab(relay);
  const client = await requester(relay);
  const input = new TextEncoder().encode("x");
  const cases = [
    {
      name: "never returns",
      module: ENDLESS,
      options: { fuel: 200_000_000n },
      code: failureCode("out-of-fuel"),
    },
    {
      name: "outlives its deadline",
      module: SLUGGISH,
      options: { fuel: 450_000_000n, deadlineMs: 900 },
      code: failureCode("deadline"),
    },
    {
      name: "allocates everything",
      module: GREEDY,
      options: { memoryBytes: 32 * 1024 * 1024, fuel: 1_000_000_000n },
      code: failureCode("trap-memory-bounds"),
    },
    {
      name: "is truncated",
      module: ECHO.slice(0, ECHO.length - 7),
      options: {},
      code: failureCode("invalid-module"),
    },
  ];
  for (const { name, module, options, code } of cases) {
    const failure: unknown = await client
      .run(module, input, { outputBytes: 65_536, ...options })
      .catch((error: unknown) => error);
    expect(failure, name).toBeInstanceOf(FailureError);
    expect(failure instanceof FailureError ? failure.code : 0, name).toBe(code);
  }
  const after = await client.run(ECHO, input, { outputBytes: 65_536 });
  expect(after.output).toEqual(input);
  expect(errors).toEqual([]);
});

test(
  "a lease that found no task left is free again as soon as the job is over",
  { tag: "@long" },
  async () => {
    const relay = await startRelay();
    await providerTab(relay);
    const { page } = await providerTab(relay);
    const client = await requester(relay);
    // The one tab answers its dial when the other has done everything.
    const isBusy = page.evaluate(() => {
      const until = performance.now() + 1_500;
      while (performance.now() < until);
    });
    const handle = await client.map(ECHO, texts(2), { parallel: 2, outputBytes: 65_536 });
    expectEchoes(await collect(handle), 2);
    const summary = await handle.summary;
    await isBusy;
    expect(summary.leases.map(({ tasks }) => tasks).toSorted((a, b) => a - b)).toEqual([0, 2]);
    const account = await createRelayClient({ baseUrl: relay.url, fetch }).account(client.requester);
    expect(account).toMatchObject({ escrowed: 0n, available: 10_000_000n - summary.spent });
  },
);

test("a cancelled job stops at the provider and is refunded", { tag: "@long" }, async () => {
  const relay = await startRelay();
  await providerTab(relay);
  const client = await requester(relay);
  const handle = await client.map(slowEcho(30_000_000), texts(200), {
    parallel: 1,
    outputBytes: 65_536,
    fuel: 1_000_000_000n,
  });
  const failure: unknown = await collect(handle, (count) => {
    if (count === 3) handle.cancel();
  }).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(FailureError);
  const summary = await handle.summary;
  expect(summary.cancelled).toBe(true);
  expect(summary.tasks).toBeLessThan(20);
  const views = createRelayClient({ baseUrl: relay.url, fetch });
  await expect
    .poll(async () => (await views.account(client.requester)).available)
    .toBe(10_000_000n - summary.spent);
});

test("one browser is one provider: a second tab says so", async () => {
  const relay = await startRelay();
  const { context } = await providerTab(relay);
  const other = await context.newPage();
  await other.goto(relay.url);
  await other.getByRole("switch").click();
  const agree = other.getByRole("button", { name: "Agree and start" });
  await expect(agree.or(other.getByText(/another tab/iu).first())).toBeVisible();
  if (await agree.isVisible()) await agree.click();
  await expect(other.getByText(/another tab/iu).first()).toBeVisible();
});

test("a page without WebRTC says so instead of offering the switch", { tag: "@long" }, async () => {
  const relay = await startRelay();
  const browser = await launchChromium();
  open.push(() => browser.close());
  const page = await (await browser.newContext()).newPage();
  await page.addInitScript(() => {
    Reflect.deleteProperty(globalThis, "RTCPeerConnection");
  });
  await page.goto(relay.url);
  await expect(page.getByText(/WebRTC/u).first()).toBeVisible();
  await expect(page.getByRole("switch")).toHaveCount(0);
});

test("WebRTC is blocked on the way: the requester is told why", { tag: "@long" }, async () => {
  const relay = await startRelay();
  const browser = await launchChromium(["--webrtc-ip-handling-policy=disable_non_proxied_udp"]);
  open.push(() => browser.close());
  const page = await (await browser.newContext()).newPage();
  await page.goto(relay.url);
  await contribute(page);
  const client = await requester(relay);
  const failure: unknown = await client
    .run(ECHO, new TextEncoder().encode("x"), { noProviderTimeoutMs: 5_000, outputBytes: 65_536 })
    .catch((error: unknown) => error);
  if (!(failure instanceof FailureError)) throw new Error("the task ran although WebRTC was blocked");
  expect(failure.code).toBe(failureCode("unreachable"));
  expect(failure.detail).toMatch(/WebRTC|direct/u);
});
