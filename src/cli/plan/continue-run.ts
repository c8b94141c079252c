import { isCid } from "../../protocol/cid.ts";
import { listenForInterrupts } from "../interrupts.ts";
import { type Exit, usageError } from "../plain-error.ts";
import { connectAs } from "../requester.ts";
import { RunDisplay } from "./run-display.ts";
import { finish } from "./run-over-mesh.ts";
import { report, type RunPlanFlags } from "./run-plan.ts";

/** Goes on with a run that its coordinator has left, or fetches what it has come to. */
export async function continuePlanRun(
  run: string,
  flags: Pick<RunPlanFlags, "relay" | "out" | "record" | "json" | "quiet" | "yes" | "wait">,
): Promise<Exit> {
  if (!isCid(run))
    throw usageError(
      `${run} is not the name of a run.`,
      "`npx tabmesh plan runs` lists those of this account.",
    );
  const tabmesh = await connectAs(flags);
  const interrupts = listenForInterrupts(() =>
    process.stderr.write("Cancelling the run. Press Ctrl-C again to quit at once.\n"),
  );
  try {
    const continued = await tabmesh.continueRun(run, {
      ...(flags.wait === undefined ? {} : { noProviderTimeoutMs: flags.wait }),
      signal: interrupts.signal,
    });
    const { testMoney } = tabmesh.relay;
    const display = new RunDisplay({
      screen: process.stderr,
      plan: continued.plan,
      money: { testMoney, isFree: false },
      quiet: flags.quiet === true,
    });
    const shown = (async () => {
      for await (const event of continued.events) display.add(event);
    })();
    const finished = await finish(continued, testMoney, interrupts.signal);
    await shown;
    display.end();
    return await report({ finished, tally: display.tally }, flags);
  } finally {
    interrupts.release();
    await tabmesh.close();
  }
}
