import { expect, type Locator, type Page } from "@playwright/test";

/** The tabs of the app, which lead to each of its pages. */
export function tabsOf(page: Page): Locator {
  return page.getByRole("navigation", { name: "Pages" }).getByRole("link");
}

/** What is still on its way is no page yet. */
async function settled(page: Page): Promise<void> {
  await expect(page.getByText(/^(?:Loading|Asking) ?.*…$/u)).toHaveCount(0);
  await expect(page.locator(".skeleton, .skeleton-block")).toHaveCount(0);
}

/** Goes to a page by its tab, and waits until it is there. */
export async function goTo(page: Page, name: string): Promise<void> {
  await tabsOf(page).filter({ hasText: name }).click();
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
  await settled(page);
}

/** Goes to each page in turn. @returns how many there are */
export async function onEachPage(page: Page, visit: (name: string) => Promise<void>): Promise<number> {
  await tabsOf(page).first().waitFor();
  const names = await tabsOf(page).allInnerTexts();
  for (const name of names) {
    await goTo(page, name);
    await visit(name);
  }
  return names.length;
}
