import { expect, test } from "vitest";
import { chainLines, grantsSummary, readChains, readOrigins } from "./grants-words.ts";

test("origins are read as a person writes them, and what is none is named", () => {
  expect(
    readOrigins(" example.org\nhttps://data.example.org/path?x=1, http://127.0.0.1:9000\n\nexample.org"),
  ).toEqual({
    read: ["https://example.org", "https://data.example.org", "http://127.0.0.1:9000"],
  });
  expect(readOrigins("https://*.example.org\nexample.org")).toEqual({
    read: ["https://example.org"],
    odd: "https://*.example.org",
  });
  expect(readOrigins("")).toEqual({ read: [] });
});

test("chains are read with their nodes, and written alike", () => {
  const text = "eip155:1 https://node.example/key\neip155:10 https://other.example";
  const { read } = readChains(text);
  expect(read).toEqual({ "eip155:1": "https://node.example/key", "eip155:10": "https://other.example" });
  expect(chainLines(read)).toBe(text);
  expect(readChains("bitcoin https://node.example").odd).toBe("bitcoin https://node.example");
});

test("what a tab may do is said in one sentence", () => {
  expect(grantsSummary({ timeAndRandom: false, fetch: "none", chains: {} })).toBe(
    "This tab computes, and does nothing else for others.",
  );
  expect(
    grantsSummary({ timeAndRandom: true, fetch: ["https://a.org"], chains: { "eip155:1": "https://n.org" } }),
  ).toBe("Besides computing, this tab may fetch from https://a.org, and read one chain, and tell the time.");
  expect(grantsSummary({ timeAndRandom: false, fetch: "public", chains: {} })).toMatch(
    /any public web server/u,
  );
});
