/** Millions of mutations of every golden vector: each is refused with a failure, or is the one spelling of what it says. */
import { toHex } from "../../src/protocol/bytes.ts";
import { draw } from "./chance.ts";
import { decoderSubjects } from "./decoder-subjects.ts";
import { findDecoders } from "./find-decoders.ts";
import { judgeBytes, mutation } from "./judge-bytes.ts";
import type { Soak, SoakContext } from "./soak.ts";
import { wireSubjects } from "./wire-subjects.ts";

/** A quarter of an hour on a busy machine, five minutes on an idle one. */
const MUTATIONS = 20_000_000;
/** Between two looks at the signal. */
const BATCH = 50_000;

interface State {
  readonly done: number;
  readonly accepted: number;
  readonly findings: number;
}

async function run(context: SoakContext): ReturnType<Soak["run"]> {
  const { state, signal } = context;
  const subjects = [...(await wireSubjects()), ...(await decoderSubjects(await findDecoders()))];
  for (const subject of subjects)
    if (judgeBytes(subject, subject.golden) !== "accepted")
      throw new Error(`${subject.name} is not accepted`);
  let { done, accepted, findings } = (state as State | undefined) ?? { done: 0, accepted: 0, findings: 0 };
  while (done < MUTATIONS && !signal.aborted) {
    for (const end = Math.min(MUTATIONS, done + BATCH); done < end; done += 1) {
      const { subject, data } = mutation(subjects, draw("wire-fuzz", done));
      const verdict = judgeBytes(subject, data);
      if (verdict === "accepted") accepted += 1;
      else if (verdict !== "refused") {
        findings += 1;
        context.log(`${subject.name}, mutation ${done}: ${verdict.wrong}: ${toHex(data)}`);
      }
    }
    // What is counted is kept.
    await context.save({ done, accepted, findings } satisfies State);
    if (done % 1_000_000 === 0) context.log(`${done} mutations, ${accepted} accepted as they were`);
  }
  signal.throwIfAborted();
  return [
    {
      name: "wire-fuzz: mutations",
      value: done,
      unit: "decoded",
      goal: { value: MUTATIONS, better: "higher" },
    },
    { name: "wire-fuzz: accepted", value: accepted, unit: "identical again", goal: null },
    { name: "wire-fuzz: neither", value: findings, unit: "findings" },
  ];
}

export const soaks: readonly Soak[] = [{ name: "wire-fuzz", goal: { value: 0, better: "lower" }, run }];
