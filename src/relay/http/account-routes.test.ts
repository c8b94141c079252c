import { afterEach, expect, test } from "vitest";
import { createEarningsQueries } from "../../mesh/earnings-queries.ts";
import { MAX_HISTORY_PAGE } from "../../protocol/earnings-json.ts";
import { siteMessage } from "../../protocol/messages/site.ts";
import { HEAD, openLease, signerOf, verifiedMessage, WORK } from "../books/books-scene.contract.ts";
import { openRelayScene, refusalOf, type RelayScene } from "../relay-scene.contract.ts";

const closing: RelayScene[] = [];
afterEach(async () => {
  for (const relay of closing.splice(0))
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await relay.close();
});

async function open(): Promise<RelayScene> {
  const relay = await openRelayScene();
  closing.push(relay);
  return relay;
}

const provider = signerOf("provider").key;
const PATH = `/v1/accounts/${provider}`;

test("a history and shares of earnings come through the interface as the books have them", async () => {
  const relay = await open();
  const { books } = relay.scene;
  const { work } = await openLease(relay.scene);
  await work.go(2).send({ receipt: { final: true } });
  const { work: open2 } = await openLease(relay.scene);
  await open2.go(1).send();
  const throughApp: typeof fetch = async (input, init) => relay.http.request(new Request(input, init));
  const client = createEarningsQueries({ baseUrl: "http://relay.test", fetch: throughApp });
  expect(await client.history(provider, { limit: 1 })).toEqual(books.history.page(provider, { limit: 1 }));
  const filter = { work: WORK, requester: signerOf("requester").key, state: "pending", from: 1 } as const;
  const found = await client.history(provider, { ...filter, limit: 9 });
  expect(found.receipts.map(({ lease }) => lease)).toEqual([open2.lease.id]);
  expect((await client.history(provider, { text: work.lease.id, limit: 9 })).receipts).toHaveLength(1);
  const by = { split: "function", span: "hour", fromMs: 0 } as const;
  const shares = await client.shares(provider, by);
  expect(shares).toEqual(books.history.shares(provider, "function", "hour", 0));
  expect(shares.map(({ name, tasks }) => [name, tasks])).toEqual([[WORK, 3]]);
});

test("a site is called by the origin that its owner registered", async () => {
  const relay = await open();
  const { books, clock } = relay.scene;
  const owner = signerOf("owner");
  const page = "https://news.example";
  const body = { ...HEAD, owner: owner.key, page, share: 0, state: "open", at: clock.now } as const;
  const { site } = await books.sites.register(await verifiedMessage(siteMessage, body, [owner]));
  const throughApp: typeof fetch = async (input, init) => relay.http.request(new Request(input, init));
  const client = createEarningsQueries({ baseUrl: "http://relay.test", fetch: throughApp });
  expect(await client.sitePage(site)).toBe(page);
});

test.each([
  ["history?limit=501", `limit is not a whole number from 0 to ${MAX_HISTORY_PAGE}`],
  ["history?state=lent", "state is none of pending, held, free, lost"],
  ["history?work=x", "work is not a CID (version 1, raw or dag-cbor, SHA-256, base32)"],
  ["history?text=", "text is not a text of 1 to 64 characters"],
  [`history?text=${"a".repeat(65)}`, "text is not a text of 1 to 64 characters"],
  ["history?skip=5&state=free", "skip goes without a filter: continue below an entry instead"],
  ["earnings?bucket=week", "bucket is none of hour, day, month"],
  ["earnings/shares?bucket=day&by=colour", "by is none of function, site"],
])("%s is refused with what is wrong", async (query, problem) => {
  const relay = await open();
  const response = await relay.http.request(`${PATH}/${query}`);
  expect([response.status, await refusalOf(response)]).toEqual([400, `malformed: ${problem}`]);
});
