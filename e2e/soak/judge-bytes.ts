import { equalBytes } from "../../src/protocol/bytes.ts";
import { FailureError } from "../../src/protocol/failure.ts";
import type { Draw } from "./chance.ts";
import { mutate } from "./mutate.ts";
import type { WireSubject } from "./wire-subjects.ts";

type Verdict = "refused" | "accepted" | { readonly wrong: string };

export function judgeBytes(subject: WireSubject, data: Uint8Array): Verdict {
  try {
    return equalBytes(subject.again(data), data)
      ? "accepted"
      : { wrong: "written otherwise than it was read" };
  } catch (error) {
    if (error instanceof FailureError) return "refused";
    return { wrong: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
  }
}

function pick(subjects: readonly WireSubject[], by: Draw): WireSubject {
  const subject = subjects[by(subjects.length)];
  if (subject === undefined) throw new RangeError("there is no subject");
  return subject;
}

/** Bytes like the golden ones of a subject, some with pieces of another's. */
export function mutation(
  subjects: readonly WireSubject[],
  by: Draw,
): { readonly subject: WireSubject; readonly data: Uint8Array } {
  const subject = pick(subjects, by);
  return { subject, data: mutate(subject.golden, pick(subjects, by).golden, by) };
}
