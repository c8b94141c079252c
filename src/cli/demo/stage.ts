import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { relayConfig } from "../../relay/config.ts";
import { type Relay, startRelay } from "../../relay/start-relay.ts";
import type { UndoStack } from "../../relay/undo-stack.ts";
import { hasDisplay } from "../browser/display.ts";
import { ensureChromium } from "../browser/install-browser.ts";
import { DIST_FOLDER, ensureBuilt } from "../built-app.ts";
import { meshPlans } from "../deployments/mesh-plans.ts";
import { meshGateway } from "../gateway/mesh-gateway.ts";
import { PlainError } from "../plain-error.ts";
import type { Narrator } from "./narrator.ts";
import { openProviderTab, openProviderTabs, type ProviderTab } from "./provider-tab.ts";

/** With WebRTC blocked every attempt fails after fifteen seconds; two of them are enough to say so. */
export const NO_PROVIDER_MS = 20_000;

/** What every demonstration is told. */
export interface DemoOptions {
  readonly blockWebrtc: boolean;
  readonly screen: NodeJS.WriteStream;
  readonly signal: AbortSignal;
}

/** Builds the app where that is needed, and starts a relay of its own. What it starts is in `undo`. */
export async function startParts(narrator: Narrator, undo: UndoStack): Promise<Relay> {
  await narrator.step("app", ensureBuilt, (wasBuilt) => (wasBuilt ? "built" : "is built already"));
  return narrator.step(
    "relay",
    async () => {
      const dataDir = await mkdtemp(join(tmpdir(), "tabmesh-demo-"));
      undo.push(() => rm(dataDir, { recursive: true, force: true }));
      const started = await startRelay(
        // Both ends are on this machine: nobody has to tell them their addresses.
        relayConfig({ port: 0, dataDir, staticDir: DIST_FOLDER, iceServers: [], logLevel: "error" }),
        { gateway: meshGateway, plans: meshPlans },
      );
      undo.push(() => started.stop());
      return started;
    },
    ({ url }) => `${url}, with an embedded database`,
  );
}

/** Opens a browser with a tab that contributes. */
export async function openTab(
  { blockWebrtc }: Pick<DemoOptions, "blockWebrtc">,
  relay: Relay,
  narrator: Narrator,
  undo: UndoStack,
): Promise<ProviderTab> {
  const executablePath = await ensureChromium((text) => narrator.lines([text]));
  const headless = !hasDisplay(process.env, process.platform);
  return narrator.step(
    "tab",
    async () => {
      const tab = await openProviderTab({ executablePath, headless, blockWebrtc });
      undo.push(() => tab.close());
      await tab.contribute(relay.url);
      return tab;
    },
    ({ version }) =>
      `${version}${headless ? ", headless" : ""}: switched on, consented, ready for work` +
      (blockWebrtc ? " (WebRTC is blocked on request)" : ""),
  );
}

/** Opens a browser with several tabs that contribute, each for itself. */
export async function openTabs(
  { blockWebrtc }: Pick<DemoOptions, "blockWebrtc">,
  relay: Relay,
  { count, prepare }: { readonly count: number; readonly prepare: (tab: ProviderTab) => Promise<void> },
  narrator: Narrator,
  undo: UndoStack,
): Promise<readonly ProviderTab[]> {
  const executablePath = await ensureChromium((text) => narrator.lines([text]));
  const headless = !hasDisplay(process.env, process.platform);
  return narrator.step(
    "tabs",
    async () => {
      const tabs = await openProviderTabs({ executablePath, headless, blockWebrtc }, count);
      undo.push(async () => {
        await Promise.all(tabs.map((tab) => tab.close()));
      });
      for (const tab of tabs) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other is faster on few cores
        await prepare(tab);
        // oxlint-disable-next-line no-await-in-loop
        await tab.contribute(relay.url);
      }
      return tabs;
    },
    ([first]) =>
      `${count} in ${first?.version ?? "a browser"}${headless ? ", headless" : ""}: switched on, consented, ready for work` +
      (blockWebrtc ? " (WebRTC is blocked on request)" : ""),
  );
}

/** Says of a failure that it was to be expected: no task can reach the tab. Anything else stays as it is. */
export function blockedTrouble(error: unknown, { blockWebrtc, signal }: DemoOptions): unknown {
  if (!blockWebrtc || signal.aborted || !(error instanceof Error)) return error;
  return new PlainError({
    what: "No task reached the tab: WebRTC is blocked in its browser.",
    why: error.message,
    advice: "Leave --block-webrtc out. In a network that blocks UDP, configure a TURN server.",
    cause: error,
  });
}
