/** A log of a million entries: appending, proving, starting again, and recomputing all of it. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { openBooks } from "../src/relay/books/open-books.ts";
import { optionsOf, START } from "../src/relay/books/books-scene.contract.ts";
import type { Bench } from "./bench.ts";
import { writeLog } from "./log-writer.ts";
import { median } from "./median.ts";

const ENTRIES = 1_000_000;
/** Proofs of entries all over the log, each of another place. */
const PROOFS = 1_000;
const TABMESH = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));

interface Reopened {
  readonly restartMs: number;
  readonly proofMs: number;
}

/** The relay's books as they are opened at its start, and inclusion proofs from them, none asked for before. */
async function reopened(path: string): Promise<Reopened> {
  const started = performance.now();
  const books = await openBooks(optionsOf(path, { now: START + 86_000_000 }));
  const restartMs = performance.now() - started;
  try {
    const size = books.size();
    const each: number[] = [];
    for (let i = 0; i < PROOFS; i += 1) {
      const index = Math.floor(((i * 0.618_034) % 1) * size);
      const asked = performance.now();
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await books.inclusion(index);
      each.push(performance.now() - asked);
    }
    return { restartMs, proofMs: median(each) };
  } finally {
    books.close();
  }
}

/** `tabmesh fsck` as anybody runs it, in a process of its own. @returns seconds, its start included */
async function fsckSeconds(path: string): Promise<number> {
  const started = performance.now();
  const { stdout } = await promisify(execFile)(process.execPath, [TABMESH, "fsck", path, "--json"]);
  const told: unknown = JSON.parse(stdout);
  if (typeof told !== "object" || told === null || Reflect.get(told, "ok") !== true)
    throw new Error(`fsck finds the log unsound: ${stdout}`);
  return (performance.now() - started) / 1_000;
}

const log: Bench = {
  name: "log",
  async run() {
    const folder = mkdtempSync(join(tmpdir(), "tabmesh-log-"));
    const path = join(folder, "books.sqlite");
    try {
      const { entries, seconds } = await writeLog(path, ENTRIES);
      const { restartMs, proofMs } = await reopened(path);
      return [
        {
          name: "log-append",
          value: entries / seconds,
          unit: "entries/s",
          goal: { value: 20_000, better: "higher" },
        },
        { name: "log-proof", value: proofMs, unit: "ms", goal: { value: 1, better: "lower" } },
        { name: "log-restart", value: restartMs, unit: "ms", goal: { value: 2_000, better: "lower" } },
        {
          name: "log-fsck",
          value: await fsckSeconds(path),
          unit: "s",
          goal: { value: 60, better: "lower" },
        },
      ];
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

export const benches: readonly Bench[] = [log];
