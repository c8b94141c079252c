import { expect, test } from "vitest";
import { cidOf, RAW } from "../../protocol/cid.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import { MAX_REQUESTS, MAX_REQUESTS_PER_KEY } from "./limits.ts";
import { type Place, RequestsUnderWay } from "./requests-under-way.ts";

function keyOf(name: string): Parameters<RequestsUnderWay["enter"]>[0] {
  return cidOf(RAW, encodeUtf8(name));
}

const STAYS = new AbortController().signal;

function fill(requests: RequestsUnderWay, name: string, count: number, gone: AbortSignal = STAYS): Place[] {
  return Array.from({ length: count }, () => requests.enter(keyOf(name), gone));
}

test("a key has so many requests under way and no more, and others are not kept waiting by it", () => {
  const requests = new RequestsUnderWay();
  const [first] = fill(requests, "a", MAX_REQUESTS_PER_KEY);
  expect(() => requests.enter(keyOf("a"), STAYS)).toThrow(/under way/u);
  fill(requests, "b", 1);
  first!.leave();
  first!.leave();
  fill(requests, "a", 1);
  expect(() => requests.enter(keyOf("a"), STAYS)).toThrow(/under way/u);
});

test("all keys together have so many, and no more", () => {
  const requests = new RequestsUnderWay();
  for (let key = 0; key < MAX_REQUESTS / MAX_REQUESTS_PER_KEY; key += 1)
    fill(requests, `key ${key}`, MAX_REQUESTS_PER_KEY);
  expect(() => requests.enter(keyOf("one more"), STAYS)).toThrow(/busy/u);
});

test("a client that has gone takes no room, and its work is told to end", () => {
  const requests = new RequestsUnderWay();
  const client = new AbortController();
  const places = fill(requests, "a", MAX_REQUESTS_PER_KEY, client.signal);
  client.abort();
  expect(places.every(({ signal }) => signal.aborted)).toBe(true);
  fill(requests, "a", MAX_REQUESTS_PER_KEY);
});

test("a key that is stopped ends what is under way with it, and nothing else", () => {
  const requests = new RequestsUnderWay();
  const [mine] = fill(requests, "a", 1);
  const [other] = fill(requests, "b", 1);
  requests.stop(keyOf("a"));
  requests.stop(keyOf("nobody"));
  expect([mine!.signal.aborted, other!.signal.aborted]).toEqual([true, false]);
});
