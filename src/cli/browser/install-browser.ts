import { spawn } from "node:child_process";
import { PlainError } from "../plain-error.ts";
import { findChromium, onPath } from "./find-chromium.ts";

/** Ten minutes: a browser is 100 MB, and mirrors are slow at times. */
const INSTALL_TIMEOUT_MS = 600_000;

const HOW_TO = [
  "Install Chromium or Chrome with your system's package manager,",
  "or run `npx playwright install --with-deps chromium`,",
  "or set CHROMIUM_PATH to one that is there.",
].join(" ");

async function run(program: string, args: readonly string[]): Promise<boolean> {
  const child = spawn(program, args, {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    timeout: INSTALL_TIMEOUT_MS,
  });
  return new Promise((resolve) => {
    child.on("error", () => resolve(false));
    child.on("exit", (code) => resolve(code === 0));
  });
}

/** Whether this process may install packages of Debian or Ubuntu. */
export function canInstall(): boolean {
  return process.getuid?.() === 0 && onPath(["apt-get"], process.env) !== undefined;
}

/** Installs Debian packages. @returns whether it worked. */
export async function installPackages(...packages: readonly string[]): Promise<boolean> {
  if (!(await run("apt-get", ["update", "-qq"]))) return false;
  return run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...packages]);
}

/**
 * A Chromium, installed with the system's package manager if there is none and this is root.
 * @param tell what takes so long. @throws PlainError that says what to do.
 */
export async function ensureChromium(tell: (text: string) => void): Promise<string> {
  const found = findChromium(process.env);
  if (found !== undefined) return found;
  const named = process.env["CHROMIUM_PATH"];
  if (named !== undefined && named !== "")
    throw new PlainError({
      what: `CHROMIUM_PATH leads to no program: ${named}.`,
      advice: "Correct it, or unset it.",
    });
  if (canInstall()) {
    tell("No Chromium here: installing it with apt-get.");
    const worked = await installPackages("chromium");
    const installed = findChromium(process.env);
    if (worked && installed !== undefined) return installed;
    throw new PlainError({
      what: "Chromium could not be installed.",
      why: "apt-get failed; see above.",
      advice: HOW_TO,
    });
  }
  throw new PlainError({ what: "There is no Chromium here, and a real tab needs one.", advice: HOW_TO });
}
