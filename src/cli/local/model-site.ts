import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { createServer } from "node:http";
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
 * @throws PlainError for a build without the page; what the system says of a model file that is not there
 */
export async function openModelSite(path: string, build: string = DIST_FOLDER): Promise<ModelSite> {
  const file = await stat(path);
  if (!file.isFile()) throw new PlainError({ what: `${path} is no file.` });
  const script = await readScript(join(build, SCRIPT));
  const secret = randomUUID();
  const server = createServer((request, response) => {
    switch (request.url ?? "") {
      case `/${secret}/`:
        response.setHeader("content-type", "text/html; charset=utf-8").end(PAGE);
        break;
      case `/${secret}/${SCRIPT}`:
        response.setHeader("content-type", "text/javascript; charset=utf-8").end(script);
        break;
      case `/${secret}/model`:
        response.setHeader("content-length", file.size);
        // A browser that has gone in the middle is told by its own end, a file that cannot be read by the page.
        pipeline(createReadStream(path), response).catch(() => response.destroy());
        break;
      default:
        response.writeHead(404).end();
    }
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

/** At once, so that a build that begins meanwhile takes nothing away. */
async function readScript(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new PlainError({
      what: "The build of the app has no page for models.",
      advice: "Run `npm run build`, and this command again when nothing else builds.",
      cause,
    });
  }
}
