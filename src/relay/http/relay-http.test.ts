import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { cidOf, RAW } from "../../protocol/cid.ts";
import { parseCheckpoint } from "../../protocol/checkpoint.ts";
import { MAX_BLOB_BYTES } from "../../protocol/limits.ts";
import { verifyInclusion } from "../../protocol/merkle.ts";
import { inclusionSchema } from "../../protocol/messages/receipt.ts";
import { keyFromPeerId } from "../../protocol/peer-id.ts";
import { RELAY_PATHS } from "../../protocol/relay-api.ts";
import { relayInfoJson } from "../../protocol/relay-json.ts";
import { decode } from "../../protocol/schema.ts";
import { ORIGIN } from "../books/books-scene.contract.ts";
import { MAX_MESSAGE_REQUEST_BYTES } from "../limits.ts";
import {
  from,
  openRelayScene,
  post,
  refusalOf,
  type RelayScene,
  type RelaySceneOptions,
} from "../relay-scene.contract.ts";
import { openApi } from "./open-api.ts";
import { GATEWAY_PATHS } from "../gateway/gateway-paths.ts";
import { OPERATOR_PATHS } from "./operator-routes.ts";
import { TILE_PATHS } from "./tile-routes.ts";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function open(options: RelaySceneOptions = {}): Promise<RelayScene> {
  const relay = await openRelayScene(options);
  closing.push(() => relay.close());
  return relay;
}

const bytes = new Uint8Array(1_000).fill(9);
const blob = cidOf(RAW, bytes);

test("the relay says who it is", async () => {
  const { http, scene } = await open();
  const info = relayInfoJson.read(await (await http.request("/v1/relay")).json());
  expect(info).toMatchObject({ origin: ORIGIN, testMoney: true, profiles: [1], wireVersions: [1] });
  expect(info.keys).toEqual(scene.books.keys());
});

test("every path of the interface is answered, and described in the OpenAPI document, and nothing else", async () => {
  const { http } = await open();
  const routes = http.routes
    .filter(({ method, path }) => method !== "ALL" && path !== "/" && path !== "/*")
    .map(({ method, path }) => `${method} ${path.replace("{.+}", "")}`);
  const document: unknown = await (await http.request("/openapi.json")).json();
  expect(document).toEqual(JSON.parse(JSON.stringify(openApi("0.1.0"))));
  const described = Object.entries(openApi("0.1.0")["paths"] as Record<string, object>).flatMap(
    ([path, methods]) =>
      Object.keys(methods).map(
        (method) => `${method.toUpperCase()} ${path.replaceAll(/\{([a-z]+)\}/gu, ":$1")}`,
      ),
  );
  expect([...new Set(routes)].toSorted()).toEqual(described.toSorted());
  const answered = new Set(routes.map((route) => route.split(" ")[1]));
  expect(answered).toEqual(
    new Set([
      ...Object.values(RELAY_PATHS),
      ...Object.values(OPERATOR_PATHS),
      ...Object.values(GATEWAY_PATHS),
      ...Object.values(TILE_PATHS),
    ]),
  );
});

test("every reference of the OpenAPI document leads somewhere", () => {
  const document = openApi("0.1.0");
  const names = [...JSON.stringify(document).matchAll(/#\/components\/schemas\/(\w+)/gu)].map(
    ([, name]) => name,
  );
  const { schemas } = document["components"] as { schemas: object };
  expect(names.length).toBeGreaterThan(10);
  expect(Object.keys(schemas)).toEqual(expect.arrayContaining(names));
});

test("the log is served so that it can be checked", async () => {
  const { http, scene } = await open();
  const note = await (await http.request("/v1/log/checkpoint")).text();
  const head = parseCheckpoint(note, ORIGIN, keyFromPeerId(scene.books.keys().log));
  const answer = await http.request("/v1/log/inclusion?index=1");
  const inclusion = decode(inclusionSchema, new Uint8Array(await answer.arrayBuffer()));
  expect(verifyInclusion(inclusion.leaf, 1, head.size, inclusion.proof, head.root)).toBe(true);
  const entry = await http.request("/v1/log/entries/1");
  expect(new Uint8Array(await entry.arrayBuffer())).toEqual(new Uint8Array(scene.books.entry(1)!));
  expect(entry.headers.get("cache-control")).toMatch(/immutable/);
  expect(await (await http.request("/v1/log/key-rotations")).json()).toEqual({ indices: [] });
});

test.each([
  ["/v1/log/entries/99", 404, /not-found/],
  ["/v1/log/entries/-1", 400, /malformed: index/],
  ["/v1/log/inclusion?index=99", 404, /not-found/],
  ["/v1/log/inclusion", 400, /malformed: index/],
  ["/v1/log/consistency?from=2&to=1", 404, /not-found/],
  [`/v1/jobs/${blob}`, 404, /not-found: no such job/],
  ["/v1/jobs/x", 400, /malformed: job/],
  ["/v1/accounts/me", 400, /malformed: peer/],
  ["/v1/nothing", 404, /not-found/],
])("GET %s is refused with %i and a code", async (path, status, message) => {
  const { http } = await open();
  const response = await http.request(path);
  expect(response.status).toBe(status);
  expect(await refusalOf(response)).toMatch(message);
});

test.each([
  ["nothing", new Uint8Array(0), 400],
  ["noise", new Uint8Array(100).fill(0xff), 400],
  ["more than a message", new Uint8Array(MAX_MESSAGE_REQUEST_BYTES + 1), 413],
])("a message request with %s is refused", async (_what, body, status) => {
  const relay = await open();
  const answers = [
    "/v1/jobs",
    "/v1/reports",
    "/v1/revocations",
    `/v1/jobs/${blob}/close`,
    `/v1/leases/${blob}/cancel`,
  ];
  for (const path of answers) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const response = await post(relay, path, body);
    expect([path, response.status]).toEqual([path, status]);
  }
});

test("a body that hides its length is cut off at the bound", async () => {
  const { http } = await open();
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(to) {
      sent += 10_000;
      to.enqueue(new Uint8Array(10_000));
    },
  });
  const init: RequestInit & { duplex: "half" } = { method: "POST", body, duplex: "half" };
  expect((await http.request("/v1/jobs", init)).status).toBe(413);
  expect(sent).toBeLessThan(3 * MAX_MESSAGE_REQUEST_BYTES);
});

test("a blob comes back as bytes that no browser takes for a page", async () => {
  const { http } = await open();
  const put = await http.request(`/v1/blobs/${blob}`, { method: "PUT", body: bytes });
  expect(put.status).toBe(204);
  const got = await http.request(`/v1/blobs/${blob}`);
  expect(new Uint8Array(await got.arrayBuffer())).toEqual(bytes);
  expect(Object.fromEntries(got.headers)).toMatchObject({
    "content-type": "application/octet-stream",
    "x-content-type-options": "nosniff",
    "content-disposition": `attachment; filename="${blob}"`,
    "content-security-policy": "sandbox; default-src 'none'",
    "content-length": "1000",
  });
  const head = await http.request(`/v1/blobs/${blob}`, { method: "HEAD" });
  expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([200, "1000", ""]);
});

test("a blob under another CID, one too large and one denied are refused", async () => {
  const { http, scene } = await open();
  const other = cidOf(RAW, Uint8Array.of(1));
  const wrong = await http.request(`/v1/blobs/${other}`, { method: "PUT", body: bytes });
  expect(await refusalOf(wrong)).toMatch(/content-mismatch/);
  const headers = { "content-length": String(MAX_BLOB_BYTES + 1) };
  const large = await http.request(`/v1/blobs/${other}`, { method: "PUT", body: bytes, headers });
  expect(large.status).toBe(413);
  expect((await http.request(`/v1/blobs/${other}`)).status).toBe(404);
  await http.request(`/v1/blobs/${blob}`, { method: "PUT", body: bytes });
  await scene.books.deny("cid", blob, "mines");
  const denied = await http.request(`/v1/blobs/${blob}`);
  expect([denied.status, await refusalOf(denied)]).toEqual([403, `denied: ${blob} is not served here`]);
  expect((await http.request(`/v1/blobs/${blob}`, { method: "PUT", body: bytes })).status).toBe(403);
});

test("browsers of other origins may ask, without credentials", async () => {
  const { http } = await open();
  const preflight = await http.request("/v1/jobs", {
    method: "OPTIONS",
    headers: {
      origin: "https://shop.example",
      "access-control-request-method": "POST",
      "access-control-request-headers": "content-type",
    },
  });
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get("access-control-allow-origin")).toBe("*");
  expect(preflight.headers.get("access-control-allow-headers")).toMatch(/content-type/i);
  expect(preflight.headers.get("access-control-allow-credentials")).toBe(null);
  const refused = await http.request("/v1/nothing", { headers: { origin: "https://shop.example" } });
  expect(refused.headers.get("access-control-allow-origin")).toBe("*");
});

test("one address has its share of requests, and another is not touched by that", async () => {
  const relay = await open({ addressBurst: 3 });
  const statuses: number[] = [];
  for (let count = 0; count < 5; count += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const response = await relay.http.request("/v1/relay", {}, from("192.0.2.1"));
    statuses.push(response.status);
  }
  expect(statuses).toEqual([200, 200, 200, 429, 429]);
  expect((await relay.http.request("/v1/relay", {}, from("192.0.2.2"))).status).toBe(200);
  relay.scene.clock.now += 1_000;
  expect((await relay.http.request("/v1/relay", {}, from("192.0.2.1"))).status).toBe(200);
});

test("behind a configured proxy the forwarded address has the share; a forged header buys nothing", async () => {
  const relay = await open({ addressBurst: 1, trustedProxies: ["10.0.0.1"] });
  async function ask(remote: string, forwarded: string): Promise<number> {
    const headers = { "x-forwarded-for": forwarded };
    return (await relay.http.request("/v1/relay", { headers }, from(remote))).status;
  }
  expect(await ask("10.0.0.1", "192.0.2.1")).toBe(200);
  expect(await ask("10.0.0.1", "192.0.2.2")).toBe(200);
  expect(await ask("10.0.0.1", "6.6.6.6, 192.0.2.2")).toBe(429);
  expect(await ask("192.0.2.9", "1.1.1.1")).toBe(200);
  expect(await ask("192.0.2.9", "2.2.2.2")).toBe(429);
});

test("metrics are for the operator's networks alone, and count what happened", async () => {
  const relay = await open();
  await relay.http.request("/v1/nothing", {}, from("192.0.2.1"));
  await relay.http.request(`/v1/accounts/${relay.scene.requester.key}`, {}, from("192.0.2.1"));
  expect((await relay.http.request("/metrics", {}, from("192.0.2.1"))).status).toBe(403);
  const text = await (await relay.http.request("/metrics", {}, from("127.0.0.1"))).text();
  expect(text).toMatch(/^tabmesh_refusals_total\{code="not-found"\} 1$/mu);
  expect(text).toMatch(/^tabmesh_log_size 3$/mu);
  expect(text).toMatch(
    /tabmesh_http_seconds_count\{method="GET",route="\/v1\/accounts\/:peer",status="200"\} 1/u,
  );
  expect(text).not.toContain(relay.scene.requester.key);
});

test("a refusal leaves one line with code and address, without the request's content", async () => {
  const relay = await open();
  await post(relay, "/v1/jobs", new TextEncoder().encode("a secret"), "192.0.2.1");
  expect(relay.logged).toHaveLength(1);
  expect(relay.logged[0]).toMatchObject({ address: "192.0.2.1", path: "/v1/jobs", name: "malformed" });
  expect(JSON.stringify(relay.logged)).not.toContain("secret");
});

test("health is told with its parts", async () => {
  const { http } = await open();
  const response = await http.request("/healthz");
  expect([response.status, await response.json()]).toEqual([
    200,
    { ok: true, books: true, disk: true, mesh: true },
  ]);
});

function builtPages(): string {
  const folder = mkdtempSync(join(tmpdir(), "pages-"));
  closing.push(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "assets"));
  writeFileSync(join(folder, "index.html"), "<!doctype html><title>Tabmesh</title>");
  writeFileSync(join(folder, "assets", "app-0a1B2c3D.js"), "export {};");
  writeFileSync(join(folder, "assets", "sandbox-0a1B2c3D.js"), "export {};");
  writeFileSync(join(folder, "sw.js"), "self");
  return folder;
}

const asPage = { headers: { accept: "text/html,*/*" } };

test("pages are served isolated, hashed files for good and others to be asked for again", async () => {
  const { http } = await open({ staticDir: builtPages() });
  const index = await http.request("/", asPage);
  expect(await index.text()).toContain("<title>Tabmesh");
  expect(Object.fromEntries(index.headers)).toMatchObject({
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
  });
  const policy = index.headers.get("content-security-policy") ?? "";
  for (const part of [
    "default-src 'self'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "connect-src 'self' ws: wss:",
    "frame-ancestors 'none'",
  ])
    expect(policy.split("; ")).toContain(part);
  const script = await http.request("/assets/app-0a1B2c3D.js");
  expect(script.headers.get("content-type")).toMatch(/javascript/);
  expect(script.headers.get("cache-control")).toMatch(/immutable/);
  expect((await http.request("/sw.js")).headers.get("cache-control")).toBe("no-cache");
});

async function threadPolicy(script: string): Promise<string | null> {
  const { http } = await open({ staticDir: builtPages() });
  return (await http.request(`/assets/${script}`)).headers.get("content-security-policy");
}

const NOTHING = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'none'";

test("the sandbox's script may reach nothing", async () => {
  expect(await threadPolicy("sandbox-0a1B2c3D.js")).toBe(NOTHING);
});

test("the script of models may reach nothing", async () => {
  expect(await threadPolicy("inference.worker-0a1B2c3D.js")).toBe(NOTHING);
});

test("the script that fetches for others may reach web servers, and no page may", async () => {
  expect(await threadPolicy("fetch.worker-0a1B2c3D.js")).toBe(
    "default-src 'none'; connect-src https: http://localhost:* http://127.0.0.1:*",
  );
  const { http } = await open({ staticDir: builtPages() });
  const elsewhere = await http.request("https://relay.example/assets/fetch.worker-0a1B2c3D.js");
  expect(elsewhere.headers.get("content-security-policy")).toBe("default-src 'none'; connect-src https:");
  const page = await http.request("https://relay.example/", asPage);
  expect(page.headers.get("content-security-policy")).toContain("connect-src 'self' ws: wss:;");
});

test("the sandbox's frame has no origin, starts threads from its own text alone, and names its one script by its hash", async () => {
  const document = readFileSync(new URL("../../../public/sandbox.html", import.meta.url), "utf8");
  const folder = builtPages();
  writeFileSync(join(folder, "sandbox.html"), document);
  const { http } = await open({ staticDir: folder });
  const answer = await http.request("/sandbox.html", asPage);
  expect(await answer.text()).toBe(document);
  expect(answer.headers.get("cross-origin-resource-policy")).toBe("cross-origin");
  const policy = answer.headers.get("content-security-policy")?.split("; ");
  expect(policy).toEqual(
    expect.arrayContaining([
      "sandbox allow-scripts",
      "default-src 'none'",
      "connect-src 'none'",
      "worker-src blob:",
      "frame-ancestors 'self'",
    ]),
  );
  const script = /<script>(?<text>.*)<\/script>/su.exec(document)?.groups?.["text"] ?? "";
  const hash = createHash("sha256").update(script).digest("base64");
  expect(document).toContain(`script-src 'sha256-${hash}' 'wasm-unsafe-eval'; worker-src blob:`);
});

test("a page of the app answers with the shell; a missing file, a path above the folder and the interface do not", async () => {
  const { http } = await open({ staticDir: builtPages() });
  expect(await (await http.request("/earnings", asPage)).text()).toContain("<title>Tabmesh");
  for (const path of ["/missing.js", "/v1/nothing", "/..%2f..%2fetc%2fpasswd", "/earnings.php"]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const response = await http.request(path, asPage);
    expect([path, response.status]).toEqual([path, 404]);
  }
  expect((await http.request("/earnings")).status).toBe(404);
});

test("without pages the relay says where its interface is described", async () => {
  const { http } = await open();
  expect(await (await http.request("/")).text()).toContain("/openapi.json");
});
