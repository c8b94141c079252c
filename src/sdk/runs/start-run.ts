import { boundsOf } from "../../plan/bounds.ts";
import { requireSound } from "../../plan/check.ts";
import { encodePlan } from "../../plan/plan-codec.ts";
import type { Plan } from "../../plan/plan.ts";
import { type OpenRun, openRun } from "../../plan/state/open-run.ts";
import { cidOf, DAG_CBOR, RAW } from "../../protocol/cid.ts";
import { bodyId, seal } from "../../protocol/envelope.ts";
import { FailureError } from "../../protocol/failure.ts";
import { failureCode } from "../../protocol/failure-code.ts";
import { header } from "../../protocol/header.ts";
import { type Run, runHoldersMessage, runMessage } from "../../protocol/messages/run.ts";
import { type MicroCredits, microCredits } from "../../protocol/units.ts";
import { RUN_TIMEOUT_MS } from "../limits.ts";
import { NEW_ACCOUNT_CAP } from "../make-job.ts";
import type { PlanParams, PlanRun, PlanRunOptions } from "../plan-run.ts";
import { continueRun } from "./continue-run.ts";
import { LiveRun } from "./live-run.ts";
import type { RunGround } from "./run-ground.ts";
import { encodeParams, type ParamBytes, paramBytes } from "./run-params.ts";

interface Prepared {
  readonly plan: Plan;
  readonly planBytes: Uint8Array;
  readonly params: ParamBytes;
  readonly encoded: Uint8Array;
  readonly body: Run;
}

/** See Tabmesh.startRun. */
export async function startRun(
  ground: RunGround,
  plan: Plan,
  given: PlanParams,
  options: PlanRunOptions,
): Promise<PlanRun> {
  return begin(ground, await prepare(ground, plan, given, options), options);
}

/** The same where nobody has begun it yet; else goes on with it, or with what it has come to. Its options say which run it is: budget, nonce and time. */
export async function startOnce(
  ground: RunGround,
  plan: Plan,
  given: PlanParams,
  options: PlanRunOptions,
): Promise<PlanRun> {
  const prepared = await prepare(ground, plan, given, options);
  const id = bodyId(runMessage, prepared.body);
  const isBegun = await ground.client.run(id).then(
    () => true,
    (error: unknown) => {
      if (error instanceof FailureError && error.code === failureCode("not-found")) return false;
      throw error;
    },
  );
  if (isBegun) return continueRun(ground, id, { ...options, atOnce: true });
  return begin(ground, prepared, options);
}

async function prepare(
  ground: RunGround,
  plan: Plan,
  given: PlanParams,
  options: PlanRunOptions,
): Promise<Prepared> {
  requireSound(plan);
  options.signal?.throwIfAborted();
  const planBytes = encodePlan(plan);
  const params = paramBytes(plan, given);
  const encoded = encodeParams(params);
  const body = await runBody(ground, plan, { planBytes, encoded }, options);
  return { plan, planBytes, params, encoded, body };
}

async function begin(
  ground: RunGround,
  { plan, planBytes, params, encoded, body }: Prepared,
  options: PlanRunOptions,
): Promise<PlanRun> {
  const { client, signer, verify } = ground;
  const envelope = await seal(runMessage, body, [signer]);
  await client.registerRun({ run: envelope, plan: planBytes, params: encoded }, options.signal);
  const holders = await nameHolders(ground, body, options);
  const run = await openRun(envelope, holders, verify);
  void shareModules(ground, options);
  const live = new LiveRun({ ground, run, plan, planBytes, params, options });
  void leaveParams(ground, run, live, params);
  return live;
}

async function runBody(
  ground: RunGround,
  plan: Plan,
  { planBytes, encoded }: { readonly planBytes: Uint8Array; readonly encoded: Uint8Array },
  options: PlanRunOptions,
): Promise<Run> {
  const { info, root, now } = ground;
  const { payer, timeoutMs = RUN_TIMEOUT_MS, returnTo = "relay" } = options;
  const issuedAt = options.issuedAt ?? now();
  return {
    ...header(info.origin, info.asset),
    initiator: root,
    payer: payer?.account ?? root,
    ...(payer === undefined ? {} : { apiKey: payer.apiKey }),
    plan: cidOf(DAG_CBOR, planBytes),
    params: cidOf(RAW, encoded),
    nonce: options.nonce ?? crypto.getRandomValues(new Uint8Array(16)),
    issuedAt,
    notAfter: issuedAt + timeoutMs,
    budget: await budgetOf(ground, plan, options),
    returnTo,
  };
}

/** What the plan costs at its limits, or as much as the account can spare. @throws FailureError `insufficient-funds` */
async function budgetOf(ground: RunGround, plan: Plan, options: PlanRunOptions): Promise<MicroCredits> {
  if (options.budget !== undefined) return microCredits(options.budget);
  const available = options.payer?.available ?? (await ground.available());
  const spare = available === undefined || available === 0n ? NEW_ACCOUNT_CAP : available / 2n;
  const { cost } = boundsOf(plan, { tariff: options.tariffMax ?? ground.info.tariff });
  // Jobs set a little more aside than their steps can cost.
  const wanted = 2n * cost;
  return microCredits(wanted < spare && wanted > 0n ? wanted : spare);
}

/** @returns the envelopes of run-holders */
async function nameHolders(
  { client, info, signer }: RunGround,
  run: Run,
  { holders = [] }: PlanRunOptions,
): Promise<readonly Uint8Array[]> {
  if (holders.length === 0) return [];
  const body = { ...header(info.origin, info.asset), run: bodyId(runMessage, run), rev: 1, holders };
  const envelope = await seal(runHoldersMessage, body, [signer]);
  await client.setRunHolders(body.run, envelope);
  return [envelope];
}

/** Functions go to the relay as well: it recomputes with them, and has them when this program is gone. */
async function shareModules({ client }: RunGround, { modules = [] }: PlanRunOptions): Promise<void> {
  await Promise.allSettled(
    modules.map(async (bytes) => {
      const cid = cidOf(RAW, bytes);
      if (!(await client.hasBlob(cid))) await client.putBlob(cid, bytes);
    }),
  );
}

/** For whoever goes on when this program is gone. What the relay has no room for, nobody else can begin with. */
async function leaveParams(
  ground: RunGround,
  { id }: OpenRun,
  live: LiveRun,
  params: ParamBytes,
): Promise<void> {
  const access = await live.access();
  await Promise.allSettled(
    Object.values(params).map((bytes) => ground.client.putRunValue(id, access, cidOf(RAW, bytes), bytes)),
  );
}
