import { type Browser, launch, type Page } from "puppeteer-core";

/** A cold browser on two busy cores, and joining the mesh. */
const READY_TIMEOUT_MS = 60_000;

/** What a stock Firefox needs so that a test's tabs find each other on one machine without a STUN server. */
const PREFERENCES: Readonly<Record<string, boolean>> = {
  // Candidates with the machine's own addresses instead of mDNS names, which need a multicast network.
  "media.peerconnection.ice.obfuscate_host_addresses": false,
};

/** A tab in stock Firefox, driven over WebDriver BiDi. */
export interface FirefoxTab {
  readonly browser: Browser;
  readonly page: Page;
  /** As in "firefox/153.7". */
  readonly version: string;
  /** Errors the page threw and nobody caught. */
  readonly errors: readonly string[];
  /** Presses the switch, agrees, and waits until the tab is ready to lease. */
  contribute(): Promise<void>;
}

/** @param executablePath of Firefox. @param url the page to open. @param preferences besides those for the mesh. */
export async function openFirefoxTab(
  executablePath: string,
  url: string,
  preferences: Readonly<Record<string, boolean>> = {},
): Promise<FirefoxTab> {
  const browser = await launch({
    browser: "firefox",
    executablePath,
    headless: true,
    extraPrefsFirefox: { ...PREFERENCES, ...preferences },
  });
  const page = await browser.newPage();
  await page.setViewport({ width: 1280, height: 900 });
  const errors: string[] = [];
  page.on("pageerror", (error) => {
    const message = error instanceof Error ? error.message : String(error);
    // Firefox calls each attempt at a connection that finds no path an error; the next one may find it.
    if (!message.startsWith("WebRTC: ICE failed")) errors.push(message);
  });
  await page.goto(url);
  return {
    browser,
    page,
    errors,
    version: await browser.version(),
    async contribute() {
      await page.locator("[role=switch]").setTimeout(READY_TIMEOUT_MS).click();
      await page.locator("::-p-text(Agree and start)").click();
      await page.locator("::-p-text(Ready for work)").setTimeout(READY_TIMEOUT_MS).wait();
    },
  };
}
