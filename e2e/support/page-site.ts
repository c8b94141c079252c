import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "vite";

/** A site with one page, made from a script of this folder, and files for it. */
export interface PageSite {
  /** On loopback, which is a secure context: WebGPU is there in such alone. */
  readonly url: string;
  /** Puts a file on the site. @returns its path. */
  serve(file: Uint8Array): string;
  stop(): Promise<void>;
}

const SCRIPT_PATH = "/page.js";
const PAGE = `<!doctype html><script type="module" src="${SCRIPT_PATH}"></script>`;

/** Scripts that are built already, by what they are built from. */
const built = new Map<string, Promise<string>>();

async function buildScript(input: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tabmesh-page-"));
  try {
    await build({
      configFile: false,
      logLevel: "error",
      build: {
        outDir: folder,
        target: "es2023",
        rolldownOptions: {
          input: join(import.meta.dirname, input),
          output: { codeSplitting: false, entryFileNames: "page.js" },
        },
      },
    });
    return await readFile(join(folder, "page.js"), "utf8");
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The script that a file of this folder becomes, with all that it imports. */
export function scriptOf(input: string): Promise<string> {
  const script = built.get(input) ?? buildScript(input);
  built.set(input, script);
  return script;
}

/** A page that only pretended to come from the network could not reach this machine. @param input the script, in this folder */
export async function startPageSite(input: string): Promise<PageSite> {
  const script = await scriptOf(input);
  const files: Uint8Array[] = [];
  const server = createServer((request, response) => {
    const file = files[Number(/^\/file\/(\d+)$/u.exec(request.url ?? "")?.[1])];
    if (file !== undefined) return void response.end(file);
    const isScript = request.url === SCRIPT_PATH;
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
    return void response.end(isScript ? script : PAGE);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    serve: (file) => `/file/${files.push(file) - 1}`,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
