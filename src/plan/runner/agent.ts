import type { Cid } from "../../protocol/cid.ts";
import { failureKind } from "../../protocol/failure-code.ts";
import { FailureError } from "../../protocol/failure.ts";
import { encodeModelData, generateInputSchema } from "../../protocol/messages/model-task.ts";
import { canonicalJson, isRecord, kindOf, parseJson, type Value, type ValueRecord } from "../json-value.ts";
import type { AgentNode, AgentTool } from "../plan.ts";
import type { StepOrder } from "../runner-ports.ts";
import { innerIteration } from "../state/attempts.ts";
import type { ValueType } from "../value-type.ts";
import type { Core, Place } from "./core.ts";
import { fail, input, inside, settleDone, together } from "./endings.ts";
import type { Ending, Known } from "./known.ts";
import { peersOf } from "./remote-kinds.ts";
import { remoteStep } from "./remote-step.ts";

const TEXT: ValueType = { type: "text" };
const BYTES: ValueType = { type: "bytes" };
const JSON_TYPE: ValueType = { type: "json" };

/** Tokens of one decision at most. */
const MAX_DECISION_TOKENS = 512;

/** What a mind is told, and what it is to answer with. */
export const MIND_RULES =
  'Answer with JSON alone: {"tool": NAME, "input": VALUE} to use one of the tools, or {"answer": VALUE} when the task is done.';

/** What a mind decided. */
export type Decided =
  | { readonly kind: "answer"; readonly answer: Value }
  | { readonly kind: "tool"; readonly tool: AgentTool; readonly input: Value };

/** @throws FailureError `bad-output` when it is neither an answer nor one of the tools. */
export function readDecision(text: string, tools: readonly AgentTool[]): Decided {
  let decision: Value;
  try {
    decision = parseJson(text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1));
  } catch {
    throw new FailureError("bad-output", "the mind's decision is not JSON");
  }
  if (!isRecord(decision)) throw new FailureError("bad-output", `the mind decided ${kindOf(decision)}`);
  if (decision["answer"] !== undefined) return { kind: "answer", answer: decision["answer"] };
  const tool = tools.find(({ name }) => name === decision["tool"]);
  if (tool === undefined)
    throw new FailureError("bad-output", "the mind decided for a tool that it does not have");
  return { kind: "tool", tool, input: decision["input"] ?? null };
}

/** What a mind is given at one turn: the task, its tools, and what happened so far. */
export function mindInput(node: AgentNode, task: Value, history: readonly ValueRecord[]): ValueRecord {
  const tools = node.tools.map(({ name, about }): ValueRecord => ({ name, about }));
  return { rules: MIND_RULES, task, tools, steps: history };
}

/** The same as the mind takes it: a function as JSON text, a model as a prompt. */
export function mindValue(
  node: AgentNode,
  told: ValueRecord,
): { readonly type: ValueType; readonly value: Value } {
  const text = canonicalJson(told);
  if (node.mind.kind === "function") return { type: TEXT, value: text };
  const messages = [
    { role: "system" as const, content: MIND_RULES },
    { role: "user" as const, content: text },
  ];
  const prompt = encodeModelData(generateInputSchema, {
    messages,
    written: [],
    maxTokens: MAX_DECISION_TOKENS,
    temperatureMilli: 0,
    topK: 0,
    topPMilli: 1_000,
    seed: new Uint8Array(32),
    stop: [],
  });
  return { type: BYTES, value: prompt };
}

/** What a tool is given: text as it is, all else as JSON. */
export function toolInput(wanted: Value): { readonly type: ValueType; readonly value: Value } {
  return typeof wanted === "string" ? { type: TEXT, value: wanted } : { type: JSON_TYPE, value: wanted };
}

/** What a mind is told of a tool's text: the JSON in it, or the text. */
export function toolSaid(text: string): Value {
  try {
    return parseJson(text);
  } catch {
    return text;
  }
}

/** Turn after turn: the mind decides, a tool is used, until there is an answer. */
export async function runAgent(core: Core, place: Place<AgentNode>): Promise<Ending> {
  const receipts: Cid[] = [];
  return inside(receipts, async () => untilAnswer(core, place, receipts));
}

async function untilAnswer(core: Core, place: Place<AgentNode>, receipts: Cid[]): Promise<Ending> {
  const { node, key, scope, id } = place;
  const task = await core.read(input(place, "task"));
  const peers = await peersOf(core, place);
  const history: ValueRecord[] = [];
  let parents: readonly Cid[] = place.parents;
  const spentBefore = core.spent();
  const step = async (
    number: number,
    what: StepOrder["what"],
    made: { readonly type: ValueType; readonly value: Value },
  ): Promise<Ending> => {
    const given: Known = core.keep(made.type, made.value, parents);
    const iteration = innerIteration(key.iteration, number);
    const { place: at, provenance, limits } = node;
    const ending = await remoteStep(
      core,
      {
        node: id,
        iteration,
        what,
        place: at,
        provenance,
        limits,
        input: given,
        output: TEXT,
        parents,
        peers,
        hold: false,
        expected: scope.turns * node.maxSteps * 2,
      },
      scope.signal,
    );
    receipts.push(ending.receipt);
    parents = [ending.receipt];
    return ending;
  };
  for (let turn = 0; turn < node.maxSteps; turn += 1) {
    if (core.spent() - spentBefore > node.budget)
      throw new FailureError("over-budget", `the agent has spent more than its ${node.budget} micro-credits`);
    const made = mindValue(node, mindInput(node, task, history));
    // oxlint-disable-next-line no-await-in-loop -- one turn after the other
    const thought = await step(2 * turn, { kind: "call", callee: node.mind }, made);
    if (thought.kind === "failed")
      return fail(
        core,
        key,
        place.args,
        together([thought.receipt], place.parents, receipts),
        thought.failure,
      );
    if (thought.kind === "skipped") return thought;
    // oxlint-disable-next-line no-await-in-loop
    const said = await core.read(thought.value);
    const decided = readDecision(typeof said === "string" ? said : "", node.tools);
    if (decided.kind === "answer") {
      const value = core.keep(core.typeOf(id), decided.answer, []);
      return settleDone(core, place, value, together(place.parents, receipts));
    }
    const use: UseStep = async (what, wanted) => step(2 * turn + 1, what, wanted);
    // oxlint-disable-next-line no-await-in-loop
    history.push(await useTool(core, scope.signal, decided, use));
  }
  throw new FailureError("expression-failed", `no answer after ${node.maxSteps} steps`);
}

type UseStep = (
  what: StepOrder["what"],
  made: { readonly type: ValueType; readonly value: Value },
) => Promise<Ending>;

/** What the mind is told of one use of a tool: a failure is something to think about, not the end. */
async function useTool(
  core: Core,
  signal: AbortSignal,
  { tool: { name, tool }, input: wanted }: Extract<Decided, { kind: "tool" }>,
  step: UseStep,
): Promise<ValueRecord> {
  const what: StepOrder["what"] =
    tool.kind === "function"
      ? { kind: "call", callee: tool.callee }
      : { kind: "effect", capability: tool.capability };
  const ending = await step(what, toolInput(wanted));
  if (ending.kind === "failed") {
    const { code, detail } = ending.failure;
    return { tool: name, input: wanted, failure: { name: failureKind(code).name, detail } };
  }
  if (ending.kind === "skipped") throw signal.reason;
  const said = await core.read(ending.value);
  return { tool: name, input: wanted, result: typeof said === "string" ? toolSaid(said) : said };
}
