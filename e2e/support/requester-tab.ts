import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "vite";
import type { JobOptions } from "../../src/sdk/index.ts";
import type { Mapped, RequesterPage } from "./requester-page.ts";
import { launchChromium } from "./tab.ts";

declare const requesterPage: RequesterPage;

/** A requester in a Chromium of its own. */
export interface RequesterTab {
  /** The account that pays. */
  readonly account: string;
  map(
    module: Uint8Array,
    inputs: readonly Uint8Array[],
    options: Omit<JobOptions, "signal" | "onProgress">,
  ): Promise<Mapped>;
  /** Errors the page threw and nobody caught. */
  readonly errors: readonly string[];
  close(): Promise<void>;
}

interface Site {
  readonly url: string;
  /** Puts a function on the site. @returns its path. */
  serve(module: Uint8Array): string;
  stop(): Promise<void>;
}

let script: Promise<string> | undefined;

async function buildScript(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tabmesh-requester-"));
  try {
    await build({
      configFile: false,
      logLevel: "error",
      build: {
        outDir: folder,
        target: "es2023",
        rolldownOptions: {
          input: join(import.meta.dirname, "requester-page.ts"),
          output: { codeSplitting: false, entryFileNames: "page.js" },
        },
      },
    });
    return await readFile(join(folder, "page.js"), "utf8");
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A site with the page. A page that only pretended to come from the network could not reach this machine. */
async function startSite(): Promise<Site> {
  const body = await (script ??= buildScript());
  const modules: Uint8Array[] = [];
  const server = createServer((request, response) => {
    const module = modules[Number(/^\/module\/(\d+)$/u.exec(request.url ?? "")?.[1])];
    if (module !== undefined) return void response.end(module);
    const isScript = request.url === "/page.js";
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
    return void response.end(
      isScript ? body : '<!doctype html><script type="module" src="/page.js"></script>',
    );
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    serve: (module) => `/module/${modules.push(module) - 1}`,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Opens a page of another site than the relay's, with the SDK in it, and joins the mesh. */
export async function openRequesterTab(relayUrl: string): Promise<RequesterTab> {
  const site = await startSite();
  const browser = await launchChromium();
  const page = await browser.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  await page.goto(site.url);
  await page.waitForFunction("globalThis.requesterPage !== undefined");
  const account = await page.evaluate((relay) => requesterPage.join(relay), relayUrl);
  return {
    account,
    errors,
    map: (module, inputs, options) =>
      page.evaluate(
        ([moduleOfJob, inputsOfJob, optionsOfJob]) =>
          requesterPage.map(moduleOfJob, inputsOfJob, optionsOfJob),
        [site.serve(module), inputs, options] as const,
      ),
    async close() {
      await page.evaluate(() => requesterPage.leave()).catch(() => undefined);
      await browser.close();
      await site.stop();
    },
  };
}
