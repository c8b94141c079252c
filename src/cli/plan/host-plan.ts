import type { MissedPolicy } from "../../protocol/messages/deploy.ts";
import type { HostedSchedule, PlanRun } from "../../sdk/index.ts";
import { printable } from "../chat/printable.ts";
import type { TriggerFlag } from "../deployments/trigger-flags.ts";
import { homeFolder } from "../home/folder.ts";
import { fileMarks } from "../home/schedule-marks.ts";
import { listenForInterrupts } from "../interrupts.ts";
import type { RelayFlags } from "../job-flags.ts";
import { EXIT, type Exit, PlainError } from "../plain-error.ts";
import { creditsText } from "../quantities.ts";
import { connectAs } from "../requester.ts";
import { writeAll } from "../write-all.ts";
import { findWork } from "./find-work.ts";
import { keepRun } from "./kept-runs.ts";
import { Computing } from "./local/compute-here.ts";
import { paramsOf } from "./plan-params.ts";
import { readPlan } from "./read-plan.ts";
import { troubleWords } from "./trouble-words.ts";

export interface HostFlags extends RelayFlags {
  readonly name?: string;
  readonly param?: readonly (readonly [string, string])[];
  readonly with?: readonly string[];
  readonly secret?: readonly (readonly [string, string])[];
  readonly cap: bigint;
  readonly zone: string;
  readonly missed: MissedPolicy;
  readonly wait?: number;
  readonly yes?: boolean;
}

function whenOf(every: TriggerFlag, zone: string): HostedSchedule["when"] {
  return every.kind === "cron" ? { cron: every.cron ?? "", zone } : { everyMs: every.everyMs ?? 0 };
}

function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** Runs a plan again and again, while this program is there. */
export async function hostPlan(every: TriggerFlag, path: string, flags: HostFlags): Promise<Exit> {
  const { plan } = await readPlan(path);
  const params = await paramsOf(plan, flags.param ?? []);
  const work = await findWork(plan, path, flags.with ?? []);
  const { name = plan.name, missed, cap } = flags;
  const secrets = Object.fromEntries(flags.secret ?? []);
  const tabmesh = await connectAs(flags);
  const computing = new Computing(work);
  const interrupts = listenForInterrupts(() =>
    process.stderr.write(
      "Ending. What is under way is seen through at the next start. Ctrl-C again quits at once.\n",
    ),
  );
  const tell = (at: number, words: string, more: Readonly<Record<string, unknown>>): void => {
    const line =
      flags.json === true
        ? JSON.stringify({ schedule: name, at: new Date(at).toISOString(), ...more })
        : `${timeText(at)}  ${printable(words)}`;
    void writeAll(process.stdout, `${line}\n`);
  };
  const follow = async (run: PlanRun, at: number): Promise<void> => {
    const value = await run.result().then(
      ({ value: found }) => found,
      () => undefined,
    );
    const { failure, spent } = await run.summary;
    if (interrupts.signal.aborted && value === undefined) return;
    await keepRun(run.id, run.record());
    const why = failure === undefined ? "" : `: ${failure.detail}`;
    const state = failure === undefined ? "done" : "failed";
    tell(at, `${state}${why}, ${creditsText(spent)} spent, ${run.id}`, {
      state,
      run: run.id,
      ...(failure === undefined ? {} : { detail: failure.detail }),
      spentMicroCredits: spent.toString(),
    });
  };
  const following = new Set<Promise<void>>();
  process.stderr.write(
    `Running ${name} by the clock of this machine, for as long as this program is there. Ctrl-C ends it.\n`,
  );
  try {
    await tabmesh.hostSchedule(
      {
        name,
        plan,
        params,
        when: whenOf(every, flags.zone),
        missed,
        budget: cap,
        marks: fileMarks(homeFolder(process.env)),
        run: {
          modules: [...work.modules.values()],
          compute: (callee, task, stop) => computing.compute(callee, task, stop),
          ...(Object.keys(secrets).length === 0 ? {} : { secrets }),
          ...(flags.wait === undefined ? {} : { noProviderTimeoutMs: flags.wait }),
        },
      },
      {
        signal: interrupts.signal,
        onRun: (run, at) => void following.add(follow(run, at)),
        onTrouble: (error, at) =>
          tell(at, troubleWords(error), { state: "trouble", detail: troubleWords(error) }),
      },
    );
    await Promise.allSettled(following);
    if (interrupts.signal.aborted) return EXIT.ok;
    throw new PlainError({
      what: "No further time comes.",
      advice: "Give a time that comes again, such as 5m.",
    });
  } finally {
    interrupts.release();
    await computing.stop();
    await tabmesh.close();
  }
}
