import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { HttpRequest } from "../../effects/effect-ports.ts";
import { relayExchange } from "./relay-exchange.ts";

let server: Server;
let port: number;
const hosts: (string | undefined)[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    hosts.push(request.headers.host);
    if (request.url === "/large") response.end(Buffer.alloc(100_000));
    else if (request.url === "/moved") response.writeHead(301, { location: "/" }).end();
    else if (request.url === "/silent") response.flushHeaders();
    else response.writeHead(200, { "x-two": ["a", "b"] }).end("hello");
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  port = typeof address === "object" && address !== null ? address.port : 0;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const never = new AbortController().signal;

function asked(path: string, host = "documents.example.org"): HttpRequest {
  return { url: new URL(`http://${host}:${port}${path}`), method: "GET", headers: {}, maxBytes: 50_000 };
}

test("a name that leads inside is refused, all of its addresses count, and nobody learns where it led", async () => {
  for (const addresses of [
    ["127.0.0.1"],
    ["93.184.215.14", "10.0.0.1"],
    ["::ffff:127.0.0.1"],
    ["fe80::1"],
    [],
  ]) {
    const exchange = relayExchange({ isLocal: () => false, resolve: () => Promise.resolve(addresses) });
    // oxlint-disable-next-line no-await-in-loop
    const error: unknown = await exchange(asked("/"), never).catch((thrown: unknown) => thrown);
    expect(String(error)).toBe(
      `FailureError: effect-refused: http://documents.example.org:${port} leads nowhere that the relay may ask`,
    );
  }
  expect(hosts).toEqual([]);
});

test("a name is looked up once, and the connection goes to the address that was checked", async () => {
  const seen: string[] = [];
  const exchange = relayExchange({
    isLocal: () => true,
    resolve: (host) => {
      seen.push(host);
      // What it leads to the second time nobody asks.
      return Promise.resolve(seen.length === 1 ? ["127.0.0.1"] : ["203.0.113.1"]);
    },
  });
  const answer = await exchange(asked("/"), never);
  expect(answer).toMatchObject({ status: 200, headers: { "x-two": "a, b" } });
  expect(Buffer.from(answer.body).toString()).toBe("hello");
  expect(seen).toEqual(["documents.example.org"]);
  expect(hosts).toEqual([`documents.example.org:${port}`]);
});

test("a redirect is not followed, a large answer is broken off, and waiting ends with the signal", async () => {
  const exchange = relayExchange({ isLocal: () => true, resolve: () => Promise.resolve(["127.0.0.1"]) });
  expect(await exchange(asked("/moved"), never)).toMatchObject({ status: 301, headers: { location: "/" } });
  await expect(exchange(asked("/large"), never)).rejects.toThrow(/output-too-large/u);
  const late = AbortSignal.timeout(50);
  await expect(exchange(asked("/silent"), late)).rejects.toThrow(/timeout/u);
  expect(late.aborted).toBe(true);
  const nobody = { ...asked("/"), url: new URL("http://documents.example.org:1/") };
  await expect(exchange(nobody, never)).rejects.toThrow(
    /^effect-failed: http:\/\/documents.example.org:1 did not answer/u,
  );
});
