import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { siteContributionsJson, siteViewJson } from "../../protocol/site-json.ts";
import { siteId } from "../../protocol/site.ts";
import { relayConfig } from "../../relay/config.ts";
import { type Relay, startRelay } from "../../relay/start-relay.ts";
import { type Ended, runTabmesh } from "../command-line.contract.ts";

let home = "";
let relay: Relay;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "tabmesh-sites-"));
  relay = await startRelay(relayConfig({ port: 0, dataDir: ":memory:", iceServers: [], logLevel: "silent" }));
});
afterAll(async () => {
  await relay.stop();
  await rm(home, { recursive: true });
});

function site(...args: readonly string[]): Promise<Ended> {
  return runTabmesh(["site", ...args, "--relay", relay.url], { TABMESH_HOME: home });
}

test("a site is registered, shown with what goes into its pages, given another share, and closed", async () => {
  const added = await site("add", "https://news.example/blog?page=1", "--share", "12.5");
  expect(added.exit).toBe(0);
  const [id = ""] = added.stdout.split("\n");
  expect(added.stdout).toContain("https://news.example: visitors keep 12.5 %, 87.5 % is yours.");
  expect(added.stdout).toContain(
    `<script type="module" src="${new URL(relay.url).origin}/widget.js"></script>\n<tabmesh-widget site="${id}"></tabmesh-widget>`,
  );
  const {
    ok,
    site: view,
    snippet,
  } = JSON.parse((await site("add", "news.example", "--share", "50", "--json")).stdout);
  const read = siteViewJson.read(view);
  expect([ok, read.share, read.state]).toEqual([true, 500_000, "open"]);
  expect(read.site).toBe(siteId(read.owner, "https://news.example"));
  expect(snippet).toContain(id);
  expect((await site("remove", id)).stdout).toContain("Closed https://news.example");
  expect(relay.books.sites.site(read.site)).toMatchObject({ share: 500_000, state: "closed" });
  const told = JSON.parse((await site("list", "--json")).stdout);
  expect(siteContributionsJson.read(told.sites).map(({ site: each }) => [each.site, each.state])).toEqual([
    [id, "closed"],
  ]);
  const shown = await site("show", "news.example", "--days", "7");
  expect(shown.stdout).toContain("closed: it takes no visitors; visitors keep 50 %, 50 % is yours.");
  expect(shown.stdout).toContain("Nothing was contributed in this time.");
});

test("what is wrong with a command line or a name is said", async () => {
  const unencrypted = await site("add", "http://news.example");
  expect([unencrypted.exit, unencrypted.stderr]).toEqual([
    2,
    expect.stringContaining("without encryption only"),
  ]);
  expect((await site("add", "news.example", "--share", "101")).exit).toBe(2);
  const unknown = await site("show", "https://other.example");
  expect([unknown.exit, unknown.stderr]).toEqual([
    1,
    expect.stringContaining("This account has no site https://other.example."),
  ]);
});
