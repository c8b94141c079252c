/** Millions of mutations of every golden vector: each is refused with a failure, or is the one spelling of what it says. */
import { equalBytes, toHex } from "../../src/protocol/bytes.ts";
import { FailureError } from "../../src/protocol/failure.ts";
import { draw } from "./chance.ts";
import { mutate } from "./mutate.ts";
import type { Soak, SoakContext } from "./soak.ts";
import { type WireSubject, wireSubjects } from "./wire-subjects.ts";

/** A quarter of an hour on a busy machine, five minutes on an idle one. */
const MUTATIONS = 20_000_000;
/** Between two looks at the signal. */
const BATCH = 50_000;

interface State {
  readonly done: number;
  readonly accepted: number;
  readonly findings: number;
}

type Verdict = "refused" | "accepted" | { readonly wrong: string };

function judgeBytes(subject: WireSubject, data: Uint8Array): Verdict {
  try {
    return equalBytes(subject.again(data), data)
      ? "accepted"
      : { wrong: "written otherwise than it was read" };
  } catch (error) {
    if (error instanceof FailureError) return "refused";
    return { wrong: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
  }
}

function pick(subjects: readonly WireSubject[], place: number): WireSubject {
  const subject = subjects[place];
  if (subject === undefined) throw new RangeError(`there is no subject ${place}`);
  return subject;
}

async function run(context: SoakContext): ReturnType<Soak["run"]> {
  const { state, signal } = context;
  const subjects = await wireSubjects();
  for (const subject of subjects)
    if (judgeBytes(subject, subject.golden) !== "accepted")
      throw new Error(`${subject.name} is not accepted`);
  let { done, accepted, findings } = (state as State | undefined) ?? { done: 0, accepted: 0, findings: 0 };
  while (done < MUTATIONS && !signal.aborted) {
    for (const end = Math.min(MUTATIONS, done + BATCH); done < end; done += 1) {
      const by = draw("wire-fuzz", done);
      const subject = pick(subjects, by(subjects.length));
      const data = mutate(subject.golden, pick(subjects, by(subjects.length)).golden, by);
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
