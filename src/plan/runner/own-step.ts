import type { Cid } from "../../protocol/cid.ts";
import type { Step } from "../../protocol/messages/run.ts";
import { fuel } from "../../protocol/units.ts";
import type { StepKey } from "../runner-ports.ts";
import { GATHERED_FROM, PARENTS_EACH } from "../state/attempts.ts";
import type { Settling } from "./core.ts";

const NO_FUEL = fuel(0);

/** What every step has that a coordinator signs for itself. */
export function stepBase(
  run: Cid,
  { node, iteration }: StepKey,
  args: Cid,
): Pick<Step, "run" | "node" | "iteration" | "args" | "profile" | "fuel"> {
  return { run, node, iteration, args, profile: 0, fuel: NO_FUEL };
}

/** Steps that name the receipts that are too many for one; none where they are not. @param first how many there may be already */
export function gatherings(
  run: Cid,
  key: StepKey,
  { args, parents }: Pick<Settling, "args" | "parents">,
  first: number,
): readonly Step[] {
  if (parents.length <= PARENTS_EACH) return [];
  const steps: Step[] = [];
  for (let at = 0; at < parents.length; at += PARENTS_EACH)
    steps.push({
      ...stepBase(run, key, args),
      attempt: GATHERED_FROM + first + steps.length,
      status: "skipped",
      size: 0,
      parents: parents.slice(at, at + PARENTS_EACH),
    });
  return steps;
}
