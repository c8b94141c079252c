import { hkdfSync } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createRelayClient, type RelayClient } from "../mesh/relay-client.ts";
import { signatory } from "../protocol/delegation.ts";
import { peerIdFromSeed, signerFromSeed } from "../protocol/ed25519.ts";
import { seal } from "../protocol/envelope.ts";
import { header } from "../protocol/header.ts";
import { decodeEntry } from "../protocol/messages/entry.ts";
import { siteMessage } from "../protocol/messages/site.ts";
import { siteViewJson } from "../protocol/site-json.ts";
import { parseSiteId, type SiteId, siteId } from "../protocol/site.ts";
import type { SiteView } from "../protocol/site-views.ts";
import { relayConfig } from "../relay/config.ts";
import { type Relay, startRelay } from "../relay/start-relay.ts";
import { createSiteVisits, siteSeed, type SiteVisits, type VisitTerms } from "./site-visit.ts";

const PAGE = "https://news.example";
const ROOT = new Uint8Array(32).fill(3);
const WEEK_MS = 7 * 24 * 60 * 60 * 1000;

let relay: Relay;
let client: RelayClient;
let visits: SiteVisits;

beforeAll(async () => {
  relay = await startRelay(relayConfig({ port: 0, dataDir: ":memory:", iceServers: [], logLevel: "silent" }));
  client = createRelayClient({ baseUrl: relay.url, fetch });
  visits = createSiteVisits(relay.url);
});
afterAll(() => relay.stop());

async function register(fill: number, share: number, page: string = PAGE): Promise<SiteView> {
  const owner = await signerFromSeed(crypto.subtle, new Uint8Array(32).fill(fill));
  const { origin, asset } = await client.info();
  const known = await client.site(siteId(owner.key, page)).catch(() => undefined);
  const at = Math.max(Date.now(), (known?.at ?? 0) + 1);
  const body = { ...header(origin, asset), owner: owner.key, page, share, state: "open" as const, at };
  return client.registerSite(await seal(siteMessage, body, [owner]));
}

async function termsFor(site: SiteView): Promise<VisitTerms> {
  const session = await peerIdFromSeed(crypto.subtle, crypto.getRandomValues(new Uint8Array(32)));
  const nowMs = Date.now();
  return { site, session, nowMs, untilMs: nowMs + 1_000, retireAfterMs: WEEK_MS };
}

describe("the account of a visitor at a site", () => {
  const [one, other] = ["a", "b"].map((letter) => parseSiteId(`site-${letter.repeat(20)}`));

  test("follows from the visitor's key and the site, and from nothing else", async () => {
    const seed = await siteSeed(ROOT, one!);
    const byNode = hkdfSync("sha256", ROOT, "tabmesh account at a site v1", one!, 32);
    expect(seed).toEqual(new Uint8Array(byNode));
    expect(await siteSeed(new Uint8Array(ROOT), one!)).toEqual(seed);
    expect(await siteSeed(ROOT, other!)).not.toEqual(seed);
    expect(await siteSeed(new Uint8Array(32).fill(4), one!)).not.toEqual(seed);
    expect(seed).not.toEqual(ROOT);
  });

  test("gives the owner its part, once, and anew when the owner asks for another", async () => {
    const site = await register(10, 250_000);
    const seed = await siteSeed(ROOT, site.site);
    const { account } = await visits.admit(seed, await termsFor(site));
    const first = await client.assignment(account);
    expect(first).toMatchObject({ payee: site.owner, ppm: 750_000, site: site.site, retireAfterMs: WEEK_MS });
    await visits.admit(seed, await termsFor(site));
    expect((await client.assignment(account)).entryIndex).toBe(first.entryIndex);
    await visits.admit(seed, await termsFor(await register(10, 0)));
    expect((await client.assignment(account)).ppm).toBe(1_000_000);
  });

  test("lets the key of a frame act for it until the consent ends, and no other", async () => {
    const site = await register(11, 0);
    const terms = await termsFor(site);
    const { account, delegation } = await visits.admit(await siteSeed(ROOT, site.site), terms);
    const by = signatory({ key: terms.session, delegation }, terms.nowMs);
    expect(by.root).toBe(account);
    const { delegation: claims } = by;
    expect(claims?.body).toMatchObject({ notBefore: terms.nowMs, notAfter: terms.untilMs });
    expect(() => signatory({ key: site.owner, delegation }, terms.nowMs)).toThrow(/another session key/u);
    expect(() => signatory({ key: terms.session, delegation }, terms.untilMs + 3_600_000)).toThrow(
      /outside its time/u,
    );
  });

  test("takes leave back from each key that had it", async () => {
    const site = await register(12, 0);
    const seed = await siteSeed(ROOT, site.site);
    const sessions = [(await termsFor(site)).session, (await termsFor(site)).session];
    const size = (await visits.account(seed)).logSize;
    await visits.revoke(seed, sessions);
    const entries = await Promise.all([size, size + 1].map((index) => client.entry(index)));
    expect(entries.map((bytes) => decodeEntry(bytes).type)).toEqual(["key-revoke", "key-revoke"]);
  });

  test("moves what is available elsewhere and goes on giving the owner its part", async () => {
    const site = await register(13, 400_000);
    const seed = await siteSeed(ROOT, site.site);
    const { account } = await visits.admit(seed, await termsFor(site));
    const before = await client.assignment(account);
    await visits.sweep(seed, await peerIdFromSeed(crypto.subtle, ROOT), Date.now());
    const after = await client.assignment(account);
    expect(after).toMatchObject({ payee: site.owner, ppm: 600_000, site: site.site, retireAfterMs: WEEK_MS });
    expect(after.at).toBeGreaterThan(before.at);
  });
});

/** What a visitor makes of a relay that answers with this view. */
async function answering(view: SiteView, id: SiteId): Promise<SiteView> {
  const text = JSON.stringify(siteViewJson.write(view));
  const server = createServer((_, response) => response.end(text)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  try {
    return await createSiteVisits(`http://127.0.0.1:${port}`).site(id);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe("what a relay says of a site", () => {
  test("is taken from what its owner has signed", async () => {
    const site = await register(14, 100_000);
    const painted = { ...site, page: "https://bank.example", share: 1_000_000 };
    expect(await answering(painted, site.site)).toMatchObject({ page: PAGE, share: 100_000 });
  });

  test("is refused where it is another site's, or somebody else signed it", async () => {
    const [site, other] = [await register(15, 0), await register(16, 0)];
    await expect(answering({ ...site, envelope: other.envelope }, site.site)).rejects.toThrow(
      /another site's registration/u,
    );
    const thief = await signerFromSeed(crypto.subtle, new Uint8Array(32).fill(99));
    const { origin, asset } = await client.info();
    const { owner, page, share, state, at } = site;
    const body = { ...header(origin, asset), owner, page, share, state, at };
    const forged = await seal(siteMessage, body, [thief]);
    await expect(answering({ ...site, envelope: forged }, site.site)).rejects.toThrow(
      /not signed by its owner alone/u,
    );
  });
});
