import { typesOf } from "../../plan/check.ts";
import { canonicalJson } from "../../plan/json-value.ts";
import type { Plan } from "../../plan/plan.ts";
import type { RunRecord } from "../../plan/run-record.ts";
import type { RunFailure } from "../../plan/runner-ports.ts";
import type { ValueType } from "../../plan/value-type.ts";
import { readValue } from "../../plan/values.ts";
import type { Cid } from "../../protocol/cid.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { failureCode, failureKind } from "../../protocol/failure-code.ts";
import { printable } from "../chat/printable.ts";
import { EXIT, type Exit } from "../plain-error.ts";
import { countText, creditsText, creditUnit } from "../quantities.ts";
import { nameOf, timeText } from "./run-lines.ts";
import { nodesOf, type RunTally } from "./run-tally.ts";

/** What a command says of a run when it is over. */

export interface FinishedRun {
  readonly run: Cid;
  readonly plan: Plan;
  readonly result?: { readonly cid: Cid; readonly bytes: Uint8Array };
  readonly failure?: RunFailure;
  readonly record: RunRecord;
  readonly elapsedMs: number;
  readonly isCancelled: boolean;
  /** What it cost; absent where nobody is paid. */
  readonly money?: { readonly spent: bigint; readonly budget: bigint; readonly testMoney: boolean };
}

/** Whether the receipts prove the result, in words and as data. */
export interface RunVerdict {
  readonly ok: boolean;
  /** As in "23 receipts by 5 peers prove it". */
  readonly text: string;
  /** What is wrong, one sentence each. */
  readonly problems: readonly string[];
  /** Root identities of the peers that signed for calls and effects. */
  readonly peers: readonly PeerId[];
}

const CANCELLED: ReadonlySet<number> = new Set((["cancelled", "not-started"] as const).map(failureCode));

export function exitOfRun({ failure, isCancelled }: FinishedRun): Exit {
  if (failure === undefined) return EXIT.ok;
  return isCancelled || CANCELLED.has(failure.code) ? EXIT.interrupted : EXIT.failed;
}

export function resultType({ graph }: Plan, types: ReadonlyMap<string, ValueType>): ValueType {
  const { result } = graph;
  const type =
    result.from === "node"
      ? types.get(result.node)
      : result.from === "param"
        ? graph.params[result.param]
        : undefined;
  return type ?? { type: "json" };
}

/** A result as standard output gets it: text and bytes as they are, all others as JSON, for a person over several lines. */
export function resultOutput({ plan, result }: FinishedRun, isForPerson: boolean): Uint8Array | string {
  if (result === undefined) return "";
  const type = resultType(plan, typesOf(plan));
  if (type.type === "bytes") return result.bytes;
  const text = new TextDecoder().decode(result.bytes);
  if (type.type === "text") return isForPerson && !text.endsWith("\n") ? `${text}\n` : text;
  return `${isForPerson ? JSON.stringify(JSON.parse(text), undefined, 2) : text}\n`;
}

/** The result for --json: bytes as base64. */
function resultJson({ plan, result }: FinishedRun): unknown {
  if (result === undefined) return null;
  const type = resultType(plan, typesOf(plan));
  if (type.type === "bytes") return Buffer.from(result.bytes).toString("base64");
  const value: unknown = JSON.parse(canonicalJson(readValue(type, result.bytes)));
  return value;
}

function moneyText({ money }: FinishedRun): string {
  if (money === undefined) return "nobody is paid";
  const { spent, budget, testMoney } = money;
  return `${creditsText(spent)} of at most ${creditsText(budget)} ${creditUnit(testMoney)}`;
}

/** One line for a person. */
export function runSummaryText(finished: FinishedRun, tally: RunTally, verdict: RunVerdict): string {
  const { run, elapsedMs, failure } = finished;
  const { size } = tally.peers;
  const again = tally.nodes.reduce((sum, node) => sum + node.again, 0);
  const steps = tally.nodes.reduce((sum, { done, failed }) => sum + done + failed, 0);
  return [
    `${failure === undefined ? "Done" : "Failed"}: ${countText(steps, "step")}${size === 0 ? "" : ` at ${countText(size, "peer")}`} in ${timeText(elapsedMs)}`,
    again === 0 ? "" : `, ${countText(again, "step")} given again`,
    `, ${moneyText(finished)}. `,
    `${verdict.ok ? "Verified" : "NOT VERIFIED"}: ${verdict.text}.`,
    `\nRun ${run}`,
  ].join("");
}

const REFUSED = failureCode("effect-refused");
const OWN_ORIGIN = "If you trust the plan with that server, name it: --allow-origin ORIGIN.";

/** A run on this machine that may not reach what its plan asks for. */
function isOwnOrigin({ money }: FinishedRun, { code, detail }: RunFailure): boolean {
  return money === undefined && code === REFUSED && /private network|not encrypted/u.test(detail);
}

/** What failed, where, at whom, what it cost, and what to do: lines for standard error. */
export function runFailureText(finished: FinishedRun, failure: RunFailure): string {
  const { node, iteration, peer, code, detail, paid, advice } = failure;
  const { means, name } = failureKind(code);
  const known = nodesOf(finished.plan.graph).find(({ id }) => id === node);
  const place = iteration === "" ? "" : `, iteration ${iteration}`;
  const title = known === undefined ? "the run" : `“${nameOf(known)}” (node ${node}${place})`;
  const lines = [
    `tabmesh: The run failed at ${title}: ${means} [${code} ${name}]`,
    ...(detail === "" ? [] : [`  why:  ${detail}`]),
    ...(peer === undefined ? [] : [`  peer: ${peer}`]),
    ...(finished.money === undefined
      ? []
      : [
          `  paid: ${creditsText(paid)} ${creditUnit(finished.money.testMoney)} for the steps that were done`,
        ]),
    `  do:   ${isOwnOrigin(finished, failure) ? OWN_ORIGIN : advice}`,
  ];
  return printable(`${lines.join("\n")}\n`);
}

/** One line of JSON; amounts are decimal strings of micro-credits. */
export function runJson(
  finished: FinishedRun,
  tally: RunTally,
  verdict: RunVerdict,
): Readonly<Record<string, unknown>> {
  const { run, plan, result, failure, money, elapsedMs } = finished;
  return {
    ok: failure === undefined && verdict.ok,
    exit: verdict.ok ? exitOfRun(finished) : EXIT.failed,
    run,
    plan: plan.name,
    result: resultJson(finished),
    resultCid: result?.cid ?? null,
    failure:
      failure === undefined
        ? null
        : { ...failure, name: failureKind(failure.code).name, paid: failure.paid.toString() },
    nodes: tally.nodes.map(({ id, node, peers, fuel, cost, slowestMs, ...counts }) => ({
      id,
      kind: node.kind,
      ...counts,
      peers,
      fuel: fuel.toString(),
      costMicroCredits: cost.toString(),
      slowestMs: Math.round(slowestMs),
    })),
    providers: [...tally.peers],
    receipts: finished.record.steps.length,
    runVerified: verdict.ok,
    problems: verdict.problems,
    costMicroCredits: money === undefined ? "0" : money.spent.toString(),
    ...(money === undefined ? {} : { budgetMicroCredits: money.budget.toString() }),
    elapsedMs: Math.round(elapsedMs),
  };
}
