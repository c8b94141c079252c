/** A million requests made from the relay's own description of its interface: none may crash it, or be answered with 5xx. */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { HEAP_BOUND, HttpFuzz } from "./http-fuzz.ts";
import type { Soak, SoakContext } from "./soak.ts";

/** Twenty minutes on an idle machine of two cores, an hour on a busy one: 300 to 1,500 a second. */
const INPUTS = 1_000_000;
/** Between two looks at the signal and at the relay's memory. */
const BATCH = 20_000;

const FOLDER = join(import.meta.dirname, "..", "..", "bench", "soak-state", "http-fuzz");

interface State {
  readonly done: number;
  readonly findings: number;
  /** Of the relay after a tenth of all inputs, and at the end of the last run: bytes after a collection. */
  readonly heapAtTenth: number;
  readonly heap: number;
  readonly honest: number;
  readonly replies: Readonly<Record<string, number>>;
}

const NOTHING: State = { done: 0, findings: 0, heapAtTenth: 0, heap: 0, honest: 0, replies: {} };

/** One relay from where the last one was left. */
async function life(before: State, context: SoakContext): Promise<State> {
  await rm(FOLDER, { recursive: true, force: true });
  await mkdir(FOLDER, { recursive: true });
  const fuzz = await HttpFuzz.start(FOLDER);
  let state = before;
  let reported = 0;
  const tell = (): void => {
    for (const finding of fuzz.findings.slice(reported)) context.log(finding);
    reported = fuzz.findings.length;
  };
  const next = async (done: number, heap: number): Promise<void> => {
    const replies = { ...before.replies };
    for (const [kind, count] of fuzz.replies) replies[kind] = (replies[kind] ?? 0) + count;
    const heapAtTenth = state.heapAtTenth === 0 && done >= INPUTS / 10 ? heap : state.heapAtTenth;
    const findings = before.findings + fuzz.findings.length;
    state = { done, findings, heapAtTenth, heap, honest: before.honest + fuzz.honest, replies };
    await context.save(state);
  };
  try {
    while (state.done < INPUTS && !context.signal.aborted && state.findings === before.findings) {
      const done = await fuzz.run(state.done, Math.min(INPUTS, state.done + BATCH), context.signal);
      tell();
      const { heap } = await fuzz.held();
      await next(done, heap);
      context.log(`${done} inputs, ${fuzz.honest} honest reports, ${(heap / 1e6).toFixed(1)} MB of heap`);
    }
  } finally {
    await fuzz.stop();
  }
  tell();
  await next(state.done, state.heap);
  return state;
}

async function run(context: SoakContext): ReturnType<Soak["run"]> {
  const started = (context.state as State | undefined) ?? NOTHING;
  // A run that was stopped goes on under a new relay: what is measured of its memory begins again then.
  const state = await life({ ...started, heapAtTenth: 0 }, context);
  context.signal.throwIfAborted();
  await rm(FOLDER, { recursive: true, force: true });
  return [
    {
      name: "http-fuzz: inputs",
      value: state.done,
      unit: "requests",
      goal: { value: INPUTS, better: "higher" },
    },
    ...Object.entries(state.replies)
      .toSorted(([a], [b]) => a.localeCompare(b))
      .map(([kind, value]) => ({ name: `http-fuzz: ${kind}`, value, unit: "replies", goal: null })),
    { name: "http-fuzz: honest reports", value: state.honest, unit: "logged meanwhile", goal: null },
    { name: "http-fuzz: heap at a tenth", value: state.heapAtTenth / 1e6, unit: "MB", goal: null },
    {
      name: "http-fuzz: heap at the end",
      value: state.heap / 1e6,
      unit: "MB",
      goal: { value: (state.heapAtTenth + HEAP_BOUND) / 1e6, better: "lower" },
    },
    { name: "http-fuzz: crashes, 5xx and the like", value: state.findings, unit: "findings" },
  ];
}

export const soaks: readonly Soak[] = [{ name: "http-fuzz", goal: { value: 0, better: "lower" }, run }];
