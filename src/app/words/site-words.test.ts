import { describe, expect, test } from "vitest";
import { divisionText, percentText, ppmOf, readPage } from "./site-words.ts";

describe("The address of a site", () => {
  test.each([
    ["https://news.example", "https://news.example"],
    ["  https://News.example/blog?x=1#top ", "https://news.example"],
    ["news.example", "https://news.example"],
    ["news.example:8443/blog", "https://news.example:8443"],
    ["http://localhost:8080/", "http://localhost:8080"],
    ["https://münchen.example", "https://xn--mnchen-3ya.example"],
  ])("%j is taken as %s", (typed, page) => {
    expect(readPage(typed)).toEqual({ page });
  });

  test.each([
    ["", "Enter the address"],
    ["http://news.example", "has to begin with https://"],
    ["two words", "no address of a site"],
    ["ftp://news.example", "no address of a site"],
    ["https://192.0.2.7", "no address of a site"],
  ])("%j is refused with a sentence", (typed, problem) => {
    expect(readPage(typed)).toEqual({ problem: expect.stringContaining(problem) });
  });
});

test("who gets what is said in percent, without a share of nothing", () => {
  expect(divisionText(1_000_000)).toBe("Visitors keep everything they earn.");
  expect(divisionText(0)).toBe("All that visitors earn is yours.");
  expect(divisionText(125_000)).toBe("Visitors keep 12.5 % of what they earn, 87.5 % is yours.");
  expect([percentText(1), ppmOf(33.3)]).toEqual(["0.0001 %", 333_000]);
});
