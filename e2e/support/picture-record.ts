import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Browser, Page } from "@playwright/test";

/** What pictures depend on beside the pages: elsewhere the same page looks a little different. */
export interface PictureRecord {
  readonly chromium: string;
  /** SHA-256 of the pixels that a sample of text comes to, in the app's fonts and in scripts that need others. */
  readonly fonts: string;
}

const RECORD = join(import.meta.dirname, "../pictures/record.json");

/** Runs in a page of the app. */
async function hashOfText(this: void): Promise<string> {
  const canvas = new OffscreenCanvas(900, 700);
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("no canvas here");
  const mono = getComputedStyle(document.documentElement).getPropertyValue("--mono");
  const samples = ["Tabmesh 0123456789 ÄÖß — …", "مرحبا بالعالم", "参与 计算", "✓ ≤ × →"];
  let y = 0;
  for (const family of [getComputedStyle(document.documentElement).fontFamily, mono])
    for (const font of ["400 15px", "560 16px", "680 40px"])
      for (const sample of samples) {
        context.font = `${font} ${family}`;
        context.fillText(sample, 4, (y += 28));
      }
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
  return hash.toHex();
}

/** @param page a page of the app */
export async function recordHere(browser: Browser, page: Page): Promise<PictureRecord> {
  return { chromium: browser.version(), fonts: await page.evaluate(hashOfText) };
}

export function keepRecord(record: PictureRecord): void {
  mkdirSync(dirname(RECORD), { recursive: true });
  writeFileSync(RECORD, `${JSON.stringify(record, undefined, 2)}\n`);
}

/** @returns why pictures cannot be compared here; undefined where they can. */
export function whyNotHere(here: PictureRecord): string | undefined {
  if (!existsSync(RECORD)) return "no pictures are kept yet: npm run pictures";
  const kept: unknown = JSON.parse(readFileSync(RECORD, "utf8"));
  const fields = typeof kept === "object" && kept !== null ? kept : {};
  if (Reflect.get(fields, "chromium") !== here.chromium)
    return `pictures were made by another Chromium than ${here.chromium}`;
  return Reflect.get(fields, "fonts") === here.fonts ? undefined : "pictures were made with other fonts";
}
