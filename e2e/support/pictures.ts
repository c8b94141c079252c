import { expect, type Locator, type Page } from "@playwright/test";

/** Each picture is taken as these people see it. */
const LOOKS = [
  { look: "light", colorScheme: "light", width: 1280 },
  { look: "phone", colorScheme: "dark", width: 390 },
] as const;
const HEIGHT = 844;
/** What another run of the same page may differ by, pixels: less than a letter. */
const MAX_DIFFERENT = 20;

export interface PictureOptions {
  /** The page down to its end, not only what a window shows of it. */
  readonly isWhole?: boolean;
  /** This alone, in place of the page. */
  readonly part?: Locator;
  /** What is never twice the same, and covered: names drawn at random, seconds, speeds. */
  readonly varying?: readonly Locator[];
}

/** Holds a page, in each look, against the pictures of that name. The window is then as wide as at first. */
export async function expectPicture(page: Page, name: string, options: PictureOptions = {}): Promise<void> {
  const { isWhole = true, part, varying = [] } = options;
  for (const { look, colorScheme, width } of LOOKS) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: HEIGHT });
    const taken = { mask: [...varying], maskColor: "#8a9a92", maxDiffPixels: MAX_DIFFERENT };
    const file = `${name}-${look}.png`;
    if (part === undefined) await expect.soft(page).toHaveScreenshot(file, { ...taken, fullPage: isWhole });
    else await expect.soft(part).toHaveScreenshot(file, taken);
  }
  await page.emulateMedia({ colorScheme: null });
  await page.setViewportSize({ width: 1280, height: HEIGHT });
}
