import { createServer, type Server } from "node:http";
import { fileURLToPath } from "node:url";
import { AxeBuilder } from "@axe-core/playwright";
import { expect, test } from "@playwright/test";
import { decodeEntryOf } from "../src/protocol/messages/entry.ts";
import { openEnvelope } from "../src/protocol/envelope.ts";
import { verdictMessage } from "../src/protocol/messages/audit.ts";
import { relayConfig } from "../src/relay/config.ts";
import { type Relay, startRelay } from "../src/relay/start-relay.ts";
import { capabilityOf, connect, plan, t } from "../src/sdk/index.ts";
import { contribute, launchChromium } from "./support/tab.ts";
import { overridePressure } from "./support/pressure.ts";

/** A tab of a real browser that fetches for others, where its person allows it and nowhere else. */

const DIST = process.env["RELAY_STATIC"] ?? fileURLToPath(new URL("../dist", import.meta.url));

const open: (() => Promise<unknown> | void)[] = [];
test.afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

interface Documents {
  readonly origin: string;
  readonly asked: {
    readonly path: string;
    readonly from: string | undefined;
    readonly cookie: string | undefined;
  }[];
}

/** Lets all sites read /open, and sends /moved elsewhere. */
async function serveDocuments(): Promise<Documents> {
  const asked: Documents["asked"] = [];
  const server: Server = createServer((request, response) => {
    const { url: path = "", headers } = request;
    asked.push({ path, from: headers.origin, cookie: headers.cookie });
    const isOpen = path !== "/closed";
    response.setHeader("set-cookie", "session=1");
    if (isOpen) response.setHeader("access-control-allow-origin", "*");
    if (path === "/moved") response.writeHead(302, { location: "/open" }).end();
    else response.end("a document");
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  open.push(() => void server.close());
  const address = server.address();
  return {
    origin: `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`,
    asked,
  };
}

/** How many audits have found what. */
function verdicts({ books }: Relay): Readonly<Record<string, number>> {
  const found: Record<string, number> = {};
  for (let index = 0; index < books.size(); index += 1) {
    const bytes = books.entry(index);
    if (bytes === undefined || !Buffer.from(bytes).includes("verdict")) continue;
    try {
      const { envelope } = decodeEntryOf("verdict", bytes).body;
      const { result } = openEnvelope(verdictMessage, envelope).body;
      found[result] = (found[result] ?? 0) + 1;
    } catch {
      // An entry of another kind that has the word in it.
    }
  }
  return found;
}

test(
  "a tab fetches for others what its person allows, without cookies or redirects; its page may not, and audits follow what it did",
  { tag: "@long" },
  async () => {
    const documents = await serveDocuments();
    const { origin } = documents;
    const relay = await startRelay(
      relayConfig({
        port: 0,
        dataDir: ":memory:",
        iceServers: [],
        logLevel: "silent",
        staticDir: DIST,
        auditThreads: 1,
      }),
    );
    open.push(() => relay.stop());
    const browser = await launchChromium();
    open.push(() => browser.close());
    const page = await (await browser.newContext()).newPage();
    await overridePressure(page);
    await page.goto(relay.url);

    await page.getByText("What this tab may do for others").first().click();
    await page.getByRole("radio", { name: "Only these" }).check();
    const servers = page.getByRole("textbox", { name: /^Servers, one a line/u });
    await servers.fill(`${origin}\nnot a server`);
    await servers.blur();
    await expect(page.getByText("“not a server” is not a server’s address")).toBeVisible();
    const { violations } = await new AxeBuilder({ page }).include("details[open]").analyze();
    expect(violations).toEqual([]);
    await contribute(page);

    const tabmesh = await connect({ relay: relay.url });
    open.push(() => tabmesh.close());
    const ask = async (path: string): Promise<unknown> => {
      const reads = capabilityOf("fetch", { origins: [origin], methods: ["GET"] });
      const asks = plan("ask", { request: t.json }, (g, { request }) =>
        g.effect("get", reads, request, t.text),
      );
      const run = await tabmesh.startRun(
        asks,
        { request: { url: `${origin}${path}` } },
        { noProviderTimeoutMs: 20_000 },
      );
      const { value } = await run.result();
      await run.summary;
      return value;
    };
    expect(await ask("/open")).toBe("a document");
    expect(documents.asked).toEqual([{ path: "/open", from: relay.url, cookie: undefined }]);
    await expect(ask("/closed")).rejects.toThrow(/does not let other sites read it \(CORS\)/u);
    documents.asked.length = 0;
    await expect(ask("/moved")).rejects.toThrow(/did not answer a browser/u);
    expect(new Set(documents.asked.map(({ path }) => path))).toEqual(new Set(["/moved"]));

    // The page itself reaches nobody but its relay, whatever anybody has allowed.
    documents.asked.length = 0;
    const own = await page.evaluate((url) => fetch(url).then(() => "fetched", String), `${origin}/open`);
    expect(own).toMatch(/TypeError/u);
    expect(documents.asked).toEqual([]);

    await expect.poll(() => verdicts(relay), { timeout: 30_000 }).toEqual({ match: 1 });
  },
);
