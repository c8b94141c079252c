import { typesOf } from "../../plan/check.ts";
import type { Plan, Source } from "../../plan/plan.ts";
import { printType } from "../../plan/text/type-text.ts";
import type { ValueType } from "../../plan/value-type.ts";
import { printable } from "../chat/printable.ts";
import { EXIT, type Exit } from "../plain-error.ts";
import { countText } from "../quantities.ts";
import { writeAll } from "../write-all.ts";
import { roleOf, whatText } from "./node-words.ts";
import { checkModules, type ModuleCheck } from "./check-modules.ts";
import { type BoundWords, boundsOfPlan } from "./plan-bounds.ts";
import { exampleParams } from "./plan-params.ts";
import { problemLines, type ReadPlan, tryPlan } from "./read-plan.ts";
import { nodesOf } from "./run-tally.ts";

/** What a plan says of itself, before anything runs. */

export interface CheckFlags {
  readonly json?: boolean;
}

const MOST_TYPE_TEXT = 90;

function typeOfSource(
  plan: Plan,
  source: Source,
  types: ReadonlyMap<string, ValueType>,
): ValueType | undefined {
  if (source.from === "node") return types.get(source.node);
  return source.from === "param" ? plan.graph.params[source.param] : undefined;
}

/** What reaches out of the run, each once: people want to know that first. */
function effectsOf(plan: Plan): readonly string[] {
  const effects = nodesOf(plan.graph).flatMap(({ node }) => {
    if (node.kind === "effect") return [whatText(node)];
    if (node.kind !== "agent") return [];
    return node.tools.flatMap(({ name, tool }) =>
      tool.kind === "effect" ? [`${tool.capability.kind} (${name})`] : [],
    );
  });
  return [...new Set(effects)];
}

function clipped(text: string): string {
  return text.length > MOST_TYPE_TEXT ? `${text.slice(0, MOST_TYPE_TEXT - 1)}…` : text;
}

interface PlanAbout {
  readonly plan: string;
  readonly cid: string;
  readonly nodes: { readonly all: number; readonly byPeers: number; readonly byCoordinator: number };
  readonly params: Readonly<Record<string, string>>;
  readonly result: string;
  readonly effects: readonly string[];
  readonly bounds: BoundWords;
}

function aboutOf({ plan, cid }: ReadPlan): PlanAbout {
  const nodes = nodesOf(plan.graph);
  const result = typeOfSource(plan, plan.graph.result, typesOf(plan));
  return {
    plan: plan.name,
    cid,
    nodes: {
      all: nodes.length,
      byPeers: nodes.filter(({ node }) => roleOf(node) === "peer").length,
      byCoordinator: nodes.filter(({ node }) => roleOf(node) === "here").length,
    },
    params: Object.fromEntries(
      Object.entries(plan.graph.params).map(([name, type]) => [name, printType(type)]),
    ),
    result: result === undefined ? "json" : printType(result),
    effects: effectsOf(plan),
    bounds: boundsOfPlan(plan),
  };
}

function aboutLines({ path, plan }: ReadPlan, about: PlanAbout): readonly string[] {
  const params = Object.entries(about.params).map(([name, type]) => `${name}: ${type}`);
  const { all, byPeers, byCoordinator } = about.nodes;
  const rows: readonly (readonly [string, string])[] = [
    ["cid", about.cid],
    ["nodes", `${all}: ${byPeers} carried out by peers, ${byCoordinator} by whoever coordinates`],
    ["takes", params.length === 0 ? "nothing" : params.join(", ")],
    ["gives", clipped(about.result)],
    ["reaches", about.effects.length === 0 ? "nothing outside of the run" : about.effects.join("; ")],
    ["at most", about.bounds.text],
    ["run it", `npx tabmesh plan run ${path} ${exampleParams(plan)}`.trim()],
  ];
  return [
    `${path}: the plan ${plan.name} can run.`,
    ...rows.map(([name, text]) => `  ${name.padEnd(8)} ${text}`),
  ];
}

/** Checks a plan without running anything. */
export async function checkPlanFile(path: string, flags: CheckFlags): Promise<Exit> {
  const reading = await tryPlan(path);
  if (!reading.ok) {
    const problems = reading.problems.map(({ at, ...problem }) => ({ ...problem, ...at }));
    const told =
      flags.json === true
        ? JSON.stringify({ ok: false, exit: EXIT.failed, problems })
        : problemLines(reading).join("\n");
    await writeAll(process.stdout, printable(`${told}\n`));
    return EXIT.failed;
  }
  const modules = await checkModules(reading.plan, path);
  const about = aboutPlan(reading, modules);
  const { misfits } = modules;
  if (misfits.length > 0) {
    const problems = misfits.map(({ node, message }) => ({ node, path: "callee", message }));
    const told =
      flags.json === true
        ? JSON.stringify({ ok: false, exit: EXIT.failed, problems })
        : problemLines({ ok: false, path, problems }).join("\n");
    await writeAll(process.stdout, printable(`${told}\n`));
    return EXIT.failed;
  }
  const told = flags.json === true ? JSON.stringify({ ok: true, ...about.json }) : about.lines.join("\n");
  await writeAll(process.stdout, printable(`${told}\n`));
  return EXIT.ok;
}

/** What a sound plan says of itself, for a person and as data. */
export function aboutPlan(
  read: ReadPlan,
  { missing }: Pick<ModuleCheck, "missing"> = { missing: [] },
): {
  readonly lines: readonly string[];
  readonly json: Readonly<Record<string, unknown>>;
} {
  const about = aboutOf(read);
  const { text: _text, ...bounds } = about.bounds;
  const absent = missing.map(
    ({ node, message }) => `  missing  ${node}: ${message}; a run finds it with --with FILE or at the relay`,
  );
  return { lines: [...aboutLines(read, about), ...absent], json: { ...about, bounds, missing } };
}

/** One line below the name in a picture. */
export function planNote(plan: Plan): string {
  return `${countText(nodesOf(plan.graph).length, "node")} · at most ${boundsOfPlan(plan).text}`;
}
