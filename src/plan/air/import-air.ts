import type { Expression } from "../expression.ts";
import type { Plan } from "../plan.ts";
import { GraphDraft, JSON_TYPE, NodeIds } from "./graph-draft.ts";
import { AirLowering, type BindService } from "./lower-air.ts";
import { parseAir } from "./parse-air.ts";

/**
 * A plan from a program in AIR, the language of Fluence's interpreter; docs/plan.md lists what of it is supported. Data
 * dependency is kept, and what `seq` orders is ordered. It differs in one thing: a variable that no branch sets is a failure
 * that says so, where the interpreter waits for ever.
 * @param name of the plan @param bind which function each service's function is
 * @throws AirError naming line and column of what is not AIR, not supported, or not bound.
 */
export function importAir(text: string, name: string, bind: BindService): Plan {
  const draft = new GraphDraft(new NodeIds());
  const lowering = new AirLowering(bind);
  lowering.lower(parseAir(text), draft, new Map(), []);
  for (const parameter of lowering.parameters) draft.params[parameter] = JSON_TYPE;
  const result: Expression = { op: "name", name: "it" };
  const it = lowering.result ?? { from: "constant", json: "null" };
  return { v: 1, name, graph: draft.finish(result, { it }) };
}
