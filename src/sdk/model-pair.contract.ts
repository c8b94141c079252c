/* A text under a lease, for tests: the real model on one side, the real session on the other. */
import { generateInput, writerModel } from "../inference/host/models.contract.ts";
import { cidOf, RAW } from "../protocol/cid.ts";
import type { JobLimits } from "../protocol/messages/job.ts";
import type { TaskStep } from "../protocol/messages/task.ts";
import { fuel } from "../protocol/units.ts";
import { modelThreadHere } from "../provider/model-thread.contract.ts";
import { Models } from "../provider/models.ts";
import { type LeasePair, leasePair, type PairOptions, seed } from "./lease-pair.contract.ts";
import type { FinalSegment, SentTask } from "./task-answers.ts";

/** Texts of any length up to its context. */
const MODEL = await writerModel({ shape: { context: 3_000 }, endTokens: [] });
export const TEXT = { temperatureMilli: 900, maxTokens: 300 };
const LIMITS: JobLimits = {
  fuel: fuel(10n ** 11n),
  memory: MODEL.manifest.memory,
  output: 1 << 20,
  deadlineMs: 60_000,
};

export interface Streaming extends LeasePair {
  readonly models: Models;
}

const closing: (() => void)[] = [];
/** After each test. */
export function closePairs(): void {
  for (const close of closing.splice(0)) close();
}

export async function openText(
  lease: PairOptions["lease"] = {},
  limits: Partial<JobLimits> = {},
  more: Pick<PairOptions, "job" | "provider"> = {},
): Promise<Streaming> {
  const models = new Models({
    startThread: () => modelThreadHere(),
    gpu: false,
    now: () => performance.now(),
    onChange: () => undefined,
  });
  const work = {
    kind: "model",
    cid: MODEL.cid,
    entry: "generate",
    abi: "model-1",
    profile: 1,
    effects: [],
  } as const;
  const pair = await leasePair({
    module: new Uint8Array(),
    work: models.load(MODEL.manifest, MODEL.cid, MODEL.file),
    ...more,
    job: { work, limits: { ...LIMITS, ...limits }, ...more.job },
    lease: { windowMax: 1, ...lease },
  });
  closing.push(() => {
    models.close();
    pair.stop();
  });
  return Object.assign(pair, { models });
}

export interface Sent {
  readonly task: SentTask;
  readonly segments: FinalSegment[];
}

export function sendText(
  { requester }: LeasePair,
  changes: Parameters<typeof generateInput>[0] = TEXT,
  onSegment: (segment: FinalSegment) => void = () => undefined,
  step?: TaskStep,
): Sent {
  const bytes = generateInput(changes);
  const segments: FinalSegment[] = [];
  const task = requester.send({
    bytes,
    cid: cidOf(RAW, bytes),
    seed: seed(8),
    step,
    onSegment: (segment) => {
      segments.push(segment);
      onSegment(segment);
    },
  });
  return { task, segments };
}
