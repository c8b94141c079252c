import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyPeer, anySiteOrigin } from "./arbitrary.contract.ts";
import { keyFromPeerId, peerIdFromKey } from "./peer-id.ts";
import { isSiteId, isSiteOrigin, ownersPpm, parseSiteId, siteId } from "./site.ts";

const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";
const owner = peerIdFromKey(new Uint8Array(32).fill(7));

/** RFC 4648, the slow way: a long number, five bits at a time. */
function base32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return Array.from(
    { length: 20 },
    (_, i) => ALPHABET[Number.parseInt(bits.slice(i * 5, i * 5 + 5), 2)],
  ).join("");
}

describe("The name of a site", () => {
  test("follows from its owner and its origin alone, as docs/wire.md says", () => {
    fc.assert(
      fc.property(anyPeer, anySiteOrigin, (peer, page) => {
        const digest = createHash("sha256").update(keyFromPeerId(peer)).update(page).digest();
        expect(siteId(peer, page)).toBe(`site-${base32(digest)}`);
      }),
    );
  });

  test("is another one for another owner, scheme, host or port", () => {
    const other = peerIdFromKey(new Uint8Array(32).fill(8));
    const names = [
      siteId(owner, "https://news.example"),
      siteId(other, "https://news.example"),
      siteId(owner, "https://news.example:8443"),
      siteId(owner, "https://new.example"),
      siteId(owner, "http://localhost"),
    ];
    expect(new Set(names).size).toBe(names.length);
  });

  test.each(["", "site-", "site-abc", "Site-aaaaaaaaaaaaaaaaaaaa", "site-aaaaaaaaaaaaaaaaaaa1", 7])(
    "is not %j",
    (text) => {
      expect(isSiteId(text)).toBe(false);
      expect(() => parseSiteId(String(text))).toThrow("is not a site id");
    },
  );
});

describe("The origin of a site", () => {
  test.each([
    "https://news.example",
    "https://a.b-c.example:8443",
    "https://xn--mnchen-3ya.example",
    "https://localhost",
    "http://localhost",
    "http://localhost:5173",
    "http://shop.localhost:3000",
    "http://127.0.0.1:8080",
    "http://[::1]:8080",
  ])("may be %s", (origin) => {
    expect(isSiteOrigin(origin)).toBe(true);
    expect(URL.parse(origin)?.origin).toBe(origin);
  });

  test.each([
    ["unencrypted", "http://news.example"],
    ["a page", "https://news.example/"],
    ["a path", "https://news.example/blog"],
    ["in capitals", "https://News.example"],
    ["with a name and password", "https://a:b@news.example"],
    ["with the usual port", "https://news.example:443"],
    ["with a port that there is not", "https://news.example:70000"],
    ["with a second directive", "https://news.example; script-src *"],
    ["with a second source", "https://news.example https://evil.example"],
    ["with a line end", "https://news.example\nx: y"],
    ["any host", "https://*"],
    ["any host of a domain", "https://*.example"],
    ["of letters that browsers spell otherwise", "https://münchen.example"],
    ["a local page of the usual port", "http://localhost:80"],
    ["only like a local page", "http://localhost.example"],
    ["a number", "https://192.0.2.7"],
    ["another number", "https://0x7f.1"],
    ["of no scheme", "news.example"],
    ["of data", "data:text/html,x"],
    ["null", "null"],
    ["empty", ""],
    ["too long", `https://${"a.".repeat(130)}example`],
  ])("is not one that is %s", (_what, origin) => {
    expect(isSiteOrigin(origin)).toBe(false);
  });

  test("is what browsers spell too, whatever it is", () => {
    fc.assert(
      fc.property(anySiteOrigin, (origin) => {
        if (isSiteOrigin(origin)) expect(URL.parse(origin)?.origin).toBe(origin);
      }),
    );
  });
});

test("what visitors keep and what the owner gets is everything", () => {
  expect([0, 250_000, 1_000_000].map(ownersPpm)).toEqual([1_000_000, 750_000, 0]);
});
