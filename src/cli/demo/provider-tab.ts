import { type Browser, chromium, type Page } from "playwright";
import { creditsFixed } from "../quantities.ts";
import { PlainError } from "../plain-error.ts";

/** A tab that contributes, in a browser of its own, worked through what a person sees. */

/** A cold browser on a busy machine; joining the mesh takes two seconds. */
const READY_TIMEOUT_MS = 45_000;
/** The relay tells the page of a receipt within a second. */
const SHOWN_TIMEOUT_MS = 15_000;

const FLAGS: readonly string[] = [
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // A window that is covered would be slowed down like a hidden one.
  "--disable-backgrounding-occluded-windows",
  "--disable-renderer-backgrounding",
];
/** WebRTC may use no UDP but through a proxy, of which there is none: what a strict network does. */
const BLOCK_WEBRTC = "--webrtc-ip-handling-policy=disable_non_proxied_udp";

export interface TabOptions {
  readonly executablePath: string;
  readonly headless: boolean;
  readonly blockWebrtc: boolean;
}

export interface ProviderTab {
  /** Lets others ask this web server from the tab, as a person would. @throws PlainError with what the page says. */
  allowFetch(url: string, origin: string): Promise<void>;
  /** As in "Chromium 156.0.1". */
  readonly version: string;
  /** Presses the switch, consents, and waits until the tab is ready to lease. @throws PlainError with what the page says. */
  contribute(url: string): Promise<void>;
  /** Opens the page of earnings and waits until it shows what was earned. @returns how it shows it. */
  shownEarnings(earned: bigint, testMoney: boolean): Promise<string>;
  /** Lets the page check the receipt of an entry. @returns the verdict as it says it. */
  verifyReceipt(entryIndex: number): Promise<string>;
  close(): Promise<void>;
}

/** It ends with this process, whatever ends it: the browser listens to a pipe of ours. */
function launch({ executablePath, headless, blockWebrtc }: TabOptions): Promise<Browser> {
  return chromium.launch({
    executablePath,
    headless,
    args: [...FLAGS, ...(blockWebrtc ? [BLOCK_WEBRTC] : [])],
    // Signals are ours to handle.
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
  });
}

/** Opens a browser with one tab. */
export async function openProviderTab(options: TabOptions): Promise<ProviderTab> {
  const browser = await launch(options);
  return openIn(browser, options.headless);
}

/** Opens a browser with several tabs that know nothing of each other: each has its own storage, and so its own identity. */
export async function openProviderTabs(options: TabOptions, count: number): Promise<readonly ProviderTab[]> {
  const browser = await launch(options);
  return Promise.all(Array.from({ length: count }, () => openIn(browser, options.headless)));
}

/** A page of a context of its own. */
async function openIn(browser: Browser, headless: boolean): Promise<ProviderTab> {
  const page = await browser.newPage({ viewport: headless ? { width: 1280, height: 900 } : null });
  return new OpenTab(browser, page);
}

class OpenTab implements ProviderTab {
  readonly version: string;
  readonly #browser: Browser;
  readonly #page: Page;
  readonly #errors: string[] = [];

  constructor(browser: Browser, page: Page) {
    this.#browser = browser;
    this.#page = page;
    this.version = `${browser.browserType().name() === "chromium" ? "Chromium" : "browser"} ${browser.version()}`;
    page.on("pageerror", (error) => this.#errors.push(error.message));
  }

  async contribute(url: string): Promise<void> {
    const page = this.#page;
    try {
      await page.goto(url);
      await page.getByRole("switch").click({ timeout: READY_TIMEOUT_MS });
      await page.getByRole("dialog").getByRole("button", { name: /agree/iu }).click();
      await page.getByText("Ready for work").first().waitFor({ timeout: READY_TIMEOUT_MS });
    } catch (error) {
      throw await this.#trouble("The tab did not get ready to work.", error);
    }
  }

  async allowFetch(url: string, origin: string): Promise<void> {
    const page = this.#page;
    try {
      await page.goto(url);
      await page.getByText("What this tab may do for others").first().click({ timeout: READY_TIMEOUT_MS });
      await page.getByRole("radio", { name: "Only these" }).check();
      const servers = page.getByRole("textbox", { name: /^Servers, one a line/u });
      await servers.fill(origin);
      await servers.blur();
    } catch (error) {
      throw await this.#trouble(`The tab does not let others ask ${origin}.`, error);
    }
  }

  async shownEarnings(earned: bigint, testMoney: boolean): Promise<string> {
    const page = this.#page;
    const text = `${creditsFixed(earned)} ${testMoney ? "test credits" : "credits"}`;
    try {
      await page.getByRole("navigation").getByRole("link", { name: "Earnings" }).click();
      const balance = page.getByRole("region", { name: "Balance" });
      await balance.getByText(text).first().waitFor({ state: "attached", timeout: SHOWN_TIMEOUT_MS });
      return text;
    } catch (error) {
      throw await this.#trouble(`The page of earnings does not show ${text}.`, error);
    }
  }

  async verifyReceipt(entryIndex: number): Promise<string> {
    const page = this.#page;
    try {
      await page
        .getByRole("button", { name: `Verify entry ${entryIndex}` })
        .click({ timeout: SHOWN_TIMEOUT_MS });
      const verdict = page.getByText(/^(?:Verified|Does not hold|Not checked)\./u).first();
      await verdict.waitFor({ timeout: SHOWN_TIMEOUT_MS });
      const title = (await verdict.textContent()) ?? "";
      const sentence = (await verdict.locator("..").textContent()) ?? title;
      if (!title.startsWith("Verified")) throw new Error(sentence);
      return sentence.trim();
    } catch (error) {
      throw await this.#trouble("The page could not verify the receipt.", error);
    }
  }

  async close(): Promise<void> {
    await this.#browser.close();
  }

  /** What the page says, for somebody who cannot see it. */
  async #trouble(what: string, cause: unknown): Promise<PlainError> {
    const said = await this.#page
      .locator("main")
      .innerText({ timeout: 1_000 })
      .catch(() => "");
    const errors = this.#errors.length === 0 ? "" : ` Errors in the page: ${this.#errors.join("; ")}.`;
    const first = cause instanceof Error ? (cause.message.split("\n")[0] ?? "") : "";
    return new PlainError({
      what,
      why: `${first}.${errors}${said === "" ? "" : ` The page says: ${said.replaceAll(/\s+/gu, " ").slice(0, 600)}`}`,
      advice: "Run `npm start`, open the address by hand and press the switch there to see more.",
      cause,
    });
  }
}
