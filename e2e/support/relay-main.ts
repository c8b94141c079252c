import { fileURLToPath } from "node:url";
import { meshGateway } from "../../src/cli/gateway/mesh-gateway.ts";
import { relayConfig } from "../../src/relay/config.ts";
import { startRelay } from "../../src/relay/start-relay.ts";

const { RELAY_DATA: dataDir, RELAY_PORT: port, RELAY_HOST: host, RELAY_STATIC: built } = process.env;
const relay = await startRelay(
  relayConfig({
    host: host ?? "127.0.0.1",
    port: Number(port),
    ...(dataDir === undefined ? {} : { dataDir }),
    iceServers: [],
    staticDir: built ?? fileURLToPath(new URL("../../dist", import.meta.url)),
    logLevel: "error",
  }),
  { gateway: meshGateway },
);
process.once("SIGTERM", () => void relay.stop().then(() => process.exit(0)));
console.log("ready");
