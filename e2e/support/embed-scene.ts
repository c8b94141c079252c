import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium, expect, type Frame, type Page } from "@playwright/test";
import { type EmbedSite, type EmbedSiteOptions, startEmbedSite } from "../../examples/embed/serve.ts";
import { registerSite, type SiteView } from "../../src/sdk/index.ts";
import { freePort, type RelayProcess, startRelayProcess } from "./relay-process.ts";
import { CHROMIUM_ARGS } from "./tab.ts";

/** What the visitor keeps, in millionths. */
export const SHARE = 300_000;
export const OWNER_SEED: Uint8Array = new Uint8Array(32).fill(0x5e);

/** A relay, and a site of somebody that embeds its widget. */
export interface EmbedScene {
  readonly relay: RelayProcess;
  readonly site: EmbedSite;
  readonly view: SiteView;
  /** A site of another origin, whose pages name the first one unless they say otherwise. */
  openSite(options: Partial<EmbedSiteOptions>): Promise<EmbedSite>;
  /** Registers an origin for the same owner. */
  register(page: string): Promise<SiteView>;
  close(): Promise<void>;
}

export async function openEmbedScene(pages: ReadonlyMap<string, string>): Promise<EmbedScene> {
  const dataDir = mkdtempSync(join(tmpdir(), "tabmesh-widget-"));
  const relay = await startRelayProcess({ dataDir, port: await freePort() });
  const opened: EmbedSite[] = [];
  const register = (page: string): Promise<SiteView> =>
    registerSite({ relay: relay.url, seed: OWNER_SEED }, { page, share: SHARE });
  const openSite = async (options: Partial<EmbedSiteOptions>): Promise<EmbedSite> => {
    const site = await startEmbedSite({ host: relay.url, site: view.site, pages, ...options });
    opened.push(site);
    return site;
  };
  const port = await freePort();
  const view = await register(`http://localhost:${port}`);
  const site = await openSite({ port });
  return {
    relay,
    site,
    view,
    openSite,
    register,
    async close() {
      await Promise.all(opened.map((each) => each.stop()));
      await relay.kill();
    },
  };
}

/** Where the widget of a page says what it does. */
export function phaseOf(page: Frame | Page): ReturnType<Page["getByRole"]> {
  return page.frameLocator("tabmesh-widget > iframe").getByRole("status");
}

/** Presses the widget's button; the window that it opens. */
export async function pressTakePart(page: Page): Promise<Page> {
  const [window] = await Promise.all([
    page.context().waitForEvent("page"),
    page.getByRole("button", { name: "Take part" }).first().click(),
  ]);
  return window;
}

/** Says yes in the window, and waits until the frame is ready for work. */
export async function takePart(page: Page): Promise<Frame> {
  const window = await pressTakePart(page);
  await window.getByRole("button", { name: /^(?:Agree|Go on)$/u }).click();
  await expect(page.frameLocator("tabmesh-widget > iframe").getByRole("status")).toHaveText(
    "Ready for the next task",
    { timeout: 60_000 },
  );
  return frameOf(page);
}

export function frameOf(page: Page): Frame {
  const frame = page.frames().find((each) => each.url().includes("/embed/frame"));
  if (frame === undefined) throw new Error("there is no frame of the widget");
  return frame;
}

/** A browser that lets the frame of a site keep nothing: no storage, no locks, as where cookies of third parties are blocked and sites not kept apart. */
export async function openForgetfulBrowser(): Promise<BrowserContext> {
  const profile = mkdtempSync(join(tmpdir(), "tabmesh-forgetful-"));
  mkdirSync(join(profile, "Default"));
  const preferences = { profile: { cookie_controls_mode: 1, block_third_party_cookies: true } };
  writeFileSync(join(profile, "Default", "Preferences"), JSON.stringify(preferences));
  const executablePath = process.env["CHROMIUM_PATH"];
  return chromium.launchPersistentContext(profile, {
    ...(executablePath === undefined ? {} : { executablePath }),
    ignoreDefaultArgs: ["--disable-features"],
    args: [
      ...CHROMIUM_ARGS.filter((flag) => !flag.startsWith("--disable-features")),
      "--disable-features=WebRtcHideLocalIpsWithMdns,ThirdPartyStoragePartitioning,TrackingProtection3pcd",
    ],
  });
}
