import { type BrowserServer, chromium, type Page } from "@playwright/test";
import { CHROMIUM_ARGS, contribute } from "./tab.ts";

/** A provider tab in a Chromium of its own that can be killed like any process. */
export interface MortalTab {
  readonly page: Page;
  /** SIGKILL to the whole browser: no goodbye. */
  kill(): Promise<void>;
  /** SIGSTOP to all its processes, or SIGCONT: connections stay, and nobody answers. */
  stun(isStunned: boolean): void;
  /** Closes the browser as a person would. */
  close(): Promise<void>;
}

export interface MortalTabOptions {
  /** What is run instead of the browser: a script that ends by running it. */
  readonly executablePath?: string;
}

/** Opens the page in a new browser, gives consent and waits until it is ready to lease. */
export async function openMortalTab(url: string, options: MortalTabOptions = {}): Promise<MortalTab> {
  const executablePath = options.executablePath ?? process.env["CHROMIUM_PATH"];
  const server = await chromium.launchServer({
    ...(executablePath === undefined ? {} : { executablePath }),
    args: [...CHROMIUM_ARGS],
    handleSIGINT: false,
    handleSIGTERM: false,
  });
  const browser = await chromium.connect(server.wsEndpoint());
  const page = await browser.newPage();
  await page.goto(url);
  await contribute(page);
  return {
    page,
    kill: () => server.kill(),
    stun: (isStunned) => stun(server, isStunned),
    close: () => server.close(),
  };
}

/** The browser leads a group of processes. */
function stun(server: BrowserServer, isStunned: boolean): void {
  const { pid } = server.process();
  if (pid !== undefined) process.kill(-pid, isStunned ? "SIGSTOP" : "SIGCONT");
}
