import { describe, expect, it } from "vitest";
import { type AlertCall, alertNotice } from "./alert-call.ts";

const CALL: AlertCall = {
  type: "payout",
  timestamp: "2030-01-01T12:00:00.000Z",
  data: {
    relay: "relay.example/log",
    relayName: "Example relay",
    account: "12D3KooW",
    words: "1.500000 credits were paid out to account-of-ana.",
    event: "payout.17",
    entry: 17,
  },
};

describe("a push", () => {
  it("is shown with what happened, and once for the same event", () => {
    expect(alertNotice(JSON.stringify(CALL))).toEqual({
      title: "Payout · Example relay",
      body: "1.500000 credits were paid out to account-of-ana.",
      tag: "payout.17",
    });
  });

  it.each([
    "",
    "no JSON",
    "null",
    "[]",
    '{"type":"toString"}',
    '{"type":"payout","data":{"words":{}}}',
    "{}",
  ])("that reads %j is shown all the same", (text) => {
    const { title, body } = alertNotice(text);
    expect(title).toMatch(/^(?:Tabmesh|Payout)$/u);
    expect(body).toBe("Something happened. Open Tabmesh to see what.");
  });

  it("does not fill the screen", () => {
    const long = "a".repeat(10_000);
    const { title, body, tag } = alertNotice(
      JSON.stringify({ ...CALL, data: { ...CALL.data, words: long, relayName: long, event: long } }),
    );
    expect([title.length, body.length, tag.length].every((length) => length <= 400)).toBe(true);
  });
});
