import type { Plan } from "../../plan/plan.ts";
import type { ValueType } from "../../plan/value-type.ts";
import type { DeploymentView } from "../../protocol/deployment-view.ts";
import type { TriggerTerms } from "../../sdk/index.ts";
import { usageError } from "../plain-error.ts";
import { exampleOf } from "../plan/plan-params.ts";

/** What starts the runs of a deployment, and what it gives them. */

export interface Starts {
  readonly triggers: readonly TriggerTerms[];
  /** Whether anybody may call it over HTTP. */
  readonly open: boolean;
}

type Fixed = Readonly<Record<string, unknown>>;

/** Parameters that a run must be given by whatever starts it. */
function asked({ graph }: Plan, fixed: Fixed): readonly (readonly [name: string, type: ValueType])[] {
  return Object.entries(graph.params).filter(
    ([name, { type }]) => type !== "optional" && !Object.hasOwn(fixed, name),
  );
}

/** A webhook's call has a body, and fields where that is JSON, which holds no bytes. */
function gives({ kind }: TriggerTerms, name: string, type: ValueType): boolean {
  if (name === "event") return true;
  return kind === "webhook" && (name === "body" || type.type !== "bytes");
}

const KIND_WORDS: Readonly<Record<TriggerTerms["kind"], string>> = {
  cron: "The clock",
  interval: "The clock",
  webhook: "A webhook",
  run: "The end of another run",
  name: "The change of a name",
  log: "A log of a contract",
  peer: "A peer that comes",
};

/** @throws PlainError when nothing starts it, or what starts it does not give what the plan asks for */
export function requireStarts(plan: Plan, fixed: Fixed, { triggers, open }: Starts): void {
  if (triggers.length === 0 && !open)
    throw usageError(
      `Nothing would ever start the plan ${plan.name}.`,
      "Say when it runs: --every 5m, --on webhook, or --http so that it can be called.",
    );
  for (const trigger of triggers) {
    const missing = asked(plan, fixed).find(([name, type]) => !gives(trigger, name, type));
    if (missing === undefined) continue;
    const [name, type] = missing;
    throw usageError(
      `${KIND_WORDS[trigger.kind]} does not give the parameter ${name}, which the plan ${plan.name} needs.`,
      `Fix it for every run, such as --param ${name}=${exampleOf(type)}, make it optional in the plan, or start it in another way.`,
    );
  }
}

/** The line that calls it over HTTP, with an example for each parameter that it must be given. */
export function curlLine(url: string, plan: Plan, fixed: Fixed): string {
  // What was called, and how, the relay says itself.
  const given = asked(plan, fixed).filter(([name]) => name !== "request");
  const fields = given.filter(([name]) => name !== "body");
  const hasBody = fields.length < given.length;
  if (!hasBody) {
    const data = fields.map(([name, type]) =>
      type.type === "bytes"
        ? ` --data-urlencode ${name}@FILE`
        : ` --data-urlencode ${name}=${exampleOf(type)}`,
    );
    return `curl${data.length === 0 ? "" : " -G"} ${url}${data.join("")}`;
  }
  const query = fields.map(([name, type]) => ` --url-query ${name}=${exampleOf(type)}`);
  return `curl --data-binary @FILE ${url}${query.join("")}`;
}

/** What a deployment of the same name did, and the one in its place no longer does. */
export function endedBy(before: DeploymentView | undefined, now: DeploymentView): readonly string[] {
  if (before === undefined) return [];
  const left = now.triggers.map(({ words }) => words);
  const ended = before.triggers.flatMap(({ kind, words }) => {
    const at = left.indexOf(words);
    if (at === -1) return [`no longer fires: ${words}`];
    left.splice(at, 1);
    return kind === "webhook" ? ["no longer takes the webhook's old secret"] : [];
  });
  if (before.open && !now.open) ended.push("no longer answers over HTTP");
  return ended;
}
