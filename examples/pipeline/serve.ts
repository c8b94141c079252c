/**
 * An ordinary web server that lets anybody read its documents: `npx node examples/pipeline/serve.ts --port 9400`.
 * A tab may fetch only what says so (Access-Control-Allow-Origin); a plan's effect gets no more than a page would.
 */
import { readdir, readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const FOLDER = fileURLToPath(new URL("documents/", import.meta.url));
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".txt": "text/plain; charset=utf-8",
};

export interface DocumentServer {
  readonly port: number;
  /** Names of the documents, in order. */
  readonly names: readonly string[];
  /** Requests answered so far. */
  readonly served: number;
  close(): Promise<void>;
}

/** @param port 0 for any that is free. */
export async function serveDocuments(port: number): Promise<DocumentServer> {
  const names = (await readdir(FOLDER)).toSorted();
  let served = 0;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const name = new URL(request.url ?? "/", "http://documents").pathname.slice(1);
    response.setHeader("Access-Control-Allow-Origin", "*");
    if (!names.includes(name)) {
      response.writeHead(404, { "Content-Type": "text/plain" }).end("There is no such document.\n");
      return;
    }
    const document = await readFile(join(FOLDER, name));
    served += 1;
    const type = TYPES[extname(name)] ?? "application/octet-stream";
    response.writeHead(200, { "Content-Type": type, "Content-Length": document.length }).end(document);
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : port,
    names,
    get served() {
      return served;
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { port: { type: "string", default: "9400" } } });
  const { port, names } = await serveDocuments(Number(values.port));
  process.stdout.write(
    `Documents for the pipeline:\n${names.map((name) => `  http://127.0.0.1:${port}/${name}\n`).join("")}`,
  );
}
