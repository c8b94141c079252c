import { decodePlan } from "../../plan/plan-codec.ts";
import type { Plan } from "../../plan/plan.ts";
import type { RunRecord } from "../../plan/run-record.ts";
import { isPeerAttempt } from "../../plan/state/attempts.ts";
import type { RunCheck } from "../../plan/verify/verify-run.ts";
import { type Cid, isCid } from "../../protocol/cid.ts";
import { openEnvelope, readBody } from "../../protocol/envelope.ts";
import { failureKind } from "../../protocol/failure-code.ts";
import { type Step, runMessage, stepMessage } from "../../protocol/messages/run.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { type RunView, runView } from "../../sdk/index.ts";
import { atRelay } from "../at-relay.ts";
import { printable } from "../chat/printable.ts";
import type { RelayFlags } from "../job-flags.ts";
import { EXIT, type Exit, usageError } from "../plain-error.ts";
import { bytesText, countText, creditsText, fuelText } from "../quantities.ts";
import { writeAll } from "../write-all.ts";
import { roleOf, tail } from "./node-words.ts";
import { nameOf, nameWidth } from "./run-lines.ts";
import { nodesOf } from "./run-tally.ts";
import { checkOf, readRecord } from "./verify-record.ts";

/** A run that is over or under way, from its receipts. */

export interface ShowFlags extends RelayFlags {
  readonly node?: string;
}

interface SignedStep {
  readonly step: Step;
  /** The session key that signed. */
  readonly key: PeerId;
}

function stepsOf({ steps }: RunRecord): readonly SignedStep[] {
  return steps.flatMap((envelope) => {
    const { body: step, signedBy } = openEnvelope(stepMessage, envelope);
    return signedBy.map(({ key }) => ({ step, key }));
  });
}

/** What the relay says of it besides; nothing where no relay knows it or answers. */
async function viewOf(run: Cid, relay: string): Promise<RunView | undefined> {
  try {
    return await atRelay(relay, (owner) => runView(owner, run, AbortSignal.timeout(3_000)));
  } catch {
    return undefined;
  }
}

/** What stands of each step: the coordinator's word where there is one, else the peer's. */
function endOf(steps: readonly SignedStep[]): ReadonlyMap<string, Step["status"]> {
  const ends = new Map<string, Step["status"]>();
  for (const { step } of steps.toSorted((a, b) => a.step.attempt - b.step.attempt))
    ends.set(step.iteration, step.status);
  return ends;
}

function nodeLines(plan: Plan, steps: readonly SignedStep[]): readonly string[] {
  const nodes = nodesOf(plan.graph);
  const width = nameWidth(nodes);
  return nodes.map(({ id, node, depth }) => {
    const own = steps.filter(({ step }) => step.node === id);
    const ends = [...endOf(own).values()];
    const count = (status: Step["status"]): number => ends.filter((each) => each === status).length;
    const peers = own.filter(({ step }) => isPeerAttempt(step.attempt));
    const bytes = peers.reduce((sum, { step }) => sum + step.size, 0);
    const fuel = peers.reduce((sum, { step }) => sum + step.fuel, 0n);
    const keys = [...new Set(peers.map(({ key }) => tail(key)))];
    const mark = count("failed") > 0 ? "✗" : count("done") > 0 ? "✓" : count("skipped") > 0 ? "–" : "·";
    const told = [
      ends.length > 1 || count("done") === 0
        ? (["done", "failed", "skipped"] as const)
            .filter((status) => count(status) > 0)
            .map((status) => `${count(status)} ${status}`)
            .join(", ")
        : "",
      ...(roleOf(node) === "peer" && peers.length > 0
        ? [
            keys.length > 3 ? countText(keys.length, "peer") : keys.join(", "),
            bytesText(bytes),
            ...(fuel > 0n ? [fuelText(fuel)] : []),
          ]
        : []),
    ].filter((part) => part !== "");
    const indent = "  ".repeat(depth);
    const name = nameOf({ id, node }).padEnd(Math.max(4, width - indent.length));
    return `${indent}${mark} ${name}  ${told.join(" · ")}`.trimEnd();
  });
}

function receiptJson({ step, key }: SignedStep): Readonly<Record<string, unknown>> {
  return { key, ...step, fuel: step.fuel.toString() };
}

/** In the order of their iterations, then of their attempts. */
function inOrder(a: SignedStep, b: SignedStep): number {
  return (
    a.step.iteration.localeCompare(b.step.iteration, "en", { numeric: true }) ||
    a.step.attempt - b.step.attempt
  );
}

function receiptLine({ step, key }: SignedStep): string {
  const { iteration, attempt, status, code, detail, size, fuel, result, record } = step;
  const who = isPeerAttempt(attempt) ? tail(key) : `${tail(key)}, coordinating`;
  const what =
    status === "done"
      ? `${bytesText(size)}${fuel > 0n ? `, ${fuelText(fuel)}` : ""}  ${result ?? ""}${record === undefined ? "" : `  recorded in ${record}`}`
      : `${code === undefined ? "" : `[${code} ${failureKind(code).name}] `}${detail ?? ""}`;
  return `  ${(iteration === "" ? "–" : iteration).padEnd(8)} ${status.padEnd(8)} ${who.padEnd(22)} ${what}`.trimEnd();
}

function runLinesOf(
  check: RunCheck,
  plan: Plan,
  record: RunRecord,
  view: RunView | undefined,
): readonly string[] {
  const { issuedAt, initiator } = readBody(runMessage, record.run);
  const code = check.code === undefined ? "" : `: ${failureKind(check.code).means}`;
  const rows: readonly (readonly [string, string])[] = [
    ["run", check.run ?? ""],
    ["started", `${new Date(issuedAt).toISOString().slice(0, 19).replace("T", " ")} UTC by ${initiator}`],
    ...(check.result === undefined ? [] : [["result", check.result] as const]),
    [
      "proof",
      check.ok
        ? `${countText(check.steps, "receipt")} by ${countText(check.peers.length, "peer")}, verified`
        : "does not hold; see `plan verify`",
    ],
    ...(view === undefined
      ? []
      : [
          [
            "relay",
            `${view.state}, ${creditsText(view.spent)} of at most ${creditsText(view.budget)} credits, ${countText(view.jobs.length, "job")}`,
          ] as const,
        ]),
  ];
  return [
    `The plan ${plan.name} is ${check.status === "open" ? "under way" : check.status}${code}`,
    ...rows.map(([name, text]) => `  ${name.padEnd(8)} ${text}`),
    "",
    ...nodeLines(plan, stepsOf(record)),
  ];
}

/** Shows a run that was started here, or one from its record. */
export async function showRun(what: string, { relay, json, node }: ShowFlags): Promise<Exit> {
  const record = await readRecord(what);
  const plan = decodePlan(record.plan);
  const steps = stepsOf(record);
  if (node !== undefined) {
    const own = steps.filter(({ step }) => step.node === node).toSorted(inOrder);
    if (own.length === 0) {
      const known = nodesOf(plan.graph).map(({ id }) => id);
      throw usageError(`The run has no receipts of a node ${node}.`, `Its plan has ${known.join(", ")}.`);
    }
    const text =
      json === true
        ? JSON.stringify({
            ok: true,
            receipts: own.map(({ step, key }) => ({ key, ...step, fuel: step.fuel.toString() })),
          })
        : [
            `Receipts of ${node}, by iteration: who signed, how large the value is, and its CID`,
            ...own.map(receiptLine),
          ].join("\n");
    await writeAll(process.stdout, printable(`${text}\n`));
    return EXIT.ok;
  }
  const check = await checkOf(record);
  const view = isCid(check.run) ? await viewOf(check.run, relay) : undefined;
  const { plan: _plan, ...checked } = check;
  const text =
    json === true
      ? JSON.stringify({
          ...checked,
          plan: plan.name,
          relay:
            view === undefined
              ? null
              : {
                  state: view.state,
                  spentMicroCredits: view.spent.toString(),
                  budgetMicroCredits: view.budget.toString(),
                },
          receipts: steps.map(receiptJson),
        })
      : runLinesOf(check, plan, record, view).join("\n");
  await writeAll(process.stdout, printable(`${text}\n`));
  return EXIT.ok;
}
