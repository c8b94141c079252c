/**
 * An ordinary site with a strict content security policy that embeds the widget.
 *
 *   node examples/embed/serve.ts --host http://127.0.0.1:8787 --site site-… [--port 8080]
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { parseArgs } from "node:util";

export interface EmbedSiteOptions {
  /** Origin of the relay, where the widget comes from. */
  readonly host: string;
  /** Name that the site has there. */
  readonly site: string;
  /** 0: any free one. */
  readonly port?: number;
  /** Further pages, by path. */
  readonly pages?: ReadonlyMap<string, string>;
  /** Directives in place of those that the widget needs, and headers that a site may have besides. */
  readonly policy?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface EmbedSite {
  /** As its visitors spell it: "http://localhost:8080". */
  readonly url: string;
  stop(): Promise<void>;
}

/** What a strict site allows, and the two places where the widget comes in. */
export function strictPolicy(host: string): string {
  return [
    "default-src 'none'",
    `script-src 'self' ${host}`,
    `frame-src ${host}`,
    "style-src 'self'",
    "img-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
  ].join("; ");
}

function file(name: string): string {
  return readFileSync(new URL(name, import.meta.url), "utf8");
}

export async function startEmbedSite(options: EmbedSiteOptions): Promise<EmbedSite> {
  const { host, site, port = 0, pages, policy = strictPolicy(host), headers = {} } = options;
  const fill = (page: string): string => page.replaceAll("{{host}}", host).replaceAll("{{site}}", site);
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    const asset = path === "/site.js" || path === "/site.css";
    const page = pages?.get(path) ?? (path === "/" || path === "/about" ? file("page.html") : undefined);
    const body = asset ? file(path.slice(1)) : page;
    if (body === undefined) return void response.writeHead(404).end();
    const type = path.endsWith(".js") ? "text/javascript" : path.endsWith(".css") ? "text/css" : "text/html";
    response.writeHead(200, {
      "content-type": `${type}; charset=utf-8`,
      "content-security-policy": policy,
      ...headers,
    });
    return void response.end(asset ? body : fill(body));
  }).listen(port, "localhost");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the site has no port");
  return {
    url: `http://localhost:${address.port}`,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { host: { type: "string" }, site: { type: "string" }, port: { type: "string" } },
  });
  const { host = "http://127.0.0.1:8787", site, port = "8080" } = values;
  if (site === undefined) {
    process.stderr.write("Which site? Register it on the page Sites of the relay, then: --site site-…\n");
    process.exitCode = 2;
  } else {
    const { url } = await startEmbedSite({ host, site, port: Number(port) });
    process.stdout.write(`${url}\n`);
  }
}
