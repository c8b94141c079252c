/** Being told by the relay, and who works there: a webhook that is called, a push that becomes a notice, numbers that were measured. */
import { createECDH, createHmac, randomBytes } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { buffer } from "node:stream/consumers";
import { type Browser, type BrowserContext, expect, type Page, test } from "@playwright/test";
import { relayConfig } from "../src/relay/config.ts";
import { type Relay, startRelay } from "../src/relay/start-relay.ts";
import { addWebhook, connect } from "../src/sdk/index.ts";
import { ECHO } from "./support/functions.ts";
import { contribute, launchChromium } from "./support/tab.ts";

interface Call {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

let relay: Relay;
let hooks: Server;
let hooksUrl = "";
let browser: Browser;
let context: BrowserContext;
let page: Page;
const calls: Call[] = [];

test.beforeAll(async () => {
  const staticDir = new URL("../dist", import.meta.url).pathname;
  relay = await startRelay(
    relayConfig({
      port: 0,
      dataDir: ":memory:",
      iceServers: [],
      staticDir,
      logLevel: "error",
      privateWebhooks: true,
    }),
  );
  hooks = createServer((request, response) => {
    void (async () => {
      calls.push({ path: request.url ?? "", headers: request.headers, body: await buffer(request) });
      response.writeHead(201).end();
    })();
  });
  await new Promise<void>((resolve) => {
    hooks.listen(0, "127.0.0.1", resolve);
  });
  const address = hooks.address();
  hooksUrl = typeof address === "object" ? `http://127.0.0.1:${address?.port}` : "";
  browser = await launchChromium();
  context = await browser.newContext({ permissions: ["notifications"] });
  page = await context.newPage();
});
test.afterAll(async () => {
  await browser.close();
  hooks.close();
  await relay.stop();
});

test.describe.configure({ mode: "serial" });

/** What a call says, if it is signed with the secret. */
function opened({ headers, body }: Call, secret: Uint8Array): unknown {
  const [id, time] = [headers["webhook-id"], headers["webhook-timestamp"]];
  const mac = createHmac("sha256", secret)
    .update(`${String(id)}.${String(time)}.`)
    .update(body)
    .digest("base64");
  return headers["webhook-signature"] === `v1,${mac}` ? JSON.parse(body.toString()) : undefined;
}

/**
 * In place of the browser's push service, which is its maker's and not to be had here: a subscription whose endpoint is the server of
 * this test. Relay, keys, sealing and service worker are the real ones.
 */
async function replacePushService(target: Page, endpoint: string): Promise<void> {
  const keys = createECDH("prime256v1");
  keys.generateKeys();
  const given = { endpoint, p256dh: [...keys.getPublicKey()], auth: [...randomBytes(16)] };
  await target.addInitScript(({ endpoint: to, p256dh, auth }) => {
    const subscription = {
      endpoint: to,
      getKey: (name: string) => new Uint8Array(name === "auth" ? auth : p256dh).buffer,
    };
    PushManager.prototype.getSubscription = () => Promise.resolve(null);
    PushManager.prototype.subscribe = () => Promise.resolve(subscription as unknown as PushSubscription);
  }, given);
}

test("a webhook is called when the balance falls, by the relay alone and signed", async () => {
  await replacePushService(page, `${hooksUrl}/push`);
  await page.goto(relay.url);
  await contribute(page);
  const seed = new Uint8Array(randomBytes(32));
  const account = { relay: relay.url, seed };
  const client = await connect({ ...account, iceServers: [] });
  const { secret } = await addWebhook(account, `${hooksUrl}/hook`, {
    events: ["low-balance"],
    below: 10_000_000n,
  });
  const job = await client.map(ECHO, [new Uint8Array(8), new Uint8Array(16)]);
  let done = 0;
  for await (const result of job) if (result.kind === "done") done += 1;
  await job.summary;
  await client.close();
  expect(done).toBe(2);
  await expect.poll(() => calls.length).toBe(1);
  expect(opened(calls[0]!, secret)).toMatchObject({ type: "low-balance", data: { below: "10000000" } });
});

test("the page Network shows who works, as it was measured", async () => {
  await page.goto(`${relay.url}/#/network`);
  const figures = page.locator(".network-figures");
  await expect(figures).toContainText("In the last 10 minutes: 1 by");
  await expect(figures).toContainText("2 tasks");
  await expect(page.locator(".network-measured")).toContainText("Measured");
  await expect(page.getByRole("row", { name: /^First results/u })).toContainText(/\d m?s\s*1$/u);
  await expect(page.getByRole("img", { name: /^The relay, 1 provider/u })).toBeVisible();
});

test("a browser that wants to be told is tried out, and shows what its service worker is pushed", async () => {
  await page.goto(`${relay.url}/#/earnings`);
  await page.getByRole("button", { name: "Set up alerts" }).click();
  await page.getByRole("button", { name: "Tell me in this browser" }).click();
  const row = page.locator(".alert-row");
  await expect(row).toContainText("Notices in a browser, through 127.0.0.1");
  await row.getByRole("button", { name: /^Test/u }).click();
  await expect(row).toContainText("The test arrived: it answered 201");
  const pushed = calls.at(-1);
  expect(pushed?.path).toBe("/push");
  expect(pushed?.headers).toMatchObject({
    "content-encoding": "aes128gcm",
    authorization: expect.stringMatching(/^vapid /u),
  });

  const debugging = await context.newCDPSession(page);
  const registered = Promise.withResolvers<string>();
  debugging.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
    const [first] = registrations;
    if (first !== undefined) registered.resolve(first.registrationId);
  });
  await debugging.send("ServiceWorker.enable");
  const data = { relayName: "Test relay", words: "A test of words.", event: "payout.1" };
  await debugging.send("ServiceWorker.deliverPushMessage", {
    origin: relay.url,
    registrationId: await registered.promise,
    data: JSON.stringify({ type: "payout", data }),
  });
  const notices = (): Promise<readonly string[]> =>
    page.evaluate(async () => {
      const { ready } = navigator.serviceWorker;
      const shown = await (await ready).getNotifications();
      return shown.map(({ title, body, tag }) => `${title} | ${body} | ${tag}`);
    });
  await expect.poll(notices).toEqual(["Payout · Test relay | A test of words. | payout.1"]);

  await row.getByRole("button", { name: /^Remove/u }).click();
  await expect(row).toHaveCount(0);
});
