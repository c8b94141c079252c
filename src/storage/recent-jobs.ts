import { type Cid, isCid } from "../protocol/cid.ts";
import { isFailureCode } from "../protocol/failure-code.ts";
import type { Failure } from "../protocol/failure.ts";
import { isPeerId, type PeerId } from "../protocol/peer-id.ts";
import { microCredits, type MicroCredits, U64_MAX } from "../protocol/units.ts";
import type { BrowserDatabase } from "./database.ts";
import { asCount, asListOf, asText, fieldsOf } from "./stored-value.ts";

/** What one provider did for a job, and where the log says so. */
export interface RecentLease {
  readonly lease: Cid;
  readonly provider: PeerId;
  readonly tasks: number;
  readonly amount: MicroCredits;
  /** Place in the relay's log; absent when the relay was not reached. */
  readonly entryIndex?: number;
}

/** A job that this browser asked for: what became of it. Inputs and outputs are not kept. */
export interface RecentJob {
  readonly job: Cid;
  /** Origin of the relay's HTTP server. */
  readonly relayUrl: string;
  /** What the person calls the function. */
  readonly name: string;
  readonly workCid: Cid;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly endedAt?: number;
  /** `running` also of one whose page was closed in the middle. */
  readonly state: "running" | "done" | "cancelled" | "failed";
  /** Tasks asked for; of those, what came back. */
  readonly tasks: number;
  readonly done: number;
  readonly failed: number;
  readonly spent: MicroCredits;
  /** Why it could not be carried on. */
  readonly failure?: Failure;
  readonly leases: readonly RecentLease[];
}

/** The jobs asked for last, newest first. */
export interface RecentJobsShelf {
  list(): Promise<readonly RecentJob[]>;
  /** Keeps it, in the place of what was known of the same job; beyond MOST_RECENT_JOBS the oldest go. */
  put(job: RecentJob): Promise<void>;
  remove(job: Cid): Promise<void>;
}

/** Jobs that are remembered: a list a person still reads, some hundred kilobytes with many leases each. */
const MOST_RECENT_JOBS = 50;

const STATES = ["running", "done", "cancelled", "failed"] as const;

function asAmount(value: unknown): MicroCredits | undefined {
  return typeof value === "bigint" && value >= 0n && value <= U64_MAX ? microCredits(value) : undefined;
}

function parseFailure(value: unknown): Failure | undefined {
  const fields = fieldsOf(value);
  const code = asCount(fields.get("code"));
  const detail = asText(fields.get("detail"));
  return code === undefined || !isFailureCode(code) || detail === undefined ? undefined : { code, detail };
}

function parseLease(value: unknown): RecentLease | undefined {
  const fields = fieldsOf(value);
  const [lease, provider] = [fields.get("lease"), fields.get("provider")];
  const [tasks, amount] = [asCount(fields.get("tasks")), asAmount(fields.get("amount"))];
  if (!isCid(lease) || !isPeerId(provider) || tasks === undefined || amount === undefined) return undefined;
  const entryIndex = asCount(fields.get("entryIndex"));
  return { lease, provider, tasks, amount, ...(entryIndex === undefined ? {} : { entryIndex }) };
}

function parseJob(value: unknown): RecentJob | undefined {
  const fields = fieldsOf(value);
  const [job, workCid] = [fields.get("job"), fields.get("workCid")];
  const [relayUrl, name] = [asText(fields.get("relayUrl")), asText(fields.get("name"))];
  const state = STATES.find((each) => each === fields.get("state"));
  const [startedAt, tasks] = [asCount(fields.get("startedAt")), asCount(fields.get("tasks"))];
  const [done, failed] = [asCount(fields.get("done")), asCount(fields.get("failed"))];
  const spent = asAmount(fields.get("spent"));
  const leases = asListOf(fields.get("leases"), parseLease);
  if (!isCid(job) || !isCid(workCid) || relayUrl === undefined || name === undefined) return undefined;
  if (state === undefined || startedAt === undefined || tasks === undefined) return undefined;
  if (done === undefined || failed === undefined || spent === undefined || leases === undefined)
    return undefined;
  const endedAt = asCount(fields.get("endedAt"));
  const failure = parseFailure(fields.get("failure"));
  const known = { job, relayUrl, name, workCid, startedAt, state, tasks, done, failed, spent, leases };
  return {
    ...known,
    ...(endedAt === undefined ? {} : { endedAt }),
    ...(failure === undefined ? {} : { failure }),
  };
}

function newestFirst(values: readonly unknown[]): readonly RecentJob[] {
  return values.flatMap((value) => parseJob(value) ?? []).toSorted((a, b) => b.startedAt - a.startedAt);
}

export function createRecentJobs(database: BrowserDatabase): RecentJobsShelf {
  return {
    list: async () => newestFirst(await database.getAll("jobs")),
    async put(job) {
      const write = database.transaction("jobs", "readwrite");
      await write.store.put({ ...job }, job.job);
      const over = newestFirst(await write.store.getAll()).slice(MOST_RECENT_JOBS);
      await Promise.all(over.map((each) => write.store.delete(each.job)));
      await write.done;
    },
    remove: async (job) => database.delete("jobs", job),
  };
}
