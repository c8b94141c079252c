import { afterEach, expect, test } from "vitest";
import { EventParser } from "../mesh/relay-events.ts";
import { createRelayClient, type RelayClient } from "../mesh/relay-client.ts";
import { microCredits } from "../protocol/units.ts";
import { AccountEvents } from "./account-events.ts";
import { LeaseWork, openLease, signerOf } from "./books/books-scene.contract.ts";
import { MAX_EVENT_STREAMS_PER_ADDRESS, MAX_RESUMED_ENTRIES } from "./limits.ts";
import { openRelayScene, refusalOf, type RelayScene } from "./relay-scene.contract.ts";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function open(): Promise<RelayScene> {
  const relay = await openRelayScene();
  closing.push(() => relay.close());
  return relay;
}

function clientOf({ http }: RelayScene): RelayClient {
  const throughApp: typeof fetch = async (input, init) => http.request(new Request(input, init));
  return createRelayClient({ baseUrl: "http://relay.test", fetch: throughApp });
}

const provider = signerOf("provider").key;

test("a listener learns the account as it is, then each receipt and settlement with the account after it", async () => {
  const relay = await open();
  const leaving = new AbortController();
  const seen: string[] = [];
  let work: LeaseWork | undefined;
  for await (const event of clientOf(relay).events(provider, { signal: leaving.signal })) {
    if (event.kind === "account") {
      const { logSize, pending, earned } = event.data;
      seen.push(`account ${event.id + 1 === logSize} ${pending} ${earned}`);
    } else if (event.kind === "receipt")
      seen.push(`receipt ${event.id - event.data.entryIndex} ${event.data.count} ${event.data.settled}`);
    if (seen.length === 1) {
      ({ work } = await openLease(relay.scene));
      await work.go(2).send();
    }
    const last = seen.at(-1) ?? "";
    if (
      last.startsWith("account") &&
      seen.some((each) => each.startsWith("receipt 0 2")) &&
      work !== undefined
    ) {
      await work.go(1).send({ receipt: { final: true } });
      work = undefined;
    }
    if (
      seen.some((each) => each.endsWith("true") && each.startsWith("receipt")) &&
      last.startsWith("account")
    ) {
      leaving.abort();
    }
  }
  expect(seen[0]).toBe("account true 0 0");
  expect(seen).toContain("receipt 0 2 false");
  expect(seen.findLast((each) => each.startsWith("receipt"))).toMatch(/^receipt [1-9]\d* 3 true$/);
  expect(seen.at(-1)).toMatch(/^account true 0 [1-9]/);
});

async function firstEvents(relay: RelayScene, lastId?: number): Promise<readonly string[]> {
  const headers = lastId === undefined ? {} : { "last-event-id": String(lastId) };
  const response = await relay.http.request(`/v1/accounts/${provider}/events`, { headers });
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  const { value = "" } = await reader.read();
  await reader.cancel();
  const parser = new EventParser();
  return [...parser.push(value)].map((event) => {
    if (event.kind === "lapse") return `lapse ${event.id}`;
    return event.kind === "receipt"
      ? `receipt ${event.data.entryIndex} ${event.data.count}`
      : `account ${event.data.logSize}`;
  });
}

test("a listener that comes back has what it missed, and nothing it has seen", async () => {
  const relay = await open();
  const { books } = relay.scene;
  const one = await openLease(relay.scene);
  const first = await one.work.go(1).send();
  const two = await openLease(relay.scene);
  const second = await two.work.go(2).send();
  const size = books.size();
  expect(await firstEvents(relay, 0)).toEqual([
    `receipt ${first.index} 1`,
    `receipt ${second.index} 2`,
    `account ${size}`,
  ]);
  expect(await firstEvents(relay, first.index)).toEqual([`receipt ${second.index} 2`, `account ${size}`]);
  expect(await firstEvents(relay, size - 1)).toEqual([`account ${size}`]);
  expect(await firstEvents(relay)).toEqual([`account ${size}`]);
  const newest = await one.work.go(1).send();
  expect(await firstEvents(relay, 0)).toEqual([
    `receipt ${second.index} 2`,
    `receipt ${newest.index} 2`,
    `account ${books.size()}`,
  ]);
});

test("a listener that was away for too long is told that there is a gap, and the newest receipts", async () => {
  const relay = await open();
  const { work } = await openLease(relay.scene);
  const newest = await work.go(1).send();
  expect(await firstEvents(relay, 0)).toEqual([
    `receipt ${newest.index} 1`,
    `account ${relay.scene.books.size()}`,
  ]);
  for (let entry = 0; entry < MAX_RESUMED_ENTRIES; entry += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one entry after the other
    await relay.scene.books.grant(signerOf("stranger").key, microCredits(1), "a gift");
  }
  expect(await firstEvents(relay, 0)).toEqual([
    `lapse ${newest.index}`,
    `receipt ${newest.index} 1`,
    `account ${relay.scene.books.size()}`,
  ]);
});

test("a listener that does not read is told that there is a gap when it does", async () => {
  const relay = await open();
  const { events, books } = { events: new AccountEvents(relay.scene.books), books: relay.scene.books };
  const subscription = events.subscribe(provider, "here", undefined);
  await subscription.next(0);
  const { work } = await openLease(relay.scene);
  for (let receipt = 0; receipt <= MAX_RESUMED_ENTRIES; receipt += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one receipt after the other
    if (receipt < 20) await work.go(1).send();
    // oxlint-disable-next-line no-await-in-loop
    else await books.grant(provider, microCredits(1), "a gift");
  }
  const told = (await subscription.next(0))?.map(({ event }) => event);
  expect(told).toEqual(["lapse", "receipt", "account"]);
  await work.go(1).send();
  expect((await subscription.next(0))?.map(({ event }) => event)).toEqual(["receipt", "account"]);
  subscription.end();
});

test("others' receipts are not told", async () => {
  const relay = await open();
  const { work } = await openLease(relay.scene);
  await work.go(1).send();
  const response = await relay.http.request(`/v1/accounts/${signerOf("stranger").key}/events`, {
    headers: { "last-event-id": "0" },
  });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  const { value = "" } = await reader.read();
  await reader.cancel();
  expect([...new EventParser().push(value)].map(({ kind }) => kind)).toEqual(["account"]);
});

test("one address holds so many streams, and a stream that ended makes room", async () => {
  const relay = await open();
  const path = `/v1/accounts/${provider}/events`;
  const streams: Response[] = [];
  for (let count = 0; count < MAX_EVENT_STREAMS_PER_ADDRESS; count += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    streams.push(await relay.http.request(path));
  }
  const refused = await relay.http.request(path);
  expect([refused.status, await refusalOf(refused)]).toEqual([
    429,
    "rate-limited: too many event streams are open",
  ]);
  await streams[0]!.body!.cancel();
  expect((await relay.http.request(path)).status).toBe(200);
});

test("a relay that closes ends its streams", async () => {
  const relay = await openRelayScene();
  const response = await relay.http.request(`/v1/accounts/${provider}/events`);
  const reader = response.body!.getReader();
  await reader.read();
  const rest = reader.read();
  await relay.close();
  expect((await rest).done).toBe(true);
});
