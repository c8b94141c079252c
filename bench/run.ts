/**
 * `npm run bench`: measures everything, prints a table, writes bench/results.json.
 * `npm run bench -- NAME` measures what has NAME in its name and replaces those rows only.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findChromium } from "../src/cli/browser/find-chromium.ts";
import { type Bench, judge, type Row, tableText } from "./bench.ts";
import { discover } from "./discover.ts";
import { describeMachine } from "./machine.ts";

const FOLDER = join(import.meta.dirname, "..");
const RESULTS = join(import.meta.dirname, "results.json");

/** A row says when it was measured and by what: a run may replace some of them only. */
interface KeptRow extends Row {
  readonly bench: string;
  readonly date: string;
}

function isBench(value: unknown): value is Bench {
  return typeof value === "object" && value !== null && "name" in value && "run" in value;
}

/** Rows measured before, for a run that measures only some. */
async function rowsBefore(): Promise<readonly KeptRow[]> {
  try {
    const before = JSON.parse(await readFile(RESULTS, "utf8")) as { rows?: KeptRow[] };
    return before.rows ?? [];
  } catch {
    return [];
  }
}

const chromium = findChromium(process.env);
if (chromium !== undefined) process.env["CHROMIUM_PATH"] = chromium;

const wanted = process.argv[2];
const all = await discover(FOLDER, ["bench/*.bench.ts", "src/**/*.bench.ts"], "benches", isBench);
const chosen = all.filter(({ name }) => wanted === undefined || name.includes(wanted));
if (chosen.length === 0) {
  console.error(
    `No measurement has ${wanted ?? ""} in its name. There are: ${all.map(({ name }) => name).join(", ")}`,
  );
  process.exit(2);
}
const rows: KeptRow[] = [];
let isBroken = false;
for (const bench of chosen) {
  console.log(`measuring ${bench.name} …`);
  try {
    const measured = await bench.run();
    const date = new Date().toISOString();
    for (const each of measured) rows.push({ bench: bench.name, date, ...judge(each, bench.goal) });
  } catch (error) {
    isBroken = true;
    console.error(`${bench.name} could not be measured:`, error);
  }
}
console.log(`\n${tableText(rows)}`);
const kept =
  wanted === undefined
    ? []
    : (await rowsBefore()).filter(({ bench }) => !chosen.some(({ name }) => name === bench));
const results = {
  date: new Date().toISOString(),
  machine: await describeMachine(),
  rows: [...kept, ...rows],
};
await writeFile(RESULTS, `${JSON.stringify(results, undefined, 2)}\n`);
const missed = rows.filter(({ met }) => met === false);
const judged = rows.filter(({ met }) => met !== null);
console.log(
  `\n${judged.length - missed.length} of ${judged.length} goals met; results in bench/results.json`,
);
// A missed goal is a result; a measurement that broke is a failure.
process.exit(isBroken ? 1 : 0);
