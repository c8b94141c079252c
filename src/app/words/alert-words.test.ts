import { expect, test } from "vitest";
import type { AlertView } from "../../sdk/index.ts";
import { parseCid } from "../../protocol/cid.ts";
import { microCredits } from "../../protocol/units.ts";
import { aboutText, addressProblem, callsText, parseAmount } from "./alert-words.ts";

const NOW = Date.UTC(2030, 0, 1, 12);
const ALERT: AlertView = {
  alert: parseCid("bafkreidibhwajd7em6bbjkikhny6dczyszbv2ceqnerglly2eunobexn5e"),
  kind: "webhook",
  target: "https://example.org/hook",
  events: ["payout"],
  created: NOW,
  delivered: 0,
  waiting: 0,
};

test("an alert says what it is about", () => {
  expect(aboutText(ALERT, false)).toBe("payout");
  const low = { events: ["provider-stopped", "low-balance"], below: microCredits(500_000) } as const;
  expect(aboutText(low, true)).toBe("provider stopped, balance below 0.500000 test credits");
});

test("an alert says how its calls went", () => {
  expect(callsText(ALERT, NOW)).toBe("Nothing to tell so far.");
  expect(callsText({ ...ALERT, delivered: 1, lastDelivery: NOW }, NOW)).toMatch(
    /^Told once, last \d\d:\d\d:00\.$/u,
  );
  const failing = { ...ALERT, waiting: 2, lastFailure: { time: NOW, words: "it answered 500" } };
  expect(callsText(failing, NOW)).toMatch(
    /^Nothing to tell so far\. 2 waiting\. The last call failed at .*: it answered 500\.$/u,
  );
});

test.each([
  ["0.5", 500_000n],
  [" 12 ", 12_000_000n],
  ["1,25", 1_250_000n],
  ["0.000001", 1n],
  ["0.0000001", undefined],
  ["-1", undefined],
  ["much", undefined],
  ["", undefined],
])("the amount %j is %s micro-credits", (text, amount) => {
  expect(parseAmount(text)).toBe(amount);
});

test("an address that is none is said to be none", () => {
  expect(addressProblem("https://example.org/hook")).toBe("");
  expect(addressProblem("example.org")).toContain("whole web address");
  expect(addressProblem("ftp://example.org")).toContain("whole web address");
});
