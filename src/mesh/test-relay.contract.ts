import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { relayAddress } from "./mesh-address.ts";
import { createRelayMesh, type RelayMesh, type RelayMeshOptions } from "./relay-mesh.ts";

/** A real relay on a real HTTP server, for tests. */
export interface TestRelay {
  readonly mesh: RelayMesh;
  readonly address: string;
  readonly origin: string;
  readonly port: number;
  stop(): Promise<void>;
}

export async function startTestRelay(
  options: Partial<RelayMeshOptions> & { port?: number } = {},
): Promise<TestRelay> {
  const { port = 0, ...rest } = options;
  const mesh = await createRelayMesh({ privateKey: new Uint8Array(32).fill(7), ...rest });
  const server = createServer((_request, response) => response.end("plain HTTP on the same port"));
  server.on("upgrade", (request, socket, head) => mesh.handleUpgrade(request, socket, head));
  await mesh.start();
  const bound = await listen(server, port);
  const origin = `http://127.0.0.1:${bound}`;
  return {
    mesh,
    origin,
    port: bound,
    address: relayAddress(origin, mesh.peerId),
    stop: async () => {
      await mesh.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
