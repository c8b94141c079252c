import { afterEach, expect, test } from "vitest";
import { MAX_VIEW_BYTES } from "../../mesh/relay-queries.ts";
import { createSiteRequests, type SiteRequests } from "../../mesh/site-requests.ts";
import { openEnvelope, seal } from "../../protocol/envelope.ts";
import { type Assign, assignMessage } from "../../protocol/messages/assign.ts";
import { type SiteRegistration, siteMessage } from "../../protocol/messages/site.ts";
import { MAX_SITE_DAYS, MAX_SITES_PER_ACCOUNT } from "../../protocol/limits.ts";
import { siteContributionsJson } from "../../protocol/site-json.ts";
import { siteId } from "../../protocol/site.ts";
import { microCredits, U64_MAX } from "../../protocol/units.ts";
import { STRANGERS_RATE } from "../limits.ts";
import { HEAD, openLease, signerOf, START } from "../books/books-scene.contract.ts";
import { openRelayScene, refusalOf, type RelayScene } from "../relay-scene.contract.ts";

const closing: RelayScene[] = [];
afterEach(async () => {
  for (const relay of closing.splice(0))
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await relay.close();
});

const olga = signerOf("olga");
const provider = signerOf("provider");
const PAGE = "https://news.example";
const SITE = siteId(olga.key, PAGE);

async function open(): Promise<{ readonly relay: RelayScene; readonly client: SiteRequests }> {
  const relay = await openRelayScene();
  closing.push(relay);
  const throughApp: typeof fetch = async (input, init) => relay.http.request(new Request(input, init));
  return { relay, client: createSiteRequests({ baseUrl: "http://relay.test", fetch: throughApp }) };
}

async function registration(
  { scene }: RelayScene,
  changes: Partial<SiteRegistration> = {},
): Promise<Uint8Array> {
  const body: SiteRegistration = {
    ...HEAD,
    owner: olga.key,
    page: PAGE,
    share: 250_000,
    state: "open",
    at: scene.clock.now,
    ...changes,
  };
  return seal(siteMessage, body, [olga]);
}

async function assignment({ scene }: RelayScene): Promise<Uint8Array> {
  const body: Assign = {
    ...HEAD,
    account: provider.key,
    payee: olga.key,
    ppm: 750_000,
    sweep: false,
    site: SITE,
    at: scene.clock.now,
  };
  return seal(assignMessage, body, [provider]);
}

test("a site, an assignment and its transfers come through the interface as the books have them", async () => {
  const { relay, client } = await open();
  const { books } = relay.scene;
  const made = await client.registerSite(await registration(relay));
  expect(made).toMatchObject({ site: SITE, page: PAGE, share: 250_000, state: "open" });
  expect(openEnvelope(siteMessage, made.envelope).body.owner).toBe(olga.key);
  expect(await client.site(SITE)).toEqual(made);
  const { index } = await client.assign(await assignment(relay));
  const { work } = await openLease(relay.scene);
  await work.go(4).send({ receipt: { final: true } });
  expect(await client.assignment(provider.key)).toEqual(books.sites.assignment(provider.key));
  expect((await client.assignment(provider.key)).entryIndex).toBe(index);
  const transfers = await client.transfers(olga.key, { limit: 5 });
  expect(transfers).toEqual(books.sites.transfers(olga.key, undefined, 5));
  expect(transfers).toHaveLength(1);
  const contributions = await client.sites(olga.key, 0);
  expect(contributions).toEqual(books.sites.owned(olga.key, 0));
  expect(contributions[0]?.days.map(({ tasks, tabs }) => [tasks, tabs])).toEqual([[4, 1]]);
});

test.each([
  ["/v1/sites/site-aaaaaaaaaaaaaaaaaaaa", 404, "this relay knows no such site"],
  ["/v1/sites/..", 404, ""],
  ["/v1/sites/%3Cscript%3E", 404, "this relay knows no such site"],
  [`/v1/accounts/${provider.key}/assignment`, 404, "this account has assigned nothing"],
  [`/v1/accounts/${provider.key}/transfers?limit=201`, 400, "limit is not a whole number"],
  [`/v1/accounts/nobody/sites`, 400, "peer"],
])("%s is refused with what is wrong", async (path, status, problem) => {
  const { relay } = await open();
  const response = await relay.http.request(path);
  expect(response.status).toBe(status);
  expect(await refusalOf(response)).toContain(problem);
});

test("new keys from one address register and assign so often and no more; whoever has earned something is not held up", async () => {
  const { relay, client } = await open();
  const assignBy = async (name: string): Promise<unknown> => {
    const by = signerOf(name);
    const body = { ...HEAD, account: by.key, payee: olga.key, ppm: 1, sweep: false, at: START };
    return client.assign(await seal(assignMessage, body, [by]));
  };
  const names = Array.from({ length: STRANGERS_RATE.burst }, (_, at) => `stranger ${at}`);
  await Promise.all(names.map(assignBy));
  await expect(assignBy("one too many")).rejects.toThrow(/rate-limited: .* accounts that are new/u);
  await expect(client.registerSite(await registration(relay))).rejects.toThrow(/rate-limited/u);
  await assignBy("requester");
  relay.scene.clock.now += 1_000 / STRANGERS_RATE.perSecond;
  await assignBy("one too many");
});

test("the longest list of sites there can be is one that clients read", async () => {
  const { relay } = await open();
  const envelope = await registration(relay, {
    page: `https://${"a".repeat(60)}.${"b".repeat(60)}.example:65535`,
  });
  const most = microCredits(U64_MAX);
  const start = Date.UTC(2200, 0, 1);
  const many = {
    start,
    tabs: 1e9,
    tasks: 1e12,
    fuel: U64_MAX,
    earned: most,
    toOwner: most,
    toVisitors: most,
  };
  const site = {
    site: SITE,
    owner: olga.key,
    page: PAGE,
    share: 999_999,
    state: "closed",
    at: start,
    envelope,
  } as const;
  const days = Array.from({ length: MAX_SITE_DAYS }, () => many);
  const all = Array.from({ length: MAX_SITES_PER_ACCOUNT }, () => ({ site, days }));
  expect(JSON.stringify(siteContributionsJson.write(all)).length).toBeLessThan(MAX_VIEW_BYTES);
});

test("a site for another relay, or with an origin that could break out of a header, is refused", async () => {
  const { relay, client } = await open();
  await expect(client.registerSite(await registration(relay, { origin: "elsewhere" }))).rejects.toThrow(
    /wrong-relay/,
  );
  await expect(registration(relay, { page: "https://a.example; script-src *" })).rejects.toThrow(
    "no origin of a site",
  );
});
