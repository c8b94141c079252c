import { failureCode } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import { connect, type JobOptions, type JobSummary, type MapResult, type Tabmesh } from "../sdk/index.ts";
import { homeFolder } from "./home/folder.ts";
import { keepEvidence } from "./home/keep-evidence.ts";
import { ensureIdentity } from "./home/identity.ts";
import { filePins } from "./home/pins.ts";
import { tellOnce } from "./home/read-notice.ts";
import { listenForInterrupts } from "./interrupts.ts";
import type { JobFlags } from "./job-flags.ts";
import { PlainError } from "./plain-error.ts";
import { JobDisplay } from "./progress/job-display.ts";

/** Failures that say that nobody answered, rather than that the relay refused. */
const SILENT: ReadonlySet<number> = new Set(
  (["disconnected", "timed-out", "unreachable"] as const).map(failureCode),
);
const FORGED = failureCode("forged-checkpoint");

/** Says of a failure to reach the relay what to do about it here. Anything else stays as it is. */
export function relayTrouble(error: unknown, relay: string): unknown {
  if (!(error instanceof FailureError)) return error;
  if (SILENT.has(error.code)) {
    const cause = error.cause instanceof Error ? `: ${error.cause.message}` : "";
    return new PlainError({
      what: `No relay answers at ${relay}.`,
      why: `${error.detail}${cause}`,
      advice: "Start one here with `npx tabmesh relay`, or name another with --relay or TABMESH_RELAY.",
      cause: error,
    });
  }
  if (error.code === FORGED) {
    const kept = keepEvidence(error, homeFolder(process.env));
    const proof =
      kept === undefined
        ? ""
        : `. Both of its signed checkpoints are in ${kept}: \`npx tabmesh verify\` says what they prove.`;
    return new PlainError({
      what: `The relay at ${relay} is not the one it was at first contact.`,
      why: `${error.detail}${proof}`,
      advice:
        "Do not use it unless you know why. If you started this relay anew yourself, run " +
        `\`npx tabmesh forget --relay ${relay}\` and try again.`,
      cause: error,
    });
  }
  return error;
}

/** Contacts the relay under this person's identity, after telling once what providers can see. */
export async function connectAs(flags: Pick<JobFlags, "relay" | "yes">): Promise<Tabmesh> {
  const home = homeFolder(process.env);
  await tellOnce(home, flags.yes === true, { input: process.stdin, output: process.stderr });
  const identity = await ensureIdentity(home, Date.now());
  try {
    return await connect({ relay: flags.relay, seed: identity.seed, pins: filePins(home) });
  } catch (error) {
    throw relayTrouble(error, flags.relay);
  }
}

/** One job as the commands know it. */
export interface Assignment {
  readonly module: Uint8Array;
  /** Read one at a time, when somebody has room for it. */
  readonly inputs: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  readonly count: number;
  readonly options: JobOptions;
  /** Called for each result, one after the other; the job waits. */
  readonly onResult: (result: MapResult, display: JobDisplay) => void | Promise<void>;
  /** Lines above the progress bar on a terminal. */
  readonly above?: (columns: number) => readonly string[];
}

export interface Carried {
  readonly summary: JobSummary;
  readonly testMoney: boolean;
}

/**
 * Carries a job through: progress on standard error, results to `onResult`, Ctrl-C to the providers.
 * @returns also for a cancelled job; its summary says so. @throws when the job could not be carried out.
 */
export async function carry(flags: JobFlags, assignment: Assignment): Promise<Carried> {
  const tabmesh = await connectAs(flags);
  const { testMoney } = tabmesh.relay;
  const display = new JobDisplay({
    screen: process.stderr,
    testMoney,
    total: assignment.count,
    quiet: flags.quiet === true,
    ...(assignment.above === undefined ? {} : { above: assignment.above }),
    nowMs: () => performance.now(),
  });
  const interrupts = listenForInterrupts(() =>
    display.note("Cancelling at the providers. Press Ctrl-C again to quit at once."),
  );
  try {
    const handle = await tabmesh.map(assignment.module, assignment.inputs, {
      ...assignment.options,
      maxTasks: Math.max(1, assignment.count),
      signal: interrupts.signal,
      onProgress: (progress) => display.update(progress),
    });
    try {
      // The next result waits until this one is written.
      for await (const result of handle) await assignment.onResult(result, display);
    } catch (error) {
      if (!interrupts.signal.aborted) throw error;
    }
    return { summary: await handle.summary, testMoney };
  } finally {
    display.end();
    interrupts.release();
    await tabmesh.close();
  }
}
