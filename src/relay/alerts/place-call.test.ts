import { afterEach, beforeEach, describe, expect, it, test } from "vitest";
import { bareHost, isPublicAddress } from "../../effects/public-address.ts";
import { type HookServer, openHookServer } from "./alert-scene.contract.ts";
import { placeCall, whyNotCallable } from "./place-call.ts";

const NOWHERE = "its address leads nowhere that this relay may call";

function call(url: string): Parameters<typeof placeCall>[0] {
  return { url, headers: {}, body: Buffer.from("{}") };
}

describe("an address", () => {
  it.each([
    "1.1.1.1",
    "9.255.255.255",
    "11.0.0.0",
    "172.15.255.255",
    "172.32.0.1",
    "100.63.255.255",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2a00:1450:4001::1",
  ])("%s may be called", (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it.each([
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:1.1.1.1",
    "64:ff9b::7f00:1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
  ])("%s may not", (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it("is seen through all the ways to write it in a URL", () => {
    for (const host of ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "127.0.0.1."])
      expect([host, isPublicAddress(bareHost(new URL(`https://${host}/`)))]).toEqual([host, false]);
    expect(isPublicAddress(bareHost(new URL("https://[::ffff:7f00:1]/")))).toBe(false);
    expect(isPublicAddress(bareHost(new URL("https://[2606:4700:4700::1111]/")))).toBe(true);
  });
});

describe("a call", () => {
  let hook: HookServer;
  beforeEach(async () => {
    hook = await openHookServer();
  });
  afterEach(() => hook.close());

  it("goes to the address that was looked up, whatever the name leads to a moment later", async () => {
    let asked = 0;
    const resolve = async (): Promise<readonly string[]> => {
      asked += 1;
      return asked === 1 ? ["127.0.0.1"] : ["192.0.2.1"];
    };
    const url = hook.url.replace("127.0.0.1", "nowhere.invalid");
    expect(await placeCall(call(url), { allowPrivate: true, resolve })).toMatchObject({ status: 204 });
    expect([asked, hook.calls.length]).toEqual([1, 1]);
    expect(hook.calls[0]?.headers.host).toMatch(/^nowhere\.invalid:/u);
  });

  it.each([[["127.0.0.1"]], [["1.1.1.1", "10.0.0.1"]], [["2606:4700:4700::1111", "::1"]], [[]]])(
    "to a name that leads to %j is not made",
    async (addresses) => {
      const url = hook.url.replace("http://127.0.0.1", "https://inside.example");
      const resolve = async (): Promise<readonly string[]> => addresses;
      expect(await placeCall(call(url), { allowPrivate: false, resolve })).toMatchObject({ words: NOWHERE });
      expect(hook.calls).toEqual([]);
    },
  );

  it("says the same of a name that is unknown and of one inside the relay's network", async () => {
    const unknown = await placeCall(call("https://unknown.example/"), {
      allowPrivate: false,
      resolve: () => Promise.reject(new Error("ENOTFOUND")),
    });
    const inside = await placeCall(call("https://inside.example/"), {
      allowPrivate: false,
      resolve: async () => ["10.0.0.1"],
    });
    expect([unknown.words, inside.words]).toEqual([NOWHERE, NOWHERE]);
  });

  it("in the clear, or to what is no web server, says why it failed", async () => {
    expect(whyNotCallable("http://example.org/", false)).toBe("it does not begin with https://");
    expect(whyNotCallable("ftp://example.org/", true)).toBe("it does not begin with https://");
    await hook.close();
    expect(await placeCall(call(hook.url), { allowPrivate: true })).toMatchObject({
      words: "nobody listens there",
    });
    hook = await openHookServer();
    const tls = hook.url.replace("http:", "https:");
    expect(await placeCall(call(tls), { allowPrivate: true })).toMatchObject({ words: "the call failed" });
  });

  test("of a server that says nothing is given up", { timeout: 20_000 }, async () => {
    hook.answer = "silence";
    expect(await placeCall(call(hook.url), { allowPrivate: true })).toMatchObject({
      words: "it did not answer within 10 s",
    });
  });
});
