import { expect, test } from "vitest";
import { parseVisit } from "./visit-record.ts";

const PEER = "12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5";

test("consent holds until its time, with the keys that were given leave", () => {
  const text = JSON.stringify({ until: 5_000, sessions: [PEER, "nobody", 7] });
  expect(parseVisit(text, 4_999)).toEqual({ until: 5_000, sessions: [PEER] });
  expect(parseVisit(text, 5_000)).toBeUndefined();
});

test("what is damaged is no consent", () => {
  for (const text of [
    null,
    "",
    "{",
    "null",
    "7",
    '{"until":"tomorrow"}',
    '{"until":1e400}',
    '{"sessions":[]}',
  ])
    expect(parseVisit(text, 0)).toBeUndefined();
  expect(parseVisit('{"until":9}', 0)).toEqual({ until: 9, sessions: [] });
});
