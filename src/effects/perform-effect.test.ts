import { describe, expect, it, test } from "vitest";
import { cidOf, RAW } from "../protocol/cid.ts";
import { FailureError } from "../protocol/failure.ts";
import type { Capability } from "../protocol/messages/effect.ts";
import { browserExchange } from "./browser-exchange.ts";
import type { EffectPorts, HttpRequest } from "./effect-ports.ts";
import { performEffect, type PerformedEffect } from "./perform-effect.ts";
import { capabilityOf, PLACE, portsOf, requestOf } from "./requests.contract.ts";

const never = new AbortController().signal;

function perform(
  capability: Capability,
  request: unknown,
  ports: EffectPorts = portsOf(),
): Promise<PerformedEffect> {
  return performEffect({ capability, request: requestOf(request), place: PLACE }, ports, never);
}

async function refusal(capability: Capability, request: unknown, ports?: EffectPorts): Promise<string> {
  const sent: HttpRequest[] = [];
  const error: unknown = await perform(capability, request, ports ?? portsOf({}, sent)).catch(
    (thrown: unknown) => thrown,
  );
  expect(sent).toEqual([]);
  if (!(error instanceof FailureError)) throw new Error("it was carried out");
  return error.message;
}

const url = "https://example.org/a";

/** A server that answers so. */
function answer(body: string, status = 200): Partial<EffectPorts> {
  return { exchange: () => Promise.resolve({ status, headers: {}, body: new TextEncoder().encode(body) }) };
}

function random(changes: Partial<typeof PLACE>): Promise<PerformedEffect> {
  const order = {
    capability: capabilityOf("random"),
    request: requestOf({}),
    place: { ...PLACE, ...changes },
  };
  return performEffect(order, portsOf(), never);
}

describe("a fetch", () => {
  it("goes out as it was asked for, and its record tells what came", async () => {
    const sent: HttpRequest[] = [];
    const request = { url: `${url}?q=1#part`, headers: { Accept: "text/plain" }, as: "text" };
    const { value, record } = await perform(capabilityOf("fetch"), request, portsOf({}, sent));
    expect(sent).toMatchObject([{ method: "GET", headers: { accept: "text/plain" }, maxBytes: 10_000 }]);
    expect(sent[0]?.url.href).toBe(`${url}?q=1`);
    expect(Buffer.from(value).toString()).toBe("an answer");
    expect(record).toMatchObject({ status: 200, at: 1_700_000_000_000, size: 9, place: PLACE });
    expect(record.response).toBe(cidOf(RAW, value));
  });

  it("tells status and harmless headers where the whole answer is asked for, and never a cookie", async () => {
    const { value } = await perform(capabilityOf("fetch"), { url, as: "response" });
    expect(JSON.parse(Buffer.from(value).toString())).toEqual({
      status: 200,
      headers: { "content-type": "text/plain", etag: "e" },
      body: "an answer",
    });
  });

  test.each([
    ["another origin", { url: "https://example.com/" }, /does not name the origin https:\/\/example.com/],
    ["another port", { url: "https://example.org:8443/" }, /does not name the origin/],
    ["another scheme", { url: "http://example.org/" }, /does not name the origin/],
    ["a name that only begins alike", { url: "https://example.org.evil.com/" }, /does not name the origin/],
    ["no web address", { url: "file:///etc/passwd" }, /is not a web address/],
    ["a name and a password", { url: "https://user:pass@example.org/" }, /name or password/],
    ["another method", { url, method: "DELETE" }, /does not name the method DELETE/],
    ["a body without a method for it", { url, body: "x" }, /a GET has no body/],
    ["two bodies", { url, method: "POST", body: "x", bodyBase64: "eA==" }, /one body/],
    ["a cookie", { url, headers: { Cookie: "a=b" } }, /header cookie is not the asker's/],
    ["another host", { url, headers: { host: "inside" } }, /header host is not the asker's/],
    ["a forged sender", { url, headers: { "X-Forwarded-For": "10.0.0.1" } }, /x-forwarded-for is not/],
    ["a browser's own header", { url, headers: { "Sec-Fetch-Site": "none" } }, /sec-fetch-site is not/],
    ["credentials in the clear", { url, headers: { authorization: "Bearer abc" } }, /nothing in the clear/],
    [
      "a second header in a value",
      { url, headers: { a: "b\r\nhost: inside" } },
      /a value that no header has/,
    ],
    ["a name that is no header's", { url, headers: { "a:b": "c" } }, /characters that no header has/],
    ["a header twice", { url, headers: { A: "1", a: "2" } }, /is there twice/],
    [
      "a secret that the capability does not name",
      { url, headers: { "x-key": "{secret:key}" } },
      /not name the secret key/,
    ],
    ["a secret in the address", { url: `${url}?k={secret:key}` }, /secrets stand in headers alone/],
    ["a field that there is none of", { url, redirect: "follow" }, /has no field "redirect"/],
  ])("is refused for %s, and nothing goes out", async (_what, request, why) => {
    expect(await refusal(capabilityOf("fetch"), request)).toMatch(why);
  });

  test.each([
    "https://127.0.0.1",
    "https://10.0.0.5",
    "https://192.168.1.1",
    "https://169.254.169.254",
    "https://[::1]",
    "https://[fd00::1]",
    "https://[::ffff:a00:1]",
    "https://localhost.",
    "https://localhost",
    "https://printer",
    "https://router.local",
    "https://wiki.corp.internal",
    "https://nas.lan",
    "https://api.localhost",
    "http://example.org",
  ])("does not go to %s, even where the capability names it", async (origin) => {
    const capability = capabilityOf("fetch", { origins: [origin] });
    expect(await refusal(capability, { url: `${origin}/` })).toMatch(/private network|not encrypted/);
  });

  it("does not go to numbers that are an address, however they are spelled", async () => {
    const capability = capabilityOf("fetch", { origins: ["https://127.0.0.1"] });
    for (const spelled of ["2130706433", "0x7f.1", "0177.0.0.1", "127.1"])
      // oxlint-disable-next-line no-await-in-loop
      expect(await refusal(capability, { url: `https://${spelled}/` })).toMatch(/private network/);
  });

  it("goes to an address of a private network that whoever runs this has named, and to no other port of it", async () => {
    const capability = capabilityOf("fetch", { origins: ["http://127.0.0.1:9000", "http://127.0.0.1:9001"] });
    const ports = portsOf({ localOrigins: ["http://127.0.0.1:9000"] });
    expect((await perform(capability, { url: "http://127.0.0.1:9000/" }, ports)).record.status).toBe(200);
    expect(await refusal(capability, { url: "http://127.0.0.1:9001/" }, ports)).toMatch(/private network/);
  });

  it("fails where more comes than the capability allows, where nothing usable comes, and where it takes too long", async () => {
    const fetching = capabilityOf("fetch", { maxBytes: 4, timeoutMs: 30 });
    await expect(perform(fetching, { url }, portsOf(answer("12345")))).rejects.toThrow(/output-too-large/);
    await expect(perform(fetching, { url }, portsOf(answer("no", 404)))).rejects.toThrow(/answered 404/);
    await expect(perform(fetching, { url, as: "json" }, portsOf(answer("{")))).rejects.toThrow(/no JSON/);
    const waiting = portsOf({
      exchange: (_request, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(new Error("late")), { once: true });
        }),
    });
    await expect(perform(fetching, { url }, waiting)).rejects.toThrow(/^deadline: no answer within 30 ms/);
  });

  it("gives a secret to the header that names it, and says only its name where it is missing", async () => {
    const sent: HttpRequest[] = [];
    const capability = capabilityOf("fetch", { secrets: ["key"] });
    const request = { url, headers: { authorization: "Bearer {secret:key}" } };
    await perform(capability, request, portsOf({ secret: () => "s3cr3t" }, sent));
    expect(sent[0]?.headers).toEqual({ authorization: "Bearer s3cr3t" });
    expect(await refusal(capability, request)).toMatch(/the secret key was not sealed to this peer/);
  });
});

test("a browser's fetch goes out without credentials and follows nothing, and its failures are all alike", async () => {
  const inits: RequestInit[] = [];
  const exchange = browserExchange(async (_url, init) => {
    inits.push(init);
    return Promise.reject(new TypeError("Failed to fetch: redirect to http://192.168.0.1 refused"));
  });
  const asked = { url: new URL(url), method: "GET", headers: {}, maxBytes: 10 };
  await expect(exchange(asked, never)).rejects.toThrow(
    /^effect-failed: https:\/\/example.org did not answer a browser/,
  );
  expect(inits).toMatchObject([
    {
      redirect: "error",
      credentials: "omit",
      referrerPolicy: "no-referrer",
      cache: "no-store",
      mode: "cors",
    },
  ]);
});

test("a browser's answer is broken off where it is too large", async () => {
  let cancelled = false;
  const endless = new ReadableStream({
    pull: (to) => to.enqueue(new Uint8Array(1_000)),
    cancel: () => {
      cancelled = true;
    },
  });
  const exchange = browserExchange(async () => Promise.resolve(new Response(endless)));
  const asked = { url: new URL(url), method: "GET", headers: {}, maxBytes: 5_000 };
  await expect(exchange(asked, never)).rejects.toThrow(/output-too-large/);
  expect(cancelled).toBe(true);
});

describe("what a peer has not", () => {
  test.each([
    ["a fetch where nothing is fetched", capabilityOf("fetch"), { url }, { exchange: undefined }],
    ["a store", capabilityOf("kv-get"), { key: "a" }, {}],
    ["a chain", capabilityOf("evm-read"), { chain: "eip155:31337", method: "block", block: 1 }, {}],
    ["verifiable randomness", capabilityOf("random"), { verifiable: true }, {}],
  ] as const)("is refused: %s", async (_what, capability, request, missing) => {
    const { exchange: _none, ...ports } = portsOf();
    expect(await refusal(capability, request, "exchange" in missing ? ports : portsOf())).toMatch(
      /^effect-refused/,
    );
  });

  it("is randomness outside of a run", async () => {
    const order = { capability: capabilityOf("random"), request: requestOf({}) };
    await expect(performEffect(order, portsOf(), never)).rejects.toThrow(/belongs to a step of a run/);
  });
});

test("time is the peer's own, and randomness is the same for the same step, however often it is tried", async () => {
  const time = await perform(capabilityOf("time"), {});
  expect(Buffer.from(time.value).toString()).toBe("1700000000000");
  const [first, again, next] = await Promise.all([
    random({}),
    random({ attempt: 5 }),
    random({ iteration: "4" }),
  ]);
  expect(again.value).toEqual(first.value);
  expect(next.value).not.toEqual(first.value);
});

test.each([
  ["a fetch without origins", capabilityOf("fetch", { origins: [] })],
  [
    "a fetch to something that is no origin",
    capabilityOf("fetch", { origins: ["https://example.org/path"] }),
  ],
  ["a fetch to all origins", capabilityOf("fetch", { origins: ["*"] })],
  ["time with an origin", capabilityOf("time", { origins: ["https://example.org"] })],
  ["a store without a namespace", capabilityOf("kv-get", { namespace: "" })],
  ["a namespace that is a path", capabilityOf("kv-get", { namespace: "../other" })],
  ["a chain that is none", capabilityOf("evm-read", { chains: ["bitcoin"] })],
  ["nothing that may come back", capabilityOf("time", { maxBytes: 0 })],
])("a capability for %s is refused", async (_what, capability) => {
  expect(await refusal(capability, {})).toMatch(/^effect-refused/);
});
