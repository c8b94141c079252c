import type { Cid } from "../../protocol/cid.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { PlanRun, PlanRunSummary } from "../../sdk/index.ts";
import { printable } from "../chat/printable.ts";
import { listenForInterrupts } from "../interrupts.ts";
import type { RelayFlags } from "../job-flags.ts";
import { EXIT, type Exit } from "../plain-error.ts";
import { countText, creditsText } from "../quantities.ts";
import { connectAs } from "../requester.ts";
import { writeAll } from "../write-all.ts";
import { troubleWords } from "./trouble-words.ts";

export interface HoldFlags extends RelayFlags {
  readonly for?: readonly PeerId[];
  readonly most?: number;
  readonly wait?: number;
  readonly yes?: boolean;
}

/** What is told of a run that is held: one line for a person, or one of JSON. */
interface Told {
  readonly run: Cid | undefined;
  readonly state: "taken-over" | "done" | "failed" | "left" | "trouble";
  readonly words: string;
  readonly spent?: bigint;
}

function endOf({ run, failure, spent, done, elapsedMs }: PlanRunSummary, isLeft: boolean): Told {
  const state = failure !== undefined ? "failed" : isLeft ? "left" : "done";
  const why = failure === undefined ? "" : `: ${failure.detail}`;
  const work = `${countText(done, "step")} in ${(elapsedMs / 1000).toFixed(0)} s, ${creditsText(spent)} spent`;
  return { run, state, words: `${state}${why}; ${work}`, spent };
}

/** Goes on with runs that name this identity as a holder, whenever nobody else coordinates them. */
export async function holdPlanRuns(flags: HoldFlags): Promise<Exit> {
  const tabmesh = await connectAs(flags);
  const isJson = flags.json === true;
  const interrupts = listenForInterrupts(() =>
    process.stderr.write("Leaving what is under way to other holders. Press Ctrl-C again to quit at once.\n"),
  );
  const tell = ({ run, state, words, spent }: Told): void => {
    const money = spent === undefined ? {} : { spentMicroCredits: spent.toString() };
    const line = isJson
      ? JSON.stringify({ at: new Date().toISOString(), run, state, detail: words, ...money })
      : `${new Date().toISOString().slice(11, 19)}  ${run ?? "relay"}  ${printable(words)}`;
    void writeAll(process.stdout, `${line}\n`);
  };
  const follow = async (run: PlanRun): Promise<void> => {
    tell({ run: run.id, state: "taken-over", words: `goes on with ${run.plan.name}` });
    // Left: neither the end of the run nor its failure is there.
    const isLeft = await run.result().then(
      () => false,
      () => true,
    );
    tell(endOf(await run.summary, isLeft));
  };
  const following = new Set<Promise<void>>();
  process.stderr.write(
    `Holding runs for ${flags.for?.join(", ") ?? "whoever names it"} at ${flags.relay} as ${tabmesh.requester}.\n` +
      `\`npx tabmesh plan run PLAN --holder ${tabmesh.requester}\` names this program. Ctrl-C ends it.\n`,
  );
  let told = "";
  try {
    await tabmesh.holdRuns({
      signal: interrupts.signal,
      ...(flags.for === undefined ? {} : { for: flags.for }),
      ...(flags.most === undefined ? {} : { most: flags.most }),
      ...(flags.wait === undefined ? {} : { noProviderTimeoutMs: flags.wait }),
      onRun: (run) => void following.add(follow(run)),
      onTrouble(error, run) {
        const words = troubleWords(error);
        // A relay that is away is away at every look.
        if (words !== told) tell({ run, state: "trouble", words });
        told = words;
      },
    });
    await Promise.allSettled(following);
    return EXIT.ok;
  } finally {
    interrupts.release();
    await tabmesh.close();
  }
}
