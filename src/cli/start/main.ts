import { spawn } from "node:child_process";
import { parseRelayConfig } from "../../relay/settings.ts";
import { startRelay } from "../../relay/start-relay.ts";
import { hasDisplay } from "../browser/display.ts";
import { DIST_FOLDER, isFresh, buildApp } from "../built-app.ts";
import { meshPlans } from "../deployments/mesh-plans.ts";
import { meshGateway } from "../gateway/mesh-gateway.ts";
import { explain, explanationText } from "../explain.ts";
import { listenForInterrupts } from "../interrupts.ts";
import { EXIT, type Exit } from "../plain-error.ts";
import { settingsHelp } from "../commands/relay-help.ts";

/** `npm start`: relay and app on one origin, built when needed, in the browser where there is one. */

const OPENERS: Readonly<Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>>> = {
  darwin: ["open"],
  win32: ["cmd", "/c", "start", ""],
};

/** Asks the system to show a page. Where it cannot, the address is on the screen anyway. */
function openInBrowser(url: string): void {
  const [program, ...args] = OPENERS[process.platform] ?? ["xdg-open"];
  const child = spawn(program, [...args, url], { stdio: "ignore", detached: true });
  child.on("error", () => undefined);
  child.unref();
}

async function start(args: readonly string[]): Promise<Exit> {
  const settings = args.filter((arg) => arg !== "--no-open");
  const config = parseRelayConfig(["--log-level=warn", ...settings], process.env);
  if (!isFresh()) {
    process.stdout.write("Building the app…\n");
    await buildApp();
  }
  const stopped = Promise.withResolvers<void>();
  const interrupts = listenForInterrupts(() => stopped.resolve());
  const relay = await startRelay(
    { staticDir: DIST_FOLDER, ...config },
    { gateway: meshGateway, plans: meshPlans },
  );
  const isHere = config.publicUrl === undefined && config.host === "127.0.0.1";
  const url = isHere ? `http://localhost:${relay.port}` : relay.url;
  process.stdout.write(`Tabmesh is at ${url}. Its data is in ${config.dataDir}. Ctrl-C stops it.\n`);
  if (settings.length === args.length && hasDisplay(process.env, process.platform)) openInBrowser(url);
  await stopped.promise;
  await relay.stop();
  interrupts.release();
  return EXIT.ok;
}

let exit: Exit = EXIT.ok;
const args = process.argv.slice(2);
if (args.includes("--help") || args.includes("-h")) {
  process.stdout.write(
    "Usage: npm start -- [--no-open] [settings]\n\nServes relay and app on one origin, by default http://localhost:8787.\n" +
      `${settingsHelp().replace("npx tabmesh relay --port 8787", "npm start -- --port 9000")}\n`,
  );
} else {
  try {
    exit = await start(args);
  } catch (error) {
    const explanation = explain(error);
    process.stderr.write(explanationText(explanation));
    exit = explanation.exit;
  }
}
process.exit(exit);
