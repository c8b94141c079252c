import { graphsOf } from "../../plan/node-parts.ts";
import type { Callee, Graph, NodeId, Plan } from "../../plan/plan.ts";
import { USUAL_ENTRY } from "../../protocol/messages/session.ts";
import { findWork, wantedBy } from "./find-work.ts";

/** What a plan calls against the files beside it, without running anything. */

export interface ModuleNote {
  readonly node: NodeId;
  readonly message: string;
}

export interface ModuleCheck {
  /** Calls that the module refuses: the plan cannot run. */
  readonly misfits: readonly ModuleNote[];
  /** What is called and not here: a run looks for it elsewhere. */
  readonly missing: readonly ModuleNote[];
}

interface Called {
  readonly node: NodeId;
  readonly callee: Callee;
}

function calledIn({ nodes }: Graph): readonly Called[] {
  return Object.entries(nodes).flatMap(([node, of]) => {
    if (of.kind === "call") return [{ node, callee: of.callee }];
    if (of.kind !== "agent") return graphsOf(of).flatMap(({ graph }) => calledIn(graph));
    const tools = of.tools.flatMap(({ tool }) => (tool.kind === "function" ? [tool.callee] : []));
    return [of.mind, ...tools].map((callee) => ({ node, callee }));
  });
}

/** Why the module cannot be called so; undefined when it can. */
async function misfit(module: Uint8Array, { abi, entry }: Callee): Promise<string | undefined> {
  const { inspectModule } = await import("../../relay/threads/function-file.ts");
  const { interfaces, reasons } = await inspectModule(module, entry);
  const fit = interfaces.find((each) => each.abi === abi);
  if (fit?.fits === true) return undefined;
  const usual = await inspectModule(module);
  const other = usual.interfaces.find(({ fits }) => fits)?.abi;
  const why = [...(fit?.importProblems ?? []), ...(fit?.exportProblems ?? [])][0] ?? reasons[0]?.detail;
  const told = why === undefined ? "" : `: ${why}`;
  const advice =
    other === undefined
      ? ""
      : `. It is called with abi ${other}${USUAL_ENTRY[other] === "" ? "" : ` and entry ${USUAL_ENTRY[other]}`}`;
  return `the module beside the plan has no entry "${entry}" of ${abi}${told}${advice}`;
}

/** @param path of the plan: what it calls is looked for beside it */
export async function checkModules(plan: Plan, path: string): Promise<ModuleCheck> {
  const { modules, models } = await findWork(plan, path, []);
  const misfits: ModuleNote[] = [];
  for (const { node, callee } of calledIn(plan.graph)) {
    const module = modules.get(callee.cid);
    // oxlint-disable-next-line no-await-in-loop -- one module is compiled at a time
    const message = module === undefined ? undefined : await misfit(module, callee);
    if (message !== undefined) misfits.push({ node, message });
  }
  const missing = wantedBy(plan)
    .filter(({ cid }) => !modules.has(cid) && !models.has(cid))
    .map(({ node, cid, kind }) => ({ node, message: `the ${kind} ${cid} is not beside the plan` }));
  return { misfits, missing };
}
