import { writeFile } from "node:fs/promises";
import { extname } from "node:path";
import { printPlan } from "../../plan/plan-text.ts";
import { printable } from "../chat/printable.ts";
import { EXIT, type Exit, usageError } from "../plain-error.ts";
import { writeAll } from "../write-all.ts";
import { planNote } from "./check-plan.ts";
import { readPlan } from "./read-plan.ts";

export interface GraphFlags {
  readonly out?: string;
}

/** Draws a plan, or writes it in another of its forms: what comes out follows from the name of the file. */
export async function graphPlan(path: string, { out }: GraphFlags): Promise<Exit> {
  const { plan } = await readPlan(path);
  const made = await madeFor(out === undefined ? ".svg" : extname(out).toLowerCase());
  if (out === undefined) await writeAll(process.stdout, made);
  else {
    await writeFile(out, made);
    await writeAll(process.stderr, printable(`${out}: the plan ${plan.name}, ${planNote(plan)}.\n`));
  }
  return EXIT.ok;

  async function madeFor(kind: string): Promise<string> {
    if (kind === ".json") return printPlan(plan, "json");
    if (kind === ".yaml" || kind === ".yml") return printPlan(plan, "yaml");
    if (kind !== ".svg")
      throw usageError(
        `A plan is not written as ${kind === "" ? "a file without an ending" : kind}.`,
        "Take .svg for a picture, .json or .yaml for the plan itself.",
      );
    const { planSvg } = await import("./plan-svg.ts");
    return planSvg(plan, planNote(plan));
  }
}
