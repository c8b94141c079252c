import { readdir, readFile } from "node:fs/promises";
import { dirname, extname, join } from "node:path";
import { type Cid, cidOf, RAW } from "../../protocol/cid.ts";
import type { Graph, NodeId, Plan } from "../../plan/plan.ts";
import { graphsOf } from "../../plan/node-parts.ts";
import { PlainError } from "../plain-error.ts";

/** The functions and models that a plan names by CID, as files of this machine. */

/** Something that a plan calls. */
export interface Wanted {
  readonly cid: Cid;
  readonly kind: "function" | "model";
  /** The first node that calls it. */
  readonly node: NodeId;
}

export interface Work {
  /** Modules by CID. */
  readonly modules: ReadonlyMap<Cid, Uint8Array>;
  /** Paths of model files by the CID of their manifest. */
  readonly models: ReadonlyMap<Cid, string>;
}

/** What a plan calls, each once, in the order of its nodes. */
export function wantedBy(plan: Plan): readonly Wanted[] {
  const wanted = new Map<Cid, Wanted>();
  const add = (node: NodeId, { cid, kind }: { readonly cid: Cid; readonly kind: Wanted["kind"] }): void => {
    if (!wanted.has(cid)) wanted.set(cid, { cid, kind, node });
  };
  const visit = ({ nodes }: Graph): void => {
    for (const [id, node] of Object.entries(nodes)) {
      if (node.kind === "call") add(id, node.callee);
      if (node.kind === "agent") {
        add(id, node.mind);
        for (const { tool } of node.tools) if (tool.kind === "function") add(id, tool.callee);
      }
      for (const { graph } of graphsOf(node)) visit(graph);
    }
  };
  visit(plan.graph);
  return [...wanted.values()];
}

const WORK_FILES: ReadonlySet<string> = new Set([".wasm", ".tmm"]);

/** Files beside the plan, and those that were named. */
async function candidates(planPath: string, named: readonly string[]): Promise<readonly string[]> {
  const folder = dirname(planPath);
  const beside = (await readdir(folder)).filter((name) => WORK_FILES.has(extname(name))).toSorted();
  return [...named, ...beside.map((name) => join(folder, name))];
}

/**
 * Finds what a plan calls: modules and model files that were named, or that lie beside it.
 * @param named files of --with; each must be one that the plan calls
 */
export async function findWork(plan: Plan, planPath: string, named: readonly string[]): Promise<Work> {
  const wanted = wantedBy(plan);
  const modules = new Map<Cid, Uint8Array>();
  const models = new Map<Cid, string>();
  const isWanted = (cid: Cid): boolean => wanted.some((each) => each.cid === cid);
  const wantsModels = wanted.some(({ kind }) => kind === "model");
  for (const path of wanted.length === 0 ? named : await candidates(planPath, named)) {
    let cid: Cid | undefined;
    if (extname(path) !== ".tmm") {
      // oxlint-disable-next-line no-await-in-loop -- one module in memory at a time, but those that are wanted
      const module = new Uint8Array(await readFile(path));
      cid = cidOf(RAW, module);
      if (isWanted(cid)) modules.set(cid, module);
    } else if (wantsModels) {
      // oxlint-disable-next-line no-await-in-loop
      const { describeModel } = await import("../../relay/models/describe-model.ts");
      // oxlint-disable-next-line no-await-in-loop
      ({ cid } = await describeModel(path));
      if (isWanted(cid)) models.set(cid, path);
    }
    if (named.includes(path) && (cid === undefined || !isWanted(cid)))
      throw new PlainError({
        what: `The plan ${plan.name} does not call ${path}.`,
        why: `Its CID is ${cid ?? "unknown"}; the plan calls ${wanted.map((each) => each.cid).join(", ") || "nothing"}.`,
        advice: "Put the CID of the file into the plan, or leave --with out.",
      });
  }
  return { modules, models };
}

/** @throws PlainError that names the node where something is missing that a run on this machine needs. */
export function requireWork(plan: Plan, { modules, models }: Work): void {
  const missing = wantedBy(plan).find(({ cid, kind }) => !(kind === "function" ? modules : models).has(cid));
  if (missing === undefined) return;
  const { cid, kind, node } = missing;
  throw new PlainError({
    what: `The ${kind} that the node ${node} calls is not here.`,
    why: `No file beside the plan has the CID ${cid}.`,
    advice: `Put the ${kind === "function" ? ".wasm" : ".tmm"} file beside the plan, or name it with --with FILE.`,
  });
}
