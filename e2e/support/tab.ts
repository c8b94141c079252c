import { type Browser, type BrowserContext, chromium, expect, type Page } from "@playwright/test";
import { overridePressure } from "./pressure.ts";

/** Flags for a Chromium that may run as root, on a closed network, with tabs that find each other quickly. */
export const CHROMIUM_ARGS: readonly string[] = [
  "--no-sandbox",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-features=WebRtcHideLocalIpsWithMdns",
];

/** WebGPU on the processor, where there is no graphics card. */
export const SOFTWARE_GPU_ARGS: readonly string[] = [
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--enable-features=Vulkan",
];

export async function launchChromium(args: readonly string[] = []): Promise<Browser> {
  const executablePath = process.env["CHROMIUM_PATH"];
  return chromium.launch({
    ...(executablePath === undefined ? {} : { executablePath }),
    args: [...CHROMIUM_ARGS, ...args],
  });
}

/** A provider tab in a browser of its own. */
export interface ProviderTab {
  readonly browser: Browser;
  readonly context: BrowserContext;
  readonly page: Page;
  /** Errors the page logged or threw. */
  readonly errors: string[];
}

/** Opens the page in a new browser, gives consent and waits until it is ready to lease. */
export async function openProviderTab(url: string): Promise<ProviderTab> {
  const browser = await launchChromium();
  const context = await browser.newContext();
  const page = await context.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  // A machine that runs tests has a lot to do, and the tab would rightly do less.
  await overridePressure(page);
  await page.goto(url);
  await contribute(page);
  return { browser, context, page, errors };
}

/** Presses the switch and agrees. */
export async function contribute(page: Page): Promise<void> {
  await page.getByRole("switch").click();
  await page.getByRole("button", { name: "Agree and start" }).click();
  await expect(page.getByText("Ready for work").first()).toBeVisible({ timeout: 30_000 });
}

/** Paths of the blobs that the page asks the relay for, from now on. */
export function watchBlobs(page: Page): string[] {
  const asked: string[] = [];
  page.on("request", (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith("/v1/blobs/") && request.method() === "GET") asked.push(pathname);
  });
  return asked;
}
