import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createReadStream, statSync } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { DIST_FOLDER } from "../built-app.ts";
import { PlainError } from "../plain-error.ts";

/** The page on which a browser of this machine computes a model, for as long as it does. */
export interface ModelSite {
  /** Of the page. */
  readonly url: string;
  /** Path of the model file. */
  readonly model: string;
  close(): void;
}

/** The script that the build has for it, see vite.config.ts. */
const SCRIPT = "model-page.js";
const PAGE = `<!doctype html><title>Tabmesh</title><script src="${SCRIPT}"></script>`;

/**
 * Serves it on this machine alone, under a path that nobody guesses: other programs and pages of this machine read nothing.
 * @param build folder with the build of the app
 * @throws what the system says of a model file that is not there
 */
export async function openModelSite(path: string, build: string = DIST_FOLDER): Promise<ModelSite> {
  if (!(await stat(path)).isFile()) throw new PlainError({ what: `${path} is no file.` });
  const secret = randomUUID();
  const files = new Map([
    [`/${secret}/${SCRIPT}`, { path: join(build, SCRIPT), type: "text/javascript" }],
    [`/${secret}/model`, { path, type: "application/octet-stream" }],
  ]);
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    if (request.url === `/${secret}/`) {
      response.setHeader("content-type", "text/html; charset=utf-8").end(PAGE);
      return;
    }
    const file = files.get(request.url ?? "");
    if (file === undefined) {
      response.writeHead(404).end();
      return;
    }
    const bytes = statSync(file.path, { throwIfNoEntry: false })?.size;
    if (bytes === undefined) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "content-type": file.type, "content-length": bytes });
    // A browser that has gone is told by its own end.
    pipeline(createReadStream(file.path), response).catch(() => response.destroy());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    // WebGPU is there in secure contexts alone; a machine's own is one.
    url: `http://127.0.0.1:${address.port}/${secret}/`,
    model: `/${secret}/model`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
