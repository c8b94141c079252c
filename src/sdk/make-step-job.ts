import type { StepOrder } from "../plan/runner-ports.ts";
import { toBase64 } from "../protocol/base64.ts";
import { type Cid } from "../protocol/cid.ts";
import { encodeJobArgs, type Job, type JobArgs, type RunStep } from "../protocol/messages/job.ts";
import { capabilityCid, EFFECT_ABI, effectNeeds, encodeCapability } from "../protocol/messages/effect.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { Tariff } from "../protocol/tariff.ts";
import type { JobContent, JobGround, MadeJob } from "./make-job.ts";
import { signJob } from "./make-job.ts";

/** Who may have a job of a run, beyond what it is about. */
export interface StepPlace {
  /** Root identities; any provider that fits where absent. */
  readonly only?: readonly PeerId[];
  /** Root identities whose owners may not have it. */
  readonly apartFrom?: readonly PeerId[];
  readonly prefer?: NonNullable<Job["prefer"]>;
}

export interface StepJobParts {
  readonly run: RunStep;
  readonly order: Pick<StepOrder, "what" | "limits">;
  readonly place: StepPlace;
  /** Steps at most, attempts that are lost among them. */
  readonly maxTasks: number;
  /** Providers wanted at a time. */
  readonly parallel: number;
  /** Peers that carry out each step. */
  readonly replicas: number;
  readonly cap: bigint;
  readonly tariffMax?: Tariff | undefined;
}

/** What of a job is the same for all steps of a node. */
export interface StepContent extends Pick<JobContent, "work" | "args"> {
  /** Envelope-free identity of what is called: a module, a manifest, a capability. */
  readonly callee: Cid;
}

function argsOf(args: readonly string[]): JobArgs {
  return { args, env: [], files: [] };
}

/** What the steps of a node call. @throws RangeError for arguments that are too long */
export function stepContent(what: StepOrder["what"]): StepContent {
  if (what.kind === "effect") {
    const { capability } = what;
    const cid = capabilityCid(capability);
    const args = argsOf([toBase64(encodeCapability(capability))]);
    const work = {
      kind: "effect",
      cid,
      entry: capability.kind,
      abi: EFFECT_ABI,
      effects: effectNeeds(capability),
    } as const;
    return { callee: cid, work, args: encodeJobArgs(args) };
  }
  const { kind, cid, entry, abi, args } = what.callee;
  return { callee: cid, work: { kind, cid, entry, abi, effects: [] }, args: encodeJobArgs(argsOf(args)) };
}

/** Signs the job that carries out the steps of one node. @throws RangeError when something is beyond what the wire format holds */
export async function makeStepJob(parts: StepJobParts, ground: JobGround): Promise<MadeJob> {
  const { run, order, place, maxTasks, parallel, replicas, cap, tariffMax } = parts;
  const { work, args } = stepContent(order.what);
  const content: JobContent = {
    work,
    args,
    blobs: new Map(),
    limits: order.limits,
    maxTasks,
    parallel,
    replicas,
  };
  const options = { cap, ...(tariffMax === undefined ? {} : { tariffMax }) };
  const policy = order.what.kind === "effect" ? "none" : "sampled";
  const { made } = await signJob(content, options, ground, { run, ...place, policy });
  return made;
}
