import { type Cid, cidOf, DAG_CBOR, type Digest, RAW } from "../../protocol/cid.ts";
import { readBody } from "../../protocol/envelope.ts";
import type { FailureCode } from "../../protocol/failure-code.ts";
import { FailureError } from "../../protocol/failure.ts";
import { stepMessage } from "../../protocol/messages/run.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { Verify } from "../../protocol/signature.ts";
import { checkPlan, typesOf } from "../check.ts";
import { decodePlan } from "../plan-codec.ts";
import type { Plan } from "../plan.ts";
import { describeProblem } from "../plan-error.ts";
import type { RunRecord } from "../run-record.ts";
import { argsBytes } from "../runner/inputs.ts";
import { hasStep, nodesOf } from "../runner/plan-nodes.ts";
import { isPeerAttempt, isSettling, WHOLE_RUN } from "../state/attempts.ts";
import { openRun, type OpenRun } from "../state/open-run.ts";
import { type Receipt, ReceiptReader } from "../state/receipt.ts";
import { RunState } from "../state/run-state.ts";
import { checkGraph } from "./check-graph.ts";
import { checkKind } from "./check-kinds.ts";
import { CheckState, type CheckTrust, type GraphSeen, type RunProblem, type Seen } from "./check-state.ts";

export type { RunProblem } from "./check-state.ts";

/** What a check of a run found. */
export interface RunCheck {
  /** Nothing is wrong, and the run is over. */
  readonly ok: boolean;
  readonly run?: Cid;
  readonly plan?: Plan;
  /** How it ended, as its coordinator signed; `open` where it has not. */
  readonly status: "done" | "failed" | "open";
  readonly result?: Cid;
  readonly code?: FailureCode;
  readonly problems: readonly RunProblem[];
  /** What could not be looked at, because its values are not in the record; its signatures hold. */
  readonly unchecked: readonly RunProblem[];
  /** Receipts of peers, those of losers included. */
  readonly steps: number;
  /** Root identities of who signed them. */
  readonly peers: readonly PeerId[];
}

function problem(where: string, message: string, iteration = ""): RunProblem {
  return { where, iteration, message };
}

function whyOf(error: unknown): string {
  if (error instanceof FailureError) return error.detail;
  throw error;
}

/**
 * Whether a run was carried out as its plan says, from its record alone: signatures, who signed, what each step was given and
 * came to, every decision in between again. It asks nobody.
 * @param trust who the relay is, and how effects are followed: what cannot be looked at without that stands in `unchecked`
 */
export async function verifyRun(
  record: RunRecord,
  verify: Verify,
  digest?: Digest,
  trust: CheckTrust = {},
): Promise<RunCheck> {
  const nothing = { ok: false, status: "open" as const, unchecked: [], steps: 0, peers: [] };
  let open: OpenRun;
  try {
    open = await openRun(record.run, record.holders, verify, digest);
  } catch (error) {
    return { ...nothing, problems: [problem("run", whyOf(error))] };
  }
  const problems: RunProblem[] = [];
  const plan = planOf(record, open, problems, digest);
  if (plan === undefined) return { ...nothing, run: open.id, problems };
  const { params, values } = valuesOf(record, open, plan, problems, digest);
  const state = await stateOf(record, open, plan, problems, verify, digest);
  const check = new CheckState({
    open,
    plan,
    types: typesOf(plan),
    state,
    values,
    digest,
    kind: checkKind,
    trust,
  });
  for (const { key } of state.proofs.values())
    problems.push(problem("steps", `${key} signed two different outcomes of one attempt`));
  const end = checkEnd(check, params);
  const peers = state.since(0).filter(({ step }) => isPeerAttempt(step.attempt));
  const all = [...problems, ...check.problems];
  return {
    ok: all.length === 0 && end.status !== "open",
    run: open.id,
    plan,
    ...end,
    problems: all,
    unchecked: check.unchecked,
    steps: peers.length,
    peers: [...new Set(peers.map(({ root }) => root))],
  };
}

function planOf(
  record: RunRecord,
  open: OpenRun,
  problems: RunProblem[],
  digest: Digest | undefined,
): Plan | undefined {
  if (cidOf(DAG_CBOR, record.plan, digest) !== open.body.plan) {
    problems.push(problem("plan", "it is not the plan that the run was signed for"));
    return undefined;
  }
  try {
    const plan = decodePlan(record.plan);
    const found = checkPlan(plan);
    for (const each of found) problems.push(problem("plan", describeProblem(each)));
    return found.length === 0 ? plan : undefined;
  } catch (error) {
    problems.push(problem("plan", whyOf(error)));
    return undefined;
  }
}

function valuesOf(
  record: RunRecord,
  open: OpenRun,
  plan: Plan,
  problems: RunProblem[],
  digest: Digest | undefined,
): { readonly params: ReadonlyMap<string, Seen>; readonly values: ReadonlyMap<Cid, Uint8Array> } {
  const values = new Map<Cid, Uint8Array>();
  for (const { cid, bytes } of record.values) {
    if (cidOf(RAW, bytes, digest) === cid) values.set(cid, bytes);
    else problems.push(problem("values", `the bytes of ${cid} are others`));
  }
  const cids = new Map<string, Cid>();
  const params = new Map<string, Seen>();
  for (const { name, bytes } of record.params) {
    const cid = cidOf(RAW, bytes, digest);
    cids.set(name, cid);
    const type = plan.graph.params[name];
    if (type !== undefined) params.set(name, { cid, type, bytes, parents: [], by: [] });
  }
  if (cidOf(RAW, argsBytes(cids), digest) !== open.body.params)
    problems.push(problem("params", "they are not the parameters that the run was signed for"));
  for (const name of Object.keys(plan.graph.params))
    if (!params.has(name)) problems.push(problem("params", `the parameter ${name} is not given`));
  return { params, values };
}

async function stateOf(
  record: RunRecord,
  open: OpenRun,
  plan: Plan,
  problems: RunProblem[],
  verify: Verify,
  digest: Digest | undefined,
): Promise<RunState> {
  const state = new RunState();
  const reader = new ReceiptReader({ ...open.body, run: open.id }, verify, digest);
  const nodes = nodesOf(plan.graph);
  const read = await Promise.all(
    record.steps.map(async (envelope, place) => readStep(reader, envelope, place)),
  );
  for (const receipt of read) {
    if ("message" in receipt) problems.push(receipt);
    else if (!hasStep(nodes, receipt.step))
      problems.push(problem(receipt.step.node, "the plan has no such step", receipt.step.iteration));
    else if (state.add(receipt) === "refused")
      problems.push(problem(receipt.step.node, "too many receipts of this step", receipt.step.iteration));
  }
  return state;
}

async function readStep(
  reader: ReceiptReader,
  envelope: Uint8Array,
  place: number,
): Promise<Receipt | RunProblem> {
  try {
    return await reader.read(envelope);
  } catch (error) {
    const why = whyOf(error);
    try {
      const { node, iteration } = readBody(stepMessage, envelope);
      return problem(node === WHOLE_RUN ? "run" : node, `step ${place} of the record: ${why}`, iteration);
    } catch {
      return problem("steps", `step ${place} of the record: ${why}`);
    }
  }
}

/** The step that closes the run, and everything that it follows from. */
function checkEnd(
  check: CheckState,
  params: ReadonlyMap<string, Seen>,
): Pick<RunCheck, "status" | "result" | "code"> {
  const key = { node: WHOLE_RUN, iteration: "" };
  const closings = check.state
    .of(key)
    .filter(({ step, root }) => isSettling(step.attempt) && check.isCoordinator(root))
    .toSorted((a, b) => Number(b.step.status === "done") - Number(a.step.status === "done"));
  const [closing] = closings;
  if (closing === undefined) {
    check.wrong(key, "no coordinator signed that the run is over");
    return { status: "open" };
  }
  check.follow(closing);
  if (closing.step.args !== check.open.body.params) check.wrong(key, "it was closed for other parameters");
  const seen = checkGraph(check, check.plan.graph, "", params);
  return endOf(check, closing, seen);
}

function endOf(
  check: CheckState,
  closing: Receipt,
  seen: GraphSeen,
): Pick<RunCheck, "status" | "result" | "code"> {
  const key = { node: WHOLE_RUN, iteration: "" };
  const { result, code } = closing.step;
  if (result !== undefined) {
    if (seen.kind === "absent")
      check.wrong(key, `it is closed with a result, and there is no receipt of ${seen.node}`);
    else if (seen.kind === "failed")
      check.wrong(key, "it is closed with a result, and by its receipts it failed");
    else {
      if (seen.value.cid !== result)
        check.wrong(key, "it is closed with another value than its receipts give");
      check.requireParents(closing, seen.tail);
    }
    return { status: "done", result };
  }
  if (seen.kind === "done")
    check.wrong(key, "it is closed as failed, and by its receipts it came to a result");
  return { status: "failed", ...(code === undefined ? {} : { code }) };
}
