import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { seal } from "../../protocol/envelope.ts";
import { header } from "../../protocol/header.ts";
import { siteMessage } from "../../protocol/messages/site.ts";
import { MESSAGE_TYPE, RELAY_PATHS } from "../../protocol/relay-api.ts";
import { siteId } from "../../protocol/site.ts";
import { signerOf } from "../books/books-scene.contract.ts";
import { openRelayScene, type RelayScene } from "../relay-scene.contract.ts";

const PAGE = "https://news.example";
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

function builtPages(): string {
  const folder = mkdtempSync(join(tmpdir(), "embed-"));
  closing.push(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "embed"));
  for (const name of ["index", "sandbox", "embed/frame", "embed/consent"])
    writeFileSync(join(folder, `${name}.html`), `<!doctype html><title>${name}</title>`);
  writeFileSync(join(folder, "widget.js"), "customElements");
  return folder;
}

/** A relay with the widget, and one site. */
async function open(): Promise<{ relay: RelayScene; site: string }> {
  const relay = await openRelayScene({ staticDir: builtPages() });
  closing.push(() => void relay.close());
  const { books, clock } = relay.scene;
  const owner = signerOf("site owner");
  const ground = header(books.origin, books.asset);
  const body = { ...ground, owner: owner.key, page: PAGE, share: 0, state: "open" as const, at: clock.now };
  const answer = await relay.http.request(RELAY_PATHS.sites, {
    method: "PUT",
    headers: { "content-type": MESSAGE_TYPE },
    body: await seal(siteMessage, body, [owner]),
  });
  expect(answer.status).toBe(200);
  return { relay, site: siteId(owner.key, PAGE) };
}

function policyOf(answer: Response): readonly string[] {
  return (answer.headers.get("content-security-policy") ?? "").split("; ");
}

test("the frame may stand in pages of the site that it is for, and in no others", async () => {
  const { relay, site } = await open();
  const answer = await relay.http.request(`/embed/frame?site=${site}`);
  expect(await answer.text()).toContain("<title>embed/frame");
  expect(policyOf(answer)).toEqual(
    expect.arrayContaining(["default-src 'none'", `frame-ancestors ${PAGE}`, "base-uri 'none'"]),
  );
  expect(answer.headers.get("cross-origin-resource-policy")).toBe("cross-origin");
  expect(answer.headers.get("cache-control")).toBe("no-store");
});

test.each(["", "?site=", "?site=site-aaaaaaaaaaaaaaaaaaaa", "?site=https://news.example", "?site=*"])(
  "there is no frame for /embed/frame%s",
  async (query) => {
    const { relay } = await open();
    const answer = await relay.http.request(`/embed/frame${query}`, { headers: { accept: "text/html" } });
    expect(answer.status).toBe(404);
    expect(policyOf(answer)).toContain("frame-ancestors 'none'");
  },
);

test("the window in which a person agrees stands in nobody's page, and keeps its opener", async () => {
  const { relay, site } = await open();
  const answer = await relay.http.request(`/embed/consent?site=${site}`);
  expect(await answer.text()).toContain("<title>embed/consent");
  expect(policyOf(answer)).toContain("frame-ancestors 'none'");
  expect(answer.headers.get("cross-origin-opener-policy")).toBe("unsafe-none");
  const app = await relay.http.request("/", { headers: { accept: "text/html" } });
  expect(app.headers.get("cross-origin-opener-policy")).toBe("same-origin");
});

test("the frame of the sandbox may stand in the widget's frame on the site's pages, else in the app alone", async () => {
  const { relay, site } = await open();
  const { http } = relay;
  expect(policyOf(await http.request(`/sandbox.html?site=${site}`))).toEqual(
    expect.arrayContaining(["sandbox allow-scripts", "connect-src 'none'", `frame-ancestors 'self' ${PAGE}`]),
  );
  expect(policyOf(await http.request("/sandbox.html"))).toContain("frame-ancestors 'self'");
  expect((await http.request("/sandbox.html?site=site-aaaaaaaaaaaaaaaaaaaa")).status).toBe(404);
});

test("the element is for every page, also for isolated ones", async () => {
  const { relay } = await open();
  const answer = await relay.http.request("/widget.js", { headers: { origin: PAGE } });
  expect(await answer.text()).toBe("customElements");
  expect(answer.headers.get("access-control-allow-origin")).toBe("*");
  expect(answer.headers.get("cross-origin-resource-policy")).toBe("cross-origin");
  expect(answer.headers.get("content-type")).toMatch(/javascript/u);
});
