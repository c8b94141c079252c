import { spawn } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { PlainError } from "./plain-error.ts";

/** Folder of this package. */
export const PACKAGE_FOLDER: string = fileURLToPath(new URL("../..", import.meta.url));
/** Where the build of the app is. */
export const DIST_FOLDER: string = join(PACKAGE_FOLDER, "dist");

/** What the build is made of. */
const SOURCES = ["src", "workers", "public", "index.html", "vite.config.ts", "package-lock.json"] as const;
/** Rooms and files that no page loads. */
const APART = /(?:^|[\\/])(?:cli|relay|vectors)[\\/]|\.(?:test|contract|bench)\.tsx?$/u;

function newestMs(path: string): number {
  if (!existsSync(path)) return 0;
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  let newest = 0;
  for (const name of readdirSync(path, { recursive: true, encoding: "utf8" })) {
    if (APART.test(name)) continue;
    const entry = statSync(join(path, name), { throwIfNoEntry: false });
    if (entry?.isFile() === true) newest = Math.max(newest, entry.mtimeMs);
  }
  return newest;
}

/** Whether the build is newer than all it is made of. @param folder of the package. */
export function isFresh(folder: string = PACKAGE_FOLDER): boolean {
  const page = statSync(join(folder, "dist", "index.html"), { throwIfNoEntry: false });
  return page !== undefined && SOURCES.every((source) => newestMs(join(folder, source)) <= page.mtimeMs);
}

/** Builds the app. @throws PlainError with what the build printed. */
export async function buildApp(): Promise<void> {
  const vite = join(dirname(createRequire(import.meta.url).resolve("vite/package.json")), "bin", "vite.js");
  const child = spawn(process.execPath, [vite, "build"], {
    cwd: PACKAGE_FOLDER,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NODE_ENV: "production", NO_COLOR: "1" },
  });
  const printed: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => printed.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => printed.push(chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  if (code === 0) return;
  const text = Buffer.concat(printed).toString().trim();
  throw new PlainError({
    what: "The app could not be built.",
    why: text.slice(-4_000),
    advice: "Run `npm install`, then `npm run build` to see all of it.",
  });
}

/** Builds the app unless it is fresh. @returns whether it was built now. */
export async function ensureBuilt(): Promise<boolean> {
  if (isFresh()) return false;
  await buildApp();
  return true;
}
