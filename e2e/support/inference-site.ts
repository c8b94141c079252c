import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "vite";

/** A site with the page that runs models, and the models. */
export interface InferenceSite {
  readonly url: string;
  /** Puts a model on the site. @returns its path. */
  serve(file: Uint8Array): string;
  stop(): Promise<void>;
}

async function buildScript(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tabmesh-inference-"));
  try {
    await build({
      configFile: false,
      logLevel: "error",
      build: {
        outDir: folder,
        target: "es2023",
        rolldownOptions: {
          input: join(import.meta.dirname, "inference-page.ts"),
          output: { codeSplitting: false, entryFileNames: "page.js" },
        },
      },
    });
    return await readFile(join(folder, "page.js"), "utf8");
  } finally {
    await rm(folder, { recursive: true });
  }
}

export async function startInferenceSite(): Promise<InferenceSite> {
  const script = await buildScript();
  const files: Uint8Array[] = [];
  const server = createServer((request, response) => {
    const file = files[Number(/^\/model\/(\d+)$/u.exec(request.url ?? "")?.[1])];
    if (file !== undefined) return void response.end(file);
    const isScript = request.url === "/page.js";
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
    return void response.end(
      isScript ? script : '<!doctype html><script type="module" src="/page.js"></script>',
    );
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    // WebGPU is there in secure contexts alone; a machine's own is one.
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    serve: (file) => `/model/${files.push(file) - 1}`,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
