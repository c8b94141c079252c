/**
 * `npm run soak [NAME]`: the long versions of what the tests try briefly. Ctrl-C keeps what was reached in
 * bench/soak-state; the next run goes on from there. Results go to bench/soak-results.json.
 */
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { judge, type Row, tableText } from "../../bench/bench.ts";
import { discover } from "../../bench/discover.ts";
import { describeMachine, type Machine } from "../../bench/machine.ts";
import { findChromium } from "../../src/cli/browser/find-chromium.ts";
import type { Soak } from "./soak.ts";

const FOLDER = join(import.meta.dirname, "..", "..");
const STATE = join(FOLDER, "bench", "soak-state");
const RESULTS = join(FOLDER, "bench", "soak-results.json");

interface Finished {
  readonly name: string;
  readonly date: string;
  readonly machine: Machine;
  readonly rows: readonly Row[];
}

function isSoak(value: unknown): value is Soak {
  return typeof value === "object" && value !== null && "name" in value && "run" in value;
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch {
    return undefined;
  }
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFile(`${path}.new`, `${JSON.stringify(value, undefined, 2)}\n`);
  await rename(`${path}.new`, path);
}

async function finish(finished: Finished): Promise<void> {
  const before = await readJson(RESULTS);
  const others = (Array.isArray(before) ? (before as Finished[]) : []).filter(
    ({ name }) => name !== finished.name,
  );
  await writeJson(
    RESULTS,
    [...others, finished].toSorted((a, b) => a.name.localeCompare(b.name)),
  );
}

const chromium = findChromium(process.env);
if (chromium !== undefined) process.env["CHROMIUM_PATH"] = chromium;

const abort = new AbortController();
process.once("SIGINT", () => abort.abort(new Error("stopped by Ctrl-C")));
process.once("SIGTERM", () => abort.abort(new Error("stopped by SIGTERM")));

const wanted = process.argv[2];
const all = await discover(FOLDER, ["e2e/soak/*.soak.ts"], "soaks", isSoak);
const chosen = all.filter(({ name }) => wanted === undefined || name.includes(wanted));
if (chosen.length === 0) {
  console.error(
    `No soak has ${wanted ?? "any name"}. There are: ${all.map(({ name }) => name).join(", ") || "none"}`,
  );
  process.exit(2);
}
await mkdir(STATE, { recursive: true });
let exit = 0;
for (const soak of chosen) {
  if (abort.signal.aborted) break;
  const path = join(STATE, `${soak.name.replaceAll(/[^\w-]+/gu, "-")}.json`);
  const state = await readJson(path);
  console.log(`${soak.name}: ${state === undefined ? "starts" : "goes on from where it was stopped"}`);
  try {
    const measured = await soak.run({
      state,
      save: (next) => writeJson(path, next),
      signal: abort.signal,
      log: (text) => console.log(`${new Date().toISOString()} ${soak.name}: ${text}`),
    });
    if (abort.signal.aborted) break;
    const rows = measured.map((each) => judge(each, soak.goal));
    await finish({ name: soak.name, date: new Date().toISOString(), machine: await describeMachine(), rows });
    await rm(path, { force: true });
    console.log(tableText(rows));
  } catch (error) {
    if (abort.signal.aborted) break;
    exit = 1;
    console.error(`${soak.name} failed:`, error);
  }
}
if (abort.signal.aborted) {
  console.log("Stopped. Run it again to go on.");
  exit = 130;
}
process.exit(exit);
