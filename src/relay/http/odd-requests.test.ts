import { once } from "node:events";
import { request } from "node:http";
import { pino } from "pino";
import { afterEach, expect, test } from "vitest";
import { cidOf, RAW } from "../../protocol/cid.ts";
import { MESSAGE_TYPE } from "../../protocol/relay-api.ts";
import { relayConfig } from "../config.ts";
import { type Relay, startRelay } from "../start-relay.ts";

/** Requests that a fuzzer found to go wrong. */

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function start(): Promise<{ readonly relay: Relay; readonly logged: readonly string[] }> {
  const logged: string[] = [];
  const log = pino({ level: "info" }, { write: (line: string) => void logged.push(line) });
  const relay = await startRelay(relayConfig({ port: 0, dataDir: ":memory:", iceServers: [] }), { log });
  closing.push(() => relay.stop());
  return { relay, logged };
}

test("an expectation that nobody knows is passed over: it has an answer with a body like any other request", async () => {
  const { relay } = await start();
  const sent = request(`${relay.url}/v1/jobs/x`, { headers: { expect: "the unexpected" } }).end();
  const [response] = await once(sent, "response");
  expect(response.statusCode).toBe(400);
  let body = "";
  for await (const part of response.setEncoding("utf8")) body += part;
  expect(JSON.parse(body)).toMatchObject({ error: { name: "malformed" } });
});

test.each([
  ["POST", "/v1/jobs", MESSAGE_TYPE],
  ["POST", "/v1/reports", MESSAGE_TYPE],
  ["PUT", `/v1/blobs/${cidOf(RAW, new Uint8Array(1_000))}`, "application/octet-stream"],
])(
  "%s %s whose sender leaves in the middle of its body is no fault of the relay",
  async (method, path, type) => {
    const { relay, logged } = await start();
    const headers = { "content-type": type, "content-length": "1000" };
    const sent = request(relay.url + path, { method, headers });
    sent.on("error", () => undefined);
    sent.write(new Uint8Array(100), () => setTimeout(() => sent.destroy(), 50));
    await expect
      .poll(() => logged.map((line): unknown => JSON.parse(line)), { timeout: 5_000 })
      .toContainEqual(expect.objectContaining({ path, level: 30, name: "disconnected" }));
  },
);
