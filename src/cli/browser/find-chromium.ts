import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "playwright";

/** Names that a Chromium goes by on the PATH, the ones that stay closest to upstream first. */
const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"] as const;
/** Where browsers are that are on no PATH. */
const PLACES: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  darwin: [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
  ],
  win32: [
    String.raw`C:\Program Files\Google\Chrome\Application\chrome.exe`,
    String.raw`C:\Program Files (x86)\Google\Chrome\Application\chrome.exe`,
  ],
};

type Environment = Readonly<Record<string, string | undefined>>;

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The first of these programs that is on the PATH. */
export function onPath(names: readonly string[], env: Environment): string | undefined {
  const folders = (env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => isProgram(path));
}

/**
 * A Chromium for real tabs: CHROMIUM_PATH, the system's, or the one that Playwright has downloaded.
 * @returns undefined when there is none; a CHROMIUM_PATH that leads nowhere counts as none.
 */
export function findChromium(env: Environment): string | undefined {
  const named = env["CHROMIUM_PATH"];
  if (named !== undefined && named !== "") return isProgram(named) ? named : undefined;
  const places = [...(PLACES[process.platform] ?? []), chromium.executablePath()];
  return onPath(NAMES, env) ?? places.find((path) => isProgram(path));
}

/** Stock Firefox, driven over WebDriver BiDi: FIREFOX_PATH or the system's. */
export function findFirefox(env: Environment): string | undefined {
  const named = env["FIREFOX_PATH"];
  if (named !== undefined && named !== "") return isProgram(named) ? named : undefined;
  return onPath(["firefox-esr", "firefox"], env);
}
