import { decodePlan } from "../../plan/plan-codec.ts";
import { openRun, type OpenRun } from "../../plan/state/open-run.ts";
import { parseJson } from "../../plan/json-value.ts";
import { type Cid, isCid } from "../../protocol/cid.ts";
import { seal } from "../../protocol/envelope.ts";
import { FailureError } from "../../protocol/failure.ts";
import { header } from "../../protocol/header.ts";
import {
  MAX_PLAN_BYTES,
  MAX_RUN_PARAMS_BYTES,
  MAX_TASK_BYTES,
  RUN_SILENCE_MS,
} from "../../protocol/limits.ts";
import { decodeEntryOf } from "../../protocol/messages/entry.ts";
import { closeJobMessage } from "../../protocol/messages/job.ts";
import { cancelMessage } from "../../protocol/messages/task.ts";
import type { RunJobView, RunView } from "../../protocol/run-views.ts";
import { decodeUtf8 } from "../../protocol/text.ts";
import { FREE_AGAIN_MS, RUN_LOOK_MS } from "../limits.ts";
import { pause } from "../pause.ts";
import type { PlanRun, PlanRunOptions } from "../plan-run.ts";
import { gatherSteps, openedStep } from "./gather-steps.ts";
import { LiveRun } from "./live-run.ts";
import type { RunGround } from "./run-ground.ts";
import { RunMailbox } from "./run-mailbox.ts";
import type { ParamBytes } from "./run-params.ts";

/** Attempts of one stay of a coordinator: when it comes back, its next ones begin with a number that it has not used. */
const ATTEMPTS_PER_STAY = 100;
const STAYS = 9;
const ATTEMPTS_EACH = 1_000;

/** See Tabmesh.continueRun. @param waiting ends the waiting for others, and cancels nothing */
export async function continueRun(
  ground: RunGround,
  id: Cid,
  options: PlanRunOptions,
  waiting?: AbortSignal,
): Promise<PlanRun> {
  const signal = waiting ?? options.signal ?? new AbortController().signal;
  const mailbox = new RunMailbox({
    run: id,
    client: ground.client,
    info: ground.info,
    signer: ground.signer,
    now: ground.now,
    since: () => [],
  });
  const view = await untilFree(ground, id, options, signal);
  const [run, { plan, planBytes, params }, steps] = await Promise.all([
    openLogged(ground, view),
    readPlan(ground, view, mailbox, signal),
    gatherSteps(ground, id, mailbox, signal),
  ]);
  const isOver = view.state !== "open";
  const left = isOver ? view : await freeJobs(ground, view);
  const turns = new Map<string, number>();
  for (const { node, turn } of left.jobs) turns.set(node, Math.max(turn + 1, turns.get(node) ?? 0));
  const live = new LiveRun({
    ground,
    run,
    plan,
    planBytes,
    params,
    options,
    steps,
    left: left.left,
    spentBefore: left.spent,
    attemptsFrom: attemptsFrom(ground, run, steps),
    turnsFrom: (node) => turns.get(node) ?? 0,
  });
  if (!isOver) void freeLater(ground, live, left);
  return live;
}

/**
 * Waits until nobody else coordinates the run: those that come before this one are silent.
 * @throws FailureError `denied` where this identity is no coordinator of it; `not-found`
 */
async function untilFree(
  { client, root }: RunGround,
  id: Cid,
  { atOnce = false }: PlanRunOptions,
  signal: AbortSignal,
): Promise<RunView> {
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- until the others are silent
    const view = await client.run(id, signal);
    if (!view.coordinators.some(({ peer }) => peer === root))
      throw new FailureError(
        "denied",
        "this identity neither started the run nor is named as a holder of it",
      );
    const isAlive = view.coordinators.some(
      ({ peer, silentMs }) => peer !== root && silentMs !== undefined && silentMs < RUN_SILENCE_MS,
    );
    if (view.state !== "open" || !isAlive || atOnce) return view;
    // oxlint-disable-next-line no-await-in-loop
    await pause(RUN_LOOK_MS, signal);
  }
}

/** The run as it is logged: its own envelope, and that of its holders. */
async function openLogged({ client, verify }: RunGround, view: RunView): Promise<OpenRun> {
  const { holdersIndex, entryIndex } = view;
  const [run, holders] = await Promise.all([
    client.entry(entryIndex),
    holdersIndex === undefined ? undefined : client.entry(holdersIndex),
  ]);
  const envelopes = holders === undefined ? [] : [decodeEntryOf("run-holders", holders).body.envelope];
  const opened = await openRun(decodeEntryOf("run", run).body.envelope, envelopes, verify);
  if (opened.id !== view.run) throw new FailureError("content-mismatch", "the relay shows another run");
  return opened;
}

async function readPlan(
  { client }: RunGround,
  view: RunView,
  mailbox: RunMailbox,
  signal: AbortSignal,
): Promise<{
  readonly plan: ReturnType<typeof decodePlan>;
  readonly planBytes: Uint8Array;
  readonly params: ParamBytes;
}> {
  const access = await mailbox.access();
  const read = async (cid: Cid, most: number): Promise<Uint8Array> => {
    const bytes = await client.runValue(view.run, access, cid, most, signal);
    if (bytes === undefined)
      throw new FailureError("not-found", `the relay does not keep ${cid} of this run`);
    return bytes;
  };
  const [planBytes, encoded] = await Promise.all([
    read(view.plan, MAX_PLAN_BYTES),
    read(view.params, MAX_RUN_PARAMS_BYTES),
  ]);
  const named: unknown = parseJson(decodeUtf8(encoded));
  const rows = typeof named === "object" && named !== null ? Object.entries(named) : [];
  const params = await Promise.all(
    rows.map(async ([name, cid]): Promise<[string, Uint8Array]> => {
      if (typeof cid !== "string" || !isCid(cid))
        throw new FailureError("malformed", `the parameter ${name} has no CID`);
      return [name, await read(cid, MAX_TASK_BYTES)];
    }),
  );
  return { plan: decodePlan(planBytes), planBytes, params: Object.fromEntries(params) };
}

/** What coordinators before have left open is closed, and the leases given back: the budget in them is free again. */
async function freeJobs(ground: RunGround, view: RunView): Promise<RunView> {
  const open = view.jobs.filter(({ state }) => state !== "closed");
  await Promise.allSettled(open.map((job) => freeJob(ground, job)));
  return ground.client.run(view.run);
}

/**
 * Leases of another coordinator may be given back once its steps are taken over, one after the other: then the budget in them is
 * there for this one.
 */
async function freeLater(ground: RunGround, live: LiveRun, view: RunView): Promise<void> {
  const over = new AbortController();
  void live.summary.then(() => over.abort());
  let open = view.jobs.filter(({ cap, spent, refunded }) => spent + refunded < cap);
  while (open.length > 0 && !over.signal.aborted) {
    // oxlint-disable-next-line no-await-in-loop -- until all is given back
    await pause(FREE_AGAIN_MS, over.signal).catch(() => undefined);
    // oxlint-disable-next-line no-await-in-loop
    await Promise.allSettled(open.map((job) => freeJob(ground, job)));
    // oxlint-disable-next-line no-await-in-loop
    const { jobs } = await ground.client.run(view.run).catch(() => view);
    const before = open;
    const now = new Map(jobs.map((each) => [each.job, each]));
    const after = before.map((job) => now.get(job.job) ?? job);
    live.addBudget(after.reduce((sum, { refunded }, i) => sum + refunded - (before[i]?.refunded ?? 0n), 0n));
    open = after.filter(({ cap, spent, refunded }) => spent + refunded < cap);
  }
}

async function freeJob(
  { client, info, signer, root }: RunGround,
  { job, coordinator }: RunJobView,
): Promise<void> {
  const about = header(info.origin, info.asset);
  if (coordinator === root) await client.closeJob(await seal(closeJobMessage, { ...about, job }, [signer]));
  const { leases } = await client.job(job);
  await Promise.allSettled(
    leases
      .filter(({ state }) => state === "open")
      .map(async ({ lease }) =>
        client.cancelLease(
          lease,
          await seal(cancelMessage, { ...about, lease, seq: 0, atUnit: 0 }, [signer]),
        ),
      ),
  );
}

/** Below the numbers of the next coordinator, and above those that this one has used before. */
function attemptsFrom({ root }: RunGround, { body, holders }: OpenRun, steps: readonly Uint8Array[]): number {
  const first = root === body.initiator ? 0 : (holders.indexOf(root) + 1) * ATTEMPTS_EACH;
  const used = steps
    .flatMap((step) => openedStep(step))
    .map(({ body: { attempt } }) => attempt)
    .filter((attempt) => attempt >= first && attempt < first + ATTEMPTS_EACH);
  if (root !== body.initiator && used.length === 0) return first;
  const last = used.reduce((most, attempt) => Math.max(most, attempt), first);
  const stay = Math.floor((last - first) / ATTEMPTS_PER_STAY) + 1;
  return first + Math.min(stay, STAYS) * ATTEMPTS_PER_STAY;
}
