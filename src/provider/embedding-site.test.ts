import { expect, test } from "vitest";
import { embeddingSite } from "./embedding-site.ts";

const framed = { isFramed: true, referrer: "" };

test("a page that is not framed is embedded by nobody, wherever it was opened from", () => {
  expect(embeddingSite({ isFramed: false, referrer: "https://news.example/story" })).toBeUndefined();
});

test("the outermost page is the embedding site; where the browser does not tell, the referrer", () => {
  const ancestorOrigins = ["https://ads.example", "https://news.example"];
  expect(embeddingSite({ ...framed, ancestorOrigins })).toBe("https://news.example");
  expect(embeddingSite({ ...framed, referrer: "https://news.example/story?x=1" })).toBe(
    "https://news.example",
  );
});

test("a page without an origin, or without a word of it, has no name", () => {
  expect(embeddingSite({ ...framed, ancestorOrigins: ["null"] })).toBeUndefined();
  expect(embeddingSite(framed)).toBeUndefined();
});
