import { createHmac, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { relayConfig } from "../../relay/config.ts";
import { backupTo, restoreFrom } from "../../relay/operate.ts";
import { type Relay, startRelay } from "../../relay/start-relay.ts";
import { addWebhook, listAlerts, pushKey } from "../../sdk/index.ts";
import { type Ended, runTabmesh } from "../command-line.contract.ts";

let home = "";
let relay: Relay;
let server: Server;
let url = "";
let status = 200;
const calls: { readonly headers: IncomingHttpHeaders; readonly body: string }[] = [];

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "tabmesh-alerts-"));
  const config = relayConfig({
    port: 0,
    dataDir: ":memory:",
    iceServers: [],
    logLevel: "silent",
    privateWebhooks: true,
  });
  relay = await startRelay(config);
  server = createServer((request, response) => {
    void (async () => {
      calls.push({ headers: request.headers, body: (await buffer(request)).toString() });
      response.writeHead(status).end();
    })();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  url = typeof address === "object" ? `http://127.0.0.1:${address?.port}/hook` : "";
});
afterAll(async () => {
  await relay.stop();
  server.close();
  await rm(home, { recursive: true });
});

function alerts(...args: readonly string[]): Promise<Ended> {
  return runTabmesh(["alerts", ...args, "--relay", relay.url], { TABMESH_HOME: home });
}

test("a webhook is made, tried out, listed and removed, and its calls are signed by the secret that was shown once", async () => {
  const made = await alerts("add", url, "--on", "payout", "--below", "0.5");
  expect([made.exit, made.stderr]).toEqual([0, ""]);
  const [secret = ""] = made.stdout.split("\n");
  expect(secret).toMatch(/^whsec_[\w+/]{43}=$/u);
  expect(made.stdout).toContain(`${url} is called about: payout, low balance.`);
  const [, name = ""] = /alerts test (?<name>bafy\w+)/u.exec(made.stdout) ?? [];
  expect((await alerts("test", name)).stdout).toMatch(
    /^The call was taken after \d+ ms: it answered 200\.$/mu,
  );
  const [call] = calls;
  const { "webhook-id": id, "webhook-timestamp": time, "webhook-signature": signature } = call!.headers;
  const key = Buffer.from(secret.slice("whsec_".length), "base64");
  const mac = createHmac("sha256", key)
    .update(`${String(id)}.${String(time)}.${call!.body}`)
    .digest("base64");
  expect(signature).toBe(`v1,${mac}`);
  expect(JSON.parse(call!.body)).toMatchObject({ type: "test" });
  const listed = await alerts("list");
  expect(listed.stdout).toBe(`${name}\n  ${url}  payout, balance below 0.50  0 delivered, 0 waiting\n`);
  expect(listed.stdout).not.toContain(secret.slice(6, 20));
  status = 500;
  const failed = await alerts("test", name);
  expect([failed.exit, failed.stderr]).toEqual([1, expect.stringContaining("it answered 500")]);
  expect(JSON.parse((await alerts("list", "--json")).stdout)).toMatchObject({
    ok: true,
    alerts: [{ alert: name, below: "500000", events: ["payout", "low-balance"] }],
  });
  expect((await alerts("remove", name)).stdout).toContain(`Removed ${name}`);
  expect((await alerts("list")).stdout).toBe("There are no alerts.\n");
});

test("what is wrong with a command line is said", async () => {
  const noAmount = await alerts("add", url, "--on", "low-balance");
  expect([noAmount.exit, noAmount.stderr]).toEqual([2, expect.stringContaining("--below CREDITS")]);
  expect((await alerts("add", "example.org")).exit).toBe(2);
  expect((await alerts("add", url, "--on", "earthquake")).exit).toBe(2);
  const unknown = await alerts("remove", "nobody");
  expect([unknown.exit, unknown.stderr]).toEqual([2, expect.stringContaining("names no alert")]);
});

test("alerts are in a relay's backup, with the key by which browsers know it", async () => {
  const folder = await mkdtemp(join(tmpdir(), "tabmesh-alerts-kept-"));
  const config = relayConfig({ port: 0, iceServers: [], logLevel: "silent", privateWebhooks: true });
  const seed = new Uint8Array(randomBytes(32));
  const first = await startRelay({ ...config, dataDir: join(folder, "first") });
  const { alert } = await addWebhook({ relay: first.url, seed }, url, { events: ["payout"] });
  const key = await pushKey({ relay: first.url, seed });
  await backupTo(join(folder, "first"), join(folder, "backup"));
  await first.stop();
  await restoreFrom(join(folder, "backup"), join(folder, "second"));
  const second = await startRelay({ ...config, dataDir: join(folder, "second") });
  expect(await listAlerts({ relay: second.url, seed })).toEqual([alert]);
  expect(await pushKey({ relay: second.url, seed })).toBe(key);
  await second.stop();
  await rm(folder, { recursive: true });
});
