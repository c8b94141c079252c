import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { getRequestListener } from "@hono/node-server";
import { HEADERS_TIMEOUT_MS, KEEP_ALIVE_MS, REQUEST_TIMEOUT_MS, STOP_GRACE_MS } from "../limits.ts";
import type { RelayHttp } from "./http-env.ts";

/** A port that is open before anything answers on it, because what answers has to know the port. */
export interface OpenPort {
  readonly port: number;
  answer(http: RelayHttp, upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void): void;
  /** Takes no more connections; closes idle ones now and the others after STOP_GRACE_MS. */
  stop(): Promise<void>;
}

/** @param port 0 takes a free one. @throws Error of the system, as when the port is in use. */
export async function listen(host: string, port: number): Promise<OpenPort> {
  const server = createServer({
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: HEADERS_TIMEOUT_MS / 2,
  });
  let handler: ReturnType<typeof getRequestListener> | undefined;
  server.on("request", (request, response) => {
    if (handler === undefined) response.writeHead(503, { "Retry-After": "1" }).end();
    else void handler(request, response);
  });
  // Expectations that nobody knows are passed over, as RFC 9110 allows: Node's own 417 would have no body.
  server.on("checkExpectation", (request, response) => server.emit("request", request, response));
  const bound = await bind(server, host, port);
  return {
    port: bound,
    answer(http, upgrade) {
      handler = getRequestListener(http.fetch, { overrideGlobalObjects: false });
      server.on("upgrade", (request, socket, head) => {
        socket.on("error", () => socket.destroy());
        upgrade(request, socket, head);
      });
    },
    stop: () => close(server),
  };
}

async function bind(server: Server, host: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.removeListener("error", reject);
      resolve();
    });
  });
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return address.port;
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), STOP_GRACE_MS);
  await closed;
  clearTimeout(timer);
}
