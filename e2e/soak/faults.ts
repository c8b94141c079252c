/**
 * Faults of the disk and of power, brought about in the process that imports this: at the next commit of its books or
 * the next checkpoint it signs, the process dies or the step throws. The relay itself knows nothing of it: what is
 * replaced are Node's own SQLite statements and signing. Import it before anything that opens books.
 */
import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { Worker } from "node:worker_threads";

/** Where it happens, in the order of a commit. */
export const FAULT_POINTS = ["begin", "row", "commit", "during", "committed", "sign", "signed"] as const;
export type FaultPoint = (typeof FAULT_POINTS)[number];

export interface Fault {
  readonly at: FaultPoint;
  /** `kill`: SIGKILL. `fail`: the step throws, once; `during` and `signed` cannot. */
  readonly does: "kill" | "fail";
  /** Passes of that point to let go first. */
  readonly skip: number;
  /** Of `during`: microseconds from the start of the COMMIT to the kill. */
  readonly delayUs: number;
}

let armed: Fault | undefined;
let left = 0;
let told: (fault: Fault) => void = () => undefined;

/** A thread that kills the process while its main thread waits for the disk: word 0 wakes it, word 1 is its delay. */
const KILLER = `
  const { workerData } = require("node:worker_threads");
  Atomics.wait(workerData, 0, 0);
  const until = process.hrtime.bigint() + BigInt(workerData[1]) * 1000n;
  while (process.hrtime.bigint() < until);
  process.kill(process.pid, "SIGKILL");
`;
const words = new Int32Array(new SharedArrayBuffer(8));
new Worker(KILLER, { eval: true, workerData: words }).unref();

/** The next time `fault.at` is reached it happens. @param onFail called just before a step throws. */
export function arm(fault: Fault, onFail: (fault: Fault) => void): void {
  armed = fault;
  left = fault.skip;
  told = onFail;
}

function happens(point: FaultPoint): Fault | undefined {
  if (armed?.at !== point) return undefined;
  if (left > 0) {
    left -= 1;
    return undefined;
  }
  const fault = armed;
  armed = undefined;
  return fault;
}

function die(): never {
  process.kill(process.pid, "SIGKILL");
  for (;;);
}

function pass(point: FaultPoint): void {
  const fault = happens(point);
  if (fault === undefined) return;
  if (fault.does === "kill") die();
  told(fault);
  throw new Error(`disk I/O error (brought about at ${point})`);
}

type Run = StatementSync["run"];

/** @param around runs the statement, before and after what may happen there. */
function watch(statement: StatementSync, around: (run: () => ReturnType<Run>) => ReturnType<Run>): void {
  const run = statement.run.bind(statement);
  Object.defineProperty(statement, "run", {
    value: (...values: SQLInputValue[]) => around(() => run(...values)),
  });
}

function commit(run: () => ReturnType<Run>): ReturnType<Run> {
  pass("commit");
  const during = happens("during");
  if (during !== undefined) {
    words[1] = during.delayUs;
    Atomics.store(words, 0, 1);
    Atomics.notify(words, 0);
  }
  const result = run();
  pass("committed");
  return result;
}

/** What may happen just before a statement. */
function before(point: FaultPoint): (run: () => ReturnType<Run>) => ReturnType<Run> {
  return (run) => {
    pass(point);
    return run();
  };
}

const prepare = Reflect.get(DatabaseSync.prototype, "prepare");
DatabaseSync.prototype.prepare = function prepareWatched(this: DatabaseSync, sql: string): StatementSync {
  const statement = prepare.call(this, sql);
  if (sql.startsWith("BEGIN")) watch(statement, before("begin"));
  else if (sql.startsWith("INSERT INTO entries")) watch(statement, before("row"));
  else if (sql === "COMMIT") watch(statement, commit);
  return statement;
};

/** A signed note's text: origin, size, root (C2SP tlog-checkpoint). Leases and the like are dag-cbor under a tag. */
const CHECKPOINT = /^\S+\n\d+\n[\w+/=]{44}\n$/u;

const { sign } = crypto;
Object.defineProperty(crypto, "sign", {
  value(algorithm: string | null, data: Uint8Array, key: crypto.KeyLike) {
    const isCheckpoint = CHECKPOINT.test(Buffer.from(data).toString());
    if (isCheckpoint) pass("sign");
    const signature = sign(algorithm, data, key);
    if (isCheckpoint) pass("signed");
    return signature;
  },
});
syncBuiltinESMExports();
