import { DatabaseSync } from "node:sqlite";
import { setTimeout as wait } from "node:timers/promises";
import { firingNonce } from "../../schedule/firing-nonce.ts";
import { ScheduleRows } from "./schedule-rows.ts";
import { Schedule } from "./schedule.ts";

/**
 * One of several processes over one file of firings, for tests: it is killed without notice. Its clock runs faster than the world's, and
 * all processes' clocks are the same. What a firing does here is what it does at a relay: it registers a run, and who registers the same
 * run again finds it there.
 */
const [path = "", runs = "", holder = "", startMs = "0", speed = "1", workMs = "1"] = process.argv.slice(2);

/** Real time in which a lease runs out. */
const LEASE_MS = 1_000;
const TURN_MS = 10;

const database = new DatabaseSync(runs, { timeout: 10_000 });
const attempt = database.prepare("INSERT INTO attempts VALUES (?, ?, ?, ?, ?)");
const register = database.prepare("INSERT OR IGNORE INTO runs VALUES (?, ?, ?, ?)");

function nowMs(): number {
  return Math.floor(Number(startMs) + (Date.now() - Number(startMs)) * Number(speed));
}

/** A moment in which the process may be killed. */
async function perhapsDie(): Promise<void> {
  await wait(Math.random() * Number(workMs));
}

const schedule = new Schedule({
  rows: new ScheduleRows(path),
  async fire({ deployment, trigger, event, token }) {
    attempt.run(deployment, trigger, event, token, holder);
    await perhapsDie();
    register.run(firingNonce(deployment, trigger, event), deployment, trigger, event);
    await perhapsDie();
    return { ok: true, words: "" };
  },
  ownerOf: (deployment) => deployment,
  holder,
  leaseMs: LEASE_MS * Number(speed),
  log: {
    error: (...words: unknown[]) => process.stderr.write(`${JSON.stringify(words)}\n`),
    info: () => undefined,
  },
  nowMs,
});
setInterval(() => schedule.turn(), TURN_MS);
process.stdout.write("ready");
