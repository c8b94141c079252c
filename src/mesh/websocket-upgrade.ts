import type { CreateListenerOptions, Listener, Transport } from "@libp2p/interface";
import type { Multiaddr } from "@multiformats/multiaddr";
import { webSockets } from "@libp2p/websockets";
import { MAX_SOCKET_MESSAGE_BYTES } from "./limits.ts";

/**
 * Workaround: @libp2p/websockets 10.1 can listen only on a port of its own. Its listener is built but never listens;
 * instead the HTTP server that owns the port hands its upgrades over. Touches fields that TypeScript alone hides:
 * `onUpgrade`, `wsServer` (of the package ws) and `server.address` (asked once per connection). A change there throws
 * at start. To be removed once the transport accepts a server.
 */

/** What is used of node:http's IncomingMessage. */
export interface UpgradeRequest {
  readonly url?: string | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly socket: {
    readonly remoteAddress?: string | undefined;
    readonly remotePort?: number | undefined;
  };
}

/** What is used of the socket of an upgrade. */
export interface UpgradeSocket {
  end(data: string): unknown;
  destroy(): unknown;
}

type WebSocketsInit = Parameters<typeof webSockets>[0];
type WebSocketsFactory = ReturnType<typeof webSockets>;

interface Socket {
  ping(): void;
  terminate(): void;
  once(event: "pong", listener: () => void): void;
}

interface UpgradeListener extends Listener {
  onUpgrade(request: UpgradeRequest, socket: UpgradeSocket, head: Uint8Array): void;
  readonly wsServer: {
    readonly options: { maxPayload: number };
    readonly clients: Set<Socket>;
    close(): void;
  };
  readonly server: { address: () => { address: string; family: string; port: number } };
}

/** Passes upgrades of somebody else's HTTP server to libp2p. */
export class WebSocketUpgrades {
  readonly #pingMs: number;
  #listener: UpgradeListener | undefined;
  #ping: ReturnType<typeof setInterval> | undefined;

  constructor(pingMs: number) {
    this.#pingMs = pingMs;
  }

  /** The transport to give to libp2p, which must be told to listen on one WebSocket address; none is opened. */
  readonly transport = (components: Parameters<WebSocketsFactory>[0]): Transport => {
    const init: WebSocketsInit = {};
    const transport = webSockets(init)(components);
    const create = transport.createListener.bind(transport);
    transport.createListener = (options: CreateListenerOptions): Listener => this.#adopt(create(options));
    return transport;
  };

  get open(): boolean {
    return this.#listener !== undefined && this.#ping !== undefined;
  }

  accept(request: UpgradeRequest, socket: UpgradeSocket, head: Uint8Array): void {
    this.#listener?.onUpgrade(request, socket, head);
  }

  #adopt(listener: Listener): Listener {
    if (!isUpgradeListener(listener))
      throw new Error("this version of @libp2p/websockets cannot take over upgrades");
    this.#listener = listener;
    listener.wsServer.options.maxPayload = MAX_SOCKET_MESSAGE_BYTES;
    listener.server.address = () => ({ address: "0.0.0.0", family: "IPv4", port: 0 });
    listener.getAddrs = (): Multiaddr[] => [];
    listener.listen = (): Promise<void> => {
      this.#ping = setInterval(() => pingAll(listener.wsServer.clients), this.#pingMs);
      return Promise.resolve();
    };
    listener.close = (): Promise<void> => {
      clearInterval(this.#ping);
      this.#ping = undefined;
      this.#listener = undefined;
      listener.wsServer.close();
      for (const socket of listener.wsServer.clients) socket.terminate();
      listener.dispatchEvent(new Event("close"));
      return Promise.resolve();
    };
    return listener;
  }
}

const unanswered = new WeakSet<Socket>();

function pingAll(sockets: Iterable<Socket>): void {
  for (const socket of sockets) {
    if (unanswered.has(socket)) {
      socket.terminate();
      continue;
    }
    unanswered.add(socket);
    socket.once("pong", () => unanswered.delete(socket));
    socket.ping();
  }
}

function isUpgradeListener(listener: Listener): listener is UpgradeListener {
  const server: unknown = Reflect.get(listener, "server");
  const wsServer: unknown = Reflect.get(listener, "wsServer");
  return (
    typeof Reflect.get(listener, "onUpgrade") === "function" &&
    typeof server === "object" &&
    server !== null &&
    typeof wsServer === "object" &&
    wsServer !== null &&
    typeof Reflect.get(wsServer, "options") === "object" &&
    Reflect.get(wsServer, "clients") instanceof Set
  );
}
