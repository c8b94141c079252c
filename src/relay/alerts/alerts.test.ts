import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DEFAULT_AUDIT_POLICY } from "../../protocol/audit-policy.ts";
import { encode } from "../../protocol/schema.ts";
import { bodyId } from "../../protocol/envelope.ts";
import { readBody } from "../../protocol/envelope.ts";
import { drawMessage, type VerdictResult, verdictMessage } from "../../protocol/messages/audit.ts";
import { type Alert, alertMessage } from "../../protocol/messages/alert.ts";
import type { Signer } from "../../protocol/signature.ts";
import { fuel, microCredits } from "../../protocol/units.ts";
import { HEAD, openLease, signedJob, verifiedMessage } from "../books/books-scene.contract.ts";
import { depositors, MONEY, openPayoutScene } from "../books/payout-scene.contract.ts";
import { Authentication } from "../authenticate.ts";
import { RateLimit } from "../rate-limit.ts";
import { offerOf, openRelayScene, type RelayScene, type RelaySceneOptions } from "../relay-scene.contract.ts";
import {
  addAlert,
  type HookServer,
  idOf,
  listAlerts,
  lowBalance,
  opened,
  openHookServer,
  removeAlert,
  SECRET,
  tryAlert,
  typesOf,
  webhookAlert,
} from "./alert-scene.contract.ts";
import { AlertRows } from "./alert-rows.ts";
import { KEPT_CALLS_MS, RETRY_MS, RETURN_MS, STOPPED_MS } from "./limits.ts";
import { startAlerts } from "./start-alerts.ts";

const closing: (() => Promise<void>)[] = [];
let hook: HookServer;
beforeEach(async () => {
  hook = await openHookServer();
  closing.push(() => hook.close());
});
afterEach(async () => {
  // oxlint-disable-next-line no-await-in-loop -- in reverse order, one after the other
  for (const close of closing.splice(0).toReversed()) await close();
});

async function open(options: RelaySceneOptions = {}): Promise<RelayScene> {
  const relay = await openRelayScene({ privateWebhooks: true, ...options });
  closing.push(() => relay.close());
  return relay;
}

async function add(
  relay: RelayScene,
  account: Signer,
  changes: Partial<Alert> = {},
): Promise<ReturnType<typeof idOf>> {
  return idOf(await addAlert(relay, webhookAlert(relay, account, hook.url, changes), [account]));
}

/** What the relay does by itself every few seconds. */
async function pass(relay: RelayScene, ms: number): Promise<void> {
  relay.scene.clock.now += ms;
  relay.alerts.watch();
  await relay.alerts.deliver();
}

async function spend(relay: RelayScene, cap: number): Promise<void> {
  await relay.scene.books.openJob(await signedJob(relay.scene, { cap: microCredits(cap) }));
}

describe("a low balance", () => {
  it("is told once when it is passed, and again only after the account was filled up", async () => {
    const relay = await open();
    const { books, requester } = relay.scene;
    await add(relay, requester, lowBalance(500_000));
    await spend(relay, 400_000);
    await pass(relay, 0);
    expect(hook.calls).toEqual([]);
    await spend(relay, 200_000);
    await spend(relay, 1_000);
    await pass(relay, 0);
    await pass(relay, 60_000);
    expect(hook.calls.map(opened)).toEqual([
      expect.objectContaining({
        type: "low-balance",
        data: expect.objectContaining({
          account: requester.key,
          available: "400000",
          below: "500000",
          words: expect.stringContaining("0.400000 credits are available"),
        }),
      }),
    ]);
    await books.grant(requester.key, microCredits(300_000), "filled up");
    await spend(relay, 300_000);
    await pass(relay, 0);
    expect(typesOf(hook)).toEqual(["low-balance", "low-balance"]);
  });

  it("that is there when the alert is made is no news", async () => {
    const relay = await open();
    await spend(relay, 600_000);
    await add(relay, relay.scene.requester, lowBalance(500_000));
    await spend(relay, 10_000);
    await pass(relay, 0);
    expect(hook.calls).toEqual([]);
  });

  it("of somebody else is not told", async () => {
    const relay = await open();
    const { books, provider } = relay.scene;
    await books.grant(provider.key, microCredits(600_000), "of its own");
    await add(relay, provider, lowBalance(500_000));
    await spend(relay, 900_000);
    await pass(relay, 0);
    expect(hook.calls).toEqual([]);
  });
});

/** A lease of five results is over, and the relay finds so of each that was drawn. */
async function judged(relay: RelayScene, result: VerdictResult): Promise<void> {
  const { scene } = relay;
  const { work } = await openLease(scene, {}, { policyVersion: 1 });
  const { draw } = await work.go(5).send({ receipt: { final: true } });
  const { leaves, lease, entryIndex } = readBody(drawMessage, draw ?? new Uint8Array());
  expect(leaves.length).toBeGreaterThan(1);
  for (const index of leaves) {
    const zero = new Uint8Array(32);
    const about = { ...HEAD, lease, entryIndex, index, result, expected: zero, found: zero };
    const body = { ...about, fuel: fuel(0), profile: 1, engine: "a test", auditors: [] };
    // oxlint-disable-next-line no-await-in-loop -- a story has an order
    await scene.books.audits.judge(await verifiedMessage(verdictMessage, body, [scene.books.signer("draw")]));
  }
}

describe("an audit", () => {
  it.each([
    ["mismatch", "is wrong", ["audit-failed", "audit-failed"]],
    ["missing", "not shown in time", ["audit-failed"]],
  ] as const)("that ends with %s is told once for its lease", async (result, words, types) => {
    const relay = await open({ audit: DEFAULT_AUDIT_POLICY });
    const { provider, books } = relay.scene;
    await books.grant(provider.key, microCredits(1), "to have an account");
    await add(relay, provider);
    await judged(relay, result);
    for (let turn = 0; turn < 3; turn += 1)
      // oxlint-disable-next-line no-await-in-loop -- one call of an alert at a time
      await pass(relay, 1_000);
    // Whoever is wrong is barred besides, and told so.
    expect(typesOf(hook)).toEqual(types);
    expect(hook.calls.map(({ body }) => body.toString()).join(" ")).toContain(words);
  });

  it("that a provider passes is not told", async () => {
    const relay = await open({ audit: DEFAULT_AUDIT_POLICY });
    const { provider, books } = relay.scene;
    await books.grant(provider.key, microCredits(1), "to have an account");
    await add(relay, provider);
    await judged(relay, "match");
    await pass(relay, 1_000);
    expect(hook.calls).toEqual([]);
  });
});

describe("a payout", () => {
  it("is told when it was made, and when it will not be", async () => {
    const scene = await openPayoutScene();
    const { books, clock } = scene;
    closing.push(async () => books.close());
    const [ana, bea] = await depositors(scene, { ana: 5_000, bea: 7_000 });
    const folder = mkdtempSync(join(tmpdir(), "tabmesh-alerts-"));
    closing.push(async () => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, "alerts.sqlite");
    const kept = new AlertRows(path);
    for (const { key } of [ana!, bea!]) {
      const body: Alert = {
        ...MONEY,
        account: key,
        webhook: { url: hook.url, secret: SECRET },
        events: ["payout"],
        issuedAt: clock.now,
      };
      kept.add(bodyId(alertMessage, body), encode(alertMessage.schema, body), clock.now);
    }
    kept.close();
    const alerts = startAlerts(groundOf(path, scene));
    closing.push(async () => alerts.stop());
    const first = await books.payouts.prepare(microCredits(6_000));
    await books.payouts.confirm(first.batch!.id, "transfer 17");
    await alerts.deliver();
    const second = await books.payouts.prepare(microCredits(1));
    await books.payouts.cancel(second.batch!.id);
    await alerts.deliver();
    expect(hook.calls.map(opened)).toEqual([
      expect.objectContaining({
        type: "payout",
        data: expect.objectContaining({ account: bea!.key, amount: "7000", reference: "transfer 17" }),
      }),
      expect.objectContaining({
        type: "payout",
        data: expect.objectContaining({ account: ana!.key, amount: "5000", cancelled: 1 }),
      }),
    ]);
  });
});

describe("a provider", () => {
  it("that stopped is told after a minute, once, and again when it was back and stopped again", async () => {
    const relay = await open();
    const { provider } = relay.scene;
    const holder = {};
    relay.offers.put(offerOf("provider"), holder);
    await add(relay, provider);
    await pass(relay, 5_000);
    relay.offers.withdraw(provider.key, holder);
    await pass(relay, STOPPED_MS - 1_000);
    expect(hook.calls).toEqual([]);
    await pass(relay, 2_000);
    await pass(relay, 600_000);
    expect(typesOf(hook)).toEqual(["provider-stopped"]);
    relay.offers.put(offerOf("provider"), holder);
    await pass(relay, 5_000);
    relay.offers.withdraw(provider.key, holder);
    await pass(relay, STOPPED_MS + 1);
    expect(typesOf(hook)).toEqual(["provider-stopped", "provider-stopped"]);
  });

  it("whose page is loaded anew has not stopped", async () => {
    const relay = await open();
    const { provider } = relay.scene;
    const holder = {};
    relay.offers.put(offerOf("provider"), holder);
    await add(relay, provider);
    await pass(relay, 5_000);
    relay.offers.withdraw(provider.key, holder);
    await pass(relay, 30_000);
    relay.offers.put(offerOf("provider"), holder);
    await pass(relay, 5_000);
    await pass(relay, STOPPED_MS);
    expect(hook.calls).toEqual([]);
  });

  it("that does not come back after the relay was restarted has stopped", async () => {
    const relay = await open();
    const { provider, clock } = relay.scene;
    const path = join(mkdtempSync(join(tmpdir(), "tabmesh-alerts-")), "alerts.sqlite");
    const body = webhookAlert(relay, provider, hook.url);
    const rows = new AlertRows(path);
    rows.add(bodyId(alertMessage, body), encode(alertMessage.schema, body), clock.now);
    rows.setWorks(bodyId(alertMessage, body), true);
    rows.close();
    const alerts = startAlerts(groundOf(path, relay.scene));
    closing.push(async () => alerts.stop());
    clock.now += RETURN_MS - 1_000;
    alerts.watch();
    await alerts.deliver();
    expect(hook.calls).toEqual([]);
    clock.now += 1_000;
    alerts.watch();
    await alerts.deliver();
    expect(hook.calls.map(opened)).toEqual([expect.objectContaining({ type: "provider-stopped" })]);
  });
});

function groundOf(
  path: string,
  { books, clock }: Pick<RelayScene["scene"], "books" | "clock">,
): Parameters<typeof startAlerts>[0] {
  const nowMs = (): number => clock.now;
  return {
    path,
    books,
    authentication: new Authentication(books, nowMs),
    offers: { isOffering: () => false },
    welcome: async () => undefined,
    limit: new RateLimit({ burst: 100, perSecond: 1 }, "identity", nowMs),
    calling: { allowPrivate: true },
    relayName: "Test relay",
    contact: "mailto:operator@example.org",
    log: pino({ level: "silent" }),
    nowMs,
    random: () => 0.5,
  };
}

describe("a call", () => {
  it("that fails is made again, ever less often, with the same id, and given up in the end", async () => {
    const relay = await open();
    const { requester } = relay.scene;
    const id = await add(relay, requester, lowBalance(500_000));
    await spend(relay, 900_000);
    hook.answer = 500;
    await pass(relay, 0);
    expect(hook.calls).toHaveLength(1);
    expect(await listAlerts(relay, requester)).toEqual([
      expect.objectContaining({
        alert: id,
        waiting: 1,
        delivered: 0,
        lastFailure: { time: relay.scene.clock.now, words: "it answered 500" },
      }),
    ]);
    for (const [attempt, wait] of RETRY_MS.entries()) {
      // oxlint-disable-next-line no-await-in-loop -- one wait after the other
      await pass(relay, wait * 0.85);
      expect(hook.calls).toHaveLength(attempt + 1);
      // oxlint-disable-next-line no-await-in-loop -- one wait after the other
      await pass(relay, wait * 0.3);
      expect(hook.calls).toHaveLength(attempt + 2);
    }
    await pass(relay, 10 * 86_400_000);
    expect(hook.calls).toHaveLength(RETRY_MS.length + 1);
    expect(new Set(hook.calls.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    expect(hook.calls.every((call) => opened(call) !== undefined)).toBe(true);
  });

  it("that goes well in the end is not made again, and the failure is forgotten", async () => {
    const relay = await open();
    const { requester, clock } = relay.scene;
    await add(relay, requester, lowBalance(500_000));
    await spend(relay, 900_000);
    hook.answer = 503;
    await pass(relay, 0);
    hook.answer = 200;
    await pass(relay, 10_000);
    await pass(relay, KEPT_CALLS_MS);
    expect(hook.calls).toHaveLength(2);
    const [view] = await listAlerts(relay, requester);
    expect(view).toMatchObject({ delivered: 1, waiting: 0, lastDelivery: clock.now - KEPT_CALLS_MS });
    expect(view).not.toHaveProperty("lastFailure");
  });

  it("does not follow where it is sent, which might be inside the relay's network", async () => {
    const relay = await open();
    await add(relay, relay.scene.requester, lowBalance(500_000));
    await spend(relay, 900_000);
    hook.answer = 307;
    await pass(relay, 0);
    await pass(relay, 0);
    expect(hook.calls.map(({ path }) => path)).toEqual(["/hook"]);
    expect(await listAlerts(relay, relay.scene.requester)).toEqual([
      expect.objectContaining({ lastFailure: expect.objectContaining({ words: "it answered 307" }) }),
    ]);
  });

  it("that is answered with Gone ends the alert", async () => {
    const relay = await open();
    await add(relay, relay.scene.requester, lowBalance(500_000));
    await spend(relay, 900_000);
    hook.answer = 410;
    await pass(relay, 0);
    expect(await listAlerts(relay, relay.scene.requester)).toEqual([]);
  });

  it("waits out the relay's end, and what was logged while it was away is found", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tabmesh-alerts-"));
    closing.push(async () => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, "alerts.sqlite");
    const scene = await openPayoutScene();
    closing.push(async () => scene.books.close());
    const [ana] = await depositors(scene, { ana: 5_000 });
    const body: Alert = {
      ...MONEY,
      account: ana!.key,
      webhook: { url: hook.url, secret: SECRET },
      events: ["payout"],
      issuedAt: scene.clock.now,
    };
    const first = startAlerts(groundOf(path, scene));
    first.stop();
    const rows = new AlertRows(path);
    rows.add(bodyId(alertMessage, body), encode(alertMessage.schema, body), scene.clock.now);
    rows.close();
    const { batch } = await scene.books.payouts.prepare(microCredits(1));
    await scene.books.payouts.confirm(batch!.id, "transfer 1");
    // It finds the entry, and ends before it has made the call; then it runs again, and once more.
    startAlerts(groundOf(path, scene)).stop();
    expect(hook.calls).toEqual([]);
    for (let run = 0; run < 2; run += 1) {
      const alerts = startAlerts(groundOf(path, scene));
      // oxlint-disable-next-line no-await-in-loop -- one life after the other
      await alerts.deliver();
      alerts.stop();
    }
    expect(hook.calls.map(opened)).toEqual([
      expect.objectContaining({ data: expect.objectContaining({ reference: "transfer 1" }) }),
    ]);
  });
});

describe("alerts of an account", () => {
  it("are made, seen, tried and removed by the account itself and nobody else", async () => {
    const relay = await open();
    const { requester, provider } = relay.scene;
    const alert = webhookAlert(relay, requester, hook.url, lowBalance(5));
    expect(await addAlert(relay, alert, [provider])).toBe(
      "bad-signature: not signed by the account's identity itself",
    );
    const id = idOf(await addAlert(relay, alert, [requester]));
    expect(idOf(await addAlert(relay, alert, [requester]))).toBe(id);
    expect(await listAlerts(relay, requester)).toHaveLength(1);
    expect(await listAlerts(relay, requester, [provider])).toMatch(/^bad-signature/u);
    expect(await listAlerts(relay, provider)).toEqual([]);
    expect(await tryAlert(relay, provider, id)).toMatch(/^not-found/u);
    expect(await removeAlert(relay, provider, id)).toMatch(/^not-found/u);
    expect(await tryAlert(relay, requester, id)).toMatchObject({ ok: true, words: "it answered 204" });
    expect(typesOf(hook)).toEqual(["test"]);
    hook.answer = 404;
    expect(await tryAlert(relay, requester, id)).toMatchObject({ ok: false, words: "it answered 404" });
    expect(await removeAlert(relay, requester, id)).toBe("");
    expect(await listAlerts(relay, requester)).toEqual([]);
    expect(await addAlert(relay, alert, [requester])).toBe("replayed: alert: it was removed");
  });

  it("do not show the secret again, nor what a push service knows the browser by", async () => {
    const relay = await open();
    const { requester } = relay.scene;
    await add(relay, requester, lowBalance(5));
    expect(JSON.stringify(await listAlerts(relay, requester), replaceBigint)).not.toMatch(/secret|BwcHBwcH/u);
  });

  it("are not told to who has seen the request for them, nor long after it was made", async () => {
    const relay = await open();
    const { requester, clock } = relay.scene;
    const issuedAt = clock.now + 100_000;
    expect(await listAlerts(relay, requester, [requester], { issuedAt })).toEqual([]);
    expect(await listAlerts(relay, requester, [requester], { issuedAt })).toMatch(/^replayed/u);
    clock.now += 3_600_000;
    expect(await listAlerts(relay, requester, [requester], { issuedAt: issuedAt + 1 })).toMatch(/^expired/u);
  });

  it("are so many and no more, and only of who has something to do with this relay", async () => {
    const relay = await open({ isLoopback: false });
    const { requester, provider } = relay.scene;
    const at = (path: number): Partial<Alert> => ({
      ...lowBalance(5),
      webhook: { url: `${hook.url}/${path}`, secret: SECRET },
    });
    for (let path = 1; path <= 8; path += 1)
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await add(relay, requester, at(path));
    expect(
      await addAlert(relay, webhookAlert(relay, requester, hook.url, lowBalance(9)), [requester]),
    ).toMatch(/^too-large/u);
    expect(await addAlert(relay, webhookAlert(relay, provider, hook.url), [provider])).toMatch(/^denied/u);
  });

  it("at the same address take each other's place, so that nothing is told twice", async () => {
    const relay = await open();
    const { requester } = relay.scene;
    const first = await add(relay, requester, lowBalance(500_000));
    const second = await add(relay, requester, lowBalance(600_000));
    expect(await listAlerts(relay, requester)).toEqual([expect.objectContaining({ alert: second })]);
    expect(await removeAlert(relay, requester, first)).toMatch(/^not-found/u);
    await spend(relay, 900_000);
    await pass(relay, 0);
    await pass(relay, 1_000);
    expect(hook.calls).toHaveLength(1);
  });

  it("do not lead into the relay's own network unless its operator allows that", async () => {
    const relay = await open({ privateWebhooks: false });
    const { requester } = relay.scene;
    const to = async (url: string): Promise<unknown> =>
      addAlert(relay, webhookAlert(relay, requester, url, lowBalance(5)), [requester]);
    expect(await to(hook.url)).toBe("malformed: alert: it does not begin with https://");
    expect(await to("https://user:word@example.org/")).toBe(
      "malformed: alert: it has a name or password in it",
    );
    expect(await to("no address")).toBe("malformed: alert: it is no web address");
    const https = webhookAlert(relay, requester, hook.url.replace("http:", "https:"), lowBalance(5));
    const id = idOf(await addAlert(relay, https, [requester]));
    expect(await tryAlert(relay, requester, id)).toMatchObject({
      ok: false,
      words: "its address leads nowhere that this relay may call",
    });
    expect(hook.calls).toEqual([]);
  });

  it("are tried out some times and no more", async () => {
    const relay = await open();
    const { requester } = relay.scene;
    const id = await add(relay, requester, lowBalance(5));
    const tries: unknown[] = [];
    for (let turn = 0; turn < 6; turn += 1)
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      tries.push(await tryAlert(relay, requester, id));
    expect(tries.at(-1)).toMatch(/^rate-limited/u);
    expect(hook.calls).toHaveLength(5);
  });
});

function replaceBigint(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? value.toString() : value;
}
