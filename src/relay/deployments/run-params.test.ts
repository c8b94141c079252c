import { describe, expect, test } from "vitest";
import type { Plan } from "../../plan/plan.ts";
import type { ValueType } from "../../plan/value-type.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import { runParams, type RunInput } from "./run-params.ts";

function planOf(params: Readonly<Record<string, ValueType>>): Plan {
  return { v: 1, name: "p", graph: { params, nodes: {}, result: { from: "constant", json: "1" } } };
}

const NUMBER = { type: "number" } as const;
const TEXT = { type: "text" } as const;
const JSON_TYPE = { type: "json" } as const;

function json(value: unknown): RunInput {
  return { body: encodeUtf8(JSON.stringify(value)), contentType: "application/json" };
}

describe("parameters of a run", () => {
  test("come from the query and from the fields of a body, each as its type says", () => {
    const plan = planOf({
      k: NUMBER,
      word: TEXT,
      list: { type: "list", of: NUMBER },
      yes: { type: "boolean" },
    });
    expect(
      runParams(plan, ["{}"], { ...json({ list: [1] }), texts: { k: "3", word: "4", yes: "true" } }),
    ).toEqual({
      k: 3,
      word: "4",
      list: [1],
      yes: true,
    });
  });

  test("that the owner has fixed stay as they are, whatever a caller gives", () => {
    const plan = planOf({ url: TEXT, k: NUMBER, event: JSON_TYPE });
    const input = { ...json({ url: "b", k: 2 }), texts: { url: "c", k: "3" }, event: { kind: "cron" } };
    expect(runParams(plan, ['{"url":"a","event":"fixed"}'], input)).toEqual({
      url: "a",
      k: 3,
      event: "fixed",
    });
  });

  test("are those that the plan asks for and no others", () => {
    expect(runParams(planOf({ k: NUMBER }), ['{"k":1,"other":2}'], json({ more: 3 }))).toEqual({ k: 1 });
    expect(() => runParams(planOf({ toString: TEXT }), ["{}"], json({}))).toThrow(/toString is missing/u);
  });

  test("of bytes and of the whole call are there too", () => {
    const plan = planOf({
      body: { type: "bytes" },
      request: { type: "record", fields: { method: TEXT, path: TEXT } },
      key: { type: "bytes" },
    });
    const body = new Uint8Array([1, 2, 255]);
    const request = { method: "PUT", path: "/x", headers: {} };
    expect(runParams(plan, ['{"key":"AQI="}'], { body, request })).toEqual({
      body,
      request: { method: "PUT", path: "/x" },
      key: new Uint8Array([1, 2]),
    });
  });

  test.each([
    [{ k: NUMBER }, { texts: { k: "many" } }, /k is no number/u],
    [{ k: NUMBER }, {}, /k is missing/u],
    [{ k: JSON_TYPE }, { texts: { k: "{" } }, /k is no JSON/u],
    [{ k: NUMBER }, { body: encodeUtf8("{"), contentType: "application/json" }, /body is no JSON/u],
    [{ body: TEXT }, { body: new Uint8Array([255]) }, /body is no UTF-8/u],
  ] as const)("that are wrong are named: %j", (params, input, why) => {
    expect(() => runParams(planOf(params), ["{}"], input)).toThrow(why);
  });

  test("that may be absent are nothing then", () => {
    expect(runParams(planOf({ k: { type: "optional", of: NUMBER } }), ["{}"], {})).toEqual({ k: null });
  });
});
