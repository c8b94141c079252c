import type { Locator, Page } from "@playwright/test";

/** More stops than there are on any page. */
const MOST_STOPS = 150;

/** Presses the Tab key until the focus is on a control, in whichever frame of the page. @throws Error when it never comes there */
export async function tabTo(page: Page, control: Locator): Promise<void> {
  for (let press = 0; press < MOST_STOPS; press += 1) {
    await page.keyboard.press("Tab");
    if (await control.evaluate((element) => element.matches(":focus") && element.ownerDocument.hasFocus()))
      return;
  }
  throw new Error(`the Tab key does not lead to ${control.toString()}`);
}
