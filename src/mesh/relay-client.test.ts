import { Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { expect, test } from "vitest";
import { cidOf, DAG_CBOR, RAW } from "../protocol/cid.ts";
import { FailureError } from "../protocol/failure.ts";
import { peerIdFromKey } from "../protocol/peer-id.ts";
import type { AccountView } from "../protocol/relay-api.ts";
import { accountViewJson, errorView, errorViewJson } from "../protocol/relay-json.ts";
import { microCredits } from "../protocol/units.ts";
import { createRelayClient, type RelayClient } from "./relay-client.ts";
import { EventParser } from "./relay-events.ts";

const peer = peerIdFromKey(new Uint8Array(32).fill(7));
const job = cidOf(DAG_CBOR, Uint8Array.of(1));
const bytes = new Uint8Array(100_000).map((_, index) => index % 251);
const blob = cidOf(RAW, bytes);
const zero = microCredits(0);
const account: AccountView = {
  peer,
  asset: "test:localhost/0a1b2c3d",
  available: microCredits(10_000_000),
  escrowed: zero,
  pending: zero,
  held: zero,
  bond: zero,
  earned: zero,
  slashed: zero,
  paid: zero,
  payingOut: zero,
  earnedToday: zero,
  logSize: 1,
};

function clientOf(app: Hono, timeoutMs = 2_000): RelayClient {
  const throughApp: typeof fetch = async (input, init) => app.request(new Request(input, init));
  return createRelayClient({ baseUrl: "http://relay.test/", fetch: throughApp, timeoutMs });
}

async function failureOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return error instanceof FailureError ? error.message : `not a failure: ${String(error)}`;
  }
  return "no failure";
}

test("a refusal comes back with the relay's own code and detail", async () => {
  const app = new Hono();
  app.get("/v1/jobs/:job", (c) =>
    c.json(errorViewJson.write(errorView({ code: 40019, detail: "no such job" })), 404),
  );
  expect(await failureOf(clientOf(app).job(job))).toBe("not-found: no such job");
});

test.each([
  [502, "disconnected: HTTP status 502 without a failure code"],
  [500, "relay-fault: HTTP status 500 without a failure code"],
  [404, "relay-fault: HTTP status 404 without a failure code"],
] as const)("a proxy's own page with status %i is told apart from the relay", async (status, message) => {
  const app = new Hono();
  app.get("/v1/relay", (c) => c.html("<h1>Oops</h1>", status));
  expect(await failureOf(clientOf(app).info())).toBe(message);
});

test("a relay that cannot be reached is disconnected", async () => {
  const client = createRelayClient({ baseUrl: "http://127.0.0.1:1", fetch });
  expect(await failureOf(client.info())).toBe("disconnected: the relay cannot be reached");
});

test("a relay that goes silent within an answer times out", async () => {
  const app = new Hono();
  app.get("/v1/relay", (c) => c.body(new ReadableStream({ start: (to) => to.enqueue(Uint8Array.of(123)) })));
  // app.request gives the stream without the signal, as no network is in between.
  const client = createRelayClient({
    baseUrl: "http://relay.test",
    timeoutMs: 50,
    fetch: async (input, init) => {
      const { body } = await app.request(new Request(input, init));
      return new Response(body?.pipeThrough(new TransformStream(), { signal: init!.signal! }) ?? null);
    },
  });
  expect(await failureOf(client.info())).toBe("timed-out: the relay did not answer within 50 ms");
});

test("the caller's own abort comes back as its reason", async () => {
  const controller = new AbortController();
  controller.abort(new Error("changed my mind"));
  await expect(clientOf(new Hono()).info(controller.signal)).rejects.toThrow("changed my mind");
});

test("an answer above its bound is not read to the end", async () => {
  let sent = 0;
  const app = new Hono();
  app.get("/v1/log/checkpoint", (c) =>
    c.body(
      new ReadableStream({
        pull(to) {
          sent += 1_024;
          to.enqueue(new Uint8Array(1_024));
        },
      }),
    ),
  );
  expect(await failureOf(clientOf(app).checkpoint())).toMatch(/^too-large/);
  expect(sent).toBeLessThan(64 * 1_024);
});

test("a blob is handed out only when it hashes to its CID", async () => {
  let served = bytes;
  const app = new Hono();
  app.get("/v1/blobs/:cid", (c) => c.body(served.slice()));
  expect(await clientOf(app).getBlob(blob, bytes.length)).toEqual(bytes);
  expect(await failureOf(clientOf(app).getBlob(blob, bytes.length - 1))).toMatch(/^too-large/);
  served = bytes.toReversed();
  expect(await failureOf(clientOf(app).getBlob(blob, bytes.length))).toMatch(/^content-mismatch/);
});

test("a blob the relay has not is undefined, any other refusal throws", async () => {
  const app = new Hono();
  let code: 40019 | 40011 = 40019;
  app.get("/v1/blobs/:cid", (c) => c.json(errorViewJson.write(errorView({ code, detail: "" })), 404));
  expect(await clientOf(app).getBlob(blob, 1)).toBeUndefined();
  code = 40011;
  expect(await failureOf(clientOf(app).getBlob(blob, 1))).toMatch(/^denied/);
});

test("an answer that is no view is malformed", async () => {
  const app = new Hono();
  app.get("/v1/accounts/:peer", (c) => c.text("{"));
  app.get("/v1/relay", (c) => c.json({ name: 4 }));
  expect(await failureOf(clientOf(app).account(peer))).toMatch(/^malformed/);
  expect(await failureOf(clientOf(app).info())).toMatch(/^malformed: name/);
});

test("events go on through a lost connection from the last one seen", async () => {
  const resumedFrom: (string | undefined)[] = [];
  const app = new Hono();
  app.get("/v1/accounts/:peer/events", (c) => {
    const last = c.req.header("last-event-id");
    resumedFrom.push(last);
    return streamSSE(c, async (stream) => {
      await stream.write(": here\n\n");
      const id = last === undefined ? 5 : Number(last) + 1;
      const view = { ...account, logSize: id };
      await stream.writeSSE({ event: "later-kind", data: "?", id: "0" });
      await stream.writeSSE({
        event: "account",
        data: JSON.stringify(accountViewJson.write(view)),
        id: `${id}`,
      });
    });
  });
  const leaving = new AbortController();
  const ids: number[] = [];
  for await (const event of clientOf(app).events(peer, { signal: leaving.signal })) {
    ids.push(event.id);
    if (event.kind === "account") expect(event.data.logSize).toBe(event.id);
    if (ids.length === 3) leaving.abort();
  }
  expect(ids).toEqual([5, 6, 7]);
  expect(resumedFrom).toEqual([undefined, "5", "6"]);
});

test("events end with a refusal that no later attempt can change", async () => {
  const app = new Hono();
  app.get("/v1/accounts/:peer/events", (c) =>
    c.json(errorViewJson.write(errorView({ code: 40011, detail: "barred" })), 403),
  );
  const events = clientOf(app).events(peer, { signal: new AbortController().signal });
  expect(await failureOf(events[Symbol.asyncIterator]().next())).toBe("denied: barred");
});

test.each(["\n", "\r\n", "\r"])("an event stream may be cut anywhere (line end %j)", (end) => {
  const text = [
    ": comment",
    "id: 9",
    "event: account",
    `data: ${JSON.stringify(accountViewJson.write(account))}`,
    "",
    "",
  ].join(end);
  const parser = new EventParser();
  const found: unknown[] = [];
  for (const character of `${text}:`) found.push(...parser.push(character));
  expect(found).toEqual([{ id: 9, kind: "account", data: account }]);
});

test("an event without end is refused", () => {
  const parser = new EventParser();
  expect(() => [...parser.push("data: ".padEnd(280_000, "x"))]).toThrow(/too-large/);
});
