/** Books that are killed two hundred times while they append reports, and go on from the same file each time. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { toHex } from "../../src/protocol/bytes.ts";
import { leafHash } from "../../src/protocol/merkle.ts";
import { checkBooks } from "../../src/relay/books/check-books.ts";
import { openSqliteStore } from "../../src/relay/store/sqlite-store.ts";
import { draw } from "./chance.ts";
import type { Soak, SoakContext } from "./soak.ts";

const KILLS = 200;
/** How long a life lasts after its first word, milliseconds: from before the first report to some dozens. */
const LEAST_LIFE_MS = 5;
const MOST_LIFE_MS = 400;

const FOLDER = join(import.meta.dirname, "..", "..", "bench", "soak-state", "relay-kills");
const FILE = join(FOLDER, "books.sqlite");
const BOOKS = fileURLToPath(new URL("../../src/relay/books/killed-books.contract.ts", import.meta.url));

interface State {
  readonly kills: number;
  /** Leaf hash of each acknowledged entry, hex, by index. */
  readonly acknowledged: Readonly<Record<string, string>>;
}

/** One life: logs reports until it is killed. @returns the lines it said: index and leaf hash of what it acknowledged. */
async function life(lifeMs: number): Promise<readonly string[]> {
  const child = spawn(process.execPath, [BOOKS, FILE], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    if (said === "") setTimeout(() => child.kill("SIGKILL"), lifeMs);
    said += text;
  });
  await once(child, "close");
  if (child.signalCode !== "SIGKILL")
    throw new Error(`the books ended by themselves, with ${child.exitCode}`);
  return said
    .split("\n")
    .slice(0, -1)
    .filter((line) => line !== "ready");
}

/** What is wrong with the file: entries that were acknowledged and are not there, and all that does not add up. */
function examine(acknowledged: State["acknowledged"]): { lost: number; problems: readonly string[] } {
  const store = openSqliteStore(FILE);
  try {
    let lost = 0;
    for (const [index, leaf] of Object.entries(acknowledged)) {
      const entry = store.entry(Number(index));
      if (entry === undefined || toHex(leafHash(entry)) !== leaf) lost += 1;
    }
    return { lost, problems: checkBooks(store) };
  } finally {
    store.close();
  }
}

async function run(context: SoakContext): ReturnType<Soak["run"]> {
  const { state, signal } = context;
  if (state === undefined) await rm(FOLDER, { recursive: true, force: true });
  await mkdir(FOLDER, { recursive: true });
  const before = state as State | undefined;
  const acknowledged: Record<string, string> = { ...before?.acknowledged };
  let kills = before?.kills ?? 0;
  let found = { lost: 0, problems: [] as readonly string[] };
  while (kills < KILLS && !signal.aborted && found.lost + found.problems.length === 0) {
    const lifeMs = LEAST_LIFE_MS + draw("relay-kills", kills)(MOST_LIFE_MS - LEAST_LIFE_MS);
    for (const line of await life(lifeMs)) {
      const [index = "", leaf = ""] = line.split(" ");
      acknowledged[index] = leaf;
    }
    kills += 1;
    found = examine(acknowledged);
    for (const problem of found.problems) context.log(problem);
    await context.save({ kills, acknowledged } satisfies State);
    if (kills % 20 === 0)
      context.log(`${kills} kills, ${Object.keys(acknowledged).length} acknowledged entries`);
  }
  signal.throwIfAborted();
  await rm(FOLDER, { recursive: true, force: true });
  return [
    { name: "relay-kills: kills", value: kills, unit: "SIGKILLs", goal: { value: KILLS, better: "higher" } },
    {
      name: "relay-kills: acknowledged",
      value: Object.keys(acknowledged).length,
      unit: "reports",
      goal: null,
    },
    { name: "relay-kills: lost", value: found.lost, unit: "reports" },
    { name: "relay-kills: does not add up", value: found.problems.length, unit: "balances" },
  ];
}

export const soaks: readonly Soak[] = [{ name: "relay-kills", goal: { value: 0, better: "lower" }, run }];
