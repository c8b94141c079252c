import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Page, TestInfo } from "@playwright/test";

/** What pictures depend on beside the pages: elsewhere the same page looks a little different. */
interface PictureRecord {
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

function keptRecord(): object {
  const kept: unknown = JSON.parse(readFileSync(RECORD, "utf8"));
  return typeof kept === "object" && kept !== null ? kept : {};
}

/**
 * Whether pictures can be compared here. Where they are made anew, what they are made with is kept first.
 * @param page of the app.
 * @returns why they cannot; undefined where they can.
 */
export async function whyNotCompared(page: Page, { config }: TestInfo): Promise<string | undefined> {
  const here: PictureRecord = {
    chromium: page.context().browser()?.version() ?? "unknown",
    fonts: await page.evaluate(hashOfText),
  };
  if (config.updateSnapshots === "all") {
    mkdirSync(dirname(RECORD), { recursive: true });
    writeFileSync(RECORD, `${JSON.stringify(here, undefined, 2)}\n`);
  }
  if (!existsSync(RECORD)) return "no pictures are kept yet: npm run pictures";
  const kept = keptRecord();
  if (Reflect.get(kept, "chromium") !== here.chromium)
    return `pictures were made by another Chromium than ${here.chromium}`;
  return Reflect.get(kept, "fonts") === here.fonts ? undefined : "pictures were made with other fonts";
}
